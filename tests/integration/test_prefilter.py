"""The prefilter over real rows and objects: learned, applied, watched, switched off, and never in the way."""

import json
import logging

import pytest

from gem_tasks.domain.corpus import Document, Segment, content_hash, document_id, segment_id
from gem_tasks.domain.outcome import Cost, Outcome
from gem_tasks.domain.stage_settings import StageSettings
from gem_tasks.errors import StoreError
from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.batch.poll import Pending, Poll
from gem_tasks.pipeline.shard import prefilter
from gem_tasks.pipeline.shard.job import ShardJob
from gem_tasks.pipeline.shard.outcomes import Outcomes
from gem_tasks.pipeline.shard.run import run_shard
from gem_tasks.pipeline.upkeep.prefilter_training import recheck, status, train
from gem_tasks.store import keys, shards
from tests.corpus import PROCEDURE, STORY
from tests.planning import plan

OLD, NEW = "2026-01-31T14:00", "2026-01-31T15:00"
RUN = RunContext(run_id="r")


def text_of(number, accepted):
    return (PROCEDURE if accepted else STORY).format(n=number) * 2


def add(work, partition, labels, first=0):
    """A shard with a segment per label."""
    documents, segments = [], []
    for number, accepted in enumerate(labels, start=first):
        text = text_of(number, accepted)
        digest = content_hash(text)
        key = document_id(f"file:///{number}", digest)
        documents.append(
            Document(document_id=key, uri=f"file:///{number}", etag="e", content_hash=digest, chars=len(text))
        )
        segments.append(
            Segment(
                segment_id=segment_id(key, 0, len(text)), document_id=key, document_uri=f"file:///{number}",
                start=0, end=len(text), tokens=20, text=text,
            )
        )  # fmt: skip
    with work.ledger() as ledger:
        source = ledger.sources.register_source("file:///")
        shard = ledger.ingestion.reserve_shards(partition, 1)
        work.store.put(keys.segments_key(partition, shard), shards.encode_segments(segments))
        ledger.ingestion.commit_ingest(partition, source, documents, {shard: segments})
    return shard, [segment.segment_id for segment in segments]


def judge(work, partition, shard, ids, labels, **measures):
    """What a filter's model is said to have answered."""
    plan(work, partition)
    outcomes = [
        Outcome(segment_id=key, kind="accepted", payload=TOPIC, cost=Cost(calls=1, usd=0.001), measures=measures)
        if accepted
        else Outcome(
            segment_id=key, kind="rejected", reason="not_procedural", cost=Cost(calls=1, usd=0.001), measures=measures
        )
        for key, accepted in zip(ids, labels, strict=True)
    ]
    with work.ledger() as ledger, ledger.locks.shard(work.chain.id_of("filter"), partition, shard):
        Outcomes(ShardJob.of(work, "filter", partition, shard, RUN), ledger).save(outcomes)


TOPIC = json.dumps(
    {"summary": "s", "platform": "operator", "domains": ["finance"], "task_category": "customer_support"}
)
LABELS = [number % 2 == 0 for number in range(720)]


@pytest.fixture
def learned(workspace):
    work = workspace()
    shard, ids = add(work, OLD, LABELS)
    judge(work, OLD, shard, ids, LABELS)
    found = train(work)
    assert found.state == "trained", found
    return work, found


def test_hopeless_segments_are_rejected_without_a_call_and_a_share_is_asked_all_the_same(learned):
    work, trained = learned
    shard, ids = add(work, NEW, [False] * 60, first=1000)
    assert [ref["shard"] for ref in plan(work, NEW)] == [shard]
    report = run_shard(work, "filter", NEW, shard, RUN)
    drawn = [key for key in ids if prefilter.in_share(key)]
    assert 0 < len(drawn) < 15
    assert (report.rejected, report.calls) == (60, len(drawn))
    with work.ledger() as ledger:
        rows = ledger.pg.execute(
            "SELECT segment_id, reason, calls, detail, measures FROM stage_results WHERE partition_key = %s", [NEW]
        ).fetchall()
    for row in rows:
        assert row["measures"]["prefilter"] == trained.prefilter
        assert row["measures"]["prefilter_share"] is (row["segment_id"] in drawn)
        assert (row["reason"] == "prefilter") is (row["calls"] == 0) is (row["segment_id"] not in drawn)
        if not row["calls"]:
            assert f"below {trained.report.threshold:.4f} of prefilter {trained.prefilter}" in row["detail"]
    saved = status(work)
    assert saved["in_use"] == trained.prefilter
    assert saved["saved_calls"] == 60 - len(drawn)
    assert saved["usd_saved"] > 0
    assert saved["prefilters"][0]["share_asked"] == len(drawn)


