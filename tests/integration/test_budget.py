"""A run's budget in Postgres: shared by its tasks, never overspent, and what is left over goes back."""

import asyncio

import pytest

from gem_tasks.domain.chat import Completion, Usage
from gem_tasks.errors import EndpointError, ErrorClass
from gem_tasks.lineage import BudgetAccount, Ledger
from gem_tasks.llm.usage.metered import MeteredClient
from gem_tasks.llm.usage.prices import Price
from gem_tasks.pipeline.options import RunOptions
from gem_tasks.pipeline.rebuild.plan import within_budget
from gem_tasks.pipeline.shard.budget import Budget, BudgetSpentError
from tests.integration.endpoint import request

PRICE = Price(input=0, output=1_000_000)  # a dollar per token of output


class Endpoint:
    """Answers of so many tokens, one after the other by hand or at once."""

    def __init__(self, tokens=1, error=None):
        self.tokens, self.error, self.calls = tokens, error, 0

    async def complete(self, request):
        self.calls += 1
        await asyncio.sleep(0.001)
        if self.error:
            raise self.error
        return Completion(text="x", finish_reason="stop", usage=Usage(completion_tokens=self.tokens))


@pytest.fixture
def recipe(dsn):
    with Ledger(dsn) as ledger:
        ledger.pg.execute("INSERT INTO recipes (recipe_id, stage, version, params) VALUES ('r', 'filter', 1, '{}')")


def budget(dsn, limit, shard=0, run="run"):
    return Budget(lambda: Ledger(dsn), BudgetAccount(run_id=run, recipe_id="r", partition="p", shard=shard), limit)


def spent(dsn, run="run"):
    with Ledger(dsn) as ledger:
        return ledger.budgets.spent(run)


async def ask(dsn, limit, calls, endpoint, max_tokens=10, **place):
    """How many answers came before the money was gone, and whether it was."""
    async with budget(dsn, limit, **place) as allowance:
        client = MeteredClient(endpoint, PRICE, allowance)
        results = await asyncio.gather(
            *(client.complete(request(max_tokens=max_tokens)) for _ in range(calls)), return_exceptions=True
        )
    stopped = any(isinstance(result, BudgetSpentError) for result in results)
    return sum(isinstance(result, Completion) for result in results), stopped


async def test_with_enough_money_everything_is_asked_and_the_rest_goes_back(dsn, recipe):
    assert await ask(dsn, limit=1000, calls=50, endpoint=Endpoint()) == (50, False)
    assert spent(dsn) == pytest.approx(50)


async def test_it_stops_before_it_overspends_and_after_all_that_surely_fits(dsn, recipe):
    endpoint = Endpoint(tokens=10)
    answers, stopped = await ask(dsn, limit=105, calls=50, endpoint=endpoint)
    assert (answers, stopped) == (10, True)
    assert endpoint.calls == 10
    assert spent(dsn) == pytest.approx(100)


async def test_answers_shorter_than_feared_leave_money_for_more(dsn, recipe):
    answers, stopped = await ask(dsn, limit=100, calls=200, endpoint=Endpoint(tokens=1))
    assert stopped
    assert 90 <= answers <= 100


async def test_tasks_of_a_run_share_one_purse_and_other_runs_have_their_own(dsn, recipe):
    await asyncio.gather(
        *(ask(dsn, limit=60, calls=40, endpoint=Endpoint(tokens=10), shard=shard) for shard in range(3))
    )
    assert spent(dsn) <= 60
    assert await ask(dsn, limit=60, calls=5, endpoint=Endpoint(tokens=10), run="other") == (5, False)


async def test_what_was_set_aside_out_of_fear_goes_back_to_the_other_tasks_as_soon_as_answers_are_known(dsn, recipe):
    async with budget(dsn, limit=1000) as allowance:
        client = MeteredClient(Endpoint(tokens=1), PRICE, allowance)
        for _ in range(20):
            await client.complete(request(max_tokens=10))
        assert spent(dsn) >= 100  # for the next ten calls, which may cost ten dollars each
        for _ in range(5):
            await client.complete(request(max_tokens=10))
        assert spent(dsn) <= 25 + 32 + 1
    assert spent(dsn) == pytest.approx(25)


async def test_a_purse_that_was_empty_is_looked_into_again(dsn, recipe, monkeypatch):
    monkeypatch.setattr("gem_tasks.pipeline.shard.budget._ASK_AGAIN_S", 0.0)
    async with budget(dsn, limit=30, shard=0) as first, budget(dsn, limit=30, shard=1) as second:
        await first.reserve(20)
        await second.reserve(10)
        waiting = asyncio.create_task(second.reserve(15))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        first.settle(20, 5)
        await first.__aexit__(None, None, None)
        second.settle(10, 10)
        async with asyncio.timeout(5):
            await waiting
        second.settle(15, 15)
    assert spent(dsn) == pytest.approx(30)


async def test_answers_of_earlier_tasks_say_how_long_the_next_may_be(dsn, recipe):
    async with budget(dsn, limit=5) as allowance:
        client = MeteredClient(Endpoint(tokens=1), PRICE, allowance, known=(20, 1))
        assert (await client.complete(request(max_tokens=10))).usd == 1


async def test_what_a_killed_task_had_drawn_stays_spent(dsn, recipe):
    allowance = budget(dsn, limit=100)
    await allowance.reserve(60)  # and the worker dies
    assert await ask(dsn, limit=100, calls=10, endpoint=Endpoint(tokens=10)) == (4, True)


async def test_requests_that_were_given_up_are_counted_as_if_they_were_charged(dsn, recipe):
    error = EndpointError(ErrorClass.TIMEOUT, "slow")
    async with budget(dsn, limit=100) as allowance:
        client = MeteredClient(Endpoint(error=error), PRICE, allowance)
        with pytest.raises(EndpointError):
            await client.complete(request(max_tokens=10))
    assert spent(dsn) == pytest.approx(10)


async def test_the_message_says_what_to_do(dsn, recipe):
    async with budget(dsn, limit=5) as allowance:
        with pytest.raises(BudgetSpentError, match=r"\$5.00 .*GEM_BUDGET_USD"):
            await MeteredClient(Endpoint(), PRICE, allowance).complete(request(max_tokens=10))


async def test_every_answer_carries_its_price(dsn):
    completion = await MeteredClient(Endpoint(tokens=3), PRICE, None).complete(request())
    assert completion.usd == 3


def test_the_tick_of_an_hour_goes_on_under_the_budget_that_its_partition_was_begun_with(workspace, tmp_path):
    partition, tick = "2026-01-31T14:00", workspace()
    assert within_budget(tick, partition, scheduled=True) == RunOptions()
    asked = RunOptions(budget_usd=5)
    with tick.ledger() as ledger:
        ledger.announcements.announce("manual", partition, asked.packed())
        assert within_budget(tick, partition, scheduled=True) == asked
        ledger.announcements.take(["manual"], partition, "synthesis")
        kept = within_budget(tick, partition, scheduled=True)
        assert (kept.budget_usd, kept.purse) == (5, "synthesis")
        assert within_budget(tick, partition, scheduled=False) == RunOptions()
        ledger.announcements.announce("tick", partition, kept.packed())
        assert within_budget(tick, partition, scheduled=True) == kept
        assert within_budget(tick, "2026-01-31T15:00", scheduled=True) == RunOptions()
        ledger.announcements.announce("by hand, without a budget", partition, {})
        assert within_budget(tick, partition, scheduled=True) == RunOptions()
