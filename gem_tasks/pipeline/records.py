"""Puts together what a stage sees of the segments of one shard, from what Postgres says is accepted."""

from collections.abc import Iterator, Set
from typing import Any

from gem_tasks.domain.corpus import Segment
from gem_tasks.domain.record import Record
from gem_tasks.errors import StoreError
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import STAGE_NAMES, StageName
from gem_tasks.stages import stage
from gem_tasks.store import keys, shards


def inputs(work: Workspace, name: StageName, partition: str, shard: int) -> set[str]:
    """Segment ids that a stage has to deal with: all of the shard, or those the stage before accepted."""
    position = STAGE_NAMES.index(name)
    if position:
        return accepted(work, STAGE_NAMES[position - 1], partition, shard)
    with work.ledger() as ledger:
        return ledger.segment_ids(partition, shard)


def load_records(work: Workspace, name: StageName, partition: str, shard: int, wanted: Set[str]) -> Iterator[Record]:
    """The records of these segments, in shard order; a record is made when it is asked for."""
    outputs = {
        needed: (stage(needed).output.model_validate_json, _payloads(work, needed, partition, shard))
        for needed in stage(name).needs
    }
    for segment in segments_of(work, partition, shard):
        key = segment.segment_id
        if key in wanted:
            made: dict[str, Any] = {
                needed: read(_taken(payloads, key, needed)) for needed, (read, payloads) in outputs.items()
            }
            yield Record(segment=segment, **made)


def _taken(payloads: dict[str, str], segment_id: str, name: str) -> str:
    """The payload, which is then no longer in memory.

    Raises:
        StoreError: the object holds none, though the lineage says that the stage accepted the segment.
    """
    try:
        return payloads.pop(segment_id)
    except KeyError:
        raise StoreError(f"the shard's object of {name} holds no output for segment {segment_id}") from None


def segments_of(work: Workspace, partition: str, shard: int) -> Iterator[Segment]:
    """The segments of a shard, in document order."""
    return shards.decode_segments(work.fetch(keys.segments_key(partition, shard)))


def accepted(work: Workspace, name: StageName, partition: str, shard: int) -> set[str]:
    """Segment ids that Postgres knows as accepted by the stage under the current recipe, and whose documents live."""
    with work.ledger() as ledger:
        known = ledger.outcomes(partition, shard, work.chain.id_of(name))
        withdrawn = ledger.withdrawn_segments(partition, shard)
    return {segment for segment, (kind, _) in known.items() if kind == "accepted" and segment not in withdrawn}


def output_of(work: Workspace, name: StageName, partition: str, shard: int) -> dict[str, Any]:
    """Outputs that the shard's object holds for the stage, by segment id, as the stage's own type."""
    output = stage(name).output
    payloads = _payloads(work, name, partition, shard)
    return {segment: output.model_validate_json(payload) for segment, payload in payloads.items()}


def _payloads(work: Workspace, name: StageName, partition: str, shard: int) -> dict[str, str]:
    key = keys.stage_key(name, work.chain.id_of(name), partition, shard)
    outcomes = shards.decode_outcomes(work.fetch(key))
    return {found.segment_id: found.payload for found in outcomes if found.payload}
