"""Parts of web sources that need no network: addresses, versions, directives, patience."""

import io
import socket
from datetime import UTC, datetime

import pytest

from gem_tasks.addresses import ForbiddenAddressError, resolved_public
from gem_tasks.corpus.sources.listing import admit, kind_of
from gem_tasks.corpus.sources.web.address import WebSource, normal, parse
from gem_tasks.corpus.sources.web.kinds import charset, page_type
from gem_tasks.corpus.sources.web.pace import Pace, TiredError
from gem_tasks.corpus.sources.web.signals import signals_of
from gem_tasks.corpus.sources.web.sitemaps import NotSitemapError, SitemapError, _forget, etree, read_sitemap
from gem_tasks.corpus.sources.web.state import State, recorded, validator
from gem_tasks.errors import UserError


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://h", WebSource("site", "https://h/")),
        ("HTTPS://H:443/3/", WebSource("site", "https://h/3/", ("/3/",))),
        ("sitemap+https://h/s.xml#hosts=Other.org", WebSource("sitemap", "https://h/s.xml", hosts=("other.org",))),
        ("https://h/x#include=/a/*&exclude=*b", WebSource("site", "https://h/x", ("/a/*",), ("*b",))),
        ("urls+http://h:8000/l?a=b", WebSource("urls", "http://h:8000/l?a=b")),
        ("urls+file:///d/l.txt", WebSource("urls", "file:///d/l.txt")),
    ],
)
def test_addresses_of_web_sources(address, expected):
    assert (kind_of(address), parse(address)) == ("web", expected)


@pytest.mark.parametrize(
    "address",
    [
        "https://", "https:///x", "https://user:secret@h/", "urls+ftp://h/", "sitemap+/x", "https://h/#x=1", "https://h/#include=",
        "https://h:99999/", "https://[::1/", "https://a b/", "sitemap+file:///x.xml", "ftp://h/",
    ],
)  # fmt: skip
def test_what_is_no_web_source_is_one_line(address):
    with pytest.raises(UserError) as error:
        admit(address, ["https://h"])
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("HTTP://Ex.COM:80/a/./b/../c?x=1#y", "http://ex.com/a/c?x=1"),
        ("https://ex.com/grün ß", "https://ex.com/gr%C3%BCn%20%C3%9F"),
        ("https://ex.com/a%20b", "https://ex.com/a%20b"),
        ("https://exämple.de.", "https://xn--exmple-cua.de/"),
        ("https://ex.com/../../x/..", "https://ex.com/"),
        ("http://[::1]:8/x", "http://[::1]:8/x"),
        ("javascript:x", None),
        ("https://ex.com\\@evil/", None),
        ("https://a@ex.com/", None),
        ("mailto:a@b", None),
        ("//", None),
    ],
)
def test_a_url_has_one_form(url, expected):
    assert normal(url) == expected
    assert normal("../n?q", "https://h/a/b/c") == "https://h/a/n?q"


@pytest.mark.parametrize(
    ("source", "inside"),
    [
        ("https://docs.example.com/guide/", True),
        ("sitemap+https://docs.example.com/sitemap.xml#hosts=evil.com", True),
        ("https://docs.example.com", True),
        ("https://DOCS.example.com/x", True),
        ("https://docs.example.com.evil.com/", False),
        ("http://docs.example.com/", False),
        ("urls+file:///etc/passwd", False),
        ("urls+file:///data/list.txt", True),
        ("urls+file:///data/../etc/passwd", False),
        ("https://docs.example.com:8443/", False),
    ],
)
def test_a_web_source_lies_below_a_root(source, inside):
    roots = ["/data", "https://docs.example.com"]
    if inside:
        assert admit(source, roots) == "web"
    else:
        with pytest.raises(UserError, match="outside"):
            admit(source, roots)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "192.168.0.1", "100.64.0.1", "0.0.0.0", "::1", "fd00::1", "::ffff:10.0.0.1",
                "64:ff9b::a00:1", "2002:a00:1::", "169.254.169.254", "fe80::1"],
)  # fmt: skip
def test_private_addresses_are_not_public_whatever_name_leads_there(monkeypatch, address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    answers = [(family, socket.SOCK_STREAM, 6, "", (each, 80)) for each in ("1.1.1.1", address)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers)
    with pytest.raises(ForbiddenAddressError):
        resolved_public("rebound.example", 80)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers[:1])
    assert resolved_public("rebound.example", 80) == answers[:1]


