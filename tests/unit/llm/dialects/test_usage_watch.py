"""Wrong token counts of an endpoint are reported once, and again when they change; so are headers that cannot be."""

import asyncio
import logging

import pytest

from gem_tasks.domain.chat import ChatMessage, ChatRequest, Completion, Sampling, Usage
from gem_tasks.errors import UserError
from gem_tasks.llm.dialects.dialect import PLAIN
from gem_tasks.llm.dialects.memory import Memory
from gem_tasks.llm.dialects.usage_watch import UsageWatch
from gem_tasks.llm.http.reply import request_headers
from gem_tasks.store.local import LocalStore

REQUEST = ChatRequest(model="m", messages=(ChatMessage(role="user", content="hello"),), sampling=Sampling(max_tokens=9))


def reply(fault=""):
    return Completion(
        text="yes", finish_reason="stop", usage=Usage(prompt_tokens=9, completion_tokens=1), usage_fault=fault
    )


def test_more_of_the_same_is_no_news(tmp_path, caplog):
    memory = Memory(LocalStore(tmp_path), "http://h/v1")
    watch = UsageWatch(memory)
    with caplog.at_level(logging.WARNING):
        for _ in range(30):
            if watch.look(REQUEST, reply("impossible")):
                watch.tell(memory.recall("m", PLAIN))
    (record,) = caplog.records
    assert record.getMessage().startswith("token counts of m at http://h/v1 cannot be true: 3 replies in a row")


def test_a_verdict_is_news_once_until_it_changes(tmp_path, caplog):
    memory = Memory(LocalStore(tmp_path), "http://h/v1")
    watch = UsageWatch(memory)

    def told(fault):
        news = [watch.look(REQUEST, reply(fault)) for _ in range(20)]
        asyncio.run(watch.tell_aside(memory.recall("m", PLAIN)))
        return news.count(True)

    with caplog.at_level(logging.WARNING):
        assert told("missing") == 1
        assert "token counts of m at http://h/v1 are not reported" in caplog.text
        assert memory.recall("m", PLAIN).usage_fault == "not reported: GEM counts tokens itself"
        caplog.clear()
        assert told("missing") == 0
        assert caplog.text == "", "what is known already is not repeated"
        assert told("") == 1
    assert memory.recall("m", PLAIN).usage_fault == ""
    assert caplog.text == ""


def test_a_few_replies_tell_nothing():
    watch = UsageWatch(Memory(None, "http://h/v1"))
    assert not watch.look(REQUEST, reply("missing"))
    assert not watch.look(REQUEST, reply())


def test_the_users_headers_replace_ours_of_the_same_name_in_any_case():
    assert request_headers("k", {"user-agent": "mine", "X-A": "1"}) == {
        "Content-Type": "application/json",
        "Authorization": "Bearer k",
        "user-agent": "mine",
        "X-A": "1",
    }
    assert "Authorization" not in request_headers(None)
    for key in ("a\nb", "schlüssel"):
        with pytest.raises(UserError, match="characters that HTTP headers do not allow"):
            request_headers(key)
