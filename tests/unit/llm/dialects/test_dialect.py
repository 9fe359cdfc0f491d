"""What complaints teach: data in, data out."""

import json

import pytest

from gem_tasks.domain.chat import ChatMessage, ChatRequest, Sampling
from gem_tasks.llm.dialects.complaints import adapt
from gem_tasks.llm.dialects.dialect import PLAIN, Dialect, Speaker, effort_word, speak, spoken
from gem_tasks.llm.dialects.presets import preset_for
from gem_tasks.llm.responses.envelope import read_complaint


def request(schema=None, **sampling):
    messages = (ChatMessage(role="system", content="s"), ChatMessage(role="user", content="u"))
    return ChatRequest(model="m", messages=messages, sampling=Sampling(**sampling), answer_schema=schema)


ASKED = request({"type": "object"}, temperature=0.3, max_tokens=1000, reasoning_effort="high")
ODD = ChatRequest(model="m", messages=(ChatMessage(role="user", content="half a character, \ud83d u"),))
LEARNED = Dialect(limit="max_completion_tokens", dropped=("temperature",), room=4096)


def said(message, param=None, **more):
    return read_complaint(json.dumps({"error": {"message": message, "param": param, **more}}))


@pytest.mark.parametrize(
    ("complaint", "change"),
    [
        (said("Use 'max_completion_tokens' instead.", "max_tokens"), {"limit": "max_completion_tokens"}),
        (said("max_tokens is too large: it supports at most 512 completion tokens", "max_tokens"), {"most": 512}),
        (said("max_tokens: the range of valid values is [1, 800]"), {"most": 800}),
        (said("Only the default (1) value is supported", "temperature"), {"dropped": ("temperature",)}),
        (said("`temperature` is deprecated for this model"), {"dropped": ("temperature",)}),
        (said("does not support 'high'. Supported values are: 'low', 'medium'.", "reasoning_effort"),
         {"efforts": ("low", "medium")}),
        (said("reasoning_effort high is invalid"), {"efforts": ("minimal", "low", "medium")}),
        (said("'response_format.type' must be 'text'", "response_format.type"), {"form": "json_object"}),
        (said("This response_format type is unavailable now"), {"form": "json_object"}),
        (said("('body', 'response_format', 'type'): Input should be 'text' or 'json_object', 'input': 'json_schema'"),
         {"form": "object_schema"}),
        (said("This model only support stream mode"), {"stream": True}),
        (said("enable_thinking must be set to false for non-streaming calls"), {"stream": True}),
        (said("System role not supported"), {"fold_system": True}),
        (said("Request contains an invalid argument."), {"efforts": ("minimal", "low", "medium")}),
    ],
)  # fmt: skip
def test_every_complaint_teaches_one_thing(complaint, change):
    assert adapt(PLAIN, ASKED, complaint) == PLAIN.model_copy(update=change)


@pytest.mark.parametrize("names", [["temperature"], ["reasoning_effort"], ["top_k"]])
def test_what_a_person_set_is_not_left_out(names):
    sampling = {"temperature": 0.3, "reasoning_effort": "low", "extra_body": {"top_k": 5}, "insisted": frozenset(names)}
    asked = request(**{name: value for name, value in sampling.items() if name in {*names, "insisted", "extra_body"}})
    effort_refused = said(f"Unknown field {names[0]}", names[0])
    changed = PLAIN
    for _ in range(4):
        changed = adapt(changed, asked, effort_refused) or changed
    assert names[0] in spoken(asked, changed)


def test_a_named_field_that_is_not_sent_teaches_nothing():
    assert adapt(PLAIN, request(), said("no", "temperature")) is None
    assert adapt(Dialect(dropped=("temperature",)), request(temperature=0.3), said("no", "temperature")) is None


def test_the_nearest_effort_is_less_rather_than_more():
    assert effort_word("off", ("low", "high")) == "low"
    assert effort_word("medium", ("low", "high")) == "low"
    assert effort_word("max", ("low", "high")) == "high"
    assert effort_word("off", None) == "none"


