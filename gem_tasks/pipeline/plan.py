"""What is left to do in a partition under the current recipes."""

import logging
from typing import TypedDict

from gem_tasks.pipeline.workspace import Workspace

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
