"""A web site as a source: what is requested, what is read, what is refused and why, and what a failure leaves alone."""

import gzip
import time

import pytest

from gem_tasks.corpus.sources.listing import list_objects, require_objects
from gem_tasks.corpus.sources.web import pace
from gem_tasks.corpus.sources.web import site as site_module
from gem_tasks.domain.corpus import Source
from gem_tasks.domain.s3_access import S3Access
from gem_tasks.domain.web_access import WebAccess
from gem_tasks.errors import UserError
from gem_tasks.lineage.sources import Refused
from gem_tasks.pipeline.ingest.source import documents_of, ingest
from tests.integration.documents import FIRST, SECOND, THIRD, states, text
from tests.integration.web_site import dripping, endless, serving


@pytest.fixture
def site():
    with serving() as found:
        yield found


@pytest.fixture
def no_waiting(monkeypatch):
    """Lets time pass without waiting; the waits so far."""
    waits = []
    passed = lambda: time.monotonic() + sum(waits)  # noqa: E731
    monkeypatch.setattr(pace.Pace.__init__, "__defaults__", (waits.append, passed))
    return waits


class Visits:
    """Repeated listings that remember, as lineage does."""

    def __init__(self, site, source="", **access):
        self.site, self.source, self.access = site, source or f"{site.url}/", site.access(**access)
        self.known = {}

    def __call__(self):
        """`{path: text, or (reason, detail)}` of pages that were read, and the paths that were listed."""
        read, listed = {}, []
        for found in list_objects(self.source, web=self.access, known=lambda keys: self._known(keys)):
            path = found.uri.removeprefix(self.site.url)
            listed.append(path)
            if found.etag and self.known.get(found.uri) == found.etag:
                continue
            (raw,) = documents_of(found, 10**6, 10**6)
            read[path] = (str(raw.reason), raw.detail) if raw.reason else raw.text
            self.known[found.uri] = found.etag
        return read, listed

    def _known(self, keys):
        return {key: self.known[key] for key in keys if key in self.known}


def test_a_second_visit_transfers_no_body(site):
    for name in "abc":
        site.html(f"/{name}", name * 50)
    site.pages["/robots.txt"] = (200, {"Content-Type": "text/plain"}, "Sitemap: /sitemap.xml")
    site.sitemap("/c", "/a", "/b", "/a#part")
    visit = Visits(site)
    read, listed = visit()
    assert (sorted(read), listed, site.bodies, site.asked()) == (["/a", "/b", "/c"],) * 2 + (3, ["/a", "/b", "/c"])
    assert visit() == ({}, ["/a", "/b", "/c"])
    assert (site.bodies, site.asked()) == (3, ["/a", "/b", "/c"])
    site.html("/b", "new" * 50)
    read, _ = visit()
    assert (list(read), site.bodies) == (["/b"], 4)
    assert site.agent == "gem-corpus"


def test_a_page_without_validators_is_read_again_only_if_its_body_differs(site):
    site.etags = False
    site.html("/a", "one")
    site.sitemap("/a")
    visit = Visits(site)
    visit()
    assert visit() == ({}, ["/a"])
    site.html("/a", "two")
    assert "two" in visit()[0]["/a"]


def test_a_page_whose_sitemap_says_unchanged_is_not_requested(site):
    site.etags = False
    site.html("/a", "one")
    site.sitemap("/a", a="<lastmod>2020-01-02T03:04:05Z</lastmod>")
    visit = Visits(site)
    visit()
    site.asked()
    assert visit() == ({}, ["/a"])
    assert site.asked() == []
    site.sitemap("/a", a="<lastmod>2020-01-03</lastmod>")
    visit()
    assert site.asked() == ["/a"]


