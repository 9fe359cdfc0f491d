"""A run's budget, shared by all of its tasks through Postgres.

A task draws small amounts, and returns at once what its next calls do not need, because other tasks wait
for it: until enough answers have been seen, each call is budgeted at its maximum length. A killed task cannot return
its share, so a budget may stop a run somewhat early, but never late. When nothing is left to draw, a task continues
with the money that its own calls return as they end, and stops when none is in flight: no paid answer is lost.
"""

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from gem_tasks.errors import UserError
from gem_tasks.lineage import BudgetAccount, Ledger

_CALLS_PER_DRAW = 32
"""Drawing costs a round trip, so a task draws enough for this many calls at a time, as long as the budget allows."""
_SURPLUS_CALLS = 3 * _CALLS_PER_DRAW
_ASK_AGAIN_S = 1.0
"""Seconds between attempts to draw from an empty budget: other tasks may have returned something."""


class BudgetSpentError(UserError):
    """The next call could cost more than the run may still spend."""


class Budget:
    """One task's share of a run's budget; an `Allowance`. An async context manager that returns the rest on exit."""

    def __init__(self, ledger: Callable[[], Ledger], account: BudgetAccount, limit: float) -> None:
        self._ledger, self._account, self._limit = ledger, account, limit
        self._free = 0.0
        self._out = 0
        self._ask_at = 0.0
        self._moving = asyncio.Lock()
        self._settled = asyncio.Event()

    async def __aenter__(self) -> Self:
        """Draws nothing yet."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Returns unspent money."""
        rest, self._free = self._free, 0.0
        if rest > 0:
            await asyncio.to_thread(self._hand_back, rest)

    async def reserve(self, usd: float) -> None:
        """See `Allowance.reserve`."""
        while not await self._take(usd):
            if not self._out:
                raise spent(self._limit, usd)
            self._settled.clear()
            await self._settled.wait()

    def settle(self, reserved: float, spent: float) -> None:
        """See `Allowance.settle`."""
        self._free += reserved - spent
        self._out -= 1
        self._settled.set()

    async def _take(self, usd: float) -> bool:
        if self._free < usd and self._may_ask():
            async with self._moving:
                if (needed := usd - self._free) > 0 and self._may_ask():
                    drawn = await asyncio.to_thread(self._draw, needed, usd * _CALLS_PER_DRAW)
                    self._free += drawn
                    self._ask_at = 0.0 if drawn else time.monotonic() + _ASK_AGAIN_S
        elif self._free > usd * _SURPLUS_CALLS and not self._moving.locked():
            async with self._moving:
                surplus = self._free - usd * _CALLS_PER_DRAW
                self._free -= surplus
                await asyncio.to_thread(self._hand_back, surplus)
        if self._free < usd:
            return False
        self._free -= usd
        self._out += 1
        return True

    def _may_ask(self) -> bool:
        """Whether drawing may succeed. If no call is in flight, drawing is the only way left."""
        return not self._out or time.monotonic() >= self._ask_at

    def _draw(self, needed: float, wanted: float) -> float:
        with self._ledger() as ledger:
            return ledger.budgets.draw(self._account, self._limit, needed, wanted)

    def _hand_back(self, usd: float) -> None:
        with self._ledger() as ledger:
            ledger.budgets.hand_back(self._account, usd)


class OwnBudget:
    """The budget of one command, which no other process shares; an `Allowance`.

    Args:
        limit: USD.
        fix: what to do when the budget is too small.
    """

    def __init__(self, limit: float, fix: str = "Raise --budget-usd.") -> None:
        self._limit = self._left = limit
        self._fix = fix
        self._out = 0
        self._settled = asyncio.Event()

    async def reserve(self, usd: float) -> None:
        """Reserves the amount; waits for calls in flight to return money, and raises if there are none."""
        while usd > self._left:
            if not self._out:
                message = f"the budget of ${self._limit:.2f} is too small: another call could cost ${usd:.4f}"
                raise BudgetSpentError(message, self._fix)
            self._settled.clear()
            await self._settled.wait()
        self._left -= usd
        self._out += 1

    def settle(self, reserved: float, spent: float) -> None:
        """Returns the unspent rest."""
        self._left += reserved - spent
        self._out -= 1
        self._settled.set()


def spent(limit: float, usd: float) -> BudgetSpentError:
    """The error for a call of `usd` that would exceed the limit."""
    return BudgetSpentError(
        f"The budget of ${limit:.2f} for this run is spent: another call could cost ${usd:.4f}",
        "All answers so far are saved. Raise GEM_BUDGET_USD, or budget_usd of the run, and clear the failed tasks"
        " (or rerun): they continue where they stopped.",
    )
