"""Conversations to ground, with the text that each comes from."""

import random
from collections.abc import Iterable
from typing import NamedTuple

from gem_tasks.domain.trajectory import Trajectory


class Sampled(NamedTuple):
    """A conversation."""

    trajectory_id: str
    trajectory: Trajectory
    segment_id: str = ""
    """Its text; empty if unknown."""
    uri: str = ""
    """The text's document."""


def draw(rows: Iterable[Sampled], size: int, seed: int) -> list[Sampled]:
    """A random sample in one pass (reservoir, Vitter's algorithm R), the same for the same seed and rows."""
    chance, kept = random.Random(seed), list[Sampled]()  # noqa: S311 - a sample, no secret
    for at, row in enumerate(rows):
        if len(kept) < size:
            kept.append(row)
        elif (place := chance.randint(0, at)) < size:
            kept[place] = row
    return kept