REFUSED = {
    "/noindex": ((200, {}, '<head><meta content="NoIndex, follow" name="robots"></head>'), "disallowed", "noindex"),
    "/commented": ((200, {}, "<head><!-- <meta name=robots content=noindex> --></head>fine"), None, ""),
    "/noai": ((200, {"X-Robots-Tag": "noai"}, "x"), "disallowed", "noai"),
    "/other-bot": ((200, {"X-Robots-Tag": "otherbot: noindex"}, "fine"), None, ""),
    "/tdm": ((200, {"TDM-Reservation": "1"}, "x"), "disallowed", "tdm-reservation"),
    "/secret/a": ((200, {}, "x"), "disallowed", "robots.txt does not allow"),
    "/to-secret": ((302, {"Location": "/secret/a"}, ""), "disallowed", "robots.txt does not allow"),
    "/picture": ((200, {"Content-Type": "image/png"}, "x" * 3000), "unsupported", "GEM does not read image/png"),
    "/archive.zip": ((200, {"Content-Type": "application/zip"}, "x"), "unsupported", "application/zip"),
    "/away": ((301, {"Location": "http://192.0.2.1/"}, ""), "moved", "it redirects to http://192.0.2.1/"),
    "/login": ((302, {"Location": "http://192.0.2.1/"}, ""), "unreadable", "it redirects to http://192.0.2.1/"),
    "/round": ((302, {"Location": "/round"}, ""), "unreadable", "more than 5 times"),
    "/old": ((301, {"Location": "/text"}, ""), "moved", "/text"),
    "/canonical": ((200, {}, "<head><link rel='canonical' href='/text'></head>"), "moved", "/text"),
    "/start": ((200, {}, "<head><link rel=canonical href=/></head>fine"), None, ""),
    "/unlisted": ((200, {}, "<head><link rel=canonical href=/nowhere></head>fine"), None, ""),
    "/large": ((200, {}, "x" * 3000), "too_large", "more than 2000 bytes"),
    "/endless": ((200, {}, endless), "too_large", "more than 2000 bytes"),
    "/dripping": ((200, {}, dripping), "unreadable", "no complete answer within 0.2 s"),
    "/missing": ((404, {}, ""), "unreadable", "the site answers 404"),
    "/forbidden": ((403, {}, ""), "unreadable", "the site answers 403"),
    "/zipped": ((200, {"Content-Encoding": "gzip"}, b"no gzip"), None, ""),
    "/text": ((200, {"Content-Type": "text/plain"}, "# fine"), None, ""),
    "/": ((200, {}, "fine"), None, ""),
}


def test_what_is_not_read_has_a_reason(site, no_waiting):
    site.pages |= {path: answer for path, (answer, *_) in REFUSED.items()}
    site.pages["/robots.txt"] = "User-agent: gem-corpus\nDisallow: /secret/\n\nUser-agent: *\nDisallow: /"
    site.sitemap(*REFUSED)
    read, listed = Visits(site, most_bytes=2000, timeout_s=0.2)()
    assert listed == sorted(REFUSED)
    for path, (_, reason, detail) in REFUSED.items():
        if reason:
            assert (read[path][0], detail in read[path][1]) == (reason, True), (path, read[path])
        else:
            assert "fine" in read[path] or path == "/zipped", (path, read[path])
    assert "/secret/a" not in site.requests


def test_a_failure_for_the_moment_changes_nothing_and_a_page_that_is_gone_is_left_out(site, no_waiting):
    for name in "abcdef":
        site.html(f"/{name}", name * 50)
    site.sitemap(*(f"/{name}" for name in "abcdef"))
    visit = Visits(site)
    visit()
    site.pages |= {
        "/a": (500, {}, ""), "/b": (403, {}, ""), "/c": (404, {}, ""), "/d": (410, {}, ""),
        "/e": (302, {"Location": "http://192.0.2.1/login"}, ""),
        "/f": [(429, {"Retry-After": "7"}, ""), (503, {}, ""), (200, {}, "late")],
    }  # fmt: skip
    read, listed = visit()
    assert (read, listed) == ({"/f": "late"}, ["/a", "/b", "/e", "/f"])
    assert max(no_waiting) > 6


def test_a_site_that_stays_overloaded_is_left_alone_and_others_are_read(site, no_waiting):
    with serving() as other:
        for name in "abcd":
            site.pages[f"/{name}"] = (429, {"Retry-After": "100"}, "")
            other.html(f"/{name}", name)
        site.pages["/list"] = "\n".join(f"{each.url}/{name}" for each in (site, other) for name in "abcd")
        visit = Visits(site, f"urls+{site.url}/list", roots=(site.url, other.url), per_host=1)
        read, _ = visit()
    assert sum(isinstance(each, str) for each in read.values()) == 4
    assert {each for each in read.values() if not isinstance(each, str)} == {
        ("unreadable", "the site answers 429, and GEM waits for a site up to 120 s")
    }
    assert len([path for path in site.requests if path in {"/a", "/b", "/c", "/d"}]) == 2


@pytest.mark.parametrize(("status", "allowed"), [(404, True), (403, True), (500, False), (503, False), (429, False)])
def test_a_site_without_robots_txt_is_open_and_one_that_fails_to_send_it_is_closed(site, no_waiting, status, allowed):
    site.html("/a", "one")
    site.sitemap("/a")
    visit = Visits(site)
    visit()
    site.html("/a", "two")
    site.pages["/robots.txt"] = (status, {"Retry-After": "0"}, "")
    if allowed:
        assert "two" in visit()[0]["/a"]
    else:
        with pytest.raises(UserError, match=rf"robots\.txt .*{status}"):
            visit()


