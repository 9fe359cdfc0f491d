"""One client learns how a model wants to be asked, with as few requests as possible, from an endpoint in memory."""

import asyncio

import pytest

from gem_tasks.domain.chat import ChatMessage, ChatRequest, Completion, Sampling, Usage
from gem_tasks.errors import Complaint, EndpointError, ErrorClass
from gem_tasks.llm.dialects import learning as module
from gem_tasks.llm.dialects.dialect import PLAIN, Dialect, shape_of
from gem_tasks.llm.dialects.learning import Learning
from gem_tasks.llm.dialects.memory import Memory
from gem_tasks.store.local import LocalStore


def request(text="a text", model="m", **sampling):
    asked = Sampling(**{"max_tokens": 100, **sampling})
    return ChatRequest(model=model, messages=(ChatMessage(role="user", content=text),), sampling=asked)


def answer(text="yes", reason="stop", thoughts=0):
    return Completion(
        text=text, finish_reason=reason, usage=Usage(prompt_tokens=1, completion_tokens=1, reasoning_tokens=thoughts)
    )


def fault(error_class, param="", message=""):
    error = EndpointError(error_class, message or f"about {param}")
    error.complaint = Complaint(message=message, param=param)
    return error


@pytest.fixture(autouse=True)
def no_threads(monkeypatch):
    """What the client remembers is read at once: a busy machine would let a thread take any number of turns."""

    async def at_once(read, *arguments):
        return read(*arguments)

    monkeypatch.setattr(asyncio, "to_thread", at_once)


TURNS = 100
"""Of the event loop until an answer: all that may run meanwhile has its turn."""


class Endpoint:
    """Answers by `said(request, dialect)`, which may raise; knows the dialects that it was spoken to in."""

    def __init__(self, said=lambda request, dialect: answer()):
        self.said, self.heard, self.under_way, self.most = said, [], 0, 0

    async def ask(self, asked, dialect, faults):
        self.heard.append(dialect)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            for _ in range(TURNS):
                await asyncio.sleep(0)
            return self.said(asked, dialect)
        except EndpointError as error:
            faults[error.error_class] = faults.get(error.error_class, 0) + 1
            raise
        finally:
            self.under_way -= 1


def learner(endpoint, store=None, preset=PLAIN, **more):
    return Learning(endpoint.ask, Memory(store, "http://h/v1"), lambda model: preset, **more)


def refusing_temperature(asked, dialect):
    if "temperature" not in dialect.dropped:
        raise fault(ErrorClass.BAD_REQUEST, "temperature", "temperature is not supported")
    return answer()


