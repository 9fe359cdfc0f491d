"""Assembles a stage's input for the segments of one shard, from the results that Postgres lists as accepted."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Set
from typing import Any, NamedTuple

from gem_tasks.domain.base import Value
from gem_tasks.domain.corpus import Segment
from gem_tasks.domain.judgement import Judgement
from gem_tasks.domain.outcome import Outcome
from gem_tasks.domain.record import Record
from gem_tasks.domain.stage import StageName
from gem_tasks.domain.take import Take
from gem_tasks.domain.trajectory import Draft, Trajectory
from gem_tasks.domain.workflow import Extraction
from gem_tasks.errors import StoreError
from gem_tasks.lineage import Link
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.stages import stage
from gem_tasks.store import keys, shards
from gem_tasks.worlds.played import Execution, Played


def inputs(work: Workspace, name: StageName, partition: str, shard: int) -> set[str]:
    """Segment ids that a stage processes: the whole shard, or those with the right outcome of the stage before.

    Without those that a quota holds, and without those that a synthesizer spares the stage. Texts without the workflow
    of the take are none of `generate`'s, and those whose world lacks its task none of `simulate`'s.
    """
    before = work.chain.before(name)
    if before:
        found = _ended(work, before, work.chain.link(name), partition, shard)
        spared_by = work.chain.spared_by(name)
        with work.ledger() as ledger:
            found -= ledger.synthesizer.spared(spared_by, partition, shard) if spared_by else set()
            return found - ledger.quotas.held_segments(work.chain.id_of(before), partition, shard)
    with work.ledger() as ledger:
        return ledger.stages.segment_ids(partition, shard)


def load_records(work: Workspace, name: StageName, partition: str, shard: int, wanted: Set[str]) -> Iterator[Record]:
    """The records of these segments, in shard order, made lazily."""
    outputs: dict[StageName, tuple[Callable[[str], Value], dict[str, str]]] = {
        needed: (stage(needed).output.model_validate_json, _payloads(work, needed, partition, shard))
        for needed in stage(name).needs
    }
    refused_by = work.chain.before(name) if stage(name).takes == "rejected" else None
    for segment in segments_of(work, partition, shard):
        key = segment.segment_id
        if key in wanted:
            made: dict[StageName, Value] = {
                needed: read(_taken(payloads, key, needed))
                for needed, (read, payloads) in outputs.items()
                if needed != refused_by or key in payloads
            }
            if isinstance(extraction := made.get("extract"), Extraction):
                made["extract"] = work.chain.take.of(extraction)
            plan = work.chain.plan(key) if name == "generate" else None
            yield Record(segment=segment, opened=work.chain.opened, plan=plan, outputs=made)


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
    return ended(work, name, "accepted", partition, shard)


class Final(NamedTuple):
    """A conversation of a segment that passed the validation."""

    trajectory: Trajectory
    judgement: Judgement
    accepted_by: StageName
    """`validate`, or `revalidate` for a revised conversation."""
    recipe: str
    """Recipe id of that stage."""
    take: Take
    draft: Draft
    execution: Execution | None = None
    """Set if the conversation happened in a world."""


def finals(work: Workspace, partition: str, shard: int) -> dict[str, list[Final]]:
    """Accepted conversations of a shard in the workspace's line, by segment id, take after take."""
    found: defaultdict[str, list[Final]] = defaultdict(list)
    for each in work.each_take():
        for key, final in _finals(each, partition, shard):
            found[key].append(final)
    return dict(found)


def _finals(work: Workspace, partition: str, shard: int) -> Iterator[tuple[str, Final]]:
    """Those of the workspace's take."""
    if "simulate" in work.chain.line:
        yield from _executed(work, partition, shard)
        return
    if "synthesize" in work.chain.line:
        yield from _synthesized(work, partition, shard)
        return
    for made_by, accepted_by in (_AT_ONCE, _REVISED):
        if passed := accepted(work, accepted_by, partition, shard):
            recipe, take = work.chain.id_of(accepted_by), work.chain.take
            drafts, made, judged = (
                output_of(work, name, partition, shard) for name in ("generate", made_by, accepted_by)
            )
            for key in sorted(passed):
                yield key, Final(made[key], judged[key], accepted_by, recipe, take, drafts[key])


def _executed(work: Workspace, partition: str, shard: int) -> Iterator[tuple[str, Final]]:
    if passed := accepted(work, "verify", partition, shard):
        recipe, take = work.chain.id_of("verify"), work.chain.take
        played, judged = (output_of(work, name, partition, shard) for name in ("simulate", "verify"))
        for key in sorted(passed):
            made: Played = played[key]
            yield key, Final(made.conversation, judged[key], "verify", recipe, take, made, made.execution)


def _synthesized(work: Workspace, partition: str, shard: int) -> Iterator[tuple[str, Final]]:
    if passed := accepted(work, "confirm", partition, shard):
        recipe, take = work.chain.id_of("confirm"), work.chain.take
        made, judged = (output_of(work, name, partition, shard) for name in ("synthesize", "confirm"))
        for key in sorted(passed):
            found: Trajectory = made[key].conversation
            draft = Draft(tools=found.tools, messages=found.messages)
            yield key, Final(found, judged[key], "confirm", recipe, take, draft)


_AT_ONCE: tuple[StageName, StageName] = ("refine", "validate")
_REVISED: tuple[StageName, StageName] = ("revise", "revalidate")


def ended(work: Workspace, name: StageName, how: str, partition: str, shard: int) -> set[str]:
    """As `accepted`, with any outcome."""
    return _ended(work, name, Link(name, work.chain.id_of(name), how), partition, shard)


def _ended(work: Workspace, name: StageName, link: Link, partition: str, shard: int) -> set[str]:
    """Segments whose outcome of a stage is what the link takes, with as much found in them as it needs."""
    with work.ledger() as ledger:
        known = ledger.stages.outcomes(partition, shard, work.chain.id_of(name), link.workflow, link.counts)
        withdrawn = ledger.versions.withdrawn_segments(partition, shard)
    return {segment for segment, (kind, _) in known.items() if kind == link.takes and segment not in withdrawn}


def count_workflows(work: Workspace, partition: str, shard: int) -> None:
    """Records how many workflows the texts of a shard have, where `extract` did not yet do that itself."""
    recipe_id = work.chain.id_of("extract")
    with work.ledger() as ledger:
        if unknown := ledger.stages.uncounted(partition, shard, recipe_id):
            found = output_of(work, "extract", partition, shard)
            counts = {key: len(found[key].workflows) for key in sorted(unknown & found.keys())}
            ledger.stages.count_workflows(partition, recipe_id, counts)


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
