"""Quotas by domain, platform and kind of task: which accepted texts pass to extraction, and which are held.

The filter says what a text is about, and the later stages cost far more: so GEM decides after the filter of a
partition, before its extraction, and again before each later run of the partition, which takes what has room by then.
It counts what passed in all partitions. A held text is neither refused nor failed: no later stage asks for it.
"""

import logging
from collections import defaultdict
from collections.abc import Sequence

from gem_tasks.domain.record import Topic
from gem_tasks.lineage.quotas import Accepted, Sorted
from gem_tasks.pipeline.quota_setting import quotas_of
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.store import keys, shards

logger = logging.getLogger(__name__)


def apply_quotas(work: Workspace, partition: str) -> int:
    """Decides about the accepted texts of a partition that no later stage has worked on; returns how many are held.

    Raises:
        UserError: the quotas are wrong.
        StoreError: an object is missing.
    """
    if (quotas := quotas_of(work.settings)) is None:
        return 0
    accepted_by, next_recipe = work.chain.id_of("filter"), work.chain.id_of("extract")
    with work.ledger() as ledger, ledger.locks.quotas():
        if not quotas.quotas:
            ledger.quotas.release(partition)
            return 0
        unknown = ledger.quotas.unknown(accepted_by, next_recipe, partition)
        ledger.quotas.add(accepted_by, _sorted(work, unknown))
        counts, total = ledger.quotas.passed(accepted_by, next_recipe, partition)
        waiting = ledger.quotas.waiting(accepted_by, next_recipe, partition)
        decided = quotas.decide(counts, total, waiting)
        ledger.quotas.decide(accepted_by, partition, decided)
    held = sum(over is not None for over in decided.values())
    if held:
        logger.info("%s: quotas hold %d of %d accepted texts", partition, held, len(decided))
    return held


def _sorted(work: Workspace, texts: Sequence[Accepted]) -> list[Sorted]:
    """What the filter said about these texts, from the objects of their shards."""
    wanted: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
    for text in texts:
        wanted[text.partition, text.shard].add(text.segment_id)
    found: list[Sorted] = []
    for (partition, shard), ids in wanted.items():
        stored = work.fetch(keys.stage_key("filter", work.chain.id_of("filter"), partition, shard))
        for outcome in shards.decode_outcomes(stored):
            if outcome.segment_id in ids and outcome.payload:
                topic = Topic.model_validate_json(outcome.payload)
                found.append(Sorted(outcome.segment_id, partition, topic.domains, topic.platform, topic.task_category))
    return found
