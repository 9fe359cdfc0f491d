"""Whatever bytes a file holds, reading gives documents or reasons, and never raises."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gem_tasks.corpus.readers import read
from gem_tasks.corpus.sources import list_objects
from gem_tasks.domain.corpus import IngestReason
from gem_tasks.errors import UserError

LIMIT = 10_000


def read_all(path, limit=LIMIT):
    return [raw for found in list_objects(str(path)) for raw in read(found, limit)]


def one(tmp_path, name, data, limit=LIMIT):
    path = tmp_path / name
    path.write_bytes(data)
    (raw,) = read_all(path, limit)
    return raw


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("Grüße".encode(), "Grüße"),
        ("Grüße".encode("utf-8-sig"), "Grüße"),
        ("Grüße".encode("utf-16"), "Grüße"),
        (("Die Türen öffnen sich früh, die Gäste grüßen höflich. " * 20).encode("cp1252"), None),
        (b"", ""),
    ],
    ids=["utf-8", "utf-8 with mark", "utf-16", "windows-1252", "empty"],
)
def test_encodings(tmp_path, data, expected):
    raw = one(tmp_path, "a.txt", data)
    assert raw.reason is None
    assert raw.text == expected if expected is not None else "Gäste grüßen" in raw.text


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.txt", bytes(range(256)) * 20, IngestReason.BINARY),
        ("a.md", b"\x89PNG\r\n\x1a\n" + bytes(2000), IngestReason.BINARY),
        ("a.txt", b"\xff\xfeo", IngestReason.BAD_ENCODING),
        ("a.txt", b"x" * (LIMIT + 1), IngestReason.TOO_LARGE),
        ("a.txt.gz", gzip.compress(b"x" * (LIMIT * 50)), IngestReason.TOO_LARGE),
        ("a.txt.gz", gzip.compress(b"hello" * 100)[:-12], IngestReason.UNREADABLE),
        ("a.txt.zst", b"no zstandard at all", IngestReason.UNREADABLE),
        ("a.parquet", b"no parquet at all", IngestReason.UNREADABLE),
    ],
)
def test_what_cannot_be_read_gets_its_reason(tmp_path, name, data, reason):
    assert one(tmp_path, name, data).reason is reason


def test_a_jsonl_file_gives_a_document_or_a_reason_per_line(tmp_path):
    lines = [
        json.dumps({"id": "a", "text": "one", "title": "T", "license": "CC0", "lang": "en", "url": "http://x", "n": 1}),
        "",
        "{broken",
        "[1, 2]",
        json.dumps({"text": None}),
        json.dumps({"text": "x" * (LIMIT + 1)}),
        json.dumps({"text": "last \ud800 one"}),
    ]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    first, *others = read_all(path)
    assert (first.uri[-2:], first.text, first.title, first.license, first.language) == ("#a", "one", "T", "CC0", "en")
    assert first.metadata == {"url": "http://x", "n": 1}
    reasons = [raw.reason for raw in others]
    bad = IngestReason.BAD_RECORD
    assert reasons == [bad, bad, bad, IngestReason.TOO_LARGE, None]
    assert "line 3" in others[0].detail
    assert others[-1].text == "last ? one"


def test_documents_before_a_break_in_a_compressed_file_are_kept(tmp_path):
    lines = b"".join(json.dumps({"text": f"document {number}" * 30}).encode() + b"\n" for number in range(5000))
    path = tmp_path / "a.jsonl.zst"
    path.write_bytes(pa.compress(lines, "zstd", asbytes=True)[:-200])
    found = read_all(path)
    assert found[-1].reason is IngestReason.UNREADABLE
    assert found[0].text.startswith("document 0")


def test_a_line_larger_than_memory_should_hold_is_skipped_and_the_next_one_read(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "' + b"x" * 3_000_000 + b'"}\n' + b'{"text": "next"}\n')
    assert [(raw.reason, raw.text) for raw in read_all(path)] == [(IngestReason.TOO_LARGE, ""), (None, "next")]


def test_parquet_rows_are_records(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": ["a", "b"], "text": ["one", None], "score": [0.5, 1.5]}), path)
    first, second = read_all(path)
    assert (first.uri[-2:], first.text, first.metadata) == ("#a", "one", {"score": 0.5})
    assert second.reason is IngestReason.BAD_RECORD


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=400), name=st.sampled_from(["a.txt", "a.html", "a.jsonl", "a.jsonl.gz", "a.parquet"]))
def test_no_bytes_make_a_reader_raise(tmp_path, data, name):
    path = tmp_path / name
    path.write_bytes(data)
    assert all(raw.uri for raw in read_all(path))


def test_a_tree_is_listed_in_order_without_hidden_and_foreign_files(tmp_path):
    outside = tmp_path / "outside.txt"
    outside.write_text("secret", encoding="utf-8")
    root = tmp_path / "root"
    for name in ("b.md", "a/z.txt", "a/.hidden.txt", ".git/x.txt", "image.png", "a/c.HTML"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x", encoding="utf-8")
    (root / "link.txt").symlink_to(outside)
    names = [found.uri.removeprefix(f"file://{root}/") for found in list_objects(str(root))]
    assert names == ["b.md", "a/c.HTML", "a/z.txt"]


@pytest.mark.parametrize("source", ["/does/not/exist", "ftp://host/x", "gopher:x"])
def test_a_source_that_is_none_is_one_clear_line(source):
    with pytest.raises(UserError):
        list(list_objects(source))


def test_a_folder_with_nothing_readable_says_what_is_readable(tmp_path):
    (tmp_path / "image.png").write_bytes(b"x")
    with pytest.raises(UserError, match=r"\.jsonl"):
        list(list_objects(str(tmp_path)))
