"""Whatever bytes a file holds, reading gives documents or reasons, and never raises."""

import gzip
import json
import tracemalloc
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gem_tasks.corpus.normalise import normalise
from gem_tasks.corpus.readers import read
from gem_tasks.corpus.sources import list_objects
from gem_tasks.domain.corpus import IngestReason

LIMIT = 10_000
BAD, LARGE = IngestReason.BAD_RECORD, IngestReason.TOO_LARGE
NAMES = ["a.txt", "a.md.zst", "a.html", "a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "a.parquet"]


def read_all(path, limit=LIMIT):
    return [raw for found in list_objects(str(path)) for raw in read(found, limit)]


def read_bytes(tmp_path, name, data, limit=LIMIT):
    path = tmp_path / name
    path.write_bytes(data)
    return read_all(path, limit)


def read_lines(tmp_path, *records, limit=LIMIT):
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    return read_bytes(tmp_path, "a.jsonl", "\n".join(lines).encode(), limit)


def parquet(tmp_path, columns):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table(columns), path)
    return path


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.txt", bytes(range(256)) * 20, IngestReason.BINARY),
        ("a.md", b"\x89PNG\r\n\x1a\n" + bytes(2000), IngestReason.BINARY),
        ("a.txt", b"\xff\xfeo", IngestReason.BAD_ENCODING),
        ("a.txt", b"x" * (LIMIT + 1), IngestReason.TOO_LARGE),
        ("a.txt.gz", gzip.compress(b"x" * (LIMIT * 50), mtime=0), IngestReason.TOO_LARGE),
        ("a.txt.gz", gzip.compress(b"hello" * 100, mtime=0)[:-12], IngestReason.UNREADABLE),
        ("a.jsonl.gz", b"no gzip at all", IngestReason.UNREADABLE),
        ("a.txt.zst", b"no zstandard at all", IngestReason.UNREADABLE),
        ("a.parquet", b"no parquet at all", IngestReason.UNREADABLE),
    ],
)
def test_what_cannot_be_read_gets_its_reason(tmp_path, name, data, reason):
    (raw,) = read_bytes(tmp_path, name, data)
    assert raw.reason is reason
    assert "\n" not in raw.detail


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_text_is_read_packed_or_not(tmp_path, suffix):
    pack = {"": bytes, ".gz": gzip.compress, ".zst": lambda data: pa.compress(data, "zstd", asbytes=True)}[suffix]
    (raw,) = read_bytes(tmp_path, f"a.md{suffix}", pack(b"# Title"))
    assert (raw.text, raw.media_type, raw.reason) == ("# Title", "text/markdown", None)


def test_a_gzip_file_of_several_parts_is_read_to_its_end(tmp_path):
    (raw,) = read_bytes(tmp_path, "a.txt.gz", gzip.compress(b"one ") + gzip.compress(b"two"))
    assert raw.text == "one two"


def test_a_record_carries_what_it_is_about(tmp_path):
    known = {"id": "a 7", "text": "one", "title": "T\u202e", "license": "CC0", "lang": "en"}
    (raw,) = read_lines(tmp_path, {**known, "url": "http://x", "n": [1, {"m": None}]})
    assert raw.uri == f"file://{tmp_path}/a.jsonl#a 7"
    assert (raw.text, raw.title, raw.license, raw.language) == ("one", "T", "CC0", "en")
    assert raw.metadata == {"url": "http://x", "n": [1, {"m": None}]}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{broken", BAD),
        ("[1, 2]", BAD),
        ("null", BAD),
        ("[" * 100_000, LARGE),
        ("[" * 5000, BAD),
        ('{"n": ' + "1" * 5000 + "}", BAD),
        ({"text": None}, BAD),
        ({"body": "x"}, BAD),
        ({"text": "x" * (LIMIT + 1)}, LARGE),
    ],
)
def test_a_bad_line_is_named_and_the_next_one_read(tmp_path, line, reason):
    first, bad, last = read_lines(tmp_path, {"text": "first"}, "", line, {"text": "last"})[:3]
    assert (first.text, last.text) == ("first", "last")
    assert (bad.reason, bad.uri[-2:]) == (reason, "#3")
    assert "line 3" in bad.detail


@pytest.mark.parametrize("key", ["", " ", None, 1.5, {"x": 1}, "\x00"])
def test_a_record_without_a_usable_id_is_known_by_its_line(tmp_path, key):
    assert read_lines(tmp_path, {"id": key, "text": "x"})[0].uri.endswith("a.jsonl#1")


