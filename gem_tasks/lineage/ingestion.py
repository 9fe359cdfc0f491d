"""Lineage of ingestion: documents, segments, shards."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from gem_tasks.domain.corpus import Document, Segment
from gem_tasks.lineage.connection import Part, columns
from gem_tasks.lineage.text import json_text

_DOCUMENT = (
    "document_id object_key fingerprint uri etag content_hash title license language chars metadata reason detail"
).split()
_SEGMENT = "segment_id document_id shard row_no start_char end_char tokens place".split()


class ShardSize(NamedTuple):
    """A shard with the number of its segments."""

    shard: int
    segments: int


class Ingestion(Part):
    """Records and queries of `pipeline.ingest.source`."""

    def known_documents(self, ids: Collection[str]) -> dict[str, bool]:
        """The recorded ids among these, and whether they are duplicates."""
        return {row["document_id"]: row["duplicate"] for row in self._db.rows("known_documents", ids=list(ids))}

    def first_with_hash(self, hashes: Collection[str]) -> dict[str, str]:
        """Maps content hashes to the first live document with segments that has it."""
        found = self._db.rows("first_with_hash", hashes=list(hashes))
        return {row["content_hash"]: row["document_id"] for row in found}

    def reserve_shards(self, partition: str, count: int) -> int:
        """Reserves `count` shard numbers of a partition, and returns the first; they are never assigned again."""
        return self._db.one("reserve_shards", partition=partition, count=count)["first"]

    def commit_ingest(
        self, partition: str, source_id: int, documents: Sequence[Document], shards: Mapping[int, Sequence[Segment]]
    ) -> None:
        """Records documents with all their segments, in one transaction. Repeating it changes nothing."""
        rows = [
            {
                **document.model_dump(exclude={"metadata"}),
                "object_key": document.object_key or document.uri,
                "metadata": json_text(document.metadata),
            }
            for document in sorted(documents, key=lambda document: document.document_id)
        ]
        with self._db.transaction():
            self._db.run("touch_partition", partition=partition)
            self._db.run("insert_documents", partition=partition, source_id=source_id, **columns(rows, _DOCUMENT))
            for number, segments in shards.items():
                self._db.run(
                    "insert_segments", partition=partition, **columns(_segment_rows(number, segments), _SEGMENT)
                )

    def shards(self, partition: str) -> list[ShardSize]:
        """All shards of a partition, in order."""
        return self._db.all(ShardSize, "shards", partition=partition)


def _segment_rows(shard: int, segments: Sequence[Segment]) -> list[dict[str, object]]:
    return [
        {
            "segment_id": segment.segment_id,
            "document_id": segment.document_id,
            "tokens": segment.tokens,
            "shard": shard,
            "row_no": row,
            "start_char": segment.start,
            "end_char": segment.end,
            "place": segment.place,
        }
        for row, segment in enumerate(segments)
    ]
