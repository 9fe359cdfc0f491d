"""The options that limit how much of a source is read, and the lines that explain limits and budgets to users."""

import shlex
from typing import Annotated

import typer

from gem_tasks.errors import UserError
from gem_tasks.pipeline.workspace import Workspace

LimitOption = Annotated[
    int | None,
    typer.Option(min=1, help="Read up to N documents. Saved with the source, so it also limits the hourly run."),
]
NoLimitOption = Annotated[bool, typer.Option("--no-limit", help="Remove the saved limit and read everything.")]


def asked(limit: int | None, no_limit: bool) -> int | None:
    """The limit in the form of `Source.limit`, where 0 removes a saved one.

    Raises:
        UserError: both options were given.
    """
    if limit and no_limit:
        raise UserError("--limit and --no-limit contradict each other", "Give one of them.")
    return 0 if no_limit else limit


def hourly_budget(work: Workspace) -> str:
    """The budget of hourly runs, in words."""
    usd = work.settings.budget_usd
    return f"a budget of ${usd:g} per run (GEM_BUDGET_USD)" if usd else "no budget (GEM_BUDGET_USD is not set)"


def kept_limit(work: Workspace, source: str) -> int | None:
    """The limit that is saved with a source."""
    with work.ledger() as ledger:
        return next((row.limit for row in ledger.sources.all() if row.uri == source), None)


def lasting(work: Workspace, source: str, *, budgeted: bool = False) -> list[str]:
    """Lines that say, after a run, which limit and budget apply to future runs.

    Args:
        work: where the source is registered.
        source: its address.
        budgeted: whether the run had its own budget.
    """
    said: list[str] = []
    if limit := kept_limit(work, source):
        which = "document is" if limit == 1 else f"{limit} documents are"
        said.append(
            f"Limit: only the first {which} read, also by the hourly run. To read everything: "
            f"gem source limit {shlex.quote(source)} none"
        )
    if budgeted:
        said.append(
            f"The budget applied to this run only. Hourly runs also read the source, with {hourly_budget(work)}."
        )
    return said
