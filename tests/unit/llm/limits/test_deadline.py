"""Deadlines follow the token budget first, and what answers took once nearly all have come."""

import asyncio

import pytest

from gem_tasks.llm.limits.deadline import Deadlines


def after(latencies, running=0):
    deadlines = Deadlines(longest_s=600)
    deadlines.running.update(object() for _ in range(running))
    for latency_s in latencies:
        deadlines.took(latency_s)
    return deadlines


def test_before_any_answer_the_token_budget_decides():
    deadlines = Deadlines(longest_s=600)
    assert deadlines.limit_s(max_tokens=500, timeouts=0) == 50
    assert deadlines.limit_s(max_tokens=100_000, timeouts=0) == 600
    assert [deadlines.limit_s(500, timeouts) for timeouts in range(5)] == [50, 100, 200, 400, 600]


def test_a_server_that_has_never_answered_in_time_gets_twice_the_time_at_each_try():
    deadlines = Deadlines(longest_s=600)
    assert [deadlines.limit_s(500, timeouts) for timeouts in range(5)] == [50, 100, 200, 400, 600]


def test_a_server_that_is_known_to_be_slow_gets_the_whole_time_at_once():
    deadlines = Deadlines(longest_s=600, first_token_s=600)
    assert deadlines.limit_s(max_tokens=80, timeouts=0) == 600


def test_with_enough_answers_a_hung_request_is_given_up_soon_but_gets_longer_each_time():
    deadlines = after([1.0] * 100)
    assert [deadlines.limit_s(8192, timeouts) for timeouts in range(4)] == [3, 6, 12, 24]
    assert deadlines.limit_s(8192, 20) == 600


def test_the_first_answers_are_the_short_ones_and_say_nothing_about_those_under_way():
    assert after([1.0] * 100, running=200).limit_s(8192, 0) == 30 + 8192 / 25


def test_one_slow_answer_in_fifty_is_within_the_deadline():
    slow = [20.0 if number % 50 == 0 else 1.0 for number in range(200)]
    assert after(slow).limit_s(8192, 0) >= 20


def test_fast_servers_get_a_moment_too():
    assert after([0.001] * 100).limit_s(8192, 0) == 2


async def test_a_request_under_way_is_held_to_what_is_learnt_meanwhile(monkeypatch):
    monkeypatch.setattr("gem_tasks.llm.limits.deadline._SHORTEST_S", 0.1)
    deadlines = Deadlines(longest_s=600)

    async def hung():
        async with deadlines.watch(8192, 0):
            await asyncio.sleep(60)

    request = asyncio.create_task(hung())
    await asyncio.sleep(0)
    for _ in range(60):
        deadlines.took(0.01)
    async with asyncio.timeout(5):
        with pytest.raises(TimeoutError):
            await request
    assert not deadlines.running
