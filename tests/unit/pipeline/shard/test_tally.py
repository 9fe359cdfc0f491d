"""What a run of a stage brought, as numbers."""

from gem_tasks.domain.outcome import Cost, Outcome
from gem_tasks.errors import ErrorClass
from gem_tasks.pipeline.shard.tally import Tally


def failed(segment_id, error_class, detail=""):
    cost = Cost(calls=4, faults={error_class: 4})
    return Outcome(segment_id=segment_id, kind="failed", error_class=error_class, detail=detail, cost=cost)


def test_calls_and_faults_add_up():
    tally = Tally()
    tally.add(Outcome(segment_id="a", kind="accepted", cost=Cost(calls=2, faults={ErrorClass.RATE_LIMITED: 1})))
    tally.add(failed("b", ErrorClass.TIMEOUT))
    tally.add(Outcome(segment_id="c", kind="rejected", reason="near_duplicate"))
    assert (tally.ended, tally.calls) == (3, 6)
    assert tally.faults == {ErrorClass.RATE_LIMITED: 1, ErrorClass.TIMEOUT: 4}


def test_only_a_completion_counts_as_an_answer():
    tally = Tally()
    tally.add(Outcome(segment_id="a", kind="rejected", reason="near_duplicate"))
    tally.add(failed("b", ErrorClass.TIMEOUT))
    assert not tally.answered
    tally.add(failed("c", ErrorClass.MALFORMED))
    assert tally.answered


def test_failures_that_a_later_run_may_turn_into_a_result_are_kept_by_name():
    tally = Tally()
    for outcome in (failed("a", ErrorClass.TIMEOUT), failed("b", ErrorClass.MALFORMED)):
        tally.add(outcome)
    tally.add(failed("c", ErrorClass.BAD_REQUEST).model_copy(update={"doubtful": True}))
    assert tally.broken == ["a", "c"]


def test_the_complaint_is_the_last_thing_the_endpoint_said():
    tally = Tally()
    for outcome in (failed("a", ErrorClass.TIMEOUT, "slow"), failed("b", ErrorClass.SERVER_ERROR, "503")):
        tally.add(outcome)
    error = tally.complaint(asked=7)
    assert (error.error_class, error.detail) == (
        ErrorClass.SERVER_ERROR, "2 of 7 segments got no answer; the last: 503"
    )  # fmt: skip
