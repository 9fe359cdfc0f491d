"""Open work in a partition under the run's recipes, and partitions that only need to be published."""

import logging
from collections.abc import Sequence
from typing import TypedDict

from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.options import RunOptions
from gem_tasks.pipeline.quotas import apply_quotas
from gem_tasks.pipeline.run_recipes import register_recipes
from gem_tasks.pipeline.workspace import Workspace

logger = logging.getLogger(__name__)


class ShardRef(TypedDict):
    """Names a shard between tasks; plain JSON, so that XCom can carry it."""

    partition: str
    shard: int


def plan(work: Workspace, partition: str) -> list[ShardRef]:
    """Shards with a segment that lacks a final outcome in a stage of the run; quotas may release some before."""
    apply_quotas(work, partition)
    with work.ledger() as ledger:
        links = work.links()
        asked = [link.recipe_id for link in links if work.options.asks_for(link.stage)]
        pending = ledger.rebuild.pending(partition, links, asked, work.scope)
    logger.info("%s: %d shards with work left", partition, len(pending))
    return [{"partition": partition, "shard": number} for number in pending]


def announce(work: Workspace, partition: str, run: RunContext) -> list[ShardRef] | None:
    """Records the work left for synthesis as announced by this run; returns None if there is none.

    Registers the recipes in use.
    """
    register_recipes(work)
    pending = plan(work, partition)
    if not pending and not unpublished(work, partition) and not worlds_waiting(work, partition):
        return None
    with work.ledger() as ledger:
        ledger.announcements.announce(run.run_id or "", partition, work.options.packed())
    return pending


def within_budget(work: Workspace, partition: str, *, scheduled: bool) -> RunOptions:
    """The run's options; in a scheduled run, unfinished work keeps the budget of the run that started it.

    Otherwise the next hourly run would continue, without a budget, where a run of the same hour stopped at its budget.
    Both draw from the same budget. A run started by a person states its own budget.
    """
    if not scheduled or work.options.budget_usd:
        return work.options
    with work.ledger() as ledger:
        last = ledger.announcements.last(partition)
    if last is None:
        return work.options
    before, taken_by = RunOptions.read(last.options), last.taken_by
    if not before.budget_usd:
        return work.options
    kept = {"budget_usd": before.budget_usd, "purse": before.purse or taken_by}
    return work.options.model_copy(update=kept)


def take_up(work: Workspace, partition: str, announced_by: Sequence[str], run: RunContext) -> list[ShardRef]:
    """The plan of a synthesis; tells the runs that announced the partition that this run processes it.

    Registers the recipes in use.
    """
    register_recipes(work)
    with work.ledger() as ledger:
        ledger.announcements.take(announced_by, partition, run.run_id or "")
    return plan(work, partition)


def taken_by(work: Workspace, partition: str, run: RunContext) -> str | None:
    """The synthesis run that took up what this run announced; None until there is one."""
    with work.ledger() as ledger:
        return ledger.announcements.taken_by(run.run_id or "", partition)


def unpublished(work: Workspace, partition: str) -> bool:
    """Whether the partition is complete under the current recipes, but its dataset is missing or from older recipes.

    This is the case after a variant was adopted: nothing is left to compute, only to publish.
    """
    if work.variant:
        return False
    with work.ledger() as ledger:
        return ledger.rebuild.unpublished(partition, work.accepting(), work.last_recipe()) and not (
            ledger.rebuild.unfinished(partition, work.links())
        )


def worlds_waiting(work: Workspace, partition: str) -> bool:
    """Whether worlds are on, and the line in worlds has work left in the partition or results to publish."""
    if work.settings.worlds == "off":
        return False
    worlds = work.in_worlds()
    register_recipes(worlds)
    return bool(plan(worlds, partition)) or unpublished(worlds, partition)
