"""Refused conversations with their revisions, findings and verdict: pairs for preference training."""

from collections.abc import Iterator

from gem_tasks.domain.base import Value
from gem_tasks.domain.outcome import Outcome
from gem_tasks.domain.record import Record
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.pipeline.shard.records import accepted, ended, load_records, outcomes_of, output_of
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.stages.revise import faults


class Revision(Value):
    """A conversation that was refused and then revised."""

    segment_id: str
    refused: Trajectory
    findings: tuple[str, ...]
    """Why it was refused, in the words that the revising model got."""
    revised: Trajectory
    verdict: Outcome | None
    """Verdict of the second validation, with the judgement if a judge was asked; None before that validation."""


def revisions(work: Workspace, partition: str) -> Iterator[Revision]:
    """Yields every revision of a partition under the current recipes, shard by shard and take by take."""
    with work.ledger() as ledger:
        numbers = [number for number, _ in ledger.ingestion.shards(partition)]
    for number in numbers:
        for take in work.each_take():
            yield from revisions_of_shard(take, partition, number)


def revisions_of_shard(work: Workspace, partition: str, shard: int) -> Iterator[Revision]:
    """As `revisions`, of one shard and the take of the workspace."""
    revised = accepted(work, "revise", partition, shard)
    if not revised:
        return
    with work.ledger() as ledger:
        judged = ledger.stages.outcomes(partition, shard, work.chain.id_of("revalidate"))
    made = output_of(work, "revise", partition, shard)
    verdicts = outcomes_of(work, "revalidate", partition, shard) if judged else {}
    for record in load_records(work, "revise", partition, shard, revised):
        key = record.segment.segment_id
        if refused := record.output("refine", Trajectory):
            yield Revision(
                segment_id=key,
                refused=refused,
                findings=tuple(faults(record)),
                revised=made[key],
                verdict=verdicts.get(key),
            )


def refused_for_good(work: Workspace, partition: str, shard: int) -> Iterator[Record]:
    """Conversations of the take that the validation refused and that were not accepted after a revision either.

    Each has the judgement that refused it, if a judge was asked.
    """
    refused = ended(work, "validate", "rejected", partition, shard)
    wanted = refused - accepted(work, "revalidate", partition, shard) if refused else refused
    yield from load_records(work, "revise", partition, shard, wanted) if wanted else ()
