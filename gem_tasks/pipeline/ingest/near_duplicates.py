"""Finds segments that nearly repeat an earlier one, in any partition, before any call is paid for them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from gem_tasks.corpus.near import Signature
from gem_tasks.domain.base import Value
from gem_tasks.domain.corpus import Segment
from gem_tasks.lineage import Ledger


class Marked(Value):
    """A batch of segments, some with `near_duplicate_of`, and the rows to record with it."""

    segments: list[Segment]
    signatures: dict[str, Signature]
    """Signatures of the segments that repeat none: later texts are compared with them."""
    duplicates: dict[str, tuple[str, float]]
    """Maps a segment to the one it repeats, and their similarity."""


class Seen(Value):
    """An earlier segment that a new one may repeat."""

    segment_id: str
    document_id: str
    uri: str
    digest: bytes


Met = dict[int, list[Seen]]
"""Earlier segments by band."""


def mark(
    ledger: Ledger,
    segments: Sequence[Segment],
    signed: Sequence[Signature],
    threshold: float,
    met: Met | None = None,
) -> Marked:
    """Compares every segment with all recorded ones and with those before it in the batch.

    Another version of the same document is not a duplicate: it replaces the earlier one.

    Args:
        ledger: for queries; nothing is written.
        segments: new segments.
        signed: their signatures, in the same order.
        threshold: similarity (0 to 1) from which a segment counts as repeated; 0 turns the search off.
        met: unrecorded segments before these; the new ones are added.
    """
    if not threshold or not segments:
        return Marked(segments=list(segments), signatures={}, duplicates={})
    stored = _stored(ledger, signed)
    fresh = {} if met is None else met
    found = Marked(segments=[], signatures={}, duplicates={})
    for number, (segment, signature) in enumerate(zip(segments, signed, strict=True)):
        near = [*stored[number], *_met(fresh, signature)]
        if repeated := _nearest(segment, signature, near, threshold):
            found.duplicates[segment.segment_id] = repeated
            segment = segment.model_copy(update={"near_duplicate_of": repeated[0]})
        else:
            found.signatures[segment.segment_id] = signature
            seen = Seen(digest=signature.digest, uri=segment.document_uri, **_ids(segment))
            for band in signature.bands:
                fresh.setdefault(band, []).append(seen)
        found.segments.append(segment)
    return found


def _stored(ledger: Ledger, signed: Sequence[Signature]) -> Mapping[int, list[Seen]]:
    bands = [(band, number) for number, signature in enumerate(signed) for band in signature.bands]
    found: dict[int, list[Seen]] = defaultdict(list)
    for row in ledger.near_duplicates.candidates([band for band, _ in bands], [number for _, number in bands]):
        seen = Seen(segment_id=row.segment_id, document_id=row.document_id, uri=row.uri, digest=row.digest)
        found[row.number].append(seen)
    return found


def _met(fresh: Mapping[int, list[Seen]], signature: Signature) -> Iterator[Seen]:
    for band in signature.bands:
        yield from fresh.get(band, ())


def _nearest(
    segment: Segment, signature: Signature, near: Sequence[Seen], threshold: float
) -> tuple[str, float] | None:
    """The most similar one; among equals the first by id, so that every run finds the same one."""
    rivals = [
        (signature.similarity(seen.digest), seen.segment_id)
        for seen in near
        if seen.uri != segment.document_uri or seen.document_id == segment.document_id
    ]
    best = min(((-similarity, of) for similarity, of in rivals if similarity >= threshold), default=None)
    return (best[1], -best[0]) if best else None


def _ids(segment: Segment) -> dict[str, str]:
    return {"segment_id": segment.segment_id, "document_id": segment.document_id}
