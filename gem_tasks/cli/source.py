"""`gem source`: what is read every hour, under which licence, and how it is cut."""

import json
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Column, Table

from gem_tasks.cli.limits import LimitOption, NoLimitOption, asked, hourly_budget
from gem_tasks.cli.run import resolve
from gem_tasks.cli.terminal import Terminal, echo, echo_json
from gem_tasks.domain.corpus import Source
from gem_tasks.errors import UserError
from gem_tasks.lineage.sources import SourceRow
from gem_tasks.pipeline.ingest.source import register as register_source
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load
from gem_tasks.visible import visible

JsonOption = Annotated[bool, typer.Option("--json", help="Print it as JSON, and nothing else.")]
Which = Annotated[str, typer.Argument(metavar="SOURCE", help="Its address, or its number in `gem source list`.")]


def register(app: typer.Typer) -> None:
    """Adds the group."""
    group = typer.Typer(no_args_is_help=True, help="What is read every hour: files, buckets, dumps, crawls, datasets.")
    for command in (add, list_, limit_, disable, enable):
        group.command(command.__name__.rstrip("_"))(command)
    app.add_typer(group, name="source")


def add(
    source: Annotated[
        str,
        typer.Argument(metavar="SOURCE", help="A file, a folder, s3://bucket/prefix, or hf://datasets/owner/name."),
    ],
    licence: Annotated[
        str | None, typer.Option("--license", help="Of documents that name none themselves, such as CC-BY-4.0.")
    ] = None,
    target_tokens: Annotated[int | None, typer.Option(min=50, help="Size that segments are packed up to.")] = None,
    max_tokens: Annotated[int | None, typer.Option(min=100, help="No segment is larger.")] = None,
    min_chars: Annotated[int | None, typer.Option(min=0, help="Shorter documents are rejected.")] = None,
    limit: LimitOption = None,
    no_limit: NoLimitOption = False,
    as_json: JsonOption = False,
) -> None:
    """Registers SOURCE, or changes the settings of one that is; `gem_ingest` reads it from the next hour on.

    Files may be .txt .md .html .jsonl .parquet .warc, also as .gz or .zst. Settings hold for what is read from now on.

    Examples:
        gem source add ~/manuals --license CC-BY-4.0
        gem source add s3://crawls/2026 --target-tokens 800 --max-tokens 1600
        gem source add hf://datasets/owner/name/data --license apache-2.0
    """
    given = Source(
        uri=resolve(source), license=licence, target_tokens=target_tokens, max_tokens=max_tokens, min_chars=min_chars,
        limit=asked(limit, no_limit),
    )  # fmt: skip
    found = register_source(Workspace.open(load()), given)
    if as_json:
        echo_json(found.model_dump_json(indent=1))
        return
    state = "" if found.enabled else "; it is disabled, see `gem source enable`"
    echo(f"Source {found.source_id}: {found.uri}{state}\nRead it now:  gem run {found.uri}")


def list_(as_json: JsonOption = False) -> None:
    """Lists all sources: settings, what they hold, when they were last seen whole.

    Examples:
        gem source list
        gem source list --json | jq '.[] | select(.missing > 0)'
    """
    work = Workspace.open(load())
    with work.ledger() as ledger:
        rows = ledger.sources.all()
    if as_json:
        budget = {"hourly_budget_usd": work.settings.budget_usd}
        echo_json(json.dumps([row._asdict() | budget for row in rows], indent=1, default=str))
    elif rows:
        console = Terminal(highlight=False)
        console.print(_table(rows))
        console.print(
            f"Read every hour, with {hourly_budget(work)}. Limits: gem source limit SOURCE N|none", markup=False
        )
    else:
        echo("There is no source yet. Add one:  gem source add ~/manuals")


def limit_(
    source: Which,
    documents: Annotated[str, typer.Argument(metavar="N|none", help="How many documents of it are read; none: all.")],
    as_json: JsonOption = False,
) -> None:
    """Sets or lifts the limit of SOURCE: only so many of its documents are read, by the hourly run too.

    What is known counts: nothing new is read while the source has so many. Lowering a limit removes nothing.

    Examples:
        gem source limit 3 500
        gem source limit ~/manuals none
    """
    if documents != "none" and not (documents.isdecimal() and 0 < int(documents) < 1 << 31):
        raise UserError(f"{documents!r} is no limit", "Give a number of documents, or `none` to lift it.")
    limit = None if documents == "none" else int(documents)
    with Workspace.open(load()).ledger() as ledger:
        uri = ledger.sources.limit(source, limit) or ledger.sources.limit(resolve(source), limit)
    if uri is None:
        raise UserError(f"There is no source {source!r}", "`gem source list` shows them with their numbers.")
    if as_json:
        echo_json(json.dumps({"uri": uri, "limit": limit}))
    else:
        echo(f"{uri}: " + (f"only {limit} documents are read" if limit else "everything is read"))


def disable(source: Which, as_json: JsonOption = False) -> None:
    """Leaves SOURCE out of the hourly run; what was read from it stays.

    Examples:
        gem source disable 3
    """
    _switch(source, False, as_json)


def enable(source: Which, as_json: JsonOption = False) -> None:
    """Takes SOURCE into the hourly run again.

    Examples:
        gem source enable s3://crawls/2026
    """
    _switch(source, True, as_json)


def _switch(which: str, enabled: bool, as_json: bool) -> None:
    with Workspace.open(load()).ledger() as ledger:
        uri = ledger.sources.enable(which, enabled) or ledger.sources.enable(resolve(which), enabled)
    if uri is None:
        raise UserError(f"There is no source {which!r}", "`gem source list` shows them with their numbers.")
    if as_json:
        echo_json(json.dumps({"uri": uri, "enabled": enabled}))
    else:
        echo(f"{uri} is {'enabled' if enabled else 'disabled'}")


def _table(rows: list[SourceRow]) -> Table:
    table = Table(
        "",
        Column("source", overflow="fold", min_width=24),
        "licence",
        "cut at",
        "limit",
        "objects",
        "documents",
        "gone",
        "last seen whole",
    )
    for row in rows:
        cut = "/".join(str(size or "·") for size in (row.target_tokens, row.max_tokens, row.min_chars))
        seen = f"{row.scanned_at:%Y-%m-%d %H:%M}" if row.scanned_at else "never"
        state = "" if row.enabled else " [yellow](disabled)[/]"
        missing = f" [red]{row.missing} missing[/]" if row.missing else ""
        table.add_row(
            str(row.source_id),
            escape(visible(row.uri)) + state + (" [yellow](interrupted)[/]" if row.interrupted else ""),
            escape(row.license or "·"),
            cut if cut.strip("/·") else "as set",
            f"[yellow]{row.limit}[/]" if row.limit else "none",
            f"{row.objects}{missing}",
            str(row.documents),
            str(row.gone),
            seen,
        )
    return table
