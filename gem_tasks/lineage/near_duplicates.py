"""Lineage of near duplicates: signatures of segments, and which segment repeats which."""

from collections.abc import Mapping, Sequence

from gem_tasks.lineage.connection import Part, Row


class NearDuplicates(Part):
    """What `pipeline.ingest.near_duplicates` records and asks."""

    def candidates(self, bands: Sequence[int], numbers: Sequence[int]) -> list[Row]:
        """Stored segments that share a band: `number` of the asking text, `segment_id`, `document_id`, `uri`, `digest`.

        Args:
            bands: of all asking texts, one after the other.
            numbers: which text each band belongs to.
        """
        return self._db.rows("candidates", bands=list(bands), numbers=list(numbers))

    def insert_signatures(self, signatures: Mapping[str, tuple[bytes, Sequence[int]]]) -> None:
        """Digest and bands of segments that repeat nothing, by segment id. Doing it again changes nothing."""
        pairs = [(segment, band) for segment, (_, bands) in signatures.items() for band in bands]
        self._db.run(
            "insert_signatures", segment_id=list(signatures), digest=[digest for digest, _ in signatures.values()]
        )
        self._db.run("insert_bands", segment_id=[segment for segment, _ in pairs], band=[band for _, band in pairs])

    def insert_near_duplicates(self, found: Mapping[str, tuple[str, float]]) -> None:
        """Segment to the one it repeats and how similar they are."""
        self._db.run(
            "insert_near_duplicates",
            segment_id=list(found),
            of=[of for of, _ in found.values()],
            similarity=[similarity for _, similarity in found.values()],
        )
