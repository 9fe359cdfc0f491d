"""The way of each text: both ways if it is in the sample, otherwise the synthesizer's if its group is open.

A text that went through `extract` already keeps that way, unless it is in the sample: GEM pays for no text twice.
"""

from collections.abc import Iterator
from hashlib import sha256

from gem_tasks.domain.record import Record, Topic
from gem_tasks.domain.synthesis import Groups, Route
from gem_tasks.lineage import Place, RunContext
from gem_tasks.pipeline.synthesizer.groups import decided_groups
from gem_tasks.pipeline.workspace import Workspace


def routed(work: Workspace, place: Place, run: RunContext, records: Iterator[Record]) -> Iterator[Record]:
    """The records of `synthesize` with their ways."""
    groups, share = decided_groups(work, place.partition, run), work.settings.synthesizer_sample
    with work.ledger() as ledger:
        extract = work.in_one_pass().chain.id_of("extract")
        extracted = ledger.stages.outcomes(place.partition, place.shard, extract).keys()
    return (
        record.model_copy(update={"route": route(record, groups, share, record.segment.segment_id in extracted)})
        for record in records
    )


def route(record: Record, groups: Groups, share: float, extracted: bool) -> Route:
    """The way of a text.

    Args:
        record: the text, with what the filter said.
        groups: which are open.
        share: of the sample.
        extracted: whether `extract` has ended with it.
    """
    state = groups.of(group_of(record))
    if in_sample(record.segment.document_id, share):
        return Route(way="both", group=state.group)
    if extracted:
        detail = "the text went through extract before"
        return Route(way="pipeline", group=state.group, reason="already_extracted", detail=detail)
    if not state.open:
        return Route(
            way="pipeline", group=state.group, reason="group_closed", detail=f"{state.group} is closed: {state.why}"
        )
    return Route(way="synthesizer", group=state.group)


def group_of(record: Record) -> str:
    """The first domain that the filter named."""
    return record.needed("filter", Topic).domains[0]


def in_sample(document_id: str, share: float) -> bool:
    """Whether the texts of a document go both ways; the answer is the same everywhere and for every synthesizer."""
    drawn = int.from_bytes(sha256(f"synthesizer sample {document_id}".encode()).digest()[:6], "big")
    return drawn < share * (1 << 48)
