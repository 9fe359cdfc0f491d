"""Finds conversations by the recipe that accepted or rejected them, regardless of the current recipes."""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from gem_tasks.domain.base import Value
from gem_tasks.domain.outcome import Outcome
from gem_tasks.domain.record import Record
from gem_tasks.domain.stage import StageName
from gem_tasks.domain.synthesis import Synthesized
from gem_tasks.domain.take import Take
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.domain.workflow import Extraction
from gem_tasks.lineage import Ledger
from gem_tasks.store import keys, shards
from gem_tasks.worlds.played import Played


class Place(NamedTuple):
    """Where a conversation is stored, and the recipe of the stage that accepted or refused it."""

    partition: str
    shard: int
    recipe_id: str
    segment_id: str


class Conversation(NamedTuple):
    """A conversation and its sources."""

    place: Place
    record: Record
    """Has the segment, the conversation, and the extraction unless a synthesizer made it without one."""
    trajectory: Trajectory
    outcome: Outcome
    """Outcome of the stage that accepted or refused it."""


def conversations(ledger: Ledger, fetch: Callable[[str], bytes], places: Iterable[Place]) -> Iterator[Conversation]:
    """The conversations at these places, one object of the store at a time; skips those missing from their objects."""
    for (partition, shard, recipe_id), group in groupby(sorted(places), key=lambda place: place[:3]):
        wanted = {place.segment_id: place for place in group}
        made_by = ledger.audits.recipe_line(recipe_id), ledger.stages.take_of(recipe_id)
        yield from _of_shard(*made_by, fetch, wanted, partition, shard)


def _of_shard(
    line: dict[str, str],
    take: Take,
    fetch: Callable[[str], bytes],
    wanted: dict[str, Place],
    partition: str,
    shard: int,
) -> Iterator[Conversation]:
    def outcomes(stage: str) -> dict[str, Outcome]:
        found = shards.decode_outcomes(fetch(keys.stage_key(stage, line[stage], partition, shard)))
        return {outcome.segment_id: outcome for outcome in found if outcome.segment_id in wanted}

    made_by, ended_by = next(ways for ways in _WAYS if ways[1] in line)
    made, ended = outcomes(made_by), outcomes(ended_by)
    extracted = outcomes("extract") if "extract" in line else {}
    for segment in shards.decode_segments(fetch(keys.segments_key(partition, shard))):
        key = segment.segment_id
        if key in wanted and key in ended and (text := _payload(made, key)):
            trajectory = _conversation(made_by, text)
            outputs: dict[StageName, Value] = {made_by: trajectory}
            if found := _payload(extracted, key):
                outputs["extract"] = take.of(Extraction.model_validate_json(found))
            elif "extract" in line:
                continue
            yield Conversation(wanted[key], Record(segment=segment, outputs=outputs), trajectory, ended[key])


_WAYS: tuple[tuple[StageName, StageName], ...] = (
    ("revise", "revalidate"), ("refine", "validate"), ("simulate", "verify"),
    ("synthesize", "confirm"),
)  # fmt: skip
"""The stage that made a conversation, by the one that accepted or refused it; the later one first."""


def _conversation(made_by: StageName, payload: str) -> Trajectory:
    types: dict[str, type[Played | Synthesized]] = {"simulate": Played, "synthesize": Synthesized}
    found = types.get(made_by)
    return found.model_validate_json(payload).conversation if found else Trajectory.model_validate_json(payload)


def _payload(outcomes: dict[str, Outcome], segment_id: str) -> str | None:
    outcome = outcomes.get(segment_id)
    return outcome.payload if outcome else None
