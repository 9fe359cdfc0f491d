"""Estimates, from counts, the share of accepted segments that a prefilter keeps.

Bounds are one-sided and exact (Clopper and Pearson 1934, Biometrika 26, 404-413), at 95 % confidence. A threshold that
is the (k+1)-th smallest score of n accepted segments, with k fixed by n alone, misses no larger a share of similar
segments than the bound for k of n: the share below an order statistic has a Beta(k+1, n-k) distribution, for any
distribution of the scores.
"""

from collections.abc import Sequence
from functools import cache
from math import exp, fsum, lgamma, log, log1p

TARGET = 0.98
"""The minimum share of segments accepted by the filter that has to pass the prefilter."""
CONFIDENCE = 0.95


def lower_bound(kept: int, of: int) -> float:
    """Lower bound of the recall, given how many of a sample were kept; 0 without a sample."""
    if not 0 <= kept <= of:
        raise ValueError(f"{kept} of {of} is not a valid share")
    return _quantile(kept, of - kept + 1, 1 - CONFIDENCE) if kept else 0.0


def upper_bound(kept: int, of: int) -> float:
    """Upper bound of the recall; 1 without a sample."""
    if not 0 <= kept <= of:
        raise ValueError(f"{kept} of {of} is not a valid share")
    return _quantile(kept + 1, of - kept, CONFIDENCE) if kept < of else 1.0


@cache
def allowed_misses(of: int) -> int | None:
    """The maximum number of misses that still proves the target; None if the sample is too small to prove it."""
    if lower_bound(of, of) < TARGET:
        return None
    misses = 0
    while lower_bound(of - misses - 1, of) >= TARGET:
        misses += 1
    return misses


@cache
def needed() -> int:
    """Minimum number of accepted segments for a proof: 149."""
    count = 1
    while allowed_misses(count) is None:
        count += 1
    return count


def threshold(accepted_scores: Sequence[float]) -> float | None:
    """The score below which no more than the proved share is lost; None if there are too few scores for a proof."""
    misses = allowed_misses(len(accepted_scores))
    return None if misses is None else sorted(accepted_scores)[misses]


def _quantile(a: int, b: int, share: float) -> float:
    """The quantile of Beta(a, b) at `share`: the rate at which `a` of `a + b - 1` trials succeed with that chance."""
    trials = a + b - 1
    counts = range(a) if a < b else range(a, trials + 1)  # the shorter tail
    ways = [lgamma(trials + 1) - lgamma(count + 1) - lgamma(trials - count + 1) for count in counts]
    low, high = 0.0, 1.0
    while low < (middle := (low + high) / 2) < high:
        log_p, log_q = log(middle), log1p(-middle)
        tail = fsum(
            exp(way + count * log_p + (trials - count) * log_q) for way, count in zip(ways, counts, strict=True)
        )
        if (1 - tail if a < b else tail) < share:
            low = middle
        else:
            high = middle
    return low
