"""`gem judge`: agreement of judge, checks and people."""

import json
from typing import Annotated

import typer
from rich.table import Table

from gem_tasks.audit.people import NEEDED, PeopleReport, people_report
from gem_tasks.cli.people_table import print_people
from gem_tasks.cli.terminal import Terminal, echo_json
from gem_tasks.pipeline.judging.agreement import Agreement, agreement
from gem_tasks.pipeline.options import RunOptions
from gem_tasks.pipeline.people import rated
from gem_tasks.pipeline.policy_file import policy
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load


def judge(
    sample: Annotated[
        int, typer.Option(min=0, help="Ask the judge about up to N trajectories that the checks rejected.")
    ] = 50,
    seed: Annotated[int, typer.Option(help="The same seed draws the same trajectories.")] = 0,
    budget_usd: Annotated[
        float | None, typer.Option(min=0.01, help="Stop before the judge costs more. Default: GEM_BUDGET_USD.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print only the numbers, as JSON.")] = False,
) -> None:
    """Compares the judge with the deterministic checks, and both with people's ratings.

    Uses the current prompts and models. Each trajectory of the sample costs one call; results and datasets do not
    change. Ratings come from `gem audit draw` and `gem audit draw --what refused`.

    Examples:
        gem judge
        gem judge --sample 0            (no calls)
        gem judge --sample 200 --json
    """
    work = Workspace.open(load(), options=RunOptions(budget_usd=budget_usd))
    found, people = agreement(work, sample, seed), _people(work)
    opened = sorted(work.chain.opened)
    if as_json:
        figures = {"asked": found.asked, "confirmed": found.confirmed, "kappa": found.kappa}
        beside = {"people": people.model_dump(), "advice": people.advice, "opened": opened}
        echo_json(json.dumps({**found.model_dump(), **figures, **beside}, indent=1))
        return
    console = Terminal(highlight=False)
    _print(found, console)
    print_people(people, console)
    if opened:
        console.print(f"Downgraded to open by the gate policy, because people disagree: {', '.join(opened)}")


def _people(work: Workspace) -> PeopleReport:
    """Agreement of checks and judge with people, against the precision that the gate policy requires, if any."""
    least = policy(work.settings).agreement
    with work.ledger() as ledger:
        return people_report(rated(ledger, work.store.get), least.min_precision if least else NEEDED)


def _print(found: Agreement, console: Terminal) -> None:
    if not found.both_pass + found.judge_refuses + found.checks_refuse:
        console.print("Nothing has been validated under the current prompts and models yet.")
        return
    console.print(_two_by_two(found))
    if found.by_reason:
        added = ", ".join(f"{reason} {count}" for reason, count in sorted(found.by_reason.items()))
        console.print(f"Rejected by the judge only: {added}")
    total = found.both_pass + found.judge_refuses + found.checks_refuse
    console.print(f"Judge calls that the checks saved: {found.checks_refuse} of {total} trajectories")
    if found.values:
        settled = found.values - found.open_values
        console.print(f"Argument values traced without a judge: {settled:,} of {found.values:,}")
    for check, opinion in found.sample.items():
        console.print(f"  {check}: the judge also rejects {opinion.refused} of {opinion.asked}")
    if found.confirmed is not None:
        kappa = "undefined" if found.kappa is None else f"{found.kappa:.2f}"
        console.print(f"Overall agreement (Cohen's kappa, from the sample): {kappa}")
    if found.calls:
        cost = "" if found.usd is None else f", ${found.usd:.4f}"
        console.print(f"The sample took {found.calls} calls{cost}; {found.unreadable} had no readable verdict")
    if found.unaffordable:
        console.print(f"Not asked, because the budget was spent: {found.unaffordable}")


def _two_by_two(found: Agreement) -> Table:
    table = Table(title="Trajectories by verdict of checks and judge")
    for column in ("", "judge accepts", "judge rejects"):
        table.add_column(column, justify="left" if not column else "right")
    table.add_row("checks accept", str(found.both_pass), str(found.judge_refuses))
    if found.confirmed is None:
        table.add_row(f"checks reject ({found.checks_refuse})", "not asked", "not asked")
    else:
        both = f"{found.confirmed:.0%}"
        table.add_row(f"checks reject ({found.checks_refuse})", f"{1 - found.confirmed:.0%}", both)
    return table
