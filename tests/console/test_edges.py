"""What a request may hold: bodies, origins, any parameter with anything in it. 4xx for what does not fit, never 500.

`GEM_FUZZ=10000` makes the random requests as many; the seed is fixed.
"""

import base64
import json
import os
import random
from urllib.parse import quote

import pytest
from fastapi.routing import APIRoute

from tests.console import serving

REQUESTS = int(os.environ.get("GEM_FUZZ", "400"))
RETRY = {"which": {"stage": "generate"}, "dry_run": True}
ODD = (
    "", " ", "0", "-1", "²", "٣", "1e9", "9" * 8, "9" * 9, "9" * 30, "2147483648", "9223372036854775808", "NaN", "null",
    "\x00", "a\x00b", "\ud800", "\U0001f600", "%", "%00", "%zz", "'", "\"; DROP TABLE x; --", "{{7*7}}", "../../etc",
    "..%2f..", "a" * 5000, "\x1b]0;x\x07", "\u202e", "true", "[]", "{}", "\\", "*", "| : &", "2026-11-01T10:00", "~",
)  # fmt: skip


def cursor(value):
    return base64.urlsafe_b64encode(value.encode("utf-8", "surrogatepass")).decode()


CURSORS = [
    cursor(text)
    for text in (
        "[" * 20_000, "[]", "{}", "null", "[1,2]", '["x","y"]', '["0001-01-01T00:00:00+14:00","a"]',
        '["9999-12-31T23:59:59-14:00","a"]', '["2026-11-01T10:00:00","a\\u0000"]', '["2026-11-01T10:00:00","\\ud800"]',
        '["2026-11-01T10:00:00+00:00",["a"]]', '["2026-11-01", null]', "\ud800",
    )
] + ["=", "é", "a" * 40_000]  # fmt: skip


@pytest.fixture(scope="module")
def routes(app):
    from gem_console.app import create_app

    return [route for route in create_app().routes if isinstance(route, APIRoute)]


@pytest.fixture
def admin(app):
    from fastapi.testclient import TestClient

    base = f"http://testserver{serving.PREFIX}/gem/"
    headers = {"Authorization": f"Bearer {serving.token('admin')}"}
    return TestClient(app, base_url=base, headers=headers, raise_server_exceptions=False, follow_redirects=False)


def value(rng):
    kind = rng.randrange(6)
    if kind == 0:
        return rng.choice(CURSORS)
    if kind == 1:
        return "".join(
            chr(rng.choice((rng.randrange(128), rng.randrange(0xD7FF)))) for _ in range(rng.randrange(1, 30))
        )
    if kind == 2:
        return str(rng.randrange(-(2**70), 2**70))
    return rng.choice(ODD)


def data(rng, depth=0):
    kind = rng.randrange(8 if depth < 3 else 5)
    if kind < 3:
        return value(rng)
    if kind < 5:
        return rng.choice((None, True, 0, -1, 2**63, 1.5, 1e300, "2026-11-01T10:00:00Z", "0001-01-01", "9999-12-31"))
    names = ("which", "stage", "error_class", "partition", "dry_run", "first", "last", "max_active_runs", "x")
    if kind < 7:
        return {rng.choice(names): data(rng, depth + 1) for _ in range(rng.randrange(5))}
    return [data(rng, depth + 1) for _ in range(rng.randrange(3))]


def one(rng, route):
    names = [part.strip("{}") for part in route.path.split("/") if part.startswith("{")]
    parts = {name: quote(value(rng).encode("utf-8", "replace"), safe="")[:9000] or "x" for name in names}
    fields = [
        *route.dependant.query_params,
        *(field for each in route.dependant.dependencies for field in each.query_params),
    ]
    # Of several that do not fit the first would hide the others.
    asked = {
        field.alias: value(rng)[:9000] for field in fields if field.field_info.is_required() or rng.random() < 0.25
    }
    query = {name: text.encode("utf-8", "replace").decode() for name, text in asked.items()}
    return route.path.lstrip("/").format(**parts), query


def test_random_requests_over_all_routes_are_answered_or_refused(routes, admin):
    rng, broken = random.Random(19), []
    for number in range(REQUESTS):
        route = routes[number % len(routes)]
        path, query = one(rng, route)
        if "POST" in route.methods:
            text = rng.choice(
                (
                    json.dumps(data(rng)),
                    json.dumps(data(rng))[:-1],
                    "[" * 8000,
                    "\ud800".encode("utf-8", "replace").decode(),
                )
            )
            answer = admin.post(
                path,
                params=query,
                content=text.encode("utf-8", "surrogatepass"),
                headers={"content-type": "application/json"},
            )
        else:
            answer = admin.get(path, params=query)
        if answer.status_code >= 500:
            broken.append(
                (answer.status_code, route.path, path[:100], {name: text[:60] for name, text in query.items()})
            )
    assert broken == []


@pytest.mark.parametrize(
    "path", ["documents", "api/documents", "api/refused", "api/failures", "datasets", "api/datasets"]
)
@pytest.mark.parametrize("place", range(len(CURSORS)))
def test_a_cursor_of_others_is_refused_or_leads_nowhere(admin, path, place):
    assert admin.get(path, params={"cursor": CURSORS[place]}).status_code in (200, 400)


