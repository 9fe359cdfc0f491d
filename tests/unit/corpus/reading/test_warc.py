"""Pages of a crawl are read as they were fetched, and nothing else of it."""

import gzip
import itertools
import zlib

import pyarrow as pa
import pytest

from gem_tasks.corpus.reading.readers import read
from gem_tasks.corpus.sources.listing import list_objects
from gem_tasks.domain.corpus import IngestReason

PAGE = b"<html><title>Loans</title><p>Renew a loan.</p></html>"


def record(kind, url, body, head=b"", claimed=b"application/http; msgtype=response"):
    block = (head + b"\r\n\r\n" if head else b"") + body
    return (
        b"WARC/1.0\r\nWARC-Type: %s\r\nWARC-Record-ID: <urn:uuid:1>\r\nWARC-Date: 2026-01-01T00:00:00Z\r\n"
        b"WARC-Target-URI: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n"
        % (kind, url, claimed, len(block), block)
    )


def response(url, body, status=b"200 OK", kind=b"text/html; charset=utf-8", more=b""):
    return record(b"response", url, body, b"HTTP/1.1 %s\r\nContent-Type: %s%s" % (status, kind, more))


CRAWL = [
    record(b"warcinfo", b"x", b"software: y", claimed=b"application/warc-fields"),
    record(b"request", b"http://a/1", b"", b"GET /1 HTTP/1.1\r\nHost: a"),
    response(b"http://a/1", PAGE),
    response(b"http://a/moved", b"", b"301 Moved Permanently"),
    response(b"http://a/picture", b"\x89PNG", kind=b"image/png"),
    response(b"http://a/2", gzip.compress(PAGE), more=b"\r\nContent-Encoding: gzip"),
    response(b"http://a/3", PAGE, more=b"\r\nContent-Encoding: gzip"),
    record(b"conversion", b"http://a/4", b"Plain words.", claimed=b"text/plain"),
]


def reasons(tmp_path, data):
    (tmp_path / "a.warc").write_bytes(data)
    (found,) = list_objects(str(tmp_path / "a.warc"))
    return [(raw.uri.partition("#")[2], raw.reason) for raw in read(found, 100_000)]


@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz"])
def test_pages_are_read_and_everything_else_is_passed_over(tmp_path, name):
    packed = b"".join(gzip.compress(each) for each in CRAWL) if name.endswith(".gz") else b"".join(CRAWL)
    (tmp_path / name).write_bytes(packed)
    (found,) = list_objects(str(tmp_path / name))
    raws = list(read(found, 100_000))
    assert [raw.uri.partition("#")[2] for raw in raws] == [f"http://a/{number}" for number in (1, 2, 3, 4)]
    assert {raw.text for raw in raws[:3]} == {PAGE.decode()}
    assert [raw.media_type for raw in raws] == ["text/html"] * 3 + ["text/plain"]
    assert raws[0].metadata == {"url": "http://a/1", "fetched": "2026-01-01T00:00:00Z"}
    assert all(raw.object_key == found.uri and raw.reason is None for raw in raws)


def test_a_bomb_is_too_large_and_stops_nothing(tmp_path):
    bomb = response(b"http://a/bomb", gzip.compress(b"x" * 5_000_000), more=b"\r\nContent-Encoding: gzip")
    large = response(b"http://a/large", b"y" * 200_000)
    found = reasons(tmp_path, bomb + large + response(b"http://a/1", PAGE))
    too_large = IngestReason.TOO_LARGE
    assert found == [("http://a/bomb", too_large), ("http://a/large", too_large), ("http://a/1", None)]


@pytest.mark.parametrize("cut", [8, 40])
def test_a_crawl_that_breaks_off_keeps_what_came_before(tmp_path, cut):
    whole = response(b"http://a/1", PAGE) + response(b"http://a/2", PAGE)
    found = reasons(tmp_path, whole[:-cut])
    assert found == [("http://a/1", None), ("", IngestReason.UNREADABLE)]


def test_what_is_no_warc_is_unreadable(tmp_path):
    found = reasons(tmp_path, b"hello " * 100)
    assert found == [("", IngestReason.UNREADABLE)]


LONG = b"<html><title>Loans</title><p>" + b"Renew a loan at most two times. " * 30 + b"</html>"


def deflated(data):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def brotli(data):
    return pa.Codec("brotli").compress(data, asbytes=True)


def zstd(data):
    return pa.compress(data, "zstd", asbytes=True)


