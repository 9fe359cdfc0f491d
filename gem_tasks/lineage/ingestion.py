"""Lineage of ingestion: sources, documents, segments, shards."""

from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager

from gem_tasks.domain.corpus import Document, Segment
from gem_tasks.lineage.connection import Connection, columns
from gem_tasks.lineage.text import json_text

_DOCUMENT = "document_id uri etag content_hash title license language chars metadata reason detail".split()
_SEGMENT = "segment_id document_id shard row_no start_char end_char tokens".split()


class Ingestion(Connection):
    """What `pipeline.ingest` records and asks."""

    def register_source(self, uri: str) -> int:
        """The source's number; registering again changes nothing."""
        return self.one("register_source", uri=uri)["source_id"]

    def sources(self) -> list[str]:
        """All registered sources, oldest first."""
        return [row["uri"] for row in self.rows("list_sources")]

    def known_documents(self, ids: Collection[str]) -> set[str]:
        """Those of the ids that are recorded."""
        return {row["document_id"] for row in self.rows("known_documents", ids=list(ids))}

    def first_with_hash(self, hashes: Collection[str]) -> dict[str, str]:
        """Content hash to the first document with segments that has it."""
        found = self.rows("first_with_hash", hashes=list(hashes))
        return {row["content_hash"]: row["document_id"] for row in found}

    @contextmanager
    def partition_lock(self, partition: str) -> Generator[None]:
        """Lets one ingestion at a time write to a partition; freed with the connection at the latest."""
        self.pg.execute("SELECT pg_advisory_lock(hashtextextended('gem-ingest ' || %s, 0))", [partition])
        try:
            yield
        finally:
            self.pg.execute("SELECT pg_advisory_unlock(hashtextextended('gem-ingest ' || %s, 0))", [partition])

    def next_shard(self, partition: str) -> int:
        """The first free shard number of a partition."""
        return self.one("next_shard", partition=partition)["shard"]

    def commit_ingest(
        self, partition: str, source_id: int, documents: Sequence[Document], shards: Mapping[int, Sequence[Segment]]
    ) -> None:
        """Documents with all their segments, in one transaction. Doing it again changes nothing."""
        rows = [
            {**document.model_dump(exclude={"metadata"}), "metadata": json_text(document.metadata)}
            for document in sorted(documents, key=lambda document: document.document_id)
        ]
        with self.transaction():
            self.run("touch_partition", partition=partition)
            self.run("insert_documents", partition=partition, source_id=source_id, **columns(rows, _DOCUMENT))
            for number, segments in shards.items():
                self.run("insert_segments", partition=partition, **columns(_segment_rows(number, segments), _SEGMENT))

    def shards(self, partition: str) -> list[tuple[int, int]]:
        """`(shard, segments in it)` in order."""
        return [(row["shard"], row["segments"]) for row in self.rows("shards", partition=partition)]


def _segment_rows(shard: int, segments: Sequence[Segment]) -> list[dict[str, object]]:
    return [
        {**segment.model_dump(), "shard": shard, "row_no": row, "start_char": segment.start, "end_char": segment.end}
        for row, segment in enumerate(segments)
    ]
