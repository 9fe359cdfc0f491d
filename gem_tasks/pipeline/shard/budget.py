"""A run's budget, shared by all of its tasks through Postgres.

A task draws money in small sums, and hands back at once what is more than its next calls may need, for other tasks wait
for it: as long as few answers are known, each call is feared to be a long one. A killed task cannot hand back, so a
budget may stop a run somewhat early, but never late. When nothing more can be drawn, a task goes on with what its own
calls give back as they end, and stops when none is under way: nothing that was paid for is lost.
"""

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from gem_tasks.errors import UserError
from gem_tasks.lineage import BudgetAccount, Ledger

_CALLS_PER_DRAW = 32
"""Drawing costs a round trip: enough for so many calls is drawn at a time, as long as there is so much."""
_SURPLUS_CALLS = 3 * _CALLS_PER_DRAW
_ASK_AGAIN_S = 1.0
"""When nothing was left to draw: others may have handed something back."""


class BudgetSpentError(UserError):
    """The run may not spend what the next call could cost."""


class Budget:
    """One task's share of a run's budget; an `Allowance`. An async context manager: leaving it hands the rest back."""

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
        """Hands back what is free."""
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
        """Whether drawing may bring something. With no call under way there is nothing else to hope for."""
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
        fix: what to do when it does not reach.
    """

    def __init__(self, limit: float, fix: str = "Raise --budget-usd.") -> None:
        self._limit = self._left = limit
        self._fix = fix
        self._out = 0
        self._settled = asyncio.Event()

    async def reserve(self, usd: float) -> None:
        """Takes it; waits for what calls under way give back, and refuses when none is."""
        while usd > self._left:
            if not self._out:
                message = f"the budget of ${self._limit:.2f} does not reach: another call could cost ${usd:.4f}"
                raise BudgetSpentError(message, self._fix)
            self._settled.clear()
            await self._settled.wait()
        self._left -= usd
        self._out += 1

    def settle(self, reserved: float, spent: float) -> None:
        """Gives the rest back."""
        self._left += reserved - spent
        self._out -= 1
        self._settled.set()


def spent(limit: float, usd: float) -> BudgetSpentError:
    """What to say when `usd` more would be over the limit."""
    return BudgetSpentError(
        f"The budget of ${limit:.2f} for this run is spent: another call could cost ${usd:.4f}",
        "What has arrived is saved. Raise GEM_BUDGET_USD, or budget_usd of the run, and clear the failed tasks"
        " (or run it again): they go on where they stopped.",
    )
