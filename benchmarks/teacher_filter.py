"""Precision and recall of the offline teacher's filter against labelled documents.

    python benchmarks/teacher_filter.py corpus.jsonl.gz [--json]

Each line carries `text`, `title`, `source` and `label` (procedural or not_procedural; others are left out). A document
counts as procedural when any of its segments passes, cut as the pipeline cuts. Reported for all documents, for two
random halves, per source, and with each source left out, so that one can see whether the rules fit one source only.
"""

import argparse
import json
from collections import defaultdict
from hashlib import sha256
from pathlib import Path

from gem_tasks.corpus.normalise import normalise
from gem_tasks.corpus.reading.readers import read
from gem_tasks.corpus.segment import segment
from gem_tasks.corpus.sources.listing import list_objects
from gem_tasks.settings import Settings
from offline_teacher import filter as teacher

LABELS = {"procedural": True, "not_procedural": False}


def passes(raw, settings):
    """Whether any segment of a document passes the filter."""
    document, text = normalise(raw, settings.segment_min_chars)
    cut = segment(text, document, settings.segment_target_tokens, settings.segment_max_tokens) if text else []
    texts = (f"{item.title}\n\n{item.text}" if item.title else item.text for item in cut)
    return any("<multi_step>True" in teacher.answer({"text": text}, 0) for text in texts)


def main():
    """Prints one line per group, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    settings, counts = Settings(), defaultdict(lambda: [0, 0, 0, 0])
    for found in list_objects(str(options.corpus)):
        for raw in read(found, 50_000_000):
            label = LABELS.get(raw.metadata.get("label"))
            if label is None:
                continue
            half = "half " + "AB"[sha256(raw.uri.encode()).digest()[0] % 2]
            verdict = passes(raw, settings)
            for group in ("all", half, str(raw.metadata.get("source"))):
                counts[group][2 * label + verdict] += 1
    for source in [group for group in counts if group != "all" and not group.startswith("half")]:
        rest = zip(counts["all"], counts[source], strict=True)
        counts[f"without {source}"] = [every - own for every, own in rest]
    rows = {}
    for group, (_, false_positive, missed, hit) in sorted(counts.items()):
        rows[group] = {
            "documents": sum(counts[group]),
            "precision": round(hit / max(1, hit + false_positive), 3),
            "recall": round(hit / (hit + missed), 3) if hit + missed else None,
            "false_positives": false_positive,
            "missed": missed,
        }
    if options.json:
        print(json.dumps(rows, indent=1))
    else:
        for group, row in rows.items():
            print(f"{group:45}", *(f"{name} {value}" for name, value in row.items()), sep="  ")


if __name__ == "__main__":
    main()
