"""The outcomes of a shard: what is missing, what a save keeps, and that every record is accounted for."""

import pytest

from gem_tasks.domain.outcome import Outcome
from gem_tasks.errors import ErrorClass, ReconcileError, StoreError
from gem_tasks.pipeline.options import RunOptions
from gem_tasks.pipeline.shard.outcomes import Outcomes
from gem_tasks.store import keys, shards
from tests.factories import make_segment
from tests.unit.pipeline.shard.ledger import FakeLedger, filter_job

SEGMENTS = [make_segment(f"text {number}", number) for number in range(3)]
A, B, C = (segment.segment_id for segment in SEGMENTS)


def accepted(segment_id, payload="{}"):
    return Outcome(segment_id=segment_id, kind="accepted", payload=payload)


def stored(job):
    return {outcome.segment_id: outcome.payload for outcome in shards.decode_outcomes(job.work.store.get(job.key))}


@pytest.fixture
def ledger():
    return FakeLedger(segments={A, B, C})


@pytest.fixture
def job(tmp_path, ledger):
    made = filter_job(tmp_path, ledger)
    made.work.store.put(keys.segments_key(made.place.partition, 0), shards.encode_segments(SEGMENTS))
    return made


def test_what_has_a_final_outcome_is_not_missing(job, ledger):
    ledger.rows = {B: accepted(B)}
    outcomes = Outcomes(job, ledger)
    assert (outcomes.reused, outcomes.left) == (1, 2)
    assert [record.segment.segment_id for record in outcomes.missing()] == [A, C]


def test_looking_for_what_is_missing_writes_nothing(job, ledger):
    list(Outcomes(job, ledger).missing())
    assert (ledger.rows, job.work.store.exists(job.key)) == ({}, False)


def test_saves_add_up_to_one_object(job, ledger):
    outcomes = Outcomes(job, ledger)
    outcomes.save([accepted(A, '"a"')])
    outcomes.save([accepted(B, '"b"'), Outcome(segment_id=C, kind="rejected", reason="not_procedural")])
    assert stored(job) == {A: '"a"', B: '"b"', C: None}
    assert outcomes.left == 0
    assert outcomes.counts() == {"accepted": 2, "rejected": 1}


def test_a_crash_between_object_and_transaction_leaves_an_object_that_the_next_save_overwrites(job, ledger):
    outcomes = Outcomes(job, ledger)
    outcomes.save([accepted(A, '"a"')])
    ledger.error = StoreError("the connection is lost")
    with pytest.raises(StoreError):
        outcomes.save([accepted(B, '"unrecorded"')])
    assert outcomes.left == 2, "what no transaction knows is missing still"
    ledger.error = None
    Outcomes(job, ledger).save([accepted(C, '"c"')])
    assert stored(job) == {A: '"a"', C: '"c"'}


def test_the_payload_of_a_withdrawn_segment_survives_a_rewrite(job, ledger):
    Outcomes(job, ledger).save([accepted(A, '"paid"')])
    ledger.segments = {B, C}  # the document of A is gone, and may come back
    outcomes = Outcomes(job, ledger)
    assert (outcomes.reused, outcomes.left) == (0, 2)
    outcomes.save([accepted(B, '"b"')])
    assert stored(job) == {A: '"paid"', B: '"b"'}


def test_a_worker_that_lost_the_lock_writes_nothing(job, ledger):
    def lost():
        raise StoreError("the lock is lost")

    ledger.still_locked = lost
    outcomes = Outcomes(job, ledger)
    with pytest.raises(StoreError):
        outcomes.save([accepted(A)])
    assert (ledger.rows, job.work.store.exists(job.key)) == ({}, False)


def test_a_narrowed_run_has_to_end_what_is_in_its_scope_only(job, ledger, tmp_path):
    ledger.scope = {A, B}
    ledger.rows = {C: accepted(C)}
    outcomes = Outcomes(filter_job(tmp_path, ledger, RunOptions(limit=1)), ledger)
    assert outcomes.unended == {A, B}
    outcomes.kinds.update({A: "accepted", B: "rejected"})
    assert outcomes.counts() == {"accepted": 2, "rejected": 1}


def test_a_record_without_an_outcome_stops_the_stage_and_is_named(job, ledger):
    outcomes = Outcomes(job, ledger)
    outcomes.save([accepted(B)])
    with pytest.raises(ReconcileError, match=f"2 records without an outcome, such as {A}"):
        outcomes.counts()


def test_a_failure_that_may_pass_ends_the_record_for_this_run_only(job, ledger):
    outcomes = Outcomes(job, ledger)
    outcomes.save([Outcome(segment_id=A, kind="failed", error_class=ErrorClass.TIMEOUT, detail="slow")])
    assert outcomes.unended == {B, C}
    assert Outcomes(job, ledger).unended == {A, B, C}
