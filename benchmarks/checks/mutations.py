"""What the deterministic checks find: recall per kind of injected defect, false positives, throughput.

    python benchmarks/checks/mutations.py FOLDER… [--each 200] [--seed 1] [--json]

FOLDER holds `trajectories.jsonl` as `gem export` writes it, `segments.jsonl` (`segment_id`, `text`) and
`extractions.jsonl` (`segment_id`, `extraction`); `clean.py` makes one. A defect counts as found when a check that owns
its family has a finding that the sound version has not; `refused` counts errors only, so the rest went to the judge.
Exit status 1 when a target is missed.
"""

import argparse
import json
import math
import random
import sys
import time
from collections import Counter
from pathlib import Path

from defects import KINDS, OWNERS
from material import load

from gem_tasks.checks import run_checks
from gem_tasks.checks.arguments import leaves
from gem_tasks.domain.finding import Severity

TARGETS = {"structure": 0.99, "schema": 0.99, "grounding": 0.90, "consistency": 0.90}
MOST_FALSE, LEAST_SPEED = 0.01, 300
TRIES = 60


def keys(findings):
    return Counter((item.check, item.kind, item.detail, item.severity) for item in findings)


def measure(kind, owners, samples, sound, each, rng):
    """`(made, found, refused, examples of what was missed)`."""
    made = found = refused = 0
    missed = []
    for _ in range(each * TRIES):
        if made == each:
            break
        place = rng.randrange(len(samples))
        if not samples[place].evidence.extraction and kind.__name__ in ("broken_order", "loosened_limit"):
            continue
        spoilt = kind(samples[place], rng)
        if spoilt is None:
            continue
        made += 1
        new = [key for key in keys(run_checks(spoilt.trajectory, spoilt.evidence)) - sound[place] if key[0] in owners]
        found += bool(new)
        refused += any(key[3] is Severity.ERROR for key in new)
        if not new and len(missed) < 3:
            missed.append(place)
    return made, found, refused, missed


def interval(hits, total):
    """Wilson's 95 % interval."""
    if not total:
        return 0.0, 1.0
    z, rate = 1.96, hits / total
    middle = (rate + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(rate * (1 - rate) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return middle - half, middle + half


def clean(samples):
    """Findings of each sample, and how fast they came: CPU seconds of one core, caches cold at the start."""
    start = time.process_time()
    found = [run_checks(sample.trajectory, sample.evidence) for sample in samples]
    seconds = time.process_time() - start
    errors = sum(any(item.severity is Severity.ERROR for item in items) for items in found)
    unsettled = sum(any(item.severity is Severity.OPEN for item in items) for items in found)
    calls = [call for sample in samples for turn in sample.trajectory.messages for call in turn.tool_calls]
    values = sum(1 for call in calls for _ in leaves(call.arguments, {}))
    open_values = sum(item.severity is Severity.OPEN and item.check == "grounding" for items in found for item in items)
    size = sum(len(sample.trajectory.messages) for sample in samples) / len(samples)
    kinds = Counter(f"{item.check}.{item.kind}" for items in found for item in items if item.severity is Severity.ERROR)
    return found, {
        "trajectories": len(samples), "mean_messages": round(size, 1), "errors": errors,
        "false_positive_rate": round(errors / len(samples), 4), "interval": interval(errors, len(samples)),
        "error_kinds": dict(kinds), "with_unsettled": round(unsettled / len(samples), 4),
        "argument_values": values, "values_for_the_judge": open_values,
        "per_second": round(len(samples) / seconds, 1),
        "per_second_at_46_messages": round(len(samples) / seconds * size / 46, 1),
    }  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--each", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    samples = [sample for path in options.paths for _, sample in load(path)]
    found, report = clean(samples)
    sound = [keys(items) for items in found]
    rows, failed = [], []
    for family, kinds in KINDS.items():
        for kind in kinds:
            rng = random.Random(f"{options.seed}{kind.__name__}")
            made, hits, refused, missed = measure(
                kind, OWNERS.get(kind.__name__, OWNERS[family]), samples, sound, options.each, rng
            )
            recall = hits / made if made else None
            rows.append({"family": family, "kind": kind.__name__, "made": made, "found": hits, "refused": refused,
                         "recall": recall, "interval": interval(hits, made), "missed": missed})  # fmt: skip
            if recall is not None and recall < TARGETS.get(family, 0):
                failed.append(kind.__name__)
    if report["false_positive_rate"] > MOST_FALSE:
        failed.append("false positives")
    if report["per_second_at_46_messages"] < LEAST_SPEED:
        failed.append("throughput")
    if options.json:
        print(json.dumps({"clean": report, "kinds": rows, "missed_targets": failed}, indent=1))
    else:
        show(report, rows, failed)
    sys.exit(bool(failed))


def show(report, rows, failed):
    print("\n".join(f"{name}: {value}" for name, value in report.items()))
    print(f"\n{'family':12} {'kind':22} {'made':>5} {'recall':>7} {'95 %':>15} {'refused':>8}  missed in")
    for row in rows:
        low, high = row["interval"]
        recall = "-" if row["recall"] is None else f"{row['recall']:.3f}"
        share = row["refused"] / row["made"] if row["made"] else 0
        print(
            f"{row['family']:12} {row['kind']:22} {row['made']:5} {recall:>7} {low:7.3f}-{high:6.3f} {share:8.3f}"
            f"  {row['missed']}"
        )
    print("\nmissed targets: " + (", ".join(failed) or "none"))


if __name__ == "__main__":
    main()
