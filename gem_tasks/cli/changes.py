"""`gem veto`, `gem comment` and `gem changes`: what people change about single trajectories."""

import getpass
import json
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from gem_tasks.audit.draw import find as find_audit
from gem_tasks.cli.terminal import Terminal, echo, echo_json
from gem_tasks.dataset.publish import changed_partitions, republish
from gem_tasks.domain.change import AUTHOR_LENGTH, Change
from gem_tasks.edits.answers import read_answers
from gem_tasks.edits.importing import Imported, import_answers
from gem_tasks.edits.make import By, carry, comment, undo, veto
from gem_tasks.edits.subject import find
from gem_tasks.errors import UserError
from gem_tasks.lineage.changes import ListedChange
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="A trajectory id, or its first characters.")]
ChangeArgument = Annotated[str, typer.Argument(metavar="CHANGE", help="Id of a change, or its first characters.")]
AuthorOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="Your name; recorded, never published. Default: your login name.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print only JSON.")]
_SHOWN, _ID_SHOWN = 60, 10
_DID = {"veto": "Vetoed", "edit": "Edited", "comment": "Commented on", "undo": "Took a change back on"}

group = typer.Typer(
    help="Lists what people changed about single trajectories, takes changes back, and imports them.",
    epilog="Make changes with: gem veto, gem edit, gem comment, or on the trajectory's page",
    no_args_is_help=True,
    add_completion=False,
)


def by(author: str | None) -> By:
    """The author of a change made in a terminal."""
    if author is not None:
        return By(author, "terminal")
    try:
        return By(getpass.getuser()[:AUTHOR_LENGTH], "terminal")
    except (OSError, KeyError, ImportError):
        raise UserError("Your login name is unknown here", "Give your name with --author.") from None


def veto_trajectory(
    id_: IdArgument,
    why: Annotated[str, typer.Option(help="The reason; recorded, never published.")],
    author: AuthorOption = None,
    as_json: JsonOption = False,
) -> None:
    """Vetoes a trajectory: exports and training sets omit it at once, the next dataset version does not have it.

    Examples:
        gem veto 3f9a1c --why "the refund is invented"
    """
    say_change(veto(Workspace.open(load()), id_, why, by(author)), as_json=as_json)


def comment_on(
    id_: IdArgument,
    text: Annotated[str, typer.Argument(help="The comment.")],
    message: Annotated[int | None, typer.Option(min=0, help="Number of the message, from 0; omit for all.")] = None,
    author: AuthorOption = None,
    as_json: JsonOption = False,
) -> None:
    """Comments on a trajectory, or on one of its messages. Comments change no dataset.

    Examples:
        gem comment 3f9a1c "good recovery from the error"
        gem comment 3f9a1c --message 4 "why this tool?"
    """
    say_change(comment(Workspace.open(load()), id_, text, by(author), message), as_json=as_json)