def test_a_dialect_changes_only_what_is_particular():
    assert speak(ASKED, PLAIN) is ASKED.body
    body = spoken(ASKED, Dialect(limit="max_completion_tokens", room=4096, fold_system=True, form="text", stream=True))
    assert body["max_completion_tokens"] == 5096
    assert "max_tokens" not in body
    assert "response_format" not in body
    assert body["messages"] == [{"role": "user", "content": "s\n\nu"}]
    assert body["stream"] is True


def test_what_is_written_once_for_all_requests_of_a_stage_is_what_each_would_be_written_alone():
    speaker = Speaker()
    for dialect in (PLAIN, LEARNED, LEARNED.model_copy(update={"fold_system": True}), PLAIN):
        for asked in (ASKED, request(temperature=0.3), ODD, ASKED):
            body = json.loads(speaker.speak(asked, dialect))
            assert body == spoken(asked, dialect)
            assert body["messages"][-1]["content"].endswith("u")


def test_a_schema_beside_the_type_object_is_the_whole_schema():
    body = spoken(ASKED, Dialect(form="object_schema"))
    assert body["response_format"] == {"type": "json_object", "schema": {"type": "object"}}


def test_a_body_from_which_every_field_was_dropped_is_json_all_the_same():
    bare = json.loads(speak(request(), Dialect(dropped=("max_tokens", "temperature"))))
    assert bare == {"model": "m", "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]}


def test_room_for_thought_grows_to_twice_what_thinking_took_and_never_past_what_may_be_asked_for():
    asked = request(max_tokens=1000)
    wider = PLAIN.roomier(asked)
    assert (wider.room, wider.limit_of(asked)) == (4096, 5096)
    assert PLAIN.thought(1500) == Dialect(thinks=True, room=4096)
    assert PLAIN.thought(0) is PLAIN
    assert Dialect(most=1000).roomier(asked) is None


NO_EFFORT, LOWEST = {}, {"reasoning_effort": "low"}


@pytest.mark.parametrize(
    ("host", "model", "sent"),
    [
        ("api.openai.com", "gpt-6-astra", LOWEST),
        ("api.openai.com", "gpt-5.6-sol", {"reasoning_effort": "none"}),
        ("api.openai.com", "gpt-5.2", {"reasoning_effort": "none"}),
        ("api.openai.com", "gpt-5-mini", {"reasoning_effort": "minimal"}),
        ("api.openai.com", "o3", LOWEST),
        ("api.openai.com", "gpt-5-chat-latest", NO_EFFORT),
        ("name.openai.azure.com", "gpt-5.1", {"reasoning_effort": "none"}),
        ("generativelanguage.googleapis.com", "models/gemini-3.5-flash", LOWEST),
        ("generativelanguage.googleapis.com", "gemini-2.5-flash", {"reasoning_effort": "none"}),
        ("api.deepseek.com", "deepseek-v4-pro", {"thinking": {"type": "disabled"}}),
        ("api.z.ai", "glm-4.6", {"thinking": {"type": "disabled"}}),
        ("open.bigmodel.cn", "glm-5.3", LOWEST),
        ("api.moonshot.ai", "kimi-k2.5", {"thinking": {"type": "disabled"}}),
        ("api.moonshot.cn", "kimi-k3.1", LOWEST),
        ("dashscope-intl.aliyuncs.com", "qwen-plus", {"enable_thinking": False}),
        ("api.mistral.ai", "magistral-medium", {"reasoning_effort": "none"}),
        ("api.groq.com", "openai/gpt-oss-120b", LOWEST),
        ("api.anthropic.com", "claude-opus-5", {"reasoning_effort": "none"}),
        ("openrouter.ai", "openai/o3", {"reasoning_effort": "none"}),
    ],
)
def test_known_endpoints_are_told_to_stop_thinking_in_their_own_way(host, model, sent):
    asked = request(max_tokens=1000, temperature=0.3, reasoning_effort="off", insisted=frozenset({"reasoning_effort"}))
    body = spoken(asked, preset_for(f"https://{host}/v1", model))
    usual = {"model", "messages", "max_tokens", "max_completion_tokens", "temperature", "stream", "stream_options"}
    assert {name: value for name, value in body.items() if name not in usual} == sent
