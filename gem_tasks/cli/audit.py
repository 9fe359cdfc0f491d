"""`gem audit`: samples that people rate, their agreement, and whether a dataset version is audited."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from gem_tasks.audit.draw import NAMES, draw, find
from gem_tasks.audit.rate import rate, read_ratings, so_far, unrated
from gem_tasks.audit.shown import Shown, one, shown
from gem_tasks.audit.verdict import Report
from gem_tasks.cli.terminal import Terminal, ask, echo, echo_json
from gem_tasks.domain.audit import NAME_LENGTH, QUALITIES, Audit, Rating, Sample, What
from gem_tasks.errors import UserError
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load

AuditArgument = Annotated[
    str | None, typer.Argument(metavar="AUDIT", help="An audit id, or its first characters. Default: the newest audit.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print only JSON.")]

audit = typer.Typer(
    help="Draws samples, records ratings by people, and reports whether dataset versions are audited.",
    epilog="Start with: gem audit draw, then: gem audit rate --rater YOUR-NAME",
    no_args_is_help=True,
    add_completion=False,
)


@audit.command("draw")
def draw_sample(
    what: Annotated[
        What, typer.Option(help="Published trajectories, conversations that checks or judge rejected, or segments.")
    ] = ("trajectories"),
    size: Annotated[int, typer.Option(min=1, max=1000, help="Number of items.")] = 50,
    seed: Annotated[int, typer.Option(help="The same seed draws the same items from the same data.")] = 0,
    version: Annotated[str | None, typer.Option(help="Only this dataset version.")] = None,
    first: Annotated[str | None, typer.Option("--from", help="First partition, such as 2026-01-31T14:00.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last partition.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Draws a random sample, stratified by source and domain.

    Examples:
        gem audit draw
        gem audit draw --what refused --size 40
        gem audit draw --what segments --size 100 --seed 7
    """
    sample = Sample(what=what, size=size, seed=seed, version=version, first=first, last=last)
    drawn = draw(Workspace.open(load()), sample)
    if as_json:
        echo_json(drawn.model_dump_json(indent=1))
        return
    echo(f"Audit {drawn.audit_id}: {drawn.items} of {drawn.population} {NAMES[what]}")
    echo(f"Rate them: gem audit rate {drawn.audit_id} --rater YOUR-NAME")


@audit.command("rate")
def rate_items(
    rater: Annotated[str, typer.Option(help="Your name; saved with every rating.")],
    audit_id: AuditArgument = None,
) -> None:
    """Shows the items one by one and asks for your ratings. You can stop at any time and continue later.

    Examples:
        gem audit rate --rater anna
    """
    rater = rater.strip()
    if not 1 <= len(rater) <= NAME_LENGTH:
        raise UserError(f"A rater's name has 1 to {NAME_LENGTH} characters", "Give another --rater.")
    work = Workspace.open(load())
    found = find(work, audit_id)
    console = Terminal()
    left = unrated(work, found, rater)
    for number, item in enumerate(left):
        console.rule(f"item {found.items - len(left) + number + 1} of {found.items}")
        _print(console, one(work, item))
        rating = _ask(item.item_id, rater)
        if rating is None:
            console.print(f"Ratings are saved. Continue with: gem audit rate {found.audit_id} --rater …", markup=False)
            return
        rate(work, found, [rating])
    console.print("You have rated every item." if not left else "That was the last item. Thank you.")
    _report(console, so_far(work, found))


@audit.command("items")
def list_items(audit_id: AuditArgument = None) -> None:
    """Prints the items with all texts as JSON lines, to rate them with another tool and import the ratings.

    Examples:
        gem audit items > items.jsonl
    """
    work = Workspace.open(load())
    found = find(work, audit_id)
    with work.ledger() as ledger:
        items = ledger.audits.items(found.audit_id)
    for each in shown(work, items):
        row: dict[str, Any] = {**each.item.model_dump(), "source": each.source, "sections": dict(each.sections)}
        echo_json(json.dumps(row, ensure_ascii=False))


