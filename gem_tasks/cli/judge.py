"""`gem judge`: whether the paid judge agrees with the free checks, what it adds, and how far people agree with both."""

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
    sample: Annotated[int, typer.Option(min=0, help="Ask the judge about so many that the checks refused.")] = 50,
    seed: Annotated[int, typer.Option(help="Draws the sample: the same seed, the same trajectories.")] = 0,
    budget_usd: Annotated[
        float | None, typer.Option(min=0.01, help="Stop before the judge has cost more. Default: GEM_BUDGET_USD.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON, and nothing else.")] = False,
) -> None:
    """Compares the judge with the deterministic checks, under the current prompts and models, and both with people.

    Each trajectory of the sample costs one call; results and datasets stay as they are. What people rated is compared
    with today's checks: draw samples with `gem audit draw` and `gem audit draw --what refused`.

    Examples:
        gem judge
        gem judge --sample 0            (only what is known, no call)
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
        console.print(f"Opened by the gate policy, because people disagree: {', '.join(opened)}")


def _people(work: Workspace) -> PeopleReport:
    """Checks and judge beside people, held against what the gate policy asks for, if it does."""
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
        console.print(f"The judge alone refuses: {added}")
    total = found.both_pass + found.judge_refuses + found.checks_refuse
    console.print(f"Judge calls that the checks saved: {found.checks_refuse} of {total} trajectories")
    if found.values:
        settled = found.values - found.open_values
        console.print(f"Argument values traced without a judge: {settled:,} of {found.values:,}")
    for check, opinion in found.sample.items():
        console.print(f"  {check}: the judge refuses {opinion.refused} of {opinion.asked} as well")
    if found.confirmed is not None:
        kappa = "undefined" if found.kappa is None else f"{found.kappa:.2f}"
        console.print(f"Agreement on all (Cohen's kappa, from the sample): {kappa}")
    if found.calls:
        cost = "" if found.usd is None else f", ${found.usd:.4f}"
        console.print(f"Asking took {found.calls} calls{cost}; {found.unreadable} of them without a readable verdict")
    if found.unaffordable:
        console.print(f"Not asked, because the budget did not reach: {found.unaffordable}")


def _two_by_two(found: Agreement) -> Table:
    table = Table(title="Checks beside judge, trajectories")
    for column in ("", "judge passes", "judge refuses"):
        table.add_column(column, justify="left" if not column else "right")
    table.add_row("checks pass", str(found.both_pass), str(found.judge_refuses))
    if found.confirmed is None:
        table.add_row(f"checks refuse ({found.checks_refuse})", "not asked", "not asked")
    else:
        both = f"{found.confirmed:.0%}"
        table.add_row(f"checks refuse ({found.checks_refuse})", f"{1 - found.confirmed:.0%}", both)
    return table
