"""Measures the diversity of a dataset: entropy, and the share of the most common value."""

import math
from collections.abc import Mapping

from gem_tasks.domain.base import Value


class Diversity(Value):
    """Diversity of one kind of name over a dataset."""

    distinct: int
    entropy_bits: float
    """Shannon entropy of the distribution of uses."""
    evenness: float
    """Entropy divided by the maximum for this number of names, 0 to 1."""
    top: str | None
    top_share: float
    """Share of trajectories that have the most common one."""


def diversity(counts: Mapping[str, int], trajectories: int) -> Diversity:
    """Computes diversity from the number of trajectories with each name."""
    total = sum(counts.values())
    if not total:
        return Diversity(distinct=0, entropy_bits=0.0, evenness=0.0, top=None, top_share=0.0)
    entropy = -sum(count / total * math.log2(count / total) for count in counts.values() if count)
    top = min(counts, key=lambda name: (-counts[name], name))
    return Diversity(
        distinct=len(counts),
        entropy_bits=round(entropy, 3) + 0.0,
        evenness=round(entropy / math.log2(len(counts)), 3) if len(counts) > 1 else 0.0,
        top=top,
        top_share=round(counts[top] / trajectories, 4),
    )
