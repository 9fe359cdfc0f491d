"""LLM filter calls that a learned prefilter saves at 98 % recall, on labelled documents.

    python benchmarks/prefilter.py corpus.jsonl.gz --truth teacher|labels [--json]

Each line carries `text`, `title`, `source` and `label`. Documents are cut as the pipeline cuts. Two kinds of truth,
each by itself: the offline teacher's verdict on every segment (all documents), and the label of its document (labelled
documents only). Three ways to hold out:

- *halves*: documents at random; learned and given its threshold on one half as `gem prefilter train` does it, measured
  on the other. Repeated with `--repeats` divisions.
- *without SOURCE*: learned and given its threshold on all other sources, measured on that one.
- *only SOURCE*: halves within one source.

Saved is the share of all held-out segments that the model need not be asked about, the random share (1 in 20) already
taken off; recall is of the held-out accepted segments, with Clopper and Pearson's two-sided 95 % interval.
"""

import argparse
import json
import random
import time
from functools import cache
from pathlib import Path
from statistics import fmean, stdev

from scipy.special import betaincinv

from gem_tasks.corpus.normalise import normalise
from gem_tasks.corpus.reading.readers import read
from gem_tasks.corpus.segment import segment
from gem_tasks.corpus.sources.listing import list_objects
from gem_tasks.pipeline.shard.prefilter import SHARE
from gem_tasks.prefilter import features, model
from gem_tasks.prefilter.learn import Verdict, learn
from gem_tasks.settings import Settings
from offline_teacher import filter as teacher

LABELS = {"procedural": True, "not_procedural": False}


def segments(corpus):
    """`(source, document, label or None, text)` of every segment."""
    settings = Settings()
    for found in list_objects(str(corpus)):
        for raw in read(found, 50_000_000):
            document, text = normalise(raw, settings.segment_min_chars)
            cut = segment(text, document, settings.segment_target_tokens, settings.segment_max_tokens) if text else []
            source = str(raw.metadata.get("source"))
            for item in cut:
                shown = f"{item.title}\n\n{item.text}" if item.title else item.text
                yield source, document.document_id, LABELS.get(raw.metadata.get("label")), shown


def interval(kept, of):
    """Two-sided 95 %, exact."""
    low = betaincinv(kept, of - kept + 1, 0.025) if kept else 0.0
    high = betaincinv(kept + 1, of - kept, 0.975) if kept < of else 1.0
    return [round(float(low), 4), round(float(high), 4)]


def measure(learned_from, held_out):
    """One division: what came of it on what was held out."""
    learned, report = learn(learned_from)
    accepted = [verdict.accepted for verdict in held_out]
    row = {"segments": len(held_out), "accepted": sum(accepted), "threshold_rests_on": report.held_out_accepted}
    if learned is None:
        return {**row, "off": report.reason}
    scores = learned.scores(verdict.text for verdict in held_out).tolist()
    below = [score < report.threshold for score in scores]
    missed = sum(low and good for low, good in zip(below, accepted, strict=True))
    total = sum(accepted)
    saved = sum(below) * (1 - 1 / SHARE) / len(held_out)
    row |= {"saved": round(saved, 4), "missed": missed, "saved_at_98": round(saved_at_98(scores, accepted), 4)}
    return row | {"recall": round(1 - missed / total, 4), "interval": interval(total - missed, total)} if total else row


def saved_at_98(scores, accepted):
    """What the same model would save if somebody told it the threshold that keeps 98 % of the held-out accepted."""
    kept = sorted(score for score, good in zip(scores, accepted, strict=True) if good)
    threshold = kept[int(0.02 * len(kept))]
    return sum(score < threshold for score in scores) * (1 - 1 / SHARE) / len(scores)


def halves(verdicts, repeats):
    """Random halves by document: means over the divisions, and the pooled misses."""
    documents = sorted({verdict.document_id for verdict in verdicts})
    rows = []
    for seed in range(repeats):
        drawn = set(random.Random(seed).sample(documents, len(documents) // 2))
        parts = [[each for each in verdicts if (each.document_id in drawn) is side] for side in (True, False)]
        rows.append(measure(*parts))
    worked = [row for row in rows if "saved" in row]
    if not worked:
        return {**rows[0], "divisions": repeats}
    total, missed = (sum(row[name] for row in worked) for name in ("accepted", "missed"))
    saved = [row["saved"] for row in worked]
    return {
        "segments": round(fmean(row["segments"] for row in worked)),
        "accepted": round(fmean(row["accepted"] for row in worked)),
        "divisions": f"{len(worked)} of {repeats}",
        "saved": round(fmean(saved), 4),
        "saved_range": [min(saved), max(saved)],
        "saved_at_98": round(fmean(row["saved_at_98"] for row in worked), 4),
        "saved_sd": round(stdev(saved), 4) if len(saved) > 1 else None,
        "recall": round(1 - missed / total, 4),
        "recall_range": [min(row["recall"] for row in worked), max(row["recall"] for row in worked)],
        "below_target": sum(row["recall"] < 0.98 for row in worked),
    }


def all_rows(found, repeats):
    """Every way to hold out, for one kind of truth; `found` is `(source, verdict)`."""
    verdicts = [verdict for _, verdict in found]
    rows = {"halves": halves(verdicts, repeats)}
    for source in sorted({source for source, _ in found}):
        own = [verdict for of, verdict in found if of == source]
        if any(verdict.accepted for verdict in own):
            rest = [verdict for of, verdict in found if of != source]
            rows[f"without {source}"] = measure(rest, own)
            rows[f"only {source}"] = halves(own, 1)
    return rows


def main():
    """Prints one line per division, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--truth", choices=("teacher", "labels"), default="teacher")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    cut = list(segments(options.corpus))
    found = [
        (source, Verdict(text=text, document_id=document, accepted=accepted))
        for source, document, label, text in cut
        if (accepted := said(text) if options.truth == "teacher" else label) is not None
    ]
    measured = speed([verdict for _, verdict in found])
    remember_features()
    results = {options.truth: all_rows(found, options.repeats), "speed": measured}
    if options.json:
        print(json.dumps(results, indent=1))
        return
    for truth, rows in results.items():
        print(truth)
        for name, row in rows.items() if truth != "speed" else [("", rows)]:
            print(f"  {name:45}", *(f"{key} {value}" for key, value in row.items()), sep="  ")


def speed(verdicts):
    """Segments scored a second, by the clock and by the time the processor gave us."""
    begun = time.process_time()
    learner, _ = learn(verdicts)
    learned = time.process_time() - begun
    texts = [verdict.text for verdict in verdicts]
    started, cpu = time.perf_counter(), time.process_time()
    learner.scores(texts)
    return {
        "segments": len(texts),
        "mean_chars": round(fmean(map(len, texts))),
        "per_second": round(len(texts) / (time.perf_counter() - started)),
        "per_cpu_second": round(len(texts) / (time.process_time() - cpu)),
        "learning_cpu_s": round(learned, 1),
        "model_bytes": len(learner.encode()),
    }


def remember_features():
    """Every division asks for the features of the same texts again."""
    features.features = model.features = cache(features.features)


def said(text):
    """The offline teacher's verdict."""
    return "<multi_step>True" in teacher.answer({"text": text}, 0)


if __name__ == "__main__":
    main()
