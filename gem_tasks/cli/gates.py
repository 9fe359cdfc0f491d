"""`gem gates` and `gem review`: the policy in force, what was decided, and answering for it from the terminal."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markdown import Markdown
from rich.table import Table

from gem_tasks.airflow_names import CONTINUE, HALT, SYNTHESIZE, WORLDS
from gem_tasks.cli.terminal import Terminal, echo, echo_json
from gem_tasks.domain.gate import Policy
from gem_tasks.domain.stage import StageName
from gem_tasks.errors import UserError
from gem_tasks.lineage.gates import DecisionRow
from gem_tasks.local.airflow_api import AirflowAPI
from gem_tasks.pipeline.policy_file import policy
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load

_NEWEST = 10
PartitionOption = Annotated[str | None, typer.Option(help="Only of this partition, such as 2026-01-31T14:00.")]


def gates(
    check: Annotated[Path | None, typer.Option(help="Only validate this policy file.", dir_okay=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print policy and decisions as JSON.")] = False,
) -> None:
    """Shows the gate policy in force and the newest decisions.

    Examples:
        gem gates
        gem gates --check my-gates.toml
    """
    settings = load()
    bounds = policy(settings.model_copy(update={"gates": check})) if check else policy(settings)
    decisions: list[DecisionRow] = []
    if check is None and settings.postgres_dsn:
        with Workspace.open(settings).ledger() as ledger:
            decisions = ledger.gates.decisions(_NEWEST)
    if as_json:
        echo_json(
            json.dumps(
                {"policy": bounds.model_dump(), "decisions": [each._asdict() for each in decisions]},
                indent=1,
                default=str,
            )
        )
        return
    console = Terminal(highlight=False)
    console.print(_bounds(bounds))
    if least := bounds.agreement:
        console.print(
            f"Error findings reject only while people agree with at least {least.min_precision:.0%} of {least.sample}"
            " or more rated conversations of their kind; see `gem judge`"
        )
    if decisions:
        console.print(_decisions(decisions))


def review(
    stage: Annotated[StageName | None, typer.Argument(help="Answer for the gate after this stage.")] = None,
    partition: PartitionOption = None,
    go_on: Annotated[bool, typer.Option("--go-on", help="Continue with the partition.")] = False,
    halt: Annotated[bool, typer.Option("--halt", help="Fail the run without publishing.")] = False,
    comment: Annotated[str, typer.Option(help="Your reason; saved with the decision.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the waiting gates as JSON.")] = False,
) -> None:
    """Lists gates that wait for a person, shows one, or answers it as GEM_AIRFLOW_USERNAME.

    Examples:
        gem review
        gem review filter
        gem review filter --go-on --comment "a new source, mostly news"
    """
    if go_on and halt:
        raise UserError("--go-on and --halt contradict each other", "Give one of them.")
    if (go_on or halt) and stage is None:
        raise UserError("The stage is missing", "Name it, such as: gem review filter --go-on")
    with AirflowAPI(load()) as api:
        waiting = [each for dag in (SYNTHESIZE, WORLDS) for each in api.waiting(dag)]
        found = [each for each in waiting if _meant(each["task_instance"], stage, partition)]
        if go_on or halt:
            task = _only(found)["task_instance"]
            api.answer(task, CONTINUE if go_on else HALT, comment)
            echo(f"{task['task_id']} of {task['dag_run_id']}: {'continues' if go_on else 'halted'}")
            return
        _show(api, found, as_json, whole=stage is not None)


def _show(api: AirflowAPI, found: list[dict[str, Any]], as_json: bool, *, whole: bool) -> None:
    if as_json:
        echo_json(json.dumps([{**each, "url": api.review_url(each["task_instance"])} for each in found], indent=1))
        return
    console = Terminal(highlight=False)
    if not found:
        console.print("No gate is waiting for a person.")
    for each in found:
        task = each["task_instance"]
        console.print(
            f"{task['task_id']} of {task['dag_run_id']}: {api.review_url(task)}", soft_wrap=True, markup=False
        )
        if whole:
            console.print(Markdown(each.get("body") or "", hyperlinks=False))
    if found and not whole:
        console.print(
            "Show one: gem review STAGE. Answer it: gem review STAGE --go-on | --halt [--comment …]", markup=False
        )


def _meant(task: dict[str, Any], stage: str | None, partition: str | None) -> bool:
    run = task.get("dag_run_id", "")
    key = task.get("partition_key") or run
    return (stage is None or task["task_id"] == f"{stage}.review") and (partition is None or partition in key)


def _only(found: list[dict[str, Any]]) -> dict[str, Any]:
    if len(found) == 1:
        return found[0]
    if not found:
        raise UserError("No such gate is waiting for a person", "List the waiting gates with `gem review`.")
    raise UserError(f"{len(found)} runs wait at this gate", "Name one with --partition; `gem review` lists them.")


def _bounds(bounds: Policy) -> Table:
    table = Table(title=f"Policy {bounds.sha256[:12]}")
    for column in ("stage", "metric", "expected", "else", "from outcomes"):
        table.add_column(column)
    for stage, metrics in bounds.bounds.items():
        for metric, kept in metrics.items():
            for bound in kept:
                table.add_row(stage, metric, str(bound), bound.action, str(bound.sample))
    return table


def _decisions(found: list[DecisionRow]) -> Table:
    table = Table(title="Newest decisions")
    for column in ("when", "partition", "stage", "decision", "by", "reason"):
        table.add_column(column, overflow="fold")
    for row in found:
        when = f"{row.decided_at:%Y-%m-%d %H:%M}"
        cells = (when, row.partition, row.stage, row.action, row.person or "policy", row.reason)
        table.add_row(*(cell.replace("[", "\\[") for cell in cells))
    return table
