"""How much of a source is read: the options, and what a person is told of a limit and of a budget that lasts."""

import shlex
from typing import Annotated

import typer

from gem_tasks.errors import UserError
from gem_tasks.pipeline.workspace import Workspace

LimitOption = Annotated[
    int | None,
    typer.Option(min=1, help="Read only the first so many documents; kept with the source, so it holds every hour."),
]
NoLimitOption = Annotated[bool, typer.Option("--no-limit", help="Lift a limit that was given before: read everything.")]


def asked(limit: int | None, no_limit: bool) -> int | None:
    """The limit as `Source` has it: 0 lifts one that was given before.

    Raises:
        UserError: both were asked for.
    """
    if limit and no_limit:
        raise UserError("--limit and --no-limit contradict each other", "Give one of them.")
    return 0 if no_limit else limit


def hourly_budget(work: Workspace) -> str:
    """What runs may spend that nobody starts by hand."""
    usd = work.settings.budget_usd
    return f"at most ${usd:g} a run (GEM_BUDGET_USD)" if usd else "no budget (GEM_BUDGET_USD is not set)"


def kept_limit(work: Workspace, source: str) -> int | None:
    """The limit that is kept with a source."""
    with work.ledger() as ledger:
        return next((row.limit for row in ledger.sources.all() if row.uri == source), None)


def lasting(work: Workspace, source: str, *, budgeted: bool = False) -> list[str]:
    """What to say after a run of what holds for the runs to come.

    Args:
        work: where the source is registered.
        source: its address.
        budgeted: the run had a budget of its own.
    """
    said: list[str] = []
    if limit := kept_limit(work, source):
        which = "document is" if limit == 1 else f"{limit} documents are"
        said.append(
            f"Limit: only the first {which} read, by the hourly run too. To read everything: "
            f"gem source limit {shlex.quote(source)} none"
        )
    if budgeted:
        said.append(f"The budget was for this run. Hourly runs read the source, too, with {hourly_budget(work)}.")
    return said