async def test_the_first_request_of_a_shape_goes_alone_and_the_others_at_once():
    endpoint = Endpoint()
    client = learner(endpoint)
    found = [asyncio.create_task(client.complete(request(f"text {number}"))) for number in range(5)]
    for _ in range(TURNS // 2):
        await asyncio.sleep(0)
    assert endpoint.heard == [PLAIN]
    await asyncio.gather(*found)
    assert (len(endpoint.heard), endpoint.most) == (5, 4)
    await asyncio.gather(*(client.complete(request(f"text {number}")) for number in range(3)))
    assert endpoint.most == 4


async def test_a_complaint_is_learned_from_once_and_remembered_for_other_clients(tmp_path):
    store = LocalStore(tmp_path)
    endpoint = Endpoint(refusing_temperature)
    client = learner(endpoint, store)
    answers = await asyncio.gather(*(client.complete(request(f"t {number}", temperature=0.5)) for number in range(4)))
    # Which of them asks first depends on when its thread has read what other clients remembered.
    assert [each.faults for each in answers if each.faults] == [{ErrorClass.BAD_REQUEST: 1}]
    assert [dialect.dropped for dialect in endpoint.heard] == [(), *[("temperature",)] * 4]
    assert client.dialect_of("m").dropped == ("temperature",)
    other = learner(endpoint, store)
    await other.complete(request(temperature=0.5))
    assert endpoint.heard[-1].dropped == ("temperature",)
    assert len(endpoint.heard) == 6


async def test_a_complaint_that_teaches_nothing_is_the_configurations_and_the_rest_is_not_asked():
    def said(asked, dialect):
        raise fault(ErrorClass.BAD_REQUEST, "odd_field", "odd_field is not supported")

    endpoint = Endpoint(said)
    client = learner(endpoint)
    found = await asyncio.gather(
        *(client.complete(request(f"t {number}", extra_body={"odd_field": 1})) for number in range(4)),
        return_exceptions=True,
    )
    assert {error.parameter for error in found} == {"odd_field"}
    assert len(endpoint.heard) <= module._ADAPTATIONS + 1
    assert sum(bool(error.faults) for error in found) == 1, "the others were not sent"


@pytest.mark.parametrize(("error_class", "stops"), [(ErrorClass.AUTH, True), (ErrorClass.TIMEOUT, False)])
async def test_a_wrong_key_stops_all_requests_and_a_timeout_only_its_own(error_class, stops):
    asked = []

    def said(asking, dialect):
        asked.append(asking)
        if len(asked) == 1:
            raise fault(error_class)
        return answer()

    client = learner(Endpoint(said))
    found = await asyncio.gather(*(client.complete(request(f"t {n}")) for n in range(3)), return_exceptions=True)
    failed = [each for each in found if isinstance(each, EndpointError)]
    assert (len(failed), len(asked)) == ((3, 1) if stops else (1, 3))


async def test_a_text_that_is_refused_is_no_lesson_and_the_next_one_goes_alone_too():
    def said(asked, dialect):
        if "bad" in asked.messages[0].content:
            raise fault(ErrorClass.CONTEXT_LENGTH)
        return answer()

    endpoint = Endpoint(said)
    client = learner(endpoint)
    texts = ["bad 1", "bad 2", "good 1", "good 2"]
    found = await asyncio.gather(*(client.complete(request(text)) for text in texts), return_exceptions=True)
    assert [isinstance(each, EndpointError) for each in found] == [True, True, False, False]
    assert endpoint.most == 1
    assert client.dialect_of("m") == PLAIN


async def test_after_a_few_refused_texts_the_others_need_not_wait():
    def said(asked, dialect):
        raise fault(ErrorClass.CONTEXT_LENGTH)

    endpoint = Endpoint(said)
    client = learner(endpoint)
    await asyncio.gather(*(client.complete(request(f"t {n}")) for n in range(20)), return_exceptions=True)
    assert endpoint.most == 20 - module._SCOUTS


async def test_a_slow_first_request_does_not_hold_up_the_others(monkeypatch):
    monkeypatch.setattr(module, "_SCOUT_S", 0.01)
    done = asyncio.Event()

    async def ask(asked, dialect, faults):
        if asked.messages[0].content == "slow":
            await done.wait()
        return answer()

    client = Learning(ask, Memory(None, "http://h/v1"), lambda model: PLAIN)
    slow = asyncio.create_task(client.complete(request("slow")))
    await asyncio.sleep(0)
    assert (await client.complete(request("quick"))).text == "yes"
    assert not slow.done()
    done.set()
    assert (await slow).text == "yes"


async def test_an_answer_that_thinking_cut_off_is_asked_for_again_with_more_room():
    def said(asked, dialect):
        return answer(thoughts=50) if dialect.room else answer("", "length", thoughts=100)

    endpoint = Endpoint(said)
    client = learner(endpoint)
    found = await client.complete(request())
    assert [bool(dialect.room) for dialect in endpoint.heard] == [False, True]
    assert found.faults == {ErrorClass.TRUNCATED: 1}
    assert found.usage == Usage(prompt_tokens=2, completion_tokens=2, reasoning_tokens=150), "both answers cost"
    assert client.dialect_of("m").thinks
    assert client.limit_of(request()) == 100 + client.dialect_of("m").room


async def test_an_answer_that_was_only_long_gets_no_room_for_thought():
    def said(asked, dialect):
        return answer() if dialect.room else answer("half an", "length")

    client = learner(Endpoint(said))
    found = await client.complete(request())
    assert found.text == "yes"
    assert client.dialect_of("m") == PLAIN


async def test_a_model_that_writes_nothing_with_room_for_thought_either_gets_it_once():
    """Untrained weights write invisible tokens to the limit: each answer would cost thousands of them."""
    endpoint = Endpoint(lambda asked, dialect: answer("", "length"))
    client = learner(endpoint)
    assert [(await client.complete(request())).finish_reason for _ in range(3)] == ["length"] * 3
    assert [bool(dialect.room) for dialect in endpoint.heard] == [False, True, False, False]


async def test_where_the_window_leaves_no_room_the_cut_answer_stays():
    endpoint = Endpoint(lambda asked, dialect: answer("", "length", thoughts=100))
    client = learner(endpoint, bounded=lambda asked, limit: min(limit, 100))
    assert (await client.complete(request())).finish_reason == "length"
    assert len(endpoint.heard) == 1
    full = learner(endpoint, preset=Dialect(most=100))
    assert (await full.complete(request())).finish_reason == "length"


async def test_a_proved_shape_that_is_refused_later_is_adapted_by_one_request_for_all():
    strict = []

    def said(asked, dialect):
        return refusing_temperature(asked, dialect) if strict else answer()

    endpoint = Endpoint(said)
    client = learner(endpoint)
    await client.complete(request(temperature=0.5))
    strict.append(True)
    found = await asyncio.gather(*(client.complete(request(f"t {n}", temperature=0.5)) for n in range(6)))
    assert {each.text for each in found} == {"yes"}
    assert client.dialect_of("m").dropped == ("temperature",)
    assert sum(not dialect.dropped for dialect in endpoint.heard) == 7


async def test_a_refusal_without_a_reason_of_a_proved_shape_is_that_requests_own():
    def said(asked, dialect):
        if asked.messages[0].content == "odd":
            raise fault(ErrorClass.BAD_REQUEST)
        return answer()

    endpoint = Endpoint(said)
    client = learner(endpoint)
    await client.complete(request())
    with pytest.raises(EndpointError) as refused:
        await client.complete(request("odd"))
    assert (refused.value.parameter, len(endpoint.heard)) == ("", 2)
    assert (await client.complete(request())).text == "yes"


async def test_an_empty_answer_proves_nothing(tmp_path):
    store = LocalStore(tmp_path)
    client = learner(Endpoint(lambda asked, dialect: answer("  ")), store)
    await client.complete(request())
    assert Memory(store, "http://h/v1").recall("m", PLAIN).proved == ()
    proving = learner(Endpoint(), store)
    await proving.complete(request())
    assert Memory(store, "http://h/v1").recall("m", PLAIN).proved == (shape_of(request(), PLAIN),)


async def test_what_is_not_known_yet_is_the_preset():
    client = learner(Endpoint(), preset=Dialect(stream=True))
    assert client.dialect_of("m") == Dialect(stream=True)
    assert client.limit_of(request()) == 100


async def test_a_model_that_thinks_in_spite_of_being_asked_not_to_is_known_to():
    client = learner(Endpoint(lambda asked, dialect: answer(thoughts=20)))
    await client.complete(request(reasoning_effort="off"))
    assert client.dialect_of("m").thinks
    assert client.dialect_of("m").useless
