"""Documents and files that cost too much: each gets its reason, within bounds, and the others go on."""

import gzip
import json
import os
import sys
import textwrap

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gem_tasks.corpus.reading.readers import read
from gem_tasks.corpus.sources.listing import list_objects
from gem_tasks.domain.corpus import IngestReason, RawDocument
from gem_tasks.pipeline.ingest import pool
from gem_tasks.pipeline.ingest.confined import read_confined
from gem_tasks.pipeline.ingest.prepare import Rules

RULES = Rules(license=None, target_tokens=100, max_tokens=200, min_chars=1, signed=False)
WORDS = "Words that stand for a document. " * 3
LIMITS = (20_000_000, 1_000_000)


def stored(tmp_path, name, data):
    path = tmp_path / name
    if isinstance(data, pa.Table):
        pq.write_table(data, path, compression="zstd")
    else:
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    (found,) = list_objects(str(path))
    return found


def repeated(value, times):
    return pa.DictionaryArray.from_arrays(pa.array([0] * times, pa.int32()), pa.array([value]))


def test_a_parquet_file_is_read_as_before(tmp_path):
    rows = {"id": ["a", "b"], "text": [WORDS, None], "n": [1, 2]}
    found = stored(tmp_path, "a.parquet", pa.table(rows))
    assert list(read_confined(found, *LIMITS)) == list(read(found, *LIMITS))
    cut = stored(tmp_path, "b.parquet", b"PAR1 and no more")
    assert [raw.reason for raw in read_confined(cut, *LIMITS)] == [IngestReason.UNREADABLE]


def test_a_small_parquet_file_that_unpacks_to_gigabytes_is_too_expensive(tmp_path):
    table = pa.table({"text": repeated("x", 64), "junk": repeated("y" * 50_000_000, 64)})
    found = stored(tmp_path, "a.parquet", table)
    assert found.size < 10_000
    assert [raw.reason for raw in read_confined(found, *LIMITS)] == [IngestReason.TOO_EXPENSIVE]


@pytest.mark.parametrize("kind", ["parquet", "jsonl.gz", "blank.jsonl.gz"])
def test_a_file_has_so_many_rows_as_its_size_allows(tmp_path, kind):
    line = b"\n" if kind.startswith("blank") else json.dumps({"text": WORDS}).encode() + b"\n"
    data = pa.table({"text": repeated(WORDS, 50_000)}) if kind == "parquet" else line * 50_000
    found = stored(tmp_path, f"a.{kind}", data)
    *rows, last = read(found, *LIMITS)
    most = max(10_000, found.size)
    assert len(rows) == (0 if kind.startswith("blank") else most)
    assert (last.uri, last.reason) == (found.uri, IngestReason.TOO_LARGE)
    assert last.detail.startswith(f"GEM read only its first {most} rows:")
    assert len(list(read(found, LIMITS[0], 5))) <= 6


def test_a_line_that_never_ends_is_not_unpacked_to_its_end(tmp_path):
    found = stored(tmp_path, "a.jsonl.gz", b"x" * 30_000_000)
    assert [raw.reason for raw in read(found, 100_000)][-1] is IngestReason.TOO_LARGE


def test_a_line_of_millions_of_values_is_too_expensive(tmp_path):
    good = json.dumps({"text": WORDS}).encode()
    found = stored(tmp_path, "a.jsonl.gz", b'{"x":[' + b"{}," * 2_000_000 + b"1]}\n" + good)
    assert [raw.reason for raw in read(found, *LIMITS)] == [IngestReason.TOO_EXPENSIVE, None]


CHILD = textwrap.dedent(
    """
    import os, sys
    from gem_tasks.pipeline.ingest import limits, pool, prepare
    limits.CPU_S = prepare.CPU_S = 1
    ordinary = prepare.normalise
    def normalise(raw, least):
        if raw.text and "loop" in raw.uri:
            while True: pass
        if raw.text and "stuck" in raw.uri:
            sum(range(10**12))
        if raw.text and "memory" in raw.uri:
            bytearray(10**9)
        return ordinary(raw, least)
    prepare.normalise = normalise
    pool.serve(sys.stdin.buffer, os.fdopen(os.dup(1), "wb"))
    """
)


def test_what_costs_too_much_gets_its_reason_and_the_others_go_on():
    names = ["a", "loop", "b", "stuck", "memory", "c"]
    text = WORDS * (pool._CHEAP // len(WORDS) + 1)
    raws = [RawDocument(uri=f"file:///{name}", etag="1", text=text) for name in names]
    ((_, found),) = pool.prepared([(0, raws)], RULES, 1, command=[sys.executable, "-c", CHILD])
    assert [each.document.reason for each in found] == [
        None, IngestReason.TOO_EXPENSIVE, None, IngestReason.TOO_EXPENSIVE, IngestReason.TOO_EXPENSIVE, None
    ]  # fmt: skip
    told = [each.document.detail for each in found if not each.segments]
    assert [[word for word in ("CPU", "memory") if word in detail] for detail in told] == [["CPU"], ["CPU"], ["memory"]]


@pytest.mark.parametrize(("media_type", "characters"), [("text/plain", pool._CHEAP), ("text/html", pool._CHEAP_HTML)])
def test_short_documents_need_no_process(media_type, characters):
    raws = [RawDocument(uri="file:///a", etag="1", text=WORDS.ljust(characters), media_type=media_type)]
    ((_, found),) = pool.prepared([(0, raws)], RULES, 1, command=[os.devnull])
    assert found[0].segments


def test_html_is_limited_from_a_length_on_at_which_it_can_cost_much():
    html = "<table>" + ("<tr>" + "<td colspan=50 rowspan=50>a" * 400) * 5
    raws = [RawDocument(uri="file:///a", etag="1", text=html[:50_000], media_type="text/html")]
    with pytest.raises(PermissionError):  # a process is started, here one that cannot be
        list(pool.prepared([(0, raws)], RULES, 1, command=[os.devnull]))
