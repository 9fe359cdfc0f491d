"""Sums of costs, of which some are unknown because a model has no price."""

from collections.abc import Iterable, Sequence
from typing import Protocol


class Costs(Protocol):
    """What requests cost."""

    @property
    def calls(self) -> int:
        """The number of requests."""
        ...

    @property
    def usd(self) -> float | None:
        """None if the price of a request is not known."""
        ...


def known_total(costs: Iterable[float | None]) -> float | None:
    """The sum of what is known; None if nothing is."""
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known else None


def total_cost(rows: Sequence[Costs]) -> float | None:
    """The sum; None if a row with calls has no price: the sum of the others would look like all of it."""
    return None if any(row.calls and row.usd is None for row in rows) else known_total(row.usd for row in rows)
