"""A task's share of a run's budget: drawn for several calls at once, handed back, refused when nothing is out."""

import asyncio

import pytest

from gem_tasks.lineage import BudgetAccount
from gem_tasks.pipeline.shard.budget import Budget, BudgetSpentError, OwnBudget
from tests.unit.pipeline.shard.ledger import FakeLedger

ACCOUNT = BudgetAccount(run_id="run", recipe_id="r", partition="p", shard=0)


def budget(ledger, limit):
    return Budget(lambda: ledger, ACCOUNT, limit)


async def test_money_for_several_calls_is_drawn_at_once_and_the_rest_goes_back():
    ledger = FakeLedger()
    async with budget(ledger, limit=100) as allowance:
        await allowance.reserve(1)
        assert ledger.drawn == 32
        await allowance.reserve(1)
        assert ledger.drawn == 32
        for spent in (0.25, 0.5):
            allowance.settle(1, spent)
    assert ledger.drawn == 0.75


async def test_a_call_that_the_limit_does_not_cover_is_refused_when_none_is_under_way():
    ledger = FakeLedger()
    async with budget(ledger, limit=5) as allowance:
        with pytest.raises(BudgetSpentError, match=r"budget of \$5.00 .* another call could cost \$6.0000"):
            await allowance.reserve(6)
    assert ledger.drawn == 0


async def test_with_calls_under_way_it_waits_for_what_they_give_back():
    ledger = FakeLedger()
    async with budget(ledger, limit=5) as allowance:
        await allowance.reserve(5)
        waiting = asyncio.create_task(allowance.reserve(3))
        await asyncio.sleep(0)
        assert not waiting.done()
        allowance.settle(5, 1)
        await waiting
        allowance.settle(3, 3)
    assert ledger.drawn == 4


async def test_a_surplus_goes_back_while_the_task_runs():
    """Calls turn out cheaper than they were budgeted at: other tasks of the run wait for that money."""
    ledger = FakeLedger()
    async with budget(ledger, limit=10_000) as allowance:
        await allowance.reserve(100)
        assert ledger.drawn == 3200
        await allowance.reserve(1)
        assert ledger.drawn == 132


async def test_the_budget_of_a_command_is_its_own():
    allowance = OwnBudget(2, "Pay more.")
    await allowance.reserve(1.5)
    waiting = asyncio.create_task(allowance.reserve(1))
    await asyncio.sleep(0)
    assert not waiting.done()
    allowance.settle(1.5, 0.5)
    await waiting
    allowance.settle(1, 1)
    with pytest.raises(BudgetSpentError, match="is too small") as caught:
        await allowance.reserve(1)
    assert "Pay more." in str(caught.value)