def test_the_delay_of_robots_txt_is_kept(site, no_waiting):
    for name in "abc":
        site.html(f"/{name}", name)
    site.sitemap("/a", "/b", "/c")
    site.pages["/robots.txt"] = "User-agent: *\nCrawl-delay: 9"
    Visits(site, per_host=1)()
    assert [round(wait) for wait in no_waiting if wait > 1] == [9, 9, 9]
    site.pages["/robots.txt"] = "User-agent: *\nCrawl-delay: 999"
    with pytest.raises(UserError, match="asks for 999 s between requests"):
        Visits(site)()


def test_sitemaps_nest_are_packed_and_may_be_odd(site):
    for path in ("/a", "/b", "/c", "/guide/d"):
        site.html(path, path)
    site.index("/sitemap-1.xml.gz", "/sitemap-2.txt", "/sitemap-missing.xml")
    site.sitemap("/a", "/b", "http://192.0.2.1/z", "ftp://x/y", at="/sitemap-1.xml")
    site.pages["/sitemap-1.xml.gz"] = gzip.compress(site.pages["/sitemap-1.xml"].encode())
    site.pages["/sitemap-2.txt"] = f"{site.url}/c\n# no\n\n{site.url}/guide/d\n"
    read, _ = Visits(site, f"sitemap+{site.url}/sitemap.xml")()
    notes = {path: detail for path, (reason, detail) in ((p, r) for p, r in read.items() if isinstance(r, tuple))}
    assert sorted(set(read) - set(notes)) == ["/a", "/b", "/c", "/guide/d"]
    assert "192.0.2.1" in notes["/sitemap-1.xml.gz"]
    assert "(and 1 more)" in notes["/sitemap-1.xml.gz"]
    assert "404" in notes["/sitemap.xml" if "/sitemap.xml" in notes else "/sitemap-missing.xml"]
    assert next(iter(Visits(site, f"sitemap+{site.url}/sitemap.xml#include=/guide/")()[0])) == "/guide/d"
    read, _ = Visits(site, f"sitemap+{site.url}/sitemap.xml#exclude=*d&exclude=/a")()
    assert sorted(set(read) - set(notes)) == ["/b", "/c"]


@pytest.mark.parametrize("etags", [True, False])
def test_a_header_forbids_and_permits_a_page_that_has_not_changed(site, etags):
    site.etags = etags
    site.html("/a", "text")
    site.sitemap("/a")
    visit, html = Visits(site), site.pages["/a"]
    assert "text" in visit()[0]["/a"]
    site.pages["/a"] = (200, {"X-Robots-Tag": "noai"}, html)
    assert visit()[0]["/a"][0] == "disallowed"
    assert visit()[0] == {}
    site.pages["/a"] = html
    assert "text" in visit()[0]["/a"]
    assert visit()[0] == {}


def test_one_stale_or_foreign_sitemap_of_a_site_stops_nothing(site):
    site.html("/a", "a")
    site.pages["/feed.xml"] = "<rss><channel><item><link>x</link></item></channel></rss>"
    site.sitemap("/a")
    site.pages["/robots.txt"] = "".join(f"Sitemap: {path}\n" for path in ("/old.xml", "/feed.xml", "/sitemap.xml"))
    read, _ = Visits(site)()
    assert "404" in read["/old.xml"][1]
    assert set(read) == {"/a", "/old.xml", "/feed.xml"}
    site.pages["/robots.txt"] = "Sitemap: /feed.xml"
    with pytest.raises(UserError, match="/ lists no pages"):
        require_objects(f"{site.url}/", S3Access(), site.access())
    site.pages["/feed.xml"] = "<html><p>no such page"
    with pytest.raises(UserError, match=r"/feed\.xml cannot be read \(it is not XML"):
        require_objects(f"{site.url}/", S3Access(), site.access())


def test_a_connection_is_used_again_after_an_unchanged_page(site):
    for name in "abcdef":
        site.html(f"/{name}", name)
    site.sitemap(*(f"/{name}" for name in "abcdef"))
    visit = Visits(site, per_host=1)
    visit()
    site.connections = 0
    visit()
    assert site.connections == 1


