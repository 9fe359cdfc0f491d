"""Pages of a crawl are read as they were fetched, and nothing else of it."""

import gzip

import pytest

from gem_tasks.corpus.readers import read
from gem_tasks.corpus.sources import list_objects
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
