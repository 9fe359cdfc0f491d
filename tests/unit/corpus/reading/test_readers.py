"""Whatever bytes a file holds, reading gives documents or reasons, and never raises."""

import gzip
import json
import tracemalloc
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gem_tasks.corpus.normalise import normalise
from gem_tasks.corpus.reading.lines import in_utf8, lines
from gem_tasks.corpus.reading.readers import read
from gem_tasks.corpus.sources.listing import list_objects
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


def names(raws):
    return [raw.uri.partition("#")[2] for raw in raws]


def test_a_record_without_the_field_id_is_known_by_its_line(tmp_path):
    assert names(read_lines(tmp_path, {"text": "x"}, {"text": "y"})) == ["1", "2"]


@pytest.mark.parametrize("key", ["", " ", None, float("nan"), "\x00"])
def test_a_record_whose_id_is_empty_is_known_by_its_text(tmp_path, key):
    first, second = names(read_lines(tmp_path, {"id": key, "text": "x"}, {"id": key, "text": "y"}))
    assert names(read_lines(tmp_path, {"id": key, "text": "y"})) == [second]
    assert first != second


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (7, "7"),
        (7.0, "7"),
        (1.5, "1.5"),
        (10**30, "1" + "0" * 30),
        (True, "True"),
        ({"b": 1, "a": [2]}, '{"a": [2], "b": 1}'),
        (" x ", "x"),
    ],
)
def test_an_id_may_be_of_any_type(tmp_path, key, name):
    assert names(read_lines(tmp_path, {"id": key, "text": "x"})) == [name]


def test_ids_that_differ_far_behind_or_in_what_nobody_sees_stay_two(tmp_path):
    ids = ["x" * 300 + "a", "x" * 300 + "b", "a b", "a  b", "a\u200bb", "ab"]
    found = names(read_lines(tmp_path, *({"id": key, "text": "x"} for key in ids)))
    assert len(set(found)) == len(ids)
    assert max(map(len, found)) <= 200


UUIDS = [UUID(int=number).bytes for number in (101, 102, 103)]
COLUMNS = {
    "integers": pa.array([101, 102, 103]),
    "floats": pa.array([101.0, 102.5, 103]),
    "half floats": pa.array([1, 2, 3.0], pa.float16()),
    "uuids": pa.array(UUIDS, pa.uuid()),
    "bytes": pa.array(UUIDS, pa.binary(16)),
    "text as bytes": pa.array([b"a", b"b", b"c"]),
    "decimals": pa.array([Decimal("1.10"), Decimal("2.00"), Decimal("3.30")]),
    "dates": pa.array([date(2026, 1, day) for day in (1, 2, 3)]),
    "nanoseconds": pa.array([1, 2, 3], pa.timestamp("ns")),
    "far times": pa.array([2**62, 1, 2], pa.timestamp("us", "UTC")),
    "times of day": pa.array([1, 2, 3], pa.time64("ns")),
    "durations": pa.array([1, 2, 3], pa.duration("ns")),
    "dictionary": pa.array(["a", "b", "c"]).dictionary_encode(),
    "structs": pa.array([{"a": 1, "b": "x"}, {"a": 2, "b": "x"}, {"a": 3, "b": None}]),
    "lists": pa.array([[1, 2], [3], [1]]),
    "large": pa.array([2**64 - 1, 2**53 + 1, 2**53], pa.uint64()),
    "empty": pa.nulls(3),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_a_row_keeps_its_name_when_others_are_edited_or_removed(tmp_path, kind):
    """Also when a row without an id comes in between."""
    texts = ["one", "two", "three"]
    before = names(read_all(parquet(tmp_path, {"id": COLUMNS[kind], "text": texts})))
    kept = COLUMNS[kind].take(pa.array([None, 0, 2]))
    after = names(read_all(parquet(tmp_path, {"id": kept, "text": ["new", "one", "three"]})))
    assert len({*before, after[0]}) == 4
    assert after[1:] == [before[0], before[2]]


def test_ids_that_pandas_turned_into_floats_are_the_integers_they_were(tmp_path):
    columns = {"id": pa.array([101.0, None, 103.0]), "text": ["one", "two", "three"]}
    first, _, last = names(read_all(parquet(tmp_path, columns)))
    assert (first, last) == ("101", "103")


TEXTS = ["Öffne das Tor – dann warte.", "日本語の手順\u2028次の行\u0085終わり", "plain"]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_lines_are_read_in_every_unicode_and_with_every_line_end(tmp_path, encoding, line_end, mark):
    records = [json.dumps({"id": number, "text": text}, ensure_ascii=False) for number, text in enumerate(TEXTS)]
    data = (mark + line_end.join([*records, ""])).encode(encoding)
    found = read_bytes(tmp_path, "a.jsonl", data)
    assert [(raw.text, raw.reason) for raw in found] == [(text, None) for text in TEXTS]
    assert names(found) == ["0", "1", "2"]


def test_a_byte_order_mark_may_begin_every_line(tmp_path):
    """As files that were put together have it."""
    found = read_bytes(tmp_path, "a.jsonl", b'\xef\xbb\xbf{"text": "one"}\n\xef\xbb\xbf\n\xef\xbb\xbf{"text": "two"}\n')
    assert [raw.text for raw in found] == ["one", "two"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_lines_that_end_at_the_border_of_a_piece_are_counted_once(encoding):
    data = "".join(f"line {number}\r\n" for number in range(50)).encode(encoding)
    for size in (1, 2, 3, 7, 64):
        pieces = iter([data[at : at + size] for at in range(0, len(data), size)])
        stream = SimpleNamespace(read=lambda _, pieces=pieces: next(pieces, b""))
        if encoding == "utf-8" or size == 64:
            assert [line for _, line in lines(in_utf8(stream), 100)] == [f"line {n}".encode() for n in range(50)]


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