DAMAGED = {
    "broken": "<urlset><url><loc>{url}/a</loc></url><url><loc>{url}/b",
    "entities": '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b SYSTEM "file:///etc/passwd">]>'
    "<urlset><url><loc>{url}/a</loc></url><url><loc>&b;</loc></url></urlset><",
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_sitemap_takes_nothing_along(site, kind):
    for path in ("/a", "/b", "/c"):
        site.html(path, path)
    site.sitemap("/a", "/b", at="/sitemap-1.xml")
    site.sitemap("/c", at="/sitemap-2.xml")
    site.index("/sitemap-1.xml", "/sitemap-2.xml")
    visit = Visits(site)
    assert len(visit()[0]) == 3
    site.html("/c", "new")
    site.pages["/sitemap-1.xml"] = DAMAGED[kind].replace("{url}", site.url)
    seen = []
    with pytest.raises(UserError, match=r"sitemap-1\.xml cannot be read to its end .*not XML"):
        for found in list_objects(visit.source, web=visit.access, known=visit._known):
            seen.append(found.uri.removeprefix(site.url))
    assert seen == ["/a", "/c"]


@pytest.mark.parametrize("source", ["{url}/", "sitemap+{url}/sitemap.xml", "urls+{url}/list"])
def test_an_address_inside_is_reached_only_if_a_root_names_it(site, source):
    site.html("/a", "a")
    site.sitemap("/a")
    site.pages["/list"] = f"{site.url}/a"
    source = source.format(url=site.url)
    with pytest.raises(UserError, match=r"is at a private address.* name http://127\.0\.0\.1:.* in GEM_SOURCE_ROOTS"):
        require_objects(source, S3Access(), WebAccess())
    assert site.requests == []
    require_objects(source, S3Access(), site.access())


def test_a_redirect_or_a_list_does_not_lead_inside(site, no_waiting):
    with serving() as inside:
        inside.html("/a", "secret")
        site.pages["/jump"] = (302, {"Location": f"{inside.url}/a"}, "")
        site.pages["/list"] = f"{site.url}/jump\n{inside.url}/a\nhttp://169.254.169.254/latest\nhttp://[::1]:1/\n"
        read, _ = Visits(site, f"urls+{site.url}/list")()
        assert inside.requests == []
    assert {reason for reason, _ in read.values()} == {"unreadable"}
    assert "credentials" in read["http://169.254.169.254/latest"][1]


def test_a_list_does_not_request_what_is_outside_the_roots(site):
    for path in ("/guide/a", "/admin/delete", "/guide-2"):
        site.html(path, path)
    site.pages["/guide/list"] = "".join(f"{site.url}{path}\n" for path in ("/guide/a", "/admin/delete", "/guide-2"))
    read, _ = Visits(site, f"urls+{site.url}/guide/list", roots=(f"{site.url}/guide",))()
    assert "/guide/a" in read["/guide/a"]
    outside = ("unreadable", "GEM_SOURCE_ROOTS permits only other parts of its site")
    assert (read["/admin/delete"], read["/guide-2"]) == (outside, outside)
    assert site.asked() == ["/guide/a", "/guide/list"]


def test_a_source_s_pages_change_move_and_vanish_in_lineage(site, workspace, no_waiting):
    for name in "abcd":
        site.html(f"/{name}", text(f"w{name}"))
    site.sitemap("/a", "/b", "/c", "/d")
    work = workspace(source_roots=site.url, web_delay_s=0)
    source = f"{site.url}/"
    assert ingest(work, source, FIRST).documents == 4
    site.asked()
    report = ingest(work, source, SECOND)
    assert (report.objects, report.unchanged, site.bodies, site.asked()) == (4, 4, 4, ["/a", "/b", "/c", "/d"])
    site.html("/a", text("new"))
    site.html("/b", text("wb"), head='<meta name="robots" content="noindex">')
    site.pages |= {"/c": (410, {}, ""), "/d": (503, {"Retry-After": "0"}, "")}
    report = ingest(work, source, THIRD)
    assert (report.superseded, report.gone) == (2, 1)
    assert states(work) == {"a": ["old", "live"], "b": ["old", "disallowed"], "c": ["gone"], "d": ["live"]}
    with work.ledger() as ledger:
        assert ledger.sources.reasons(source) == {"read": 2, "disallowed": 1}
        assert ledger.sources.refusals(source) == [
            Refused(uri=f"{site.url}/b", reason="disallowed", detail="the page says noindex")
        ]


def test_a_limited_source_requests_no_more_pages_than_it_reads(site, workspace):
    for name in "abcdef":
        site.html(f"/{name}", text(f"w{name}"))
    site.sitemap(*(f"/{name}" for name in "abcdef"))
    work = workspace(source_roots=site.url, web_delay_s=0)
    source = Source(uri=f"{site.url}/", limit=2)
    report = ingest(work, source, FIRST)
    assert (report.documents, report.stopped_at, site.asked()) == (2, 2, ["/a", "/b"])
    report = ingest(work, source, SECOND)
    assert (report.unchanged, report.gone, site.asked(), site.bodies) == (2, 0, ["/a", "/b"], 2)


def test_pages_are_fetched_a_window_at_a_time(site, monkeypatch):
    monkeypatch.setattr(site_module, "WINDOW", 2)
    paths = [f"/{number}" for number in range(6)]
    for path in paths:
        site.html(path, path)
    site.sitemap(*paths)
    listing = list_objects(f"{site.url}/", web=site.access())
    next(listing)
    assert site.asked() == ["/0", "/1"]
    listing.close()
    assert [each.uri for each in list_objects(f"{site.url}/", f"{site.url}/3", web=site.access())] == [
        f"{site.url}/4", f"{site.url}/5"
    ]  # fmt: skip
