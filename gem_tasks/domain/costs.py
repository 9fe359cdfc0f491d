"""Sums of costs, of which some are unknown because a model has no price."""

from collections.abc import Iterable


def known_total(costs: Iterable[float | None]) -> float | None:
    """The sum of what is known; None if nothing is."""
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known else None