def test_a_new_prefilter_makes_nothing_stale(learned):
    work, trained = learned
    shard, _ = add(work, NEW, [False] * 60, first=1000)
    run_shard(work, "filter", NEW, shard, RUN)
    chain = work.recipe_ids()
    grown, ids = add(work, OLD, LABELS, first=5000)
    judge(work, OLD, grown, ids, LABELS)
    again = train(work)
    assert (again.state, again.prefilter == trained.prefilter) == ("trained", False)
    assert work.recipe_ids() == chain
    assert run_shard(work, "filter", NEW, shard, RUN).calls == 0
    history = status(work)["prefilters"]
    assert [row["retired_because"] for row in history] == [None, "replaced"]
    with work.ledger() as ledger:
        (recipe,) = ledger.pg.execute("SELECT * FROM recipes WHERE recipe_id = %s", [again.prefilter]).fetchall()
    assert (recipe["stage"], recipe["parent_id"]) == ("prefilter", work.chain.id_of("filter"))


def test_it_is_replaced_only_when_there_is_half_as_much_more_to_learn_from(learned):
    work, trained = learned
    assert (train(work).state, train(work).prefilter) == ("kept", trained.prefilter)


def test_another_filter_prompt_or_model_has_no_prefilter_yet(learned, workspace):
    other = workspace(llm_stages={"filter": StageSettings(model="another")})
    assert prefilter.current(other) is None
    assert train(other).state == "too_few"


def test_off_means_off(learned, workspace):
    off = workspace(prefilter="off")
    assert prefilter.current(off) is None
    assert train(off).state == "off"
    assert (status(off)["setting"], status(off)["in_use"]) == ("off", None)


def test_too_few_verdicts_keep_it_off_and_say_so(workspace, caplog):
    work = workspace()
    shard, ids = add(work, OLD, LABELS[:100])
    judge(work, OLD, shard, ids, LABELS[:100])
    with caplog.at_level(logging.INFO):
        found = train(work)
    assert (found.state, prefilter.current(work)) == ("too_few", None)
    assert "50 accepted segments" in found.reason
    assert "needs 149" in caplog.text


def test_it_switches_itself_off_when_the_share_proves_that_it_misses_too_much(learned, caplog):
    work, trained = learned
    seen = {"prefilter": trained.prefilter, "prefilter_score": 0.01, "prefilter_share": True}
    fine, ids = add(work, NEW, [True] * 60, first=2000)
    judge(work, NEW, fine, ids, [True] * 60, **seen, prefilter_rejects=False)
    assert prefilter.current(work)
    bad, ids = add(work, NEW, [True] * 6, first=3000)
    judge(work, NEW, bad, ids, [True] * 6, **seen, prefilter_rejects=True)
    assert prefilter.current(work) is None
    assert status(work)["prefilters"][0]["retired_because"] is None  # looking writes nothing
    for _ in range(2):
        prefilter.switch_off_drifted(work)
    assert caplog.text.count("is switched off: of 66 segments in the random share") == 1
    assert prefilter.current(work) is None
    (row,) = status(work)["prefilters"]
    assert (row["retired_because"], row["share_missed"], row["share_accepted"]) == ("drift", 6, 66)
    assert train(work).state == "too_few"  # it has to learn from what came since


def test_what_a_switched_off_prefilter_rejected_can_be_asked_about(learned):
    work, _ = learned
    shard, _ = add(work, NEW, [False] * 40, first=1000)
    first = run_shard(work, "filter", NEW, shard, RUN)
    assert recheck(work, dry_run=True) == {}
    with work.ledger() as ledger:
        ledger.prefilters.switch_off(work.chain.id_of("filter"), "said by a test")
    assert recheck(work, dry_run=True) == {NEW: 40 - first.calls}
    assert plan(work, NEW) == []
    recheck(work, dry_run=False)
    assert [ref["shard"] for ref in plan(work, NEW)] == [shard]
    again = run_shard(work, "filter", NEW, shard, RUN)
    assert (again.calls, again.rejected, recheck(work, dry_run=True)) == (40 - first.calls, 40, {})


def test_a_model_that_was_tampered_with_stops_the_stage(learned):
    work, _ = learned
    (key,) = work.store.list("models/prefilter/")
    work.store.put(key, work.store.get(key) + b"x")
    with pytest.raises(StoreError, match="does not match the recorded SHA-256"):
        prefilter.current(work)


def test_requests_under_way_are_not_turned_down(learned):
    work, _ = learned
    shard, _ = add(work, NEW, [False] * 5, first=1000)
    with work.ledger() as ledger, ledger.locks.shard(work.chain.id_of("filter"), NEW, shard):
        job = ShardJob.of(work, "filter", NEW, shard, RUN)
        pending = Pending(stage="filter", partition=NEW, shard=shard, batches=())
        poll = Poll(job, Outcomes(job, ledger), ledger, pending)
        assert all(record.prefilter_score is None for record in poll._records(begun=True))
        assert all(record.prefilter_score for record in poll._records(begun=False))
