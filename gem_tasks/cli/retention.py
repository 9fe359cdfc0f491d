"""`gem gc`: removes what is no longer referenced or used."""

import json
from typing import Annotated

import typer
from rich.filesize import decimal
from rich.table import Table

from gem_tasks.cli.terminal import Terminal, echo_json
from gem_tasks.pipeline.upkeep.retention import Collected, collect
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load


def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be removed.")] = False,
    days: Annotated[
        int | None, typer.Option(min=1, help="Keep what was used in the last N days. Default: GEM_RETENTION_DAYS.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print only the numbers, as JSON.")] = False,
) -> None:
    """Removes unreferenced objects, results of old recipes, journals, pulses of killed tasks and superseded datasets.

    Keeps everything that current recipes, current datasets or audits refer to, and everything younger than a day. Runs
    may continue meanwhile.

    Examples:
        gem gc --dry-run
        gem gc --days 90 --json
    """
    work = Workspace.open(load())
    console = Terminal(quiet=as_json, highlight=False)
    with console.status("scanning the store"):
        found = collect(work, dry_run=dry_run, days=days)
    if as_json:
        totals = {"objects": found.objects, "bytes": found.bytes}
        echo_json(json.dumps({**found.model_dump(), **totals}, indent=1))
        return
    console.print(_table(found))
    if found.busy_objects:
        console.print(f"{found.busy_objects} objects were being written and were skipped")
    if dry_run and found.objects:
        console.print("Nothing was removed. To remove it: gem gc" + ("" if days is None else f" --days {days}"))


def _table(found: Collected) -> Table:
    table = Table(title="Would be removed" if found.dry_run else "Removed", title_justify="left")
    table.add_column("")
    table.add_column("objects", justify="right")
    table.add_column("size", justify="right")
    for swept in found.classes:
        table.add_row(swept.what.replace("_", " "), str(swept.objects), decimal(swept.bytes))
    table.add_section()
    table.add_row("total", str(found.objects), decimal(found.bytes))
    table.add_row("kept", str(found.kept_objects), decimal(found.kept_bytes))
    return table