@group.command("list")
def list_changes(
    id_: Annotated[
        str | None, typer.Argument(metavar="ID", help="Only of this trajectory, with orphaned ones of its text.")
    ] = None,
    orphaned: Annotated[bool, typer.Option("--orphaned", help="Only those whose conversation is another now.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Maximum number of changes.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Lists changes, newest first, with what became of each.

    waiting: the next dataset version considers it. published: the current one did. orphaned: its conversation was made
    again and is different; carry it over, or leave it. undone: taken back. withdrawn: its document no longer exists.

    Examples:
        gem changes list
        gem changes list 3f9a1c --json | jq '.[].words'
        gem changes list --orphaned
    """
    with Workspace.open(load()).ledger() as ledger:
        trajectory = find(ledger, id_).trajectory_id if id_ else None
        found = ledger.changes.listed(trajectory, limit=100_000 if orphaned else limit)
    found = [each for each in found if not orphaned or each.state == "orphaned"][:limit]
    if as_json:
        echo_json(json.dumps([each.model_dump(mode="json") for each in found], ensure_ascii=False, indent=1))
    elif found:
        Terminal(highlight=False).print(_table(found))
    else:
        echo("There are no changes.")


@group.command("undo")
def undo_change(change: ChangeArgument, author: AuthorOption = None, as_json: JsonOption = False) -> None:
    """Takes a change back. It stays in the history; after an edit, the edit before it holds again.

    Examples:
        gem changes undo 81c0
    """
    say_change(undo(Workspace.open(load()), change, by(author)), as_json=as_json)


@group.command("carry")
def carry_over(
    change: ChangeArgument,
    to: Annotated[str, typer.Option(metavar="ID", help="The text's trajectory of today.")],
    keep: Annotated[str, typer.Option("--keep-anyway", metavar="REASON", help="Keep an edit in spite of errors.")] = "",
    author: AuthorOption = None,
    as_json: JsonOption = False,
) -> None:
    """Makes an orphaned change again, on the trajectory that the text has now.

    Examples:
        gem changes carry 81c0 --to 5b7e22
    """
    say_change(carry(Workspace.open(load()), change, to, by(author), keep), as_json=as_json)


@group.command("publish")
def publish_changes(as_json: JsonOption = False) -> None:
    """Publishes new versions of all partitions that changed: with changes, without withdrawn texts.

    It calls no model. gem_ingest does the same every hour.

    Examples:
        gem changes publish
    """
    work = Workspace.open(load())
    reports = [republish(work, partition) for partition in changed_partitions(work)]
    if as_json:
        echo_json(json.dumps([report.model_dump() for report in reports], indent=1))
        return
    for report in reports:
        what = f"{report.trajectories} trajectories, {report.edited} edited, {report.excluded} left out"
        echo(f"{report.partition}: {report.version or 'no version'}: {what}")
    if not reports:
        echo("No partition has changed since its last version.")


@group.command("import")
def import_changes(
    file: Annotated[Path, typer.Argument(help="JSON that Argilla or Label Studio exported, or Argilla's folder.")],
    audit: Annotated[
        str | None, typer.Option(metavar="AUDIT", help="Ratings go to this audit, such as the newest of gem audit.")
    ] = None,
    author: Annotated[str, typer.Option(metavar="NAME", help="The author of rows that name none.")] = "",
    keep: Annotated[str, typer.Option("--keep-anyway", metavar="REASON", help="Keep edits in spite of errors.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Imports what annotators answered: vetoes, corrected conversations, comments, ratings.

    Each row is imported on its own; importing a file again changes nothing. Exit codes: 0 all rows imported,
    1 some rows refused (each with its reason), 2 the file cannot be read.

    Examples:
        gem export --format argilla --out review
        gem changes import answers.json
        gem changes import tasks.json --audit 3f9a1c --json
    """
    work = Workspace.open(load())
    chosen = find_audit(work, audit) if audit else None
    found = list(import_answers(work, read_answers(file), author=author, audit=chosen, keep=keep))
    counts = Counter(f"{each.what} {each.outcome}" for each in found)
    if as_json:
        echo_json(json.dumps({"counts": counts, "rows": [each.model_dump() for each in found]}, ensure_ascii=False))
    else:
        _say_imported(found, counts)
    if any(each.outcome == "refused" for each in found):
        raise typer.Exit(1)


def say_change(change: Change, *, as_json: bool = False) -> None:
    """Prints a recorded change."""
    if as_json:
        echo_json(change.model_dump_json(indent=1))
        return
    echo(f"{_DID[change.kind]} trajectory {change.trajectory_id} (change {change.change_id}, by {change.author})")
    if change.kind != "comment":
        echo("The next dataset version has it: gem changes publish")


def _say_imported(found: list[Imported], counts: Counter[str]) -> None:
    for each in found:
        if each.outcome == "refused":
            echo(f"{each.row} ({each.trajectory_id or 'no trajectory'}), {each.what}: {each.reason}", err=True)
    echo(", ".join(f"{count} {what}" for what, count in sorted(counts.items())) or "The file has no rows.")


def _table(found: list[ListedChange]) -> Table:
    table = Table()
    table.add_column("change", no_wrap=True)
    for column in ("when (UTC)", "what", "trajectory", "by", "state", "words"):
        table.add_column(column)
    for each in found:
        what = each.kind if each.message is None else f"{each.kind} on {each.message}"
        words = each.words if len(each.words) <= _SHOWN else f"{each.words[:_SHOWN]}…"
        words = f"takes back {each.undoes}" if each.undoes else words
        when = f"{each.created_at:%Y-%m-%d %H:%M}"
        cells = (
            each.change_id,
            when,
            what,
            each.trajectory_id[:_ID_SHOWN],
            each.author,
            each.state,
            " ".join(words.split()),
        )
        table.add_row(*map(escape, cells))
    return table
