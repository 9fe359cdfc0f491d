"""One record, one outcome: repair once, tell the classes apart, stop for configuration faults."""

import pytest

from gem_tasks.domain.chat import Completion, Usage
from gem_tasks.domain.outcome import Cost, Outcome
from gem_tasks.errors import EndpointError, ErrorClass
from gem_tasks.pipeline.recipes import Asking
from gem_tasks.pipeline.shard.attempt import attempt
from gem_tasks.pipeline.shard.doubts import FEW, Doubts
from gem_tasks.prompts import load
from gem_tasks.stages import stage
from tests.factories import make_record, make_trajectory, say

GOOD = "<multi_step>False</multi_step><reason>not_procedural</reason>"


class Scripted:
    """Answers in turn; an exception in the script is raised."""

    def __init__(self, *answers):
        self.answers, self.requests = list(answers), []

    async def complete(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, str):
            answer = Completion(text=answer, finish_reason="stop")
        return answer.model_copy(update={"usage": Usage(prompt_tokens=10, completion_tokens=1)})


def asking(name):
    return Asking(model="m", prompt=load(name), repair=load("repair"))


async def outcome_of(*answers, name="filter", record=None):
    client = Scripted(*answers)
    return await attempt(stage(name), asking(name), record or make_record(), client), client


async def test_a_good_answer_needs_one_call():
    outcome, client = await outcome_of(GOOD)
    assert (outcome.kind, outcome.reason) == ("rejected", "not_procedural")
    assert outcome.cost.calls == len(client.requests) == 1


TOPIC = (
    "<multi_step>True</multi_step><summary>A clerk posts an invoice.</summary><platform>computer</platform>"
    "<domain>finance</domain><task>databases</task>"
)


@pytest.mark.parametrize(
    ("thought", "kept"), [("Three steps.", "Three steps."), ("", None), ("x" * 300_000, "x" * 2**18)]
)
async def test_what_was_thought_before_the_accepted_answer_is_kept_up_to_a_bound(thought, kept):
    outcome, _ = await outcome_of(
        Completion(text="nonsense", thoughts="Of the first answer.", finish_reason="stop"),
        Completion(text=TOPIC, thoughts=thought, finish_reason="stop"),
    )
    assert (outcome.kind, outcome.thoughts) == ("accepted", kept)


async def test_a_malformed_answer_is_sent_back_once_with_the_complaint():
    outcome, client = await outcome_of("nonsense", GOOD)
    assert outcome.kind == "rejected"
    assert outcome.cost.calls == 2
    assert outcome.cost.usage.prompt_tokens == 20
    *_, answer, complaint = client.requests[1].messages
    assert answer.content == "nonsense"
    assert "expected <multi_step>" in complaint.content


@pytest.mark.parametrize(
    ("answers", "error_class"),
    [
        (["nonsense", "still nonsense"], ErrorClass.MALFORMED),
        (["", "  "], ErrorClass.EMPTY),
        ([Completion(text=GOOD, finish_reason="length")] * 2, ErrorClass.TRUNCATED),
        ([Completion(text="I cannot.", finish_reason="content_filter")], ErrorClass.REFUSED),
        ([EndpointError(ErrorClass.TIMEOUT, "slow")], ErrorClass.TIMEOUT),
        (["nonsense", EndpointError(ErrorClass.SERVER_ERROR, "500")], ErrorClass.SERVER_ERROR),
        ([EndpointError(ErrorClass.CONTEXT_LENGTH, "long")], ErrorClass.CONTEXT_LENGTH),
    ],
)
async def test_what_cannot_be_mended_fails_with_its_class(answers, error_class):
    outcome, client = await outcome_of(*answers)
    assert (outcome.kind, outcome.error_class) == ("failed", error_class)
    assert outcome.cost.calls == len(answers)
    assert not client.answers


def overlong(calls=1):
    error = EndpointError(ErrorClass.CONTEXT_LENGTH, "it does not fit")
    error.faults = {ErrorClass.CONTEXT_LENGTH: calls} if calls else {}
    return error


async def test_a_second_chance_that_does_not_fit_is_asked_for_with_the_end_of_the_answer():
    outcome, client = await outcome_of("nonsense " * 1000 + "the end", overlong(), GOOD)
    assert outcome.kind == "rejected"
    assert outcome.cost.calls == len(client.requests) == 3
    quoted = client.requests[2].messages[-2].content
    assert quoted.startswith("[…]")
    assert quoted.endswith("the end")
    assert len(quoted) == 2003
    assert "expected <multi_step>" in client.requests[2].messages[-1].content


async def test_one_that_does_not_fit_at_all_leaves_the_first_answers_class():
    outcome, client = await outcome_of("nonsense " * 1000, overlong(0), overlong(0))
    assert (outcome.error_class, len(client.requests), outcome.cost.calls) == (ErrorClass.MALFORMED, 3, 1)
    assert "expected <multi_step>" in outcome.detail
    assert "it does not fit" in outcome.detail
    assert outcome.raw == "nonsense " * 1000


def ended(error_class=None, calls=0):
    kind = "failed" if error_class else "accepted"
    return Outcome(segment_id="s", kind=kind, error_class=error_class, cost=Cost(calls=calls))


def test_texts_that_do_not_fit_are_the_configurations_fault_if_there_are_a_few_and_no_other():
    doubts = Doubts(proven=False)
    for _ in range(FEW):
        assert doubts.settle(ended(ErrorClass.CONTEXT_LENGTH)) == []
        assert not doubts.grave
    with pytest.raises(EndpointError, match=f"none of {FEW} texts fits"):
        doubts.end()


def test_they_are_their_own_fault_if_one_is_answered_or_they_are_less_than_a_few():
    doubts = Doubts(proven=False)
    doubts.settle(ended(ErrorClass.CONTEXT_LENGTH))
    assert len(doubts.settle(ended(calls=1))) == 2
    assert len(doubts.settle(ended(ErrorClass.CONTEXT_LENGTH))) == 1
    few = Doubts(proven=False)
    few.settle(ended(ErrorClass.CONTEXT_LENGTH))
    assert [outcome.final for outcome in few.end()] == [True]
    assert len(Doubts(proven=True).settle(ended(ErrorClass.CONTEXT_LENGTH))) == 1


async def test_the_raw_answer_of_a_failure_is_kept():
    outcome, _ = await outcome_of("first", "second \ud800")
    assert outcome.raw == "second \ud800"


@pytest.mark.parametrize("error_class", [ErrorClass.AUTH, ErrorClass.UNKNOWN_MODEL])
async def test_a_configuration_fault_stops_the_task(error_class):
    with pytest.raises(EndpointError):
        await outcome_of(EndpointError(error_class, "no"))


async def test_what_the_checks_refuse_costs_nothing():
    broken = make_record(refine=make_trajectory(say("user", "hm")))
    outcome, client = await outcome_of(name="validate", record=broken)
    assert (outcome.kind, outcome.reason) == ("rejected", "check_structure")
    assert client.requests == []


def test_only_transport_faults_are_worth_another_run():
    from gem_tasks.domain.outcome import Outcome

    final = {
        error: Outcome(segment_id="s", kind="failed", error_class=error).final
        for error in (ErrorClass.TIMEOUT, ErrorClass.MALFORMED)
    }
    assert final == {ErrorClass.TIMEOUT: False, ErrorClass.MALFORMED: True}
