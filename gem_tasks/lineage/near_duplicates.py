"""Lineage of near duplicates: signatures of segments, and which segment repeats which."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gem_tasks.lineage.connection import Part


class SharedBand(NamedTuple):
    """A stored segment that shares a band with an asking text."""

    number: int
    """Of the asking text."""
    segment_id: str
    document_id: str
    uri: str
    digest: bytes


class NearDuplicates(Part):
    """What `pipeline.ingest.near_duplicates` records and asks."""

    def candidates(self, bands: Sequence[int], numbers: Sequence[int]) -> list[SharedBand]:
        """Stored segments that share a band.

        Args:
            bands: of all asking texts, one after the other.
            numbers: which text each band belongs to.
        """
        return self._db.all(SharedBand, "candidates", bands=list(bands), numbers=list(numbers))

    def insert_signatures(self, signatures: Mapping[str, tuple[bytes, Sequence[int]]]) -> None:
        """Digest and bands of segments that repeat nothing, by segment id. Doing it again changes nothing."""
        pairs = [(segment, band) for segment, (_, bands) in signatures.items() for band in bands]
        self._db.run(
            "insert_signatures", segment_id=list(signatures), digest=[digest for digest, _ in signatures.values()]
        )
        self._db.run("insert_bands", segment_id=[segment for segment, _ in pairs], band=[band for _, band in pairs])

    def insert(self, found: Mapping[str, tuple[str, float]]) -> None:
        """Segment to the one it repeats and how similar they are."""
        self._db.run(
            "insert_near_duplicates",
            segment_id=list(found),
            of=[of for of, _ in found.values()],
            similarity=[similarity for _, similarity in found.values()],
        )
