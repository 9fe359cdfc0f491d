"""`gem source`: which sources are read every hour, under which licence, and how they are segmented."""

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

group = typer.Typer(
    help="Registers and configures the sources that are read every hour: files, buckets, datasets, web sites.",
    no_args_is_help=True,
    add_completion=False,
)
JsonOption = Annotated[bool, typer.Option("--json", help="Print only JSON.")]
Which = Annotated[str, typer.Argument(metavar="SOURCE", help="Its address, or its number from `gem source list`.")]


@group.command("add")
def add(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A file, a folder, s3://bucket/prefix, hf://datasets/owner/name, https://host/, sitemap+…, urls+….",
        ),
    ],
    licence: Annotated[
        str | None, typer.Option("--license", help="Licence of documents that name none, such as CC-BY-4.0.")
    ] = None,
    target_tokens: Annotated[int | None, typer.Option(min=50, help="Target size of segments, in tokens.")] = None,
    max_tokens: Annotated[int | None, typer.Option(min=100, help="Maximum size of segments, in tokens.")] = None,
    min_chars: Annotated[int | None, typer.Option(min=0, help="Reject documents with fewer characters.")] = None,
    limit: LimitOption = None,
    no_limit: NoLimitOption = False,
    as_json: JsonOption = False,
) -> None:
    """Registers SOURCE or changes its settings; `gem_ingest` reads it from the next hour on.

    Supported files: .txt .md .html .jsonl .parquet .warc, also as .gz or .zst, and in .zip and .tar archives. Of a web
    site, GEM reads the pages of its sitemaps that robots.txt allows. Settings apply to documents read later.

    Examples:
        gem source add ~/manuals --license CC-BY-4.0
        gem source add s3://crawls/2026 --target-tokens 800 --max-tokens 1600
        gem source add hf://datasets/owner/name/data --license apache-2.0
        gem source add https://docs.example.com/guide/
        gem source add "sitemap+https://example.com/sitemap.xml#include=/docs/&exclude=*/old/*"
        gem source add urls+pages.txt
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


@group.command("list")
def list_(as_json: JsonOption = False) -> None:
    """Lists all sources with their settings, contents and last complete scan.

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
        echo("No source is registered. Add one:  gem source add ~/manuals")


@group.command("show")
def show(
    source: Which,
    reason: Annotated[str | None, typer.Option(help="Only documents with this reason, such as `disallowed`.")] = None,
    rows: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number of documents.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Shows what became of the documents of SOURCE, and why some were not read.

    Examples:
        gem source show 3
        gem source show https://docs.example.com/ --reason disallowed --rows 100
        gem source show 3 --json | jq .reasons
    """
    with Workspace.open(load()).ledger() as ledger:
        named = {source, resolve(source)}
        found = next((row for row in ledger.sources.all() if named & {row.uri, str(row.source_id)}), None)
        if found is None:
            raise UserError(f"There is no source {source!r}", "`gem source list` shows them with their numbers.")
        reasons = ledger.sources.reasons(found.uri)
        refused = ledger.sources.refusals(found.uri, reason, rows)
    if as_json:
        more = {"reasons": reasons, "documents_without_text": [each.model_dump() for each in refused]}
        echo_json(json.dumps(found._asdict() | more, indent=1, default=str))
        return
    console = Terminal(highlight=False)
    console.print(_table([found]))
    console.print(", ".join(f"{number} {name}" for name, number in reasons.items()) or "Not read yet", markup=False)
    for each in refused:
        line = f"{each.reason}: {visible(each.uri)}" + (f" ({visible(each.detail)})" if each.detail else "")
        console.print(line, markup=False, soft_wrap=True)


@group.command("limit")
def limit_(
    source: Which,
    documents: Annotated[
        str, typer.Argument(metavar="N|none", help="Maximum number of documents, or `none` for no limit.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Sets or removes the limit of SOURCE: the number of documents that are read, also by the hourly run.

    Known documents count towards the limit. Lowering it removes nothing.

    Examples:
        gem source limit 3 500
        gem source limit ~/manuals none
    """
    if documents != "none" and not (documents.isdecimal() and 0 < int(documents) < 1 << 31):
        raise UserError(f"{documents!r} is not a limit", "Give a number of documents, or `none` to remove the limit.")
    limit = None if documents == "none" else int(documents)
    with Workspace.open(load()).ledger() as ledger:
        uri = ledger.sources.limit(source, limit) or ledger.sources.limit(resolve(source), limit)
    if uri is None:
        raise UserError(f"There is no source {source!r}", "`gem source list` shows them with their numbers.")
    if as_json:
        echo_json(json.dumps({"uri": uri, "limit": limit}))
    else:
        echo(f"{uri}: " + (f"up to {limit} documents are read" if limit else "all documents are read"))


@group.command("disable")
def disable(source: Which, as_json: JsonOption = False) -> None:
    """Excludes SOURCE from the hourly run; documents that were read are kept.

    Examples:
        gem source disable 3
    """
    _switch(source, False, as_json)


@group.command("enable")
def enable(source: Which, as_json: JsonOption = False) -> None:
    """Includes SOURCE in the hourly run again.

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
        "segment sizes",
        "limit",
        "objects",
        "documents",
        "gone",
        "last complete scan",
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
            cut if cut.strip("/·") else "default",
            f"[yellow]{row.limit}[/]" if row.limit else "none",
            f"{row.objects}{missing}",
            str(row.documents),
            str(row.gone),
            seen,
        )
    return table
