"""Servers that answer nonsense, too much, or nothing."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from gem_tasks.live_apis import http_api
from gem_tasks.live_apis.http_api import HttpApi
from gem_tasks.live_apis.operation import Credential, Operation

READ = Operation(name="read", method="GET", path="/read", parameters={"type": "object"})
LOCK = threading.Event()
"""Ends the slow answers."""


@contextmanager
def answering(status, kind, data, drip=False):
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(data)
            while drip and not LOCK.wait(0.02):
                self.wfile.write(b" ")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        LOCK.set()
        server.shutdown()
        server.server_close()
        LOCK.clear()


@pytest.mark.parametrize(
    ("status", "kind", "data", "reason"),
    [
        (500, "text/html", b"<h1>Oops</h1>", "http_500"),
        (200, "text/html; charset=utf-8", b"<h1>Sign in</h1>", "not_an_api"),
        (200, "application/json", b"[" * 5_000, ""),
        (200, "application/json", b"", ""),
        (429, "application/json", b"{}", "http_429"),
        (200, "application/json", b"x" * 1_100_000, "answer_too_large"),
    ],
)
async def test_each_odd_answer_is_a_reason(status, kind, data, reason):
    with answering(status, kind, data) as url:
        async with HttpApi(url, None, 30) as api:
            assert (await api.call(READ, {})).reason == reason


async def test_an_answer_that_drips_ends_at_the_limit():
    with answering(200, "application/json", b"{", drip=True) as url:
        async with HttpApi(url, None, 0.1) as api:
            assert (await api.call(READ, {})).reason == "timeout"


async def test_an_api_that_does_not_answer_is_not_asked_on_and_on(monkeypatch):
    async with HttpApi("http://127.0.0.1:1", None, 5) as api:
        reasons = [(await api.call(READ, {})).reason for _ in range(http_api._MAX_SILENT + 1)]
    assert reasons == ["connection"] * http_api._MAX_SILENT + ["gave_up"]


async def test_a_server_that_repeats_the_key_does_not_bring_it_into_the_report():
    with answering(403, "text/plain", b"bad key: s3cr3t-key") as url:
        async with HttpApi(url, "s3cr3t-key", 30) as api:
            reply = await api.call(READ.model_copy(update={"credential": Credential(kind="query", name="k")}), {})
    assert (reply.reason, reply.detail) == ("http_403", "bad key: …")


@pytest.mark.parametrize("change", [{"unsupported": "its body is text/xml"}, {"headers": {"Shop": None}}])
async def test_what_cannot_be_sent_is_not_sent(change):
    async with HttpApi("http://127.0.0.1:1", None, 5) as api:
        assert (await api.call(READ.model_copy(update=change), {})).reason == "unsupported"