@audit.command("import")
def import_ratings(
    file: Annotated[Path, typer.Argument(help="CSV with a header, or JSON lines.", exists=True, dir_okay=False)],
    audit_id: AuditArgument = None,
    rater: Annotated[str | None, typer.Option(help="The rater, where the file does not name one.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Imports ratings from a file, all or none: item_id, rater, coherence, tools, faithfulness, comment.

    Examples:
        gem audit import ratings.csv --rater anna
    """
    work = Workspace.open(load())
    _say(rate(work, find(work, audit_id), read_ratings(file, rater)), as_json)


@audit.command("report")
def show_report(audit_id: AuditArgument = None, as_json: JsonOption = False) -> None:
    """Shows rates with 95 % intervals, agreement and verdict; without AUDIT, also lists the newest audits.

    Examples:
        gem audit report
        gem audit report 3f9a1c --json | jq .passed
    """
    work = Workspace.open(load())
    found = find(work, audit_id)
    if not as_json and audit_id is None:
        with work.ledger() as ledger:
            Terminal().print(_audits(ledger.audits.find()))
    _say(so_far(work, found), as_json)


def _ask(item_id: str, rater: str) -> Rating | None:
    """The ratings of one item; None if the person stops."""
    scores: dict[str, int] = {}
    for quality, question in QUALITIES.items():
        while quality not in scores:
            answer = ask(f"{question} [{quality}, 1-5, q to stop]").strip().lower()
            if answer in ("q", "quit"):
                return None
            if answer in ("1", "2", "3", "4", "5"):
                scores[quality] = int(answer)
    comment = ask("Comment", default="", show_default=False)[:2000]
    return Rating.model_validate({"item_id": item_id, "rater": rater, "comment": comment, **scores})


def _print(console: Terminal, found: Shown) -> None:
    """Prints the texts of an item; markup in them is escaped."""
    console.print(escape(found.source), style="dim")
    for heading, text in found.sections:
        console.print(Panel(escape(text), title=heading, title_align="left"))


def _say(found: Report, as_json: bool) -> None:
    if as_json:
        echo_json(found.model_dump_json(indent=1))
    else:
        _report(Terminal(), found)


def _report(console: Terminal, found: Report) -> None:
    table = Table(title=f"Audit {found.audit.audit_id}: {found.rated} of {found.audit.items} items rated")
    for column in ("quality", "mean", "good (4 or 5)", "95 % interval", "raters agree", "kappa"):
        table.add_column(column)
    for name, each in found.qualities.items():
        share = "-" if each.share is None else f"{each.share:.0%} ({each.good} of {each.items})"
        interval = "-" if each.low is None else f"{each.low:.0%} to {each.high:.0%}"
        agree = "-" if each.unanimous is None else f"{each.unanimous:.0%} of {each.compared}"
        table.add_row(name, _number(each.mean), share, interval, agree, _number(each.kappa))
    console.print(table)
    raters = ", ".join(f"{escape(name)} ({count})" for name, count in found.raters.items()) or "none yet"
    console.print(f"Raters: {escape(raters)}")
    state = {True: "passed", False: "not passed", None: "not decided"}[found.passed]
    console.print(f"Verdict: {state}. {found.reason}", highlight=False)
    for version in found.audit.versions if found.passed else ():
        console.print(f"  {version} is audited", highlight=False)


def _audits(found: list[Audit]) -> Table:
    table = Table()
    for column in ("audit", "drawn", "what", "seed", "items", "of", "versions"):
        table.add_column(column)
    for each in found:
        counts = (each.sample.seed, each.items, each.population, len(each.versions))
        seed, items, population, versions = map(str, counts)
        when = f"{each.drawn_at:%Y-%m-%d %H:%M}"
        table.add_row(each.audit_id, when, each.sample.what, seed, items, population, versions)
    return table


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
