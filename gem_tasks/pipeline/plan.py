"""What is left to do in a partition under the current recipes."""

import logging
from typing import TypedDict

from gem_tasks.domain.gate import Decision, Policy
from gem_tasks.gates import decide
from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import StageName

logger = logging.getLogger(__name__)


class ShardRef(TypedDict):
    """Names a shard between tasks; plain JSON, so it can travel by XCom."""

    partition: str
    shard: int


def plan(work: Workspace, partition: str) -> list[ShardRef]:
    """Shards with a segment that lacks a final outcome in some stage. Registers the recipes in use."""
    with work.ledger() as ledger:
        ledger.record_recipes(work.chain.prompt_texts(), work.chain.recipes)
        pending = ledger.pending(partition, work.recipe_ids())
    logger.info("%s: %d shards with work left", partition, len(pending))
    return [{"partition": partition, "shard": number} for number in pending]


def gate(work: Workspace, name: StageName, partition: str, run: RunContext) -> Decision:
    """Decides by the stage's numbers over the whole partition, and records the decision with them."""
    settings, recipe = work.settings, work.chain.by_stage[name]
    policy = Policy(
        max_failed_share=settings.gate_max_failed_share, min_accepted_share=settings.gate_min_accepted_share
    )
    with work.ledger() as ledger:
        decision = decide(ledger.metrics(partition, recipe), policy)
        ledger.record_decision(partition, recipe, decision, run)
    logger.info("gate after %s: %s, %s", name, decision.action, decision.reason)
    return decision


def last_decision(work: Workspace, name: StageName, partition: str) -> Decision:
    """What the gate after the stage decided last."""
    with work.ledger() as ledger:
        return ledger.last_decision(partition, work.chain.by_stage[name])
