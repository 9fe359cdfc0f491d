"""Filter and extract asked for tags and for JSON under a schema, of the same small model over the same texts.

    python benchmarks/json_form.py --base-url http://127.0.0.1:8080/v1 --model smollm2 examples/corpus/*.md

Readable = the stage's parser reads the answer: at once, or at the second chance with the complaint. Every text is asked
for in both forms, one request at a time, so that seconds can be compared. The text is cut to `--chars`, answers to
`--max-tokens`; extract is asked about every text, with its first line as the summary that filter would have given.
"""

import argparse
import asyncio
import json
import time
from collections import Counter
from pathlib import Path

from gem_tasks.domain.corpus import Segment
from gem_tasks.domain.record import Record, Topic
from gem_tasks.domain.request_options import RequestOptions
from gem_tasks.llm.client import OpenAIClient
from gem_tasks.llm.limits import deadline
from gem_tasks.pipeline.recipes import Chain
from gem_tasks.pipeline.shard.attempt import attempt
from gem_tasks.settings import Settings

deadline._FIRST_TOKEN_S = 3600.0  # a slow machine is no fault of a form


def record(path, chars):
    """One text as a segment that the filter has accepted."""
    text = path.read_text(encoding="utf-8", errors="replace")[:chars]
    segment = Segment(
        segment_id=f"{path.stem}.0-{len(text)}", document_id=path.stem, document_uri=path.as_uri(),
        start=0, end=len(text), tokens=len(text) // 4, text=text,
    )  # fmt: skip
    summary = text.strip().splitlines()[0][:200]
    topic = Topic(summary=summary, platform="computer", domains=("finance",), task_category="databases")
    return Record(segment=segment, outputs={"filter": topic})


async def measured(client, chain, name, records):
    """Figures of a stage in a form; one line of progress for each text."""
    found = Counter()
    for each in records:
        started = time.monotonic()
        outcome = await attempt(chain.stage(name), chain.asking(name), each, client)
        cost, seconds = outcome.cost, time.monotonic() - started
        readable = outcome.kind != "failed"
        found["texts"] += 1
        found["readable_at_once"] += readable and not cost.faults
        found["readable"] += readable
        found[outcome.kind if readable else str(outcome.error_class)] += 1
        found["calls"] += cost.calls
        found["prompt_tokens"] += cost.usage.prompt_tokens
        found["answer_tokens"] += cost.usage.completion_tokens
        found["seconds"] += seconds
        print(json.dumps({"text": each.segment.document_id, "kind": outcome.kind, "detail": outcome.detail[:200],
                          "raw": (outcome.raw or "")[:200], "seconds": round(seconds, 1)}), flush=True)  # fmt: skip
    return {name: round(value, 1) for name, value in found.items()}


async def run(options):
    """Both forms of every stage."""
    records = [made for path in options.texts if (made := record(path, options.chars)).segment.text.strip()]
    for name in options.stages:
        for form in options.forms:
            asked = RequestOptions(form=form, max_tokens=options.max_tokens)
            settings = Settings(llm_base_url=options.base_url, llm_model=options.model, llm_requests={"": asked})
            client = OpenAIClient(options.base_url, None, concurrency=1, timeout_s=3600, max_attempts=2)
            async with client:
                found = await measured(client, Chain(settings), name, records)
            print(json.dumps({"stage": name, "form": form, **found}), flush=True)


def main():
    """Prints a JSON line for every text, and one for every stage and form."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", type=Path, nargs="+")
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--stages", nargs="+", default=["filter", "extract"])
    parser.add_argument("--forms", nargs="+", default=["tags", "json"])
    parser.add_argument("--chars", type=int, default=1500)
    parser.add_argument("--max-tokens", type=int, default=512)
    options = parser.parse_args()
    options.texts = [path.absolute() for path in options.texts]
    asyncio.run(run(options))


if __name__ == "__main__":
    main()
