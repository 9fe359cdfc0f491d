"""Accepted trajectories of the offline teacher, made in this process: the material of `mutations.py`.

    python benchmarks/checks/clean.py OUT SOURCE… [--limit 400] [--checks none]

Runs the stages' own requests and parsers over the segments of SOURCE (files, folders, `corpus.jsonl.gz`). OUT gets
`trajectories.jsonl` as `gem export` writes it, `segments.jsonl` and `extractions.jsonl` (by `segment_id`).
The judge of the teacher must accept what is kept; our own checks are asked only with `--checks errors`, for material
that was chosen by a check cannot measure that check's false positives.
"""

import argparse
import json
from pathlib import Path

from gem_tasks import prompts
from gem_tasks.checks import run_checks
from gem_tasks.corpus.normalise import normalise
from gem_tasks.corpus.reading.readers import read
from gem_tasks.corpus.segment import segment
from gem_tasks.corpus.sources.listing import list_objects
from gem_tasks.domain.finding import Severity
from gem_tasks.domain.outcome import Accepted
from gem_tasks.domain.record import Record
from gem_tasks.settings import Settings
from gem_tasks.stages import STAGES
from offline_teacher.answers import answer

STAGES_TO_JUDGE = STAGES[: [stage.name for stage in STAGES].index("validate") + 1]
"""Those after it take what it refused."""


def segments(source, settings):
    for found in list_objects(source):
        for raw in read(found, int(settings.document_max_mb * 1_000_000)):
            document, text = normalise(raw, settings.segment_min_chars)
            if document.reason is None:
                yield from segment(text, document, settings.segment_target_tokens, settings.segment_max_tokens)


def made(item):
    """The record after all stages to the judge, or None where one of them says no."""
    record = Record(segment=item)
    for stage in STAGES_TO_JUDGE:
        asked = [(message.role, message.content) for message in stage.request(record, prompts.load(stage.name))]
        outcome = stage.parse(answer(asked), record)
        if not isinstance(outcome, Accepted):
            return None
        if stage.name != "validate":
            record = record.with_output(stage.name, stage.output.model_validate_json(outcome.payload))
    return record


def row(record):
    trajectory = record.outputs["refine"]
    return {
        "messages": [message.to_openai() for message in trajectory.messages],
        "tools": [tool.to_openai() for tool in trajectory.tools],
        "metadata": {"segment_id": record.segment.segment_id, "n_messages": trajectory.size.messages},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--limit", type=int, default=400)
    parser.add_argument("--checks", choices=["none", "errors"], default="none")
    options = parser.parse_args()
    settings, kept = Settings(), 0
    options.out.mkdir(parents=True, exist_ok=True)
    names = ("trajectories", "segments", "extractions")
    files = {name: (options.out / f"{name}.jsonl").open("w", encoding="utf-8") for name in names}
    for item in (item for source in options.sources for item in segments(source, settings)):
        record = made(item)
        if record is None:
            continue
        if options.checks == "errors":
            if any(finding.severity is Severity.ERROR for finding in run_checks(record.outputs["refine"])):
                continue
        key = {"segment_id": item.segment_id}
        lines = {
            "trajectories": row(record),
            "segments": {**key, "text": item.text},
            "extractions": {**key, "extraction": record.outputs["extract"].model_dump(mode="json")},
        }
        for name, line in lines.items():
            files[name].write(json.dumps(line, ensure_ascii=False) + "\n")
        kept += 1
        if kept >= options.limit:
            break
    for file in files.values():
        file.close()
    print(f"{kept} trajectories in {options.out}")


if __name__ == "__main__":
    main()
