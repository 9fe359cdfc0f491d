"""Deadlines follow the token budget first, and what answers took later."""

from gem_tasks.llm.deadline import Deadlines


def test_before_any_answer_the_token_budget_decides():
    deadlines = Deadlines(longest_s=600)
    assert deadlines.limit_s(max_tokens=500, timeouts=0) == 50
    assert deadlines.limit_s(max_tokens=100_000, timeouts=0) == 600


def test_with_enough_answers_a_hung_request_is_given_up_soon_but_gets_longer_each_time():
    deadlines = Deadlines(longest_s=600)
    for _ in range(100):
        deadlines.took(1.0)
    assert [deadlines.limit_s(8192, timeouts) for timeouts in range(4)] == [3, 6, 12, 24]
    assert deadlines.limit_s(8192, 20) == 30 + 8192 / 25


def test_one_slow_answer_in_a_hundred_is_within_the_deadline():
    deadlines = Deadlines(longest_s=600)
    for number in range(200):
        deadlines.took(20.0 if number % 50 == 0 else 1.0)
    assert deadlines.limit_s(8192, 0) >= 20


def test_fast_servers_get_a_moment_too():
    deadlines = Deadlines(longest_s=600)
    for _ in range(100):
        deadlines.took(0.001)
    assert deadlines.limit_s(8192, 0) == 2
