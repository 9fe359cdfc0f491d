"""Lineage of near duplicates: signatures of segments, and which segments repeat others."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gem_tasks.lineage.connection import Part


class SharedBand(NamedTuple):
    """A stored segment that shares a band with a queried text."""

    number: int
    """Number of the queried text."""
    segment_id: str
    document_id: str
    uri: str
    digest: bytes


class NearDuplicates(Part):
    """Records and queries of `pipeline.ingest.near_duplicates`."""

    def candidates(self, bands: Sequence[int], numbers: Sequence[int]) -> list[SharedBand]:
        """Stored segments that share a band.

        Args:
            bands: bands of all queried texts, one after the other.
            numbers: the text that each band belongs to.
        """
        return self._db.all(SharedBand, "candidates", bands=list(bands), numbers=list(numbers))

    def insert_signatures(self, signatures: Mapping[str, tuple[bytes, Sequence[int]]]) -> None:
        """Records digest and bands of segments that repeat nothing, by segment id. Repeating it changes nothing."""
        pairs = [(segment, band) for segment, (_, bands) in signatures.items() for band in bands]
        self._db.run(
            "insert_signatures", segment_id=list(signatures), digest=[digest for digest, _ in signatures.values()]
        )
        self._db.run("insert_bands", segment_id=[segment for segment, _ in pairs], band=[band for _, band in pairs])

    def insert(self, found: Mapping[str, tuple[str, float]]) -> None:
        """Records, by segment, the segment that it repeats, and their similarity."""
        self._db.run(
            "insert_near_duplicates",
            segment_id=list(found),
            of=[of for of, _ in found.values()],
            similarity=[similarity for _, similarity in found.values()],
        )
