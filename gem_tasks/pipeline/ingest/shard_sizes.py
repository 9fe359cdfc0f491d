"""How many segments a shard has: many in a bulk import, few in an hour's trickle.

A shard is a task in each stage, and a task costs Airflow about a second, even a small one. So GEM divides the segments
of a commit among as many tasks as run at once, but not into shards that cost more than they gain, or that are larger
than memory should hold.
"""

from collections.abc import Iterator, Sequence
from math import ceil

from gem_tasks.domain.corpus import Segment
from gem_tasks.settings import Settings

_LEAST = 200
"""Segments that one task brings through a stage about as fast as two would."""
_MOST_CHARACTERS = 16_000_000
"""Text of one shard: with the outputs of later stages, a task holds a small multiple of it."""


def is_full(segments: int, characters: int, settings: Settings) -> bool:
    """Whether a commit with these numbers has the largest shard for every task."""
    tasks = settings.llm_slots
    return segments >= tasks * settings.shard_segments or characters >= tasks * _MOST_CHARACTERS


def divided(segments: list[Segment], settings: Settings) -> Iterator[list[Segment]]:
    """The shards of a commit, equally large to within one: the fewest that employ all tasks, within the limits."""
    size = min(settings.shard_segments, max(_LEAST, ceil(len(segments) / settings.llm_slots)))
    count = max(ceil(len(segments) / size), ceil(characters(segments) / _MOST_CHARACTERS))
    for number in range(count):
        part = segments[number * len(segments) // count : (number + 1) * len(segments) // count]
        if part:
            yield part


def characters(segments: Sequence[Segment]) -> int:
    """Length of all texts."""
    return sum(len(segment.text) for segment in segments)
