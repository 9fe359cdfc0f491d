"""Confidence intervals of shares and means."""

from math import sqrt
from statistics import NormalDist

Z = NormalDist().inv_cdf(0.975)
"""Standard deviations around the mean that contain 95 % of a normal distribution."""


def wilson(hits: float, total: float) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson 1927, JASA 22, 209-212): sound for small samples and shares near 1.

    For a weighted sample, give the effective size and the share of it; neither has to be an integer.

    Raises:
        ValueError: the total is zero, or smaller than the hits.
    """
    if not 0 <= hits <= total or not total:
        raise ValueError(f"{hits} of {total} is not a valid share")
    share, spread = hits / total, Z * Z / total
    centre = share + spread / 2
    margin = Z * sqrt(share * (1 - share) / total + spread / (4 * total))
    return max((centre - margin) / (1 + spread), 0.0), min((centre + margin) / (1 + spread), 1.0)


def paired_difference(only_first: int, only_second: int, total: int) -> tuple[float, float, float]:
    """Second share minus first over the same cases, and its 95 % interval (Bonett and Price 2012, BJMSP 65, 388-404).

    Args:
        only_first: cases that only the first has.
        only_second: cases that only the second has.
        total: all cases.

    Raises:
        ValueError: the total is zero, or smaller than the number of differences.
    """
    if min(only_first, only_second) < 0 or not total or only_first + only_second > total:
        raise ValueError(f"{only_first} and {only_second} of {total} are not valid shares")
    first, second = (only_first + 1) / (total + 2), (only_second + 1) / (total + 2)
    margin = Z * sqrt((first + second - (second - first) ** 2) / (total + 2))
    low, high = max(second - first - margin, -1.0), min(second - first + margin, 1.0)
    return (only_second - only_first) / total, low, high


def mean_margin(spread: float, total: int) -> float | None:
    """Half the 95 % interval of a mean of differences; None for fewer than two."""
    return Z * spread / sqrt(total) if total > 1 else None
