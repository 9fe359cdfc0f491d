"""`gem eval list | show | compare | board | correlation`: recorded evaluations and their comparison."""

import json
from typing import Annotated

import typer

from gem_tasks.cli.evaluation_tables import (
    board_settings,
    board_table,
    case_table,
    comparison,
    correlation_table,
    list_table,
    score_table,
)
from gem_tasks.cli.terminal import Terminal, echo, echo_json
from gem_tasks.domain.evaluation import HARNESSES
from gem_tasks.domain.promotion import Policy
from gem_tasks.errors import UserError
from gem_tasks.evals.board import leaderboard
from gem_tasks.evals.correlation import FEWEST, MOST, correlations
from gem_tasks.evals.pairs import other_tasks
from gem_tasks.evals.promotion import judge
from gem_tasks.evals.registry import find_evaluation
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load

ModelId = Annotated[str | None, typer.Option(help="Only evaluations of this model in `gem models list`.")]
app = typer.Typer(add_completion=False)
JsonOption = Annotated[bool, typer.Option("--json", help="Print only JSON.")]


@app.command("list")
def list_evaluations(
    model_id: ModelId = None,
    harness: Annotated[str | None, typer.Option(help=f"{', '.join(HARNESSES)}.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show up to N, newest first.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Lists evaluations, newest first.

    Examples:
        gem eval list --harness bfcl
    """
    with Workspace.open(load()).ledger() as ledger:
        rows = ledger.evaluations.find(model_id=model_id, harness=harness, limit=limit)
    if as_json:
        echo_json(json.dumps([row.model_dump(mode="json") for row in rows], indent=1))
    else:
        Terminal().print(list_table(rows))


@app.command("show")
def show_evaluation(
    evaluation_id: Annotated[str, typer.Argument(help="An evaluation id, or its first characters.")],
    cases: Annotated[bool, typer.Option("--cases", help="Also show every case.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Shows the scores of an evaluation with standard errors, its settings, and optionally its cases.

    Examples:
        gem eval show 3f9a1c --cases
    """
    with Workspace.open(load()).ledger() as ledger:
        report = ledger.evaluations.report(find_evaluation(ledger, evaluation_id))
    if as_json:
        echo_json(report.model_dump_json(indent=1))
        return
    console = Terminal()
    score_table(console, report)
    if cases:
        console.print(case_table(report))


@app.command("compare")
def compare(
    first: Annotated[str, typer.Argument(help="Evaluation of the first model.")],
    second: Annotated[
        str, typer.Argument(help="Evaluation of the second model, in the same harness and on the same cases.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Compares two evaluations case by case: paired bootstrap with a 95 % interval.

    Examples:
        gem eval compare 3f9a1c 77b0e2
    """
    with Workspace.open(load()).ledger() as ledger:
        one, other = (ledger.evaluations.report(find_evaluation(ledger, each)) for each in (first, second))
    if reason := other_tasks(one, other):
        raise UserError(f"{reason[:1].upper()}{reason[1:]}", "Run both models over the same tasks.")
    verdict = judge({one.harness: one}, {other.harness: other}, Policy(advisory=()))
    if as_json:
        echo_json(verdict.model_dump_json(indent=1))
    else:
        comparison(Terminal(), one, other, verdict)


@app.command("correlation")
def correlation(as_json: JsonOption = False) -> None:
    """Shows whether next-action accuracy (`gem eval calls`) ranks your models as the benchmarks do.

    Spearman's rank correlation with a 95 % interval, wherever three models or more ran the same turns and cases.

    Examples:
        gem eval correlation
    """
    with Workspace.open(load()).ledger() as ledger:
        found = correlations(ledger.evaluations.find(limit=MOST))
    if as_json:
        echo_json(json.dumps([each.model_dump() for each in found], indent=1))
    elif found:
        Terminal().print(correlation_table(found))
    else:
        echo(f"No {FEWEST} models ran the same turns (gem eval calls) and the same cases of a benchmark.")


@app.command("board")
def board(as_json: JsonOption = False) -> None:
    """Shows all models side by side, with figures of the paper and of others as reference rows.

    Examples:
        gem eval board
    """
    with Workspace.open(load()).ledger() as ledger:
        rows = leaderboard(ledger.evaluations)
    if as_json:
        echo_json(json.dumps([row.model_dump() for row in rows], indent=1))
    else:
        console = Terminal()
        console.print(board_table(rows))
        board_settings(console, rows)
