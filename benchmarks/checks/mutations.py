"""What the deterministic checks find: recall per kind of injected defect, false positives, throughput.

    python benchmarks/checks/mutations.py PATH… [--each 200] [--seed 11] [--only KIND…] [--json OUT]

PATH is a file or folder of conversations as `material.py` reads it. A defect counts as found when a check that owns its
family has an error or an open finding that the sound version has not; `refused` counts errors only, so the rest went to
the judge. Warnings count as nothing. OUT is what `table.py` makes the documentation's tables from.
Exit status 1 when a target is missed.
"""

import argparse
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path

from defects import KINDS, OWNERS
from material import load

from gem_tasks.checks import CHECKS, run_checks
from gem_tasks.checks.reading.case import Case
from gem_tasks.domain.finding import Severity
from gem_tasks.domain.interval import wilson

LEAST = {"structure": 1.0, "schema": 1.0, "invented_id": 0.95, "id_of_another_kind": 0.95, "wrong_echo": 0.95,
         "loosened_limit": 0.95, "altered_fact": 0.90, "altered_status": 0.90, "altered_detail": 0.80,
         "lost_write": 0.80, "unasked_deed": 0.80, "claimed_deed": 0.95}  # fmt: skip
"""Least share that is refused or opened, by kind or family."""
REFUSED = {"structure": 1.0, "schema": 1.0, "claimed_deed": 0.95}
"""Least share that is refused."""
MOST_FALSE, MOST_OPEN, LEAST_SPEED = 0.05, 3.0, 300
TRIES = 60
WARNING = Severity.WARNING


def keys(findings):
    return Counter((each.check, each.kind, each.detail, each.severity) for each in findings)


def measure(kind, owners, samples, sound, each, rng):
    """Counts of one kind of defect: made, found, refused, and by which kinds of finding in which conversations."""
    made = found = refused = 0
    by, missed = {}, []
    for _ in range(each * TRIES):
        if made == each:
            break
        place = rng.randrange(len(samples))
        key, sample = samples[place]
        if not sample.evidence.extraction and kind.__name__ in ("broken_order", "loosened_limit"):
            continue
        spoilt = kind(sample, rng)
        if spoilt is None:
            continue
        made += 1
        case = Case(spoilt.trajectory, spoilt.evidence)
        told = [each for owner in sorted(owners) for each in CHECKS[owner](case)]
        new = [one for one in keys(told) - sound[place] if one[3] is not WARNING]
        found += bool(new)
        refused += any(one[3] is Severity.ERROR for one in new)
        for slug in {f"{one[0]}.{one[1]}" for one in new}:
            by.setdefault(slug, []).append(key)
        if not new and len(missed) < 3:
            missed.append(key)
    return {"made": made, "found": found, "refused": refused, "by": by, "missed": missed}


def clean(samples):
    """Findings of each sample, and how fast they came: CPU seconds of one core, caches cold at the start."""
    start = time.process_time()
    found = [run_checks(sample.trajectory, sample.evidence) for _, sample in samples]
    seconds = time.process_time() - start
    errors = sum(any(item.severity is Severity.ERROR for item in items) for items in found)
    opened = sum(item.severity is Severity.OPEN for items in found for item in items)
    size = sum(len(sample.trajectory.messages) for _, sample in samples) / len(samples)
    by = {}
    for (key, _), items in zip(samples, found, strict=True):
        for item in items:
            place = {"id": key, "message": item.message_index, "path": item.json_path, "severity": item.severity}
            by.setdefault(f"{item.check}.{item.kind}", []).append(place)
    return found, {
        "conversations": len(samples), "mean_messages": round(size, 1), "refused": errors,
        "interval": wilson(errors, len(samples)), "open_findings_each": round(opened / len(samples), 2),
        "per_second": round(len(samples) / seconds, 1),
        "per_second_at_46_messages": round(len(samples) / seconds * size / 46, 1), "by": by,
    }  # fmt: skip


def goals(family, name):
    """`(least found, least refused)` of a kind of defect; 0 where none is set."""
    if name in LEAST:
        return LEAST[name], REFUSED.get(name, 0)
    return LEAST.get(family, 0), REFUSED.get(family, 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--each", type=int, default=200)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--only", nargs="*", default=[], help="kinds of defects, all unless given")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    samples = [pair for path in options.paths for pair in load(path)]
    found, report = clean(samples)
    sound = [keys(items) for items in found]
    rows, failed = [], []
    for family, kinds in KINDS.items():
        for kind in (kind for kind in kinds if not options.only or kind.__name__ in options.only):
            rng, owners = random.Random(f"{options.seed}{kind.__name__}"), OWNERS.get(kind.__name__, OWNERS[family])
            row = measure(kind, owners, samples, sound, options.each, rng)
            rows.append({"family": family, "kind": kind.__name__, **row})
            least, refused = goals(family, kind.__name__)
            if row["made"] and (row["found"] < least * row["made"] or row["refused"] < refused * row["made"]):
                failed.append(kind.__name__)
    failed += ["false positives"] if report["refused"] > MOST_FALSE * len(samples) else []
    failed += ["open findings"] if report["open_findings_each"] > MOST_OPEN else []
    failed += ["throughput"] if report["per_second_at_46_messages"] < LEAST_SPEED else []
    if options.json:
        made = {"seed": options.seed, "each": options.each, "clean": report, "kinds": rows, "missed_targets": failed}
        options.json.write_text(json.dumps(made, indent=1), encoding="utf-8")
    show(report, rows, failed)
    sys.exit(bool(failed))


def show(report, rows, failed):
    print("\n".join(f"{name}: {value}" for name, value in report.items() if name != "by"))
    print(f"\n{'family':12} {'kind':22} {'made':>5} {'found':>7} {'95 %':>15} {'refused':>8}  missed in")
    for row in rows:
        if not row["made"]:
            print(f"{row['family']:12} {row['kind']:22}     0")
            continue
        low, high = wilson(row["found"], row["made"])
        print(
            f"{row['family']:12} {row['kind']:22} {row['made']:5} {row['found'] / row['made']:7.3f} "
            f"{low:7.3f}-{high:6.3f} {row['refused'] / row['made']:8.3f}  {' '.join(row['missed'])}"
        )
    print("\nmissed targets: " + (", ".join(failed) or "none"))


if __name__ == "__main__":
    main()
