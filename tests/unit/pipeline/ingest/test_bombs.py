"""A bomb of each kind costs its reader little, and gets a reason; `python -m tests.bombs` ingests all of them."""

import os

import pytest

from gem_tasks.corpus.sources.listing import list_objects
from gem_tasks.domain.corpus import IngestReason, RawDocument
from gem_tasks.pipeline.ingest import pool
from gem_tasks.pipeline.ingest.prepare import Rules
from gem_tasks.pipeline.ingest.source import documents_of
from tests.bombs.files import WORDS, write
from tests.bombs.measure import Watch, apart, cpu_s, memory

MOST_CPU_S, MOST_MB = 20, 300
"""Beside what the task has without any document, 512 MB together."""
READ = {
    "junk.parquet": {IngestReason.TOO_EXPENSIVE},
    "pages.parquet": {IngestReason.TOO_EXPENSIVE},
    "objects-under.jsonl": {None},
    "values.jsonl": {IngestReason.TOO_EXPENSIVE, None},
    "deep.jsonl": {IngestReason.TOO_EXPENSIVE, None},
    "newlines.jsonl.zst": {IngestReason.TOO_LARGE},
    "utf16-broken.txt": {IngestReason.BAD_ENCODING},
    "zeros.txt": {IngestReason.BINARY},
    "window-27.txt.zst": {IngestReason.TOO_LARGE},
    "window-31.txt.zst": {IngestReason.UNREADABLE},
    "members.txt.gz": {None},
    "headers.warc": {IngestReason.UNREADABLE},
    "codings-body.warc": {IngestReason.TOO_LARGE, IngestReason.UNREADABLE, None},
    "zstd-body.warc": {IngestReason.UNREADABLE, IngestReason.TOO_LARGE, None},
}


def cost_of_reading(path):
    (found,) = list_objects(str(path))
    before, begun = memory(os.getpid()), cpu_s()
    watch = Watch()
    reasons = {raw.reason for raw in documents_of(found, 20_000_000, 1_000_000)}
    used = cpu_s() - begun
    watch.stop()
    return reasons, used, (watch.together - before.own - before.files) >> 20


@pytest.mark.parametrize("name", READ)
def test_a_bomb_gets_its_reason_at_little_cost(tmp_path, name):
    reasons, used, taken = apart(cost_of_reading, apart(write, name, tmp_path))
    assert reasons <= READ[name]
    assert used <= MOST_CPU_S
    assert taken <= MOST_MB


def test_an_honest_text_of_the_largest_size_is_prepared_within_the_bounds():
    raw = RawDocument(uri="file:///a", etag="1", text=WORDS * (19_900_000 // len(WORDS)))
    rules = Rules(license=None, target_tokens=800, max_tokens=2000, min_chars=1, signed=True)
    ((_, (found,)),) = pool.prepared([(0, [raw])], rules, 1)
    assert found.document.reason is None
    assert len(found.signatures) == len(found.segments) > 5000
