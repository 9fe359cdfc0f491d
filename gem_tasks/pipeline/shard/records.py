"""Assembles a stage's input for the segments of one shard, from the results that Postgres lists as accepted."""

from collections.abc import Callable, Iterator, Set
from typing import Any, NamedTuple

from gem_tasks.domain.base import Value
from gem_tasks.domain.corpus import Segment
from gem_tasks.domain.judgement import Judgement
from gem_tasks.domain.outcome import Outcome
from gem_tasks.domain.record import Record
from gem_tasks.domain.stage import STAGE_NAMES, StageName
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.errors import StoreError
from gem_tasks.pipeline.recipes import takes_of
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.stages import stage
from gem_tasks.store import keys, shards


def inputs(work: Workspace, name: StageName, partition: str, shard: int) -> set[str]:
    """Segment ids that a stage processes: the whole shard, or those with the right outcome of the stage before.

    Without those that a quota holds.
    """
    position = STAGE_NAMES.index(name)
    if position:
        before = STAGE_NAMES[position - 1]
        ended = _ended(work, before, takes_of(work.chain.by_stage[name]), partition, shard)
        with work.ledger() as ledger:
            return ended - ledger.quotas.held_segments(work.chain.id_of(before), partition, shard)
    with work.ledger() as ledger:
        return ledger.stages.segment_ids(partition, shard)


def load_records(work: Workspace, name: StageName, partition: str, shard: int, wanted: Set[str]) -> Iterator[Record]:
    """The records of these segments, in shard order, made lazily."""
    outputs: dict[StageName, tuple[Callable[[str], Value], dict[str, str]]] = {
        needed: (stage(needed).output.model_validate_json, _payloads(work, needed, partition, shard))
        for needed in stage(name).needs
    }
    refused_by = _before(name) if stage(name).takes == "rejected" else None
    for segment in segments_of(work, partition, shard):
        key = segment.segment_id
        if key in wanted:
            made: dict[StageName, Value] = {
                needed: read(_taken(payloads, key, needed))
                for needed, (read, payloads) in outputs.items()
                if needed != refused_by or key in payloads
            }
            plan = work.chain.plan(key) if name == "generate" else None
            yield Record(segment=segment, opened=work.chain.opened, plan=plan, outputs=made)


def _before(name: StageName) -> StageName:
    return STAGE_NAMES[STAGE_NAMES.index(name) - 1]


def _taken(payloads: dict[str, str], segment_id: str, name: str) -> str:
    """Returns the payload and removes it from memory.

    Raises:
        StoreError: the object has none, but the lineage lists the segment as accepted by the stage.
    """
    try:
        return payloads.pop(segment_id)
    except KeyError:
        raise StoreError(f"the shard's object of {name} holds no output for segment {segment_id}") from None


def segments_of(work: Workspace, partition: str, shard: int) -> Iterator[Segment]:
    """The segments of a shard, in document order."""
    return shards.decode_segments(work.fetch(keys.segments_key(partition, shard)))


def accepted(work: Workspace, name: StageName, partition: str, shard: int) -> set[str]:
    """Segment ids of live documents that the stage accepted under the current recipe, according to Postgres."""
    return _ended(work, name, "accepted", partition, shard)


class Final(NamedTuple):
    """The conversation of a segment that passed the validation."""

    trajectory: Trajectory
    judgement: Judgement
    accepted_by: StageName
    """`validate`, or `revalidate` for a revised conversation."""


def finals(work: Workspace, partition: str, shard: int) -> dict[str, Final]:
    """Accepted conversations of a shard, with or without a revision, by segment id."""
    found: dict[str, Final] = {}
    for made_by, accepted_by in (_AT_ONCE, _REVISED):
        if passed := accepted(work, accepted_by, partition, shard):
            made, judged = (output_of(work, name, partition, shard) for name in (made_by, accepted_by))
            found |= {key: Final(made[key], judged[key], accepted_by) for key in passed}
    return found


_AT_ONCE: tuple[StageName, StageName] = ("refine", "validate")
_REVISED: tuple[StageName, StageName] = ("revise", "revalidate")


def _ended(work: Workspace, name: StageName, how: str, partition: str, shard: int) -> set[str]:
    with work.ledger() as ledger:
        known = ledger.stages.outcomes(partition, shard, work.chain.id_of(name))
        withdrawn = ledger.versions.withdrawn_segments(partition, shard)
    return {segment for segment, (kind, _) in known.items() if kind == how and segment not in withdrawn}


def output_of(work: Workspace, name: StageName, partition: str, shard: int) -> dict[str, Any]:
    """The stage's outputs in the shard's object, by segment id, as the stage's own type."""
    output = stage(name).output
    payloads = _payloads(work, name, partition, shard)
    return {segment: output.model_validate_json(payload) for segment, payload in payloads.items()}


def outcomes_of(work: Workspace, name: StageName, partition: str, shard: int) -> dict[str, Outcome]:
    """All outcomes of the stage in the shard's object, by segment id."""
    key = keys.stage_key(name, work.chain.id_of(name), partition, shard)
    return {found.segment_id: found for found in shards.decode_outcomes(work.fetch(key))}


def _payloads(work: Workspace, name: StageName, partition: str, shard: int) -> dict[str, str]:
    found = outcomes_of(work, name, partition, shard)
    return {key: outcome.payload for key, outcome in found.items() if outcome.payload}