@pytest.mark.parametrize("text", ["²", "٣", "3000000000", "1.5", "x"])
def test_what_is_no_number_is_refused(admin, text):
    for path, name in (("", "source"), ("api/overview", "source"), ("documents", "source"), ("trajectories", "least")):
        assert admin.get(path, params={name: text}).status_code == 422, path
    for path in ("task", "api/task"):
        assert admin.get(path, params={"run_id": "r", "task_id": "t", "map_index": text}).status_code == 422, path


def test_half_a_character_in_a_body_is_refused_in_words(admin):
    answer = admin.post("api/failures/retry", content=b'{"which": {"error_class": "\\ud800"}, "dry_run": true}',
                        headers={"content-type": "application/json"})  # fmt: skip
    assert answer.status_code == 422
    assert "error_class" in answer.json()["detail"] or "body" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z"), ("2026-01-01", "2028-01-01"),
        ("2026-11-02T10:00:00Z", "2026-11-01T10:00:00Z"), ("2024-01-01T00:00:00", "2025-06-01T00:00:00"),
    ],
)  # fmt: skip
def test_a_backfill_has_a_bounded_range(admin, calls, first, last):
    before = len(calls)
    assert admin.post("api/backfills", json={"first": first, "last": last}).status_code == 422
    assert len(calls) == before


@pytest.mark.parametrize(("role", "status"), [(None, 401), ("viewer", 403), ("admin", 413)])
@pytest.mark.parametrize("path", ["api/failures/retry", "api/backfills"])
def test_rights_come_before_bodies_and_bodies_are_short(app, role, status, path):
    """What is read of a body is counted where the server hands it over."""
    taken = 0

    async def receive():
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": b"x" * 65536, "more_body": taken < 1000}

    assert answered(app, role, path, receive) == status
    assert taken <= 1


@pytest.mark.parametrize("then", ["gone", "silent"])
def test_a_body_that_ends_early_or_never_is_no_fault_of_ours(app, monkeypatch, then):
    import anyio

    from gem_console import bodies

    monkeypatch.setattr(bodies, "_LIMIT_S", 0.05)
    messages = iter([{"type": "http.request", "body": b'{"which', "more_body": True}])

    async def receive():
        if (message := next(messages, None)) is None and then == "silent":
            await anyio.sleep_forever()
        return message or {"type": "http.disconnect"}

    assert answered(app, "admin", "api/failures/retry", receive) == 408


def answered(app, role, path, receive):
    """The status of what comes back to a POST whose body is received so."""
    import anyio

    sent = []

    async def send(message):
        sent.append(message)

    headers = [(b"content-type", b"application/json"), (b"host", b"testserver"), (b"transfer-encoding", b"chunked")]
    if role:
        headers.append((b"authorization", f"Bearer {serving.token(role)}".encode()))
    whole = f"{serving.PREFIX}/gem/{path}"
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
             "path": whole, "raw_path": whole.encode(), "query_string": b"", "root_path": "", "headers": headers,
             "client": ("127.0.0.1", 1), "server": ("testserver", 80), "state": {}}  # fmt: skip
    anyio.run(app, scope, receive, send)
    return sent[0]["status"]


def test_a_body_that_says_it_is_long_is_not_read(admin):
    answer = admin.post("api/failures/retry", content=b"x" * 20_000, headers={"content-type": "application/json"})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Basic YTpi", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Authorization": "Basic YTpi"}, 403),
        ({"Authorization": "Basic YTpi", "Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "", "Origin": ""}, 403),
        ({"Origin": "http://[evil"}, 403),
        ({}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "http://testserver"}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver", "Authorization": "Basic YTpi"}, 200),
    ],
)
def test_with_the_cookie_only_pages_of_this_origin_act_whatever_else_is_sent(client, headers, status):
    browser = client(**headers)
    browser.cookies.set("_token", serving.token("admin"))
    assert browser.post("api/failures/retry", json=RETRY).status_code == status


@pytest.mark.parametrize(("site", "status"), [(None, 200), ("same-origin", 200), ("cross-site", 403), ("none", 403)])
def test_a_token_of_ones_own_does_not_waive_what_a_browser_says(client, site, status):
    headers = {"Sec-Fetch-Site": site} if site else {}
    assert client("admin", **headers).post("api/failures/retry", json=RETRY).status_code == status


def test_pages_and_answers_show_what_would_act(app, client):
    from gem_console.rendering import _environment

    page = _environment().from_string("<p>{{ text }}</p>").render(text="a\u202eb\x9bc <b>\u200c")
    assert page == "<p>a\\u202eb\\x9bc &lt;b&gt;\u200c</p>"
    for path in ("trajectories", "api/trajectories", "documents", "failures?class=malformed", "api/failures?raw=true"):
        text = client("viewer").get(path).text
        assert not set(text) & set("\x1b\x9b\u202e\u061c\u2066"), path


def test_a_secret_that_was_stored_is_shown_nowhere(client, work):
    from gem_tasks import redaction

    with work.ledger() as ledger:
        uri = ledger.pg.execute("SELECT uri FROM documents WHERE uri ~ '^[!-~]+$' LIMIT 1").fetchone()["uri"]
    name = uri.rpartition("/")[2][:24]
    assert name in client("viewer").get("api/documents", params={"limit": 200}).text
    redaction.know("test", f"/{name}")
    try:
        assert name not in client("viewer").get("api/documents", params={"limit": 200}).text
        assert name not in client("viewer").get("documents").text
    finally:
        redaction.IN_FORCE.forget()