def seconds(*parts):
    return int(datetime(*parts, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("lastmod", "read_at", "current"),
    [
        ("2026-01-02T03:04:05Z", seconds(2026, 1, 2, 3, 5), True),
        ("2026-01-02T03:04:05+00:00", seconds(2026, 1, 2, 3, 4), False),
        ("2026-01-02", seconds(2026, 1, 2, 23), False),
        ("2026-01-02", seconds(2026, 1, 3, 13), True),
        ("2026-01", seconds(2026, 6, 1), False),
        ("yesterday", seconds(2026, 6, 1), False),
        ("", seconds(2026, 6, 1), False),
        ("9999-12-31", seconds(2026, 6, 1), False),
    ],
)
def test_a_sitemap_s_date_counts_only_if_the_page_was_read_after_it(lastmod, read_at, current):
    state = State("d", lastmod=lastmod, read_at=read_at)
    assert state.current(lastmod) is current
    assert state.current("2020-01-01") is False
    assert recorded(state.text) == state


@pytest.mark.parametrize("text", ["", "1712-33", "note x", "[1,2,3,4,5,6,7]", "{}", "null"])
def test_another_version_is_no_state(text):
    assert recorded(text) is None


def test_odd_validators_are_not_kept():
    assert [validator(each) for each in ('W/"a"', None, "x" * 301, "a\nb", "ü")] == ['W/"a"', "", "", "", ""]


@pytest.mark.parametrize(
    ("header", "head", "against"),
    [
        ("", '<META NAME="ROBOTS" CONTENT="nofollow, NOINDEX">', "noindex"),
        ("", "<meta name=gem-corpus content=none>", "none"),
        ("", "<meta name=googlebot content=noindex>", ""),
        ("", "<meta name='tdm-reservation' content='1'>", "tdm-reservation"),
        ("", "<!-- <meta name=robots content=noindex>", ""),
        ("", "</head><meta name=robots content=noindex>", ""),
        ("googlebot: nofollow, noindex, otherbot: none", "", ""),
        ("unavailable_after: 25 Jun 2010 15:00:00 PST, noindex", "", "noindex"),
        ("gem-corpus: noindex", "", "noindex"),
        ("max-snippet:-1", "", ""),
    ],
)
def test_directives_of_pages(header, head, against):
    body = io.BytesIO(f"<html><head>{head}<title>x</title>".encode())
    assert signals_of({"X-Robots-Tag": header}, body, is_html=True).against == against
    assert body.tell() == 0


@pytest.mark.parametrize("piece", ["<!--", "<meta ", "<link rel=canonical href='", "<meta name=" + "x" * 9, "=" * 9])
def test_heads_that_never_end_take_linear_time(piece):
    signals_of({}, io.BytesIO((piece * (300_000 // len(piece))).encode()), is_html=True)


@pytest.mark.parametrize(
    ("content_type", "url", "expected"),
    [
        ("text/html; charset=x", "https://h/", "text/html"),
        ("application/xhtml+xml", "https://h/", "text/html"),
        ("text/plain", "https://h/a.md", "text/markdown"),
        ("text/plain", "https://h/a.html", "text/plain"),
        ("application/octet-stream", "https://h/a.md?x", "text/markdown"),
        ("", "https://h/a.jsonl", None),
        ("", "https://h/a", None),
        ("application/zip", "https://h/a.zip", None),
        ("image/png", "https://h/a.html", None),
    ],
)
def test_formats_of_pages(content_type, url, expected):
    assert page_type(content_type, url) == expected
    assert charset("text/html; Charset = 'koi8-r'") == "koi8-r"


def test_patience_ends_and_an_answer_renews_it():
    clock = [0.0]
    pace = Pace(1.0, sleep=lambda wait: clock.__setitem__(0, clock[0] + wait), now=lambda: clock[0])
    for _ in range(3):
        pace.turn()
    assert clock == [2.0]
    pace.busy(1, "90", "the site answers 429")
    pace.turn()
    assert clock == [92.0]
    pace.answered()
    pace.busy(1, None, "the site answers 503")
    pace.busy(1, "Thu, 01 Jan 1970 00:00:00 GMT", "the site answers 503")
    pace.silent(100, "silence")
    with pytest.raises(TiredError, match="the site answers 429, and GEM waits for a site up to 120 s"):
        pace.busy(1, "99999999999", "the site answers 429")
    with pytest.raises(TiredError):
        pace.turn()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("<urlset>" + "<a/>" * 30_000 + "</urlset>", SitemapError),
        ("<urlset><url><loc>https://h/</loc>" + "<a/>" * 30_000 + "</url></urlset>", SitemapError),
        ("<rss>" + "<a/>" * 30_000 + "</rss>", NotSitemapError),
        ("<?style x?><url><loc>https://h/</loc></url>", NotSitemapError),
    ],
)
def test_a_sitemap_of_countless_elements_or_of_one_entry_is_no_sitemap(text, error):
    """A kilobyte of gzip may be a gigabyte of elements."""
    with pytest.raises(error):
        list(read_sitemap(io.BytesIO(text.encode())))


def test_entries_of_a_sitemap_are_forgotten_with_what_surrounds_them():
    root = etree.fromstring("<urlset><w><url/></w><w/><w><x/><url><loc>a</loc></url></w></urlset>")
    _forget(root[2][1])
    assert etree.tostring(root) == b"<urlset><w><url/></w></urlset>"
