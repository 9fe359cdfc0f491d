"""`gem stale`: results that are out of date, the cost of recomputing them, and the command that does it."""

import json
from typing import Annotated, Any

import typer
from rich.table import Table

from gem_tasks.airflow_names import INGEST
from gem_tasks.cli.terminal import Terminal, echo_json
from gem_tasks.pipeline.rebuild.estimate import Estimate
from gem_tasks.pipeline.rebuild.ranges import bound
from gem_tasks.pipeline.rebuild.stale import Stale, StaleStage, stale
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load

FromOption = Annotated[
    str | None, typer.Option("--from", metavar="PARTITION", help="First partition: a day, or an hour (UTC).")
]
ToOption = Annotated[str | None, typer.Option("--to", metavar="PARTITION", help="Last partition (inclusive).")]
_SHOWN = 12


def stale_command(
    first: FromOption = None,
    last: ToOption = None,
    every: Annotated[bool, typer.Option("--all", help="List every partition, not only the newest ones.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print only JSON.")] = False,
) -> None:
    """Shows results that are stale under the current prompts, models and code: how many, why, and their cost.

    Calls, tokens, cost and time are estimated from earlier results; `?` means unknown.

    Examples:
        gem stale
        gem stale --from 2026-01-01 --to 2026-01-31
        gem stale --json | jq .total
    """
    work = Workspace.open(load())
    found = stale(work, bound(first, end=False) if first else None, bound(last, end=True) if last else None)
    if as_json:
        echo_json(json.dumps(as_plain(found), indent=1))
    else:
        print_stale(found, Terminal(highlight=False), every=every)


def as_plain(found: Stale) -> dict[str, Any]:
    """The output of `--json`."""
    commands = [{"gem": each.command, "airflow": airflow_command(*each.dates)} for each in found.ranges]
    return {**found.model_dump(mode="json"), "commands": commands}


def airflow_command(first: str, last: str) -> str:
    """The equivalent command of the Airflow CLI."""
    return (
        f"airflow backfill create --dag-id {INGEST} --from-date {first} --to-date {last}"
        " --reprocess-behavior completed --max-active-runs 2"
    )


def print_stale(found: Stale, console: Terminal, *, every: bool = False) -> None:
    """Prints the report for people."""
    if not found.partitions and not found.publish_only:
        console.print("Nothing is stale: every segment has its result under the current prompts, models and code.")
        return
    if found.stages:
        console.print(_by_stage(found))
        for stage, basis in found.basis.items():
            if "history" in basis or "none of" in basis:
                console.print(f"{stage}: {basis}", style="yellow", markup=False)
        console.print(_by_partition(found, every))
    if found.publish_only:
        console.print(
            f"{len(found.publish_only)} partitions have every result and only need to be published: "
            + ", ".join(found.publish_only[:5])
            + ("…" if len(found.publish_only) > 5 else "")
        )
    if found.off_schedule:
        names = ", ".join(found.off_schedule[:5])
        console.print(
            f"These partitions are not on the schedule, so Airflow cannot backfill them: {names}. Trigger"
            " gem_synthesize with their partition keys instead.",
            style="yellow",
        )
    if found.ranges:
        console.print("\nTo recompute them:")
        for each in found.ranges:
            console.print(f"  {each.command}", soft_wrap=True, markup=False)
        console.print("or in Airflow's UI: gem_ingest, Trigger, Backfill, All Runs; or")
        console.print(f"  {airflow_command(*found.ranges[0].dates)}", soft_wrap=True, markup=False)


def _by_stage(found: Stale) -> Table:
    table = Table(title="Stale", title_justify="left")
    table.add_column("stage")
    table.add_column("why")
    for column in ("segments", "calls", "tokens in", "tokens out", "USD", "time"):
        table.add_column(column, justify="right")
    for stage in found.stages:
        table.add_row(stage.stage, _why(stage), *_cells(stage.estimate))
    table.add_section()
    table.add_row("all", "", "", *_cells(found.total)[1:])
    return table


def _why(stage: StaleStage) -> str:
    parts = [f"{reason} {count:,}" for reason, count in sorted(stage.why.items(), key=lambda item: -item[1])]
    if (guessed := round(stage.estimate.segments) - stage.known) > 0:
        parts.append(f"expected ~{guessed:,}")
    return ", ".join(parts)


def _cells(estimate: Estimate) -> tuple[str, ...]:
    return (
        f"{estimate.segments:,.0f}",
        f"{estimate.calls:,.0f}",
        _number(estimate.prompt_tokens),
        _number(estimate.completion_tokens),
        "?" if estimate.usd is None else f"{estimate.usd:,.2f}",
        duration(estimate.seconds),
    )


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:,.0f}"


def duration(seconds: float | None) -> str:
    """A duration in the largest fitting units."""
    if seconds is None:
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _by_partition(found: Stale, every: bool) -> Table:
    shown = found.partitions if every else found.partitions[-_SHOWN:]
    more = len(found.partitions) - len(shown)
    table = Table(title="Segments by partition" + (f" ({more} older ones: --all)" if more else ""))
    table.add_column("partition")
    for stage in found.stages:
        table.add_column(stage.stage, justify="right")
    for partition in shown:
        counts = {stage.stage: stage.estimate.segments for stage in partition.stages}
        table.add_row(partition.partition, *(f"{counts.get(stage.stage, 0):,.0f}" for stage in found.stages))
    return table