def chunked(data, size=100):
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(b"%x;a=b\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\nTrailer: x\r\n\r\n"


CHUNKED = b"\r\nTransfer-Encoding: chunked"


def coded(name):
    return b"\r\nContent-Encoding: " + name


def first(tmp_path, body, more=b"", kind=b"text/html", limit=100_000):
    (tmp_path / "a.warc").write_bytes(
        response(b"http://a/1", body, more=more, kind=kind) + response(b"http://a/2", PAGE)
    )
    (found,) = list_objects(str(tmp_path / "a.warc"))
    raw, after = read(found, limit)
    assert after.text == PAGE.decode()
    return raw


@pytest.mark.parametrize(
    ("body", "more"),
    [
        (chunked(LONG), CHUNKED),
        (LONG, CHUNKED),
        (b"", b""),
        (chunked(gzip.compress(LONG)), CHUNKED + coded(b"gzip")),
        (chunked(gzip.compress(LONG)), b"\r\nTransfer-Encoding: gzip, chunked"),
        (gzip.compress(LONG), CHUNKED + coded(b"gzip")),
        (LONG, CHUNKED + coded(b"gzip")),
        (gzip.compress(LONG), coded(b"x-gzip")),
        (gzip.compress(LONG[:100]) + gzip.compress(LONG[100:]), coded(b"gzip")),
        (zlib.compress(LONG), coded(b"deflate")),
        (deflated(LONG), coded(b"deflate")),
        (brotli(LONG), coded(b"br")),
        (zstd(LONG), coded(b"zstd")),
        (brotli(gzip.compress(LONG)), coded(b"gzip, BR")),
        (zstd(zlib.compress(LONG)), coded(b"deflate") + coded(b"zstd")),
        (LONG, coded(b"br")),
        (LONG, coded(b"deflate")),
        (LONG, coded(b"zstd")),
        (LONG, coded(b"utf-8")),
        (LONG, coded(b"identity")),
    ],
    ids=itertools.count(),
)
def test_bodies_are_read_however_they_were_sent(tmp_path, body, more):
    raw = first(tmp_path, body, more)
    assert (raw.text, raw.reason) == (LONG.decode() if body else "", None)


@pytest.mark.parametrize(
    ("body", "more", "detail"),
    [
        (chunked(LONG)[:-40], CHUNKED, "breaks off within a chunk"),
        (chunked(LONG, 5000)[:-300], CHUNKED, "breaks off within a chunk"),
        (chunked(LONG)[: -len(b"0\r\nTrailer: x\r\n\r\n")], CHUNKED, "breaks off between chunks"),
        (gzip.compress(LONG)[:-9], coded(b"gzip"), "gzip"),
        (zstd(LONG)[:-9], coded(b"zstd"), "zstd"),
        (brotli(LONG)[:-5], coded(b"br"), "br"),
        (zlib.compress(LONG)[:-5], coded(b"deflate"), "deflate"),
        (b"\x1f\x9d\x90\x01\x02\x03" * 9, coded(b"compress"), "compress"),
    ],
    ids=itertools.count(),
)
def test_a_body_that_breaks_off_or_is_packed_in_an_unknown_way_says_so(tmp_path, body, more, detail):
    raw = first(tmp_path, body, more)
    assert raw.reason is IngestReason.UNREADABLE
    assert detail in raw.detail
    assert "record 1" in raw.detail


@pytest.mark.parametrize(
    ("name", "pack"), [(b"gzip", gzip.compress), (b"deflate", zlib.compress), (b"br", brotli), (b"zstd", zstd)]
)
def test_no_coding_unpacks_without_bounds(tmp_path, name, pack):
    assert first(tmp_path, pack(b"x" * 20_000_000), coded(name)).reason is IngestReason.TOO_LARGE


def test_a_text_that_begins_with_a_number_is_no_chunk(tmp_path):
    body = b"2026\nThe clerk renews a loan."
    assert first(tmp_path, body, CHUNKED, kind=b"text/plain").text == body.decode()


@pytest.mark.parametrize("kind", [b"text/html; charset=Shift_JIS", b'text/html;Charset="windows-31j"; x=y'])
def test_a_charset_of_the_server_decides(tmp_path, kind):
    assert first(tmp_path, "<p>①予約</p>".encode("cp932"), kind=kind).text == "<p>①予約</p>"


def test_a_charset_of_the_crawler_decides_where_there_was_no_server(tmp_path):
    (tmp_path / "a.warc").write_bytes(record(b"resource", b"http://a/1", b"\xe9", claimed=b"text/plain; charset=cp437"))
    (found,) = list_objects(str(tmp_path / "a.warc"))
    assert [raw.text for raw in read(found, 1000)] == ["Θ"]


def test_a_record_that_was_cut_off_or_cannot_be_parsed_is_not_passed_over(tmp_path):
    cut = response(b"http://a/1", PAGE).replace(b"WARC-Date", b"WARC-Truncated: length\r\nWARC-Date")
    assert reasons(tmp_path, cut) == [("http://a/1", IngestReason.UNREADABLE)]
    nonsense = record(b"response", b"http://a/2", b"no header at all")
    assert reasons(tmp_path, nonsense) == [("http://a/2", IngestReason.UNREADABLE)]


def test_a_header_with_bare_line_feeds_is_read(tmp_path):
    old = record(b"response", b"http://a/1", b"HTTP/1.0 200 OK\nContent-Type: text/html\n\n" + PAGE)
    assert reasons(tmp_path, old) == [("http://a/1", None)]
