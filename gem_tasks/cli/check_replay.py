"""`gem check --replay`: the executed conversations of a dataset, once more in their worlds."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import typer
from rich.markup import escape
from rich.table import Table

from gem_tasks.cli.progress import shown
from gem_tasks.cli.terminal import Terminal, echo, echo_json
from gem_tasks.confine.job import SandboxMode
from gem_tasks.errors import UserError
from gem_tasks.lint.replay import ReplayedRow, Status, replay_files
from gem_tasks.visible import visible

_MEANS: dict[Status, str] = {
    "equal": "replayed equal",
    "different": "replayed, but different",
    "world_missing": "world missing",
    "world_broken": "world broken",
    "unreadable": "row unreadable",
    "not_executed": "not executed",
}


def replay(
    files: list[str], *, worlds: Path | None, jobs: int, mode: SandboxMode, examples: int, as_json: bool
) -> None:
    """Prints what became of every row; ends with 1 unless all executed conversations replay equal, and some do."""
    rows = replay_files(files, worlds=worlds, jobs=jobs, mode=mode)
    counts: Counter[Status] = Counter()
    kept: dict[Status, list[ReplayedRow]] = {}
    with shown(as_json) as say:
        if as_json:
            echo_json('{"rows": [', nl=False)
        for number, row in enumerate(rows, 1):
            counts[row.status] += 1
            if row.detail and len(some := kept.setdefault(row.status, [])) < examples:
                some.append(row)
            if as_json:
                echo_json((",\n" if number > 1 else "\n") + json.dumps(row.model_dump()), nl=False)
            say("replay conversations", number, 0)
    if as_json:
        echo_json(f'\n], "summary": {json.dumps({each: counts[each] for each in _MEANS})}}}')
    else:
        _print(counts, kept)
    if not counts:
        raise UserError("The files hold no rows", "Give files with one conversation per line.")
    if set(counts) - {"equal", "not_executed"} or not counts["equal"]:
        raise typer.Exit(1)


def _print(counts: Counter[Status], kept: dict[Status, list[ReplayedRow]]) -> None:
    console = Terminal(highlight=False)
    table = Table("conversations")
    table.add_column("number", justify="right")
    for status, means in _MEANS.items():
        if counts[status]:
            table.add_row(means, f"{counts[status]:,}", style="" if status in ("equal", "not_executed") else "red")
    console.print(table)
    for row in _of(kept):
        named = "" if row.id == row.origin else f" ({row.id})"
        told = visible(f"{row.origin}{named}: {_MEANS[row.status]}: {row.detail}")
        console.print(escape(told), soft_wrap=True)
    if counts and set(counts) == {"not_executed"}:
        echo("No row says that it was executed in a world: nothing was replayed.", err=True)


def _of(kept: dict[Status, list[ReplayedRow]]) -> Iterable[ReplayedRow]:
    return (row for status in _MEANS for row in kept.get(status, ()))
