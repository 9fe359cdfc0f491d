"""`gem audit`: people rate a random sample, in the terminal; the DAG `gem_audit` does the same in Airflow."""

import json
from getpass import getuser
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.prompt import IntPrompt, Prompt
from rich.table import Table

from gem_tasks.domain.audit import BAR, CRITERIA, AuditReport, Rating, Share, What
from gem_tasks.errors import UserError
from gem_tasks.pipeline import audit as audits
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load

_GRADES = [str(grade) for grade in range(1, 6)]
AuditOption = Annotated[int | None, typer.Option("--audit", help="Its number. Default: the newest.")]
app = typer.Typer(help="Draws a random sample and lets people rate it.", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Adds the commands."""
    parent.add_typer(app, name="audit")


@app.command()
def draw(
    what: Annotated[
        What, typer.Option(help="Segments with their workflows and tools, or trajectories.")
    ] = "trajectories",
    size: Annotated[int, typer.Option(min=1, help="How many.")] = 50,
    seed: Annotated[int, typer.Option(help="The same seed draws the same sample.")] = 0,
    version: Annotated[str | None, typer.Option(help="Only of this dataset version.")] = None,
) -> None:
    """Draws a sample, stratified by domain (trajectories) or source (segments).

    Examples:
        gem audit draw
        gem audit draw --what segments --size 30 --seed 7
    """
    work = Workspace.open(load())
    number = audits.start(work, what, size, seed, version)
    typer.echo(
        f"Audit {number}: {audits.result(work, number).items} {what}. Rate them: gem audit rate --audit {number}"
    )


@app.command()
def rate(
    audit: AuditOption = None,
    rater: Annotated[str | None, typer.Option(help="Who rates. Default: the system's user.")] = None,
    from_file: Annotated[
        Path | None,
        typer.Option("--import", help="Ratings as JSON lines: item, coherence, relevance, …", dir_okay=False),
    ] = None,
) -> None:
    """Shows item after item and asks for ratings. Ctrl-C stops; the next time goes on where it stopped.

    Examples:
        gem audit rate --rater ada
        gem audit rate --audit 3 --rater ada --import ratings.jsonl
    """
    work = Workspace.open(load())
    found, name = audits.result(work, audit), rater or getuser()
    if from_file:
        ratings = _read(from_file, name)
        audits.rate(work, found.audit_id, ratings)
        typer.echo(f"{len(ratings)} ratings of audit {found.audit_id}")
        return
    console = Console(highlight=False)
    with work.ledger() as ledger:
        done = {rating.item for rating in ledger.audit_ratings(found.audit_id) if rating.rater == name}
    left = [item for item in range(found.items) if item not in done]
    for count, number in enumerate(left, start=1):
        (item,) = audits.items(work, found.audit_id, [number])
        console.rule(f"{count} of {len(left)}: item {item.item}, {item.stratum}")
        for title, text in ((item.uri, item.text), ("What was made from it", item.made)):
            console.print(title, style="bold", markup=False)
            console.print(text, markup=False)
        grades = {criterion: IntPrompt.ask(criterion, console=console, choices=_GRADES) for criterion in CRITERIA}
        comment = Prompt.ask("comment", console=console, default="")
        audits.rate(work, found.audit_id, [Rating(item=item.item, rater=name, comment=comment, **grades)])
    _print(audits.result(work, found.audit_id))


@app.command()
def report(
    audit: AuditOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Shares with 95 % intervals, agreement of the raters, and whether the sample passes.

    Examples:
        gem audit report
        gem audit report --audit 3 --json
    """
    found = audits.result(Workspace.open(load()), audit)
    if as_json:
        typer.echo(json.dumps(found.model_dump(), indent=1))
    else:
        _print(found)


def _read(path: Path, rater: str) -> list[Rating]:
    found: list[Rating] = []
    number = 0
    try:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):  # noqa: B007 - shown
            if line.strip():
                row: dict[str, Any] = json.loads(line)
                found.append(Rating.model_validate({"rater": rater, **row}))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read ({error})", "Correct the path.") from None
    except (ValueError, TypeError, ValidationError) as error:
        problem = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        form = '{"item": 0, "coherence": 5, "relevance": 4, "faithfulness": 5, "comment": ""}'
        raise UserError(f"{path}, line {number}: {problem}", f"A line looks like {form}") from None
    return found


def _print(found: AuditReport) -> None:
    console = Console(highlight=False)
    of = f" of {found.version}" if found.version else ""
    raters = ", ".join(found.raters) or "nobody"
    console.print(
        f"Audit {found.audit_id}: {found.rated} of {found.items} {found.what}{of} rated by {raters}", markup=False
    )
    table = Table()
    for column in ("", "good (4 or 5)", "share", "95 %", "agreement (kappa)"):
        table.add_column(column)
    for name, share in found.criteria.items():
        kappa = found.kappa[name]
        table.add_row(name, *_cells(share), "" if kappa is None else f"{kappa:.2f}")
    console.print(table)
    bar = f"more than {BAR:.0%} coherent"
    console.print(f"Audited: {bar}." if found.passed else f"Not audited: it takes ratings of all items, and {bar}.")


def _cells(found: Share) -> tuple[str, str, str]:
    if found.share is None:
        return f"{found.good} of {found.of}", "", ""
    return f"{found.good} of {found.of}", f"{found.share:.1%}", f"{found.low:.1%} to {found.high:.1%}"