def test_metadata_is_plain_json_of_a_bounded_size(tmp_path):
    odd = '{"text": "x", "n": NaN, "m": 1e999, "s": "\\ud800", "\\ud800": 1}'
    deep = '{"text": "x", "n": ' + "[" * 900 + "]" * 900 + "}"
    large = {"text": "x", "big": "y" * 9000, "more": "z" * 2000}
    first, second, third = read_lines(tmp_path, odd, deep, large, limit=100_000)
    assert first.metadata == {"n": None, "m": None, "s": "?", "?": 1}
    assert isinstance(second.metadata, dict)
    assert third.metadata["fields"] == ["big", "more"]


def test_half_characters_in_a_text_are_replaced(tmp_path):
    assert read_lines(tmp_path, '{"text": "last \\ud800 one"}')[0].text == "last ? one"


def test_documents_before_a_break_in_a_compressed_file_are_kept(tmp_path):
    lines = b"".join(json.dumps({"text": f"document {number}" * 30}).encode() + b"\n" for number in range(5000))
    for name, packed in (
        ("a.jsonl.zst", pa.compress(lines, "zstd", asbytes=True)),
        ("a.jsonl.gz", gzip.compress(lines, mtime=0)),
    ):
        found = read_bytes(tmp_path, name, packed[:-200])
        (tmp_path / name).unlink()
        assert found[-1].reason is IngestReason.UNREADABLE
        assert found[0].text.startswith("document 0")


def test_a_file_without_any_record_is_given_up_on_after_a_while(tmp_path):
    found = read_bytes(tmp_path, "a.jsonl", b"no json\n" * 50_000)
    assert (found[-1].reason, found[-1].uri[-8:]) == (IngestReason.UNREADABLE, "/a.jsonl")
    assert len(found) < 2000


@pytest.mark.parametrize(
    ("name", "begin", "piece", "end"),
    [("a.txt", b"", b"word ", b""), ("a.jsonl", b'{"text": "', b"word ", b'"}\n{"text": "next"}\n')],
)
def test_memory_does_not_grow_with_what_is_too_large(tmp_path, name, begin, piece, end):
    path = tmp_path / name
    path.write_bytes(begin + piece * 8_000_000 + end)
    tracemalloc.start()
    found = read_all(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found[0].reason is LARGE
    assert [raw.text for raw in found[1:]] == (["next"] if end else [])
    assert peak < 10_000_000


def test_parquet_rows_are_records(tmp_path):
    columns = {"id": ["a", "b", "c"], "text": ["one", None, "x" * (LIMIT + 1)], "score": [0.5, 1.5, 2.5]}
    first, second, third = read_all(parquet(tmp_path, columns))
    assert (first.uri[-2:], first.text, first.metadata) == ("#a", "one", {"score": 0.5})
    assert (second.reason, third.reason) == (BAD, LARGE)


def test_parquet_values_that_python_has_no_type_for_cost_no_row(tmp_path):
    far = pa.array([2**62, 0], pa.timestamp("us"))
    columns = {
        "text": ["one", "two"],
        "far": far,
        "when": [datetime(2026, 1, 1, tzinfo=UTC)] * 2,
        "raw": [b"\xff", b"x"],
    }
    first, second = read_all(parquet(tmp_path, columns))
    assert (first.text, first.metadata["far"]) == ("one", None)
    assert second.metadata["when"].startswith("2026-01-01")


def test_parquet_text_that_is_no_utf8_costs_its_row_only(tmp_path):
    broken = pa.StringArray.from_buffers(2, *pa.array([b"ok", b"\xff\xfe"]).buffers()[1:])
    first, second = read_all(parquet(tmp_path, {"text": broken}))
    assert (first.text, second.reason) == ("ok", BAD)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=400), name=st.sampled_from(NAMES))
def test_no_bytes_make_a_reader_raise(tmp_path, data, name):
    for raw in read_bytes(tmp_path, name, data):
        assert bool(raw.reason) != bool(raw.text) or raw.text == ""
        normalise(raw, 10)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), name=st.sampled_from(["a.parquet", "a.jsonl.gz", "a.jsonl.zst"]))
def test_no_damage_makes_a_reader_raise(tmp_path, data, name):
    """Sound files with some bytes changed get further into the libraries than random bytes do."""
    whole = parquet(tmp_path, {"id": [1, 2], "text": ["one", "two"]}).read_bytes()
    if name != "a.parquet":
        lines = b'{"text": "one"}\n' * 40
        whole = gzip.compress(lines) if name.endswith(".gz") else pa.compress(lines, "zstd", asbytes=True)
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    read_bytes(tmp_path, name, bytes(damaged[: data.draw(st.integers(1, len(damaged)))]))
