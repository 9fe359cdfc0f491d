"""A harness's requests reach endpoints that want them otherwise; what was learned is sent at once the next time."""

import json

import pytest

from gem_tasks.evals.dialects import Translator
from gem_tasks.llm.dialects.dialect import PLAIN
from tests.oracles.server import refusal, strict, words

SYSTEM, USER = {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]


def body(*messages, **fields):
    return {"model": "m", "messages": list(messages or (USER,)), "tools": TOOLS, "seed": 7, **fields}


class Endpoint:
    """Answers by a function; keeps the bodies that it got."""

    def __init__(self, answer):
        self.answer, self.got = answer, []

    def __call__(self, data):
        self.got.append(json.loads(data))
        said = self.answer(self.got[-1], {})
        if isinstance(said, bytes):
            return 200, {}, said
        return (400 if "error" in said else 200), {}, json.dumps(said).encode()


def ask(translator, endpoint, request):
    status, _, said = translator(json.dumps(request).encode(), endpoint)
    return status, json.loads(said)


def refusing(name, why):
    return lambda sent, headers: refusal(name, why) if name in sent else words("Hi")


def test_what_a_reasoning_model_refuses_is_learned_once_and_the_rest_stays_as_it_was():
    endpoint, translator = Endpoint(strict(lambda sent, headers: words("Hi"))), Translator(PLAIN)
    thinking = {"role": "assistant", "content": "Hi", "reasoning_content": "hm"}
    asked = body(SYSTEM, USER, thinking, USER, temperature=0.0, max_tokens=100)
    assert ask(translator, endpoint, asked)[0] == 200
    assert len(endpoint.got) == 4
    assert ask(translator, endpoint, asked)[0] == 200
    assert len(endpoint.got) == 5
    wanted = body(SYSTEM, USER, {"role": "assistant", "content": "Hi"}, USER, max_completion_tokens=100)
    assert endpoint.got[-1] == wanted
    assert translator.not_sent == ("temperature",)


def test_an_endpoint_that_takes_everything_gets_the_request_as_it_is():
    endpoint, translator = Endpoint(lambda sent, headers: words("Hi")), Translator(PLAIN)
    asked = body(SYSTEM, {**USER, "reasoning_content": "hm"}, temperature=0.001, tool_choice="auto")
    assert ask(translator, endpoint, asked) == (200, words("Hi"))
    assert endpoint.got == [asked]
    assert translator.not_sent == ()


def test_a_limit_that_the_harness_does_not_set_is_not_invented():
    endpoint = Endpoint(lambda sent, headers: words("Hi"))
    ask(Translator(PLAIN.model_copy(update={"limit": "max_completion_tokens", "room": 4096})), endpoint, body())
    assert endpoint.got == [body()]


def test_without_a_system_role_its_text_goes_before_the_first_message():
    def answer(sent, headers):
        system = any(each["role"] == "system" for each in sent["messages"])
        return refusal("messages", "System role not supported") if system else words("Hi")

    endpoint = Endpoint(answer)
    assert ask(Translator(PLAIN), endpoint, body(SYSTEM, USER))[0] == 200
    assert endpoint.got[-1]["messages"] == [{"role": "user", "content": "Be brief.\n\nHello"}]


def test_an_endpoint_that_only_streams_gives_the_harness_one_object():
    event = {"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 3}}
    stream = f"data: {json.dumps(event)}\n\ndata: [DONE]\n\n".encode()
    endpoint = Endpoint(
        lambda sent, headers: stream if sent.get("stream") else refusal("stream", "This model only supports stream")
    )
    status, said = ask(Translator(PLAIN), endpoint, body())
    assert (status, said["choices"][0]["message"]["content"], said["usage"]) == (200, "Hi", {"prompt_tokens": 3})


def test_no_thinking_is_asked_for_by_the_field_that_the_endpoint_takes():
    refuses = refusing("reasoning_effort", "Extra inputs are not permitted: reasoning_effort")
    endpoint, translator = Endpoint(refuses), Translator(PLAIN)
    for _ in range(2):
        assert ask(translator, endpoint, body(chat_template_kwargs={"enable_thinking": False}))[0] == 200
    first, second, third = endpoint.got
    assert first["reasoning_effort"] == "none"
    assert second == third
    assert "chat_template_kwargs" not in first
    assert "reasoning_effort" not in second


@pytest.mark.parametrize("why", ["Invalid value in messages[0]: no such image", "Unknown parameter: 'seed'"])
def test_a_complaint_about_the_text_or_a_setting_of_the_user_s_reaches_the_harness(why):
    endpoint, translator = Endpoint(lambda sent, headers: refusal("", why)), Translator(PLAIN)
    translator._answered = True
    status, said = ask(translator, endpoint, body(temperature=0.5))
    assert (status, said["error"]["message"], len(endpoint.got)) == (400, why, 1)


@pytest.mark.parametrize("data", [b"", b"[]", b'{"messages": 3}', b"\xff"])
def test_what_is_no_request_is_sent_as_it_is(data):
    got = []
    assert Translator(PLAIN)(data, lambda sent: (got.append(sent), (400, {}, b"no"))[1]) == (400, {}, b"no")
    assert got == [data]
