"""`gem check`: the deterministic checks on any tool-use dataset."""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from gem_tasks.cli.check_replay import replay as replay_rows
from gem_tasks.cli.check_report import as_markdown, print_report
from gem_tasks.cli.terminal import Terminal, echo, echo_json
from gem_tasks.errors import UserError
from gem_tasks.lint import FORMATS, CheckedRow, Columns, Summary, check_files
from gem_tasks.lint.summary import SEVERITIES
from gem_tasks.settings import load

_FAIL_ON = {"error": SEVERITIES[:1], "open": SEVERITIES[:2], "warning": SEVERITIES, "never": ()}


def check(
    files: Annotated[list[str], typer.Argument(help="JSONL, JSON or Parquet (also .gz, .zst), folders, or hf://…")],
    format_: Annotated[
        str | None, typer.Option("--format", help=f"One of: {', '.join(FORMATS)}. Default: recognized by the columns.")
    ] = None,
    text_column: Annotated[
        str, typer.Option(help="Column with the source text, which the conversation is compared with.")
    ] = "source_text",
    ignore: Annotated[
        list[str] | None, typer.Option(help="Ignore findings of this CHECK or CHECK/KIND; repeatable.")
    ] = None,
    fail_on: Annotated[str, typer.Option(help="Exit with 1 from this severity on: error, open, warning, or never.")] = (
        "error"
    ),
    examples: Annotated[int, typer.Option(min=0, help="Number of examples for each kind.")] = 2,
    jobs: Annotated[int, typer.Option(min=0, help="Number of processes; 0: one per core.")] = 0,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the report for a pull request.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print only JSON: every row and finding.")] = (False),
    replay: Annotated[
        bool, typer.Option("--replay", help="Instead, replay executed conversations in their worlds.")
    ] = False,
    worlds: Annotated[
        Path | None, typer.Option(help="Folder of the worlds for --replay. Default: worlds/ beside each file.")
    ] = None,
) -> None:
    """Checks conversations with tools: structure, schemas, arguments, consistency. Needs no services or network.

    An error is a fault that the conversation itself proves; "open" findings need a judge or a person.
    Exit codes: 0 no errors, 1 errors found, 2 the files cannot be read. With --replay: 0 all executed conversations
    replay equal, 1 some do not, or none was executed.

    Examples:
        gem check train.jsonl
        gem check data/*.parquet --markdown > report.md
        gem check hf://datasets/Salesforce/APIGen-MT-5k --format sharegpt
        gem check train.jsonl --json | jq '.rows[] | select(.findings != [])'
        gem check --replay data/trajectories.jsonl                (worlds are in data/worlds)
    """
    if replay:
        if format_ or ignore or markdown or fail_on != "error":
            raise UserError(
                "--replay compares results only", "Combine it with --worlds, --jobs, --examples and --json."
            )
        _replay(files, worlds, jobs, examples, as_json)
        return
    if worlds:
        raise UserError("--worlds belongs to --replay", "Add --replay, or leave --worlds out.")
    if format_ is not None and format_ not in FORMATS:
        raise UserError(f"There is no dataset format {format_!r}", f"Choose one of: {', '.join(FORMATS)}.")
    if fail_on not in _FAIL_ON:
        raise UserError(f"--fail-on {fail_on!r} is not a severity", f"Choose one of: {', '.join(_FAIL_ON)}.")
    summary = Summary(examples)
    found = check_files(files, format_=format_, columns=Columns(text=text_column), jobs=jobs or os.cpu_count() or 1)
    rows = _without(found, frozenset(ignore or ()))
    (_stream if as_json else _count)(rows, summary)
    if not summary.rows:
        raise UserError("The files hold no rows", "Give files with one conversation per line.")
    if markdown and not as_json:
        echo(as_markdown(summary))
    elif not as_json:
        print_report(summary, Terminal(highlight=False))
    if any(summary.worst[severity] for severity in _FAIL_ON[fail_on]):
        raise typer.Exit(1)


def _replay(files: list[str], worlds: Path | None, jobs: int, examples: int, as_json: bool) -> None:
    if worlds and not worlds.is_dir():
        raise UserError(f"{worlds} is not a folder", "Give the folder of the worlds, or leave --worlds out.")
    mode, processes = load().sandbox, jobs or os.cpu_count() or 1
    replay_rows(files, worlds=worlds, jobs=processes, mode=mode, examples=examples, as_json=as_json)


def _without(rows: Iterable[CheckedRow], ignored: frozenset[str]) -> Iterator[CheckedRow]:
    for row in rows:
        kept = tuple(
            finding for finding in row.findings if not ignored & {finding.check, f"{finding.check}/{finding.kind}"}
        )
        yield row.model_copy(update={"findings": kept}) if len(kept) != len(row.findings) else row


def _stream(rows: Iterable[CheckedRow], summary: Summary) -> None:
    """Streams the rows, then the summary: memory does not grow with the files."""
    echo_json('{"rows": [', nl=False)
    for row in rows:
        echo_json((",\n" if summary.rows else "\n") + json.dumps(row.model_dump()), nl=False)
        summary.add(row)
    echo_json(f'\n], "summary": {json.dumps(summary.as_plain())}}}')


def _count(rows: Iterable[CheckedRow], summary: Summary) -> None:
    """Counts the rows, with a progress line on a terminal."""
    console = Terminal(stderr=True, highlight=False)
    with console.status("Checking …") as status:
        for row in rows:
            summary.add(row)
            if not summary.rows % 50:
                status.update(f"Checking … {summary.rows:,} conversations, {summary.worst['error']:,} with errors")
