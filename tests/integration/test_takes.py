"""Several conversations of one text through Postgres and a store: counted, published, resumed, each on its own."""

from gem_tasks.dataset.export import published
from gem_tasks.dataset.publish import publish
from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.pipeline.ingest.source import ingest
from tests.corpus import EXAMPLES, PARTITION
from tests.planning import plan, synthesise


def test_x(workspace):
    work = workspace(max_workflows=4, rollouts=2, shard_segments=100)
    ingest(work, str(EXAMPLES), PARTITION)
    print(synthesise(work))
    print(publish(work, PARTITION))
    with work.ledger() as ledger:
        print(ledger.stale.workflow_counts())
        for s in ledger.reports.summary(PARTITION, work.recipes_of(*STAGE_NAMES), None).stages:
            print(s)
    rows = list(published(work, PARTITION))
    from collections import Counter

    print(Counter((r["metadata"]["workflow"], r["metadata"]["rollout"]) for r in rows))
    print(Counter(Counter(r["metadata"]["segment_id"] for r in rows).values()))
    print(plan(work, PARTITION))
    assert 0
