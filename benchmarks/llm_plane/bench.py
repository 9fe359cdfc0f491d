"""What the benchmarks of the LLM plane share: a database, a shard of segments, a workspace, a port."""

import socket
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from gem_tasks.domain.corpus import Document, Segment
from gem_tasks.lineage.migrate import migrate
from gem_tasks.local.postgres import Postgres
from gem_tasks.pipeline.run_recipes import register_recipes
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import Settings
from gem_tasks.store import keys, shards

PARTITION = "2026-01-01T00:00"


def free_port():
    """One that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def database(folder):
    """A fresh Postgres with the lineage's schema; its DSN."""
    server = Postgres(folder / "pg", free_port(), SecretStr("bench"))
    server.start()
    try:
        migrate(server.dsn("postgres"))
        yield server.dsn("postgres")
    finally:
        server.stop()


def workspace(dsn, store, home, url, **settings):
    """What a worker works on."""
    values = {"postgres_dsn": SecretStr(dsn), "store_url": str(store), "llm_base_url": url, "llm_model": "bench"}
    return Workspace.open(Settings(home=Path(home), **values, **settings))


def add_shard(work, texts, number=0):
    """One shard with a segment for each text; registers the recipes."""
    document = Document(
        document_id=f"{number:020d}", uri=f"file:///{number}", etag="1", content_hash=f"h{number}", chars=10**8
    )
    segments = [
        Segment(
            segment_id=f"{document.document_id}.{index * 10_000}-{index * 10_000 + len(text)}",
            document_id=document.document_id, document_uri=document.uri,
            start=index * 10_000, end=index * 10_000 + len(text), tokens=len(text) // 4, text=text,
        )
        for index, text in enumerate(texts)
    ]  # fmt: skip
    work.store.put(keys.segments_key(PARTITION, number), shards.encode_segments(segments))
    with work.ledger() as ledger:
        source = ledger.sources.register_source(document.uri)
        ledger.ingestion.commit_ingest(PARTITION, source, [document], {number: segments})
    register_recipes(work)
