"""Relays a confined program's requests to permitted endpoints: only chat completions and the list of models.

The program sends plain HTTP with a token to an address of its own machine; the relay replaces the token by the key and
the address by the endpoint's. So it neither learns a key nor reaches another host, path or method; GEM handles proxies
and TLS.
The relay listens on a Unix socket if the program has a separate network, otherwise on the loopback interface.
"""

import json
import secrets
import socket
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from hmac import compare_digest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2

from gem_tasks import http_clients
from gem_tasks.confine.job import Answer, Upstream
from gem_tasks.redaction import know
from gem_tasks.replies import MAX_BODY_BYTES, Growing, TooLargeError, body_of

_ALLOWED = {("POST", "chat/completions"), ("GET", "models")}
_SENT = ("content-type", "accept", "x-bfcl-test-id")
_RETURNED = ("content-type", "retry-after", "retry-after-ms", "x-should-retry")
_IDLE_S = 900


class Relay:
    """One relay serves all upstreams of a job."""

    def __init__(self, upstreams: Mapping[str, Upstream]) -> None:
        self.upstreams = dict(upstreams)
        self.token = secrets.token_urlsafe(24)
        know("the sandbox's token", self.token)
        self.client = http_clients.client(follow_redirects=False)

    def path(self, name: str) -> str:
        """The base URL of an upstream for an OpenAI client."""
        return f"/{name}/v1"

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes, growing: Growing) -> Answer:
        """Status, headers and body of the upstream's answer, or of a refusal.

        Args:
            method: method of the request.
            path: path of the request.
            headers: headers of the request, by name in lower case.
            body: body of the request.
            growing: counts the answer until it has been passed on.
        """
        if not compare_digest(headers.get("authorization", "").encode(), f"Bearer {self.token}".encode()):
            return _refusal(401, "the sandbox's token is missing")
        name, _, rest = path.removeprefix("/").partition("/v1/")
        upstream = self.upstreams.get(name)
        if upstream is None or (method, rest) not in _ALLOWED:
            return _refusal(403, f"a sandbox may not {method} {path[:200]}")
        key = upstream.key.get_secret_value() if upstream.key else "EMPTY"
        sent = {each: headers[each] for each in _SENT if each in headers}
        sent |= {"authorization": f"Bearer {key}", "accept-encoding": "identity"}

        def send(body: bytes) -> Answer:
            return self._send(upstream, method, rest, sent, body, growing)

        return upstream.carry(body, send) if upstream.carry and method == "POST" else send(body)

    def _send(
        self, upstream: Upstream, method: str, rest: str, sent: Mapping[str, str], body: bytes, growing: Growing
    ) -> Answer:
        try:
            url = f"{upstream.base_url.rstrip('/')}/{rest}"
            with self.client.stream(
                method, url, headers=sent, content=body or None, timeout=upstream.timeout_s
            ) as reply:
                found = body_of(reply.iter_raw(), reply.headers.get("content-encoding", ""), growing)
                kept = {name: reply.headers[name] for name in _RETURNED if name in reply.headers}
                return reply.status_code, kept, found
        except ValueError as error:
            return _refusal(502, str(error))
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            return _refusal(502, f"the endpoint did not answer ({type(error).__name__})")


def _refusal(status: int, why: str) -> Answer:
    body = {"error": {"message": why, "type": "sandbox", "code": status}}
    return status, {"content-type": "application/json"}, json.dumps(body).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    relay: Relay

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignores programs that close the connection."""


class _UnixServer(_Server):
    address_family = socket.AF_UNIX

    def server_bind(self) -> None:
        """Binds to a path; the base class would look up a host name."""
        self.socket.bind(self.server_address)
        Path(str(self.server_address)).chmod(0o666)  # the folder around it is private


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]
    timeout = _IDLE_S

    def log_message(self, format: str, *args: Any) -> None:
        """Logs nothing: requests of a sandboxed program do not belong in GEM's log."""

    def do_GET(self) -> None:
        """Forwards a request for the list of models."""
        self._carry(0)

    def do_POST(self) -> None:
        """Forwards a completion request."""
        size = self.headers.get("content-length", "")
        if not size.isascii() or not size.isdigit() or len(size) > 12 or int(size) > MAX_BODY_BYTES:
            self.close_connection = True
            self._answer(*_refusal(413, "a request needs a Content-Length of up to 64 MB"))
            return
        self._carry(int(size))

    def _carry(self, size: int) -> None:
        """Forwards a request and its answer; both count towards the memory limit while they are held."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        with Growing() as request, Growing() as answer:
            try:
                request.add(size)
            except TooLargeError as error:
                self.close_connection = True
                self._answer(*_refusal(503, str(error)))
                return
            body = self.rfile.read(size)
            self._answer(*self.server.relay.ask(self.command, self.path, headers, body, answer))

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def listening(relay: Relay, path: Path | None) -> Generator[int]:
    """Serves until the block ends, on a Unix socket, or on a port of the loopback interface; yields the port."""
    server = _UnixServer(str(path), _Handler) if path else _Server(("127.0.0.1", 0), _Handler)  # pyright: ignore[reportArgumentType]
    server.relay = relay
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield 0 if path else int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        relay.client.close()
