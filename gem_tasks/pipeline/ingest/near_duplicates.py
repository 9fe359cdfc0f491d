"""Segments that nearly repeat an earlier one, of whatever partition, are found before anybody pays for them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from gem_tasks.corpus.near import Signature
from gem_tasks.domain.base import Value
from gem_tasks.domain.corpus import Segment
from gem_tasks.lineage import Ledger


class Marked(Value):
    """A batch of segments, some with `near_duplicate_of`, and what is to be recorded with it."""

    segments: list[Segment]
    signatures: dict[str, Signature]
    """Of those that repeat nothing: later texts are compared with them."""
    duplicates: dict[str, tuple[str, float]]
    """Segment to the one it repeats, and how similar they are."""


class Seen(Value):
    """Somebody a segment may repeat."""

    segment_id: str
    document_id: str
    uri: str
    digest: bytes


Met = dict[int, list[Seen]]
"""By band."""


def mark(
    ledger: Ledger,
    segments: Sequence[Segment],
    signed: Sequence[Signature],
    threshold: float,
    met: Met | None = None,
) -> Marked:
    """Looks every segment up among all that are recorded and among those before it.

    Another version of the same document is no duplicate: it takes its place.

    Args:
        ledger: to ask; nothing is written.
        segments: new ones.
        signed: their signatures, in the same order.
        threshold: similarity from which a segment counts as repeated, 0 to 1; 0 turns the search off.
        met: segments before these that are not recorded; these are added.
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
    """The most similar one, of equal ones the first by id, so that every run says the same."""
    rivals = [
        (signature.similarity(seen.digest), seen.segment_id)
        for seen in near
        if seen.uri != segment.document_uri or seen.document_id == segment.document_id
    ]
    best = min(((-similarity, of) for similarity, of in rivals if similarity >= threshold), default=None)
    return (best[1], -best[0]) if best else None


def _ids(segment: Segment) -> dict[str, str]:
    return {"segment_id": segment.segment_id, "document_id": segment.document_id}
