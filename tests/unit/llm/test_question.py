"""The small question before a run: of the shape of the stage's own, and what an odd answer to it means."""

import pytest

from gem_tasks.domain.chat import Completion, Sampling
from gem_tasks.errors import EndpointError, ErrorClass
from gem_tasks.llm.question import ask, listed, question


class Client:
    def __init__(self, answer):
        self.answer = answer

    async def complete(self, request):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def models(self):
        if isinstance(self.answer, Exception):
            raise self.answer
        return ["models/a", "b", "a"]


REQUEST = question("m", Sampling(max_tokens=5000))


def test_a_question_has_the_stages_parameters_and_a_bound_of_its_own():
    assert REQUEST.sampling.max_tokens == 1024
    assert REQUEST.answer_schema is None
    assert question("m", Sampling(max_tokens=50), schema=True).sampling.max_tokens == 50
    assert question("m", Sampling(), schema=True).answer_schema["required"] == ["R1"]


async def test_an_answer_is_shown_on_one_line():
    assert (await ask(Client(Completion(text=" Yes\n it\tis ", finish_reason="stop")), REQUEST)).said == "Yes it is"
    long = await ask(Client(Completion(text="a" * 100, finish_reason="stop")), REQUEST)
    assert long.said == "a" * 59 + "…"


@pytest.mark.parametrize(
    ("reason", "note"),
    [("length", "thinking used up the token limit"), ("content_filter", "'content_filter'"), ("", "'no reason'")],
)
async def test_an_empty_answer_says_why(reason, note):
    assert note in (await ask(Client(Completion(text=" ", finish_reason=reason)), REQUEST)).note


async def test_an_endpoint_that_is_busy_or_refuses_this_text_is_alive_and_any_other_fault_is_raised():
    busy = await ask(Client(EndpointError(ErrorClass.RATE_LIMITED, "slow down")), REQUEST)
    assert "slow down" in busy.note
    with pytest.raises(EndpointError):
        await ask(Client(EndpointError(ErrorClass.AUTH, "no")), REQUEST)


async def test_a_list_of_models_is_a_hint_only():
    assert await listed(Client(Completion(text="", finish_reason="stop"))) == ["a", "b"]
    assert await listed(Client(EndpointError(ErrorClass.AUTH, "no"))) == []
