"""Tools for endpoints that know them, and tagged text for those that refuse them: the client learns which."""

import asyncio

from gem_tasks.domain.chat import ChatMessage, ChatRequest, Sampling, Toolbox
from tests.integration.endpoint import answer, client_for, failing, serving

FIND = {"type": "function", "function": {"name": "find", "description": "Finds.", "parameters": {"type": "object"}}}
CALL = {"id": "a1", "type": "function", "function": {"name": "find", "arguments": "{}"}}


def asked(text):
    messages = (ChatMessage(role="system", content="s"), ChatMessage(role="user", content=text))
    toolbox = Toolbox(tools=(FIND,), form="FORM")
    return ChatRequest(model="m", messages=messages, sampling=Sampling(max_tokens=9), toolbox=toolbox)


def test_a_call_is_an_answer_even_without_words():
    async def run():
        body = answer("")
        body["choices"][0] = {"message": {"content": None, "tool_calls": [CALL]}, "finish_reason": "tool_calls"}
        async with serving(lambda number, _: body) as (endpoint, url), client_for(url) as client:
            first, second = await client.complete(asked("one")), await client.complete(asked("two"))
            return first, second, endpoint.requests

    first, second, requests = asyncio.run(run())
    assert [call.name for call in (*first.tool_calls, *second.tool_calls)] == ["find", "find"]
    assert [body["tools"] for body in requests] == [[FIND], [FIND]]


def test_an_endpoint_that_refuses_tools_is_asked_in_tags_from_then_on():
    async def run():
        def script(number, body):
            del number
            return failing(400, "does not support tools") if "tools" in body else answer("<func>{}</func>")

        async with serving(script) as (endpoint, url), client_for(url) as client:
            await client.complete(asked("one"))
            await client.complete(asked("two"))
            return endpoint.requests

    refused, first, second = asyncio.run(run())
    assert "tools" in refused
    assert [body["messages"][0]["content"] for body in (first, second)] == ["s\n\nFORM"] * 2
    assert "tools" not in first and "tools" not in second
