"""Simulates a billion documents, and finds what breaks first.

    python -m benchmarks.scale.run                   # the table of docs/scaling.md: medians of five seeds, some minutes
    python -m benchmarks.scale.run --seeds 1 --days 7 --only month-1
    python -m benchmarks.scale.run --json > found.json

Each scenario simulates `--days` of a plan with hourly partitions, from an empty lineage or after a number of documents.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from tqdm import tqdm

from benchmarks.scale.costs import DAY, HOUR, Costs, Deployment
from benchmarks.scale.model import Found, Model, rate_of

BILLION = 1e9
Row = dict[str, Any]


@dataclass(frozen=True)
class Scenario:
    """A plan: so many days for a billion documents, with this deployment, after `existing` documents."""

    name: str
    days: float
    existing: float
    deployment: Deployment


_year = Deployment()
_fast = Deployment(workers=64, in_flight=24_576)
SCENARIOS = (
    Scenario("month-1", 365, 0, _year),
    Scenario("month-12", 365, 0.92 * BILLION, _year),
    Scenario("month-12, old key", 365, 0.92 * BILLION, replace(_year, partition_key=False)),
    Scenario("month-12, 256 GB for Postgres", 365, 0.92 * BILLION, replace(_year, postgres_memory=256e9)),
    Scenario("month-1, shards of 200", 365, 0, replace(_year, shard=200)),
    Scenario("month-1, 1,536 in flight", 365, 0, replace(_year, in_flight=1_536)),
    Scenario("all in 30 days, first week", 30, 0, _fast),
    Scenario("all in 30 days, last week", 30, 0.77 * BILLION, _fast),
    Scenario("all in 30 days, last week, old key", 30, 0.77 * BILLION, replace(_fast, partition_key=False)),
)


def main() -> None:
    options = _options()
    chosen = [found for found in SCENARIOS if not options.only or found.name in options.only]
    rows = []
    for scenario in tqdm(chosen, unit="scenario", disable=options.json or not sys.stderr.isatty()):
        runs = [measured(scenario, options.days, seed) for seed in range(options.seeds)]
        rows.append({"scenario": scenario.name, **medians(runs)})
    print(json.dumps(rows, indent=1) if options.json else "\n".join(table(rows)))


def measured(scenario: Scenario, days: int, seed: int) -> Row:
    """Simulates one seed; what belongs to the whole plan is extrapolated by documents."""
    costs, deployment = Costs(), scenario.deployment
    model = Model(costs, deployment, rate_of(BILLION, scenario.days), scenario.existing, seed)
    found = model.run(int(days * DAY / HOUR))
    all_of_it = BILLION / max(1, found.documents)
    lags = sorted(found.lags)
    return {
        "published": len(lags) / found.arrived,
        "lag p50, h": _at(lags, 0.5) / HOUR,
        "lag p95, h": _at(lags, 0.95) / HOUR,
        **{f"busy: {name}": share for name, share in found.utilisation().items()},
        "tasks/h": found.tasks / (found.until / HOUR),
        "rows/s": found.rows / found.until,
        "rows, TB": found.rows * all_of_it * costs.row_bytes / 1e12,
        "objects, M": found.objects * all_of_it / 1e6,
        "cost, M$": _price(found, deployment) * all_of_it / 1e6,
    }


def _price(found: Found, deployment: Deployment) -> float:
    return found.tokens_in * deployment.price_in + found.tokens_out * deployment.price_out


def _at(values: list[float], share: float) -> float:
    return values[min(len(values) - 1, int(share * len(values)))] if values else float("inf")


def medians(runs: list[Row]) -> Row:
    """The median of each figure over the seeds."""
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def table(rows: list[Row]) -> Iterator[str]:
    """Markdown: what breaks first is the resource with the greatest share of busy time."""
    yield "| scenario | published | lag p50; p95 | busiest | others | tasks/h | rows/s | rows | objects | tokens cost |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for row in rows:
        busy = sorted(
            ((share, name.removeprefix("busy: ")) for name, share in row.items() if name.startswith("busy: ")),
            reverse=True,
        )
        shown = [f"{name} {share:.0%}" for share, name in busy]
        cells = [
            row["scenario"],
            f"{row['published']:.0%}",
            f"{row['lag p50, h']:.1f} h; {row['lag p95, h']:.1f} h",
            shown[0],
            ", ".join(shown[1:]),
            f"{row['tasks/h']:,.0f}",
            f"{row['rows/s']:,.0f}",
            f"{row['rows, TB']:.1f} TB",
            f"{row['objects, M']:.1f} M",
            f"{row['cost, M$']:.2f} M$",
        ]
        yield f"| {' | '.join(cells)} |"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=7, help="days to simulate (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=5, help="runs of a scenario (default: %(default)s)")
    parser.add_argument("--only", action="append", choices=[found.name for found in SCENARIOS], help="repeatable")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
