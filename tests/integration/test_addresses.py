"""Names that lead elsewhere between check and connection (DNS rebinding), and redirects that would take a key along."""

import asyncio
import http.server
import socket
import threading

import httpx2
import pytest

from gem_tasks import addresses, http_clients
from gem_tasks.addresses import ForbiddenAddressError, forbidden, resolved
from gem_tasks.errors import EndpointError, UserError
from gem_tasks.llm.client import OpenAIClient
from gem_tasks.llm.http.transport import transport_to

INFO = (socket.AF_INET, socket.SOCK_STREAM, 6, "")


@pytest.fixture
def server():
    """Answers with where it was asked; `/v1/models` redirects to `/stolen`."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers.get("Authorization"), self.headers.get("Host")))
            away = self.path.startswith("/v1/models")
            self.send_response(302 if away else 200)
            self.send_header("Location" if away else "X-Here", "/stolen")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_POST = do_GET

        def log_message(self, *_):
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield running.server_port, asked
    running.shutdown()
    running.server_close()


def rebinding(monkeypatch, *answers):
    """`getaddrinfo` for one name answers differently each time."""
    real, left = socket.getaddrinfo, list(answers)

    def find(host, port, *arguments, **options):
        if host != "rebind.example":
            return real(host, port, *arguments, **options)
        address = left.pop(0) if len(left) > 1 else left[0]
        return [(*INFO, (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", find)


def test_a_client_connects_to_the_very_address_that_was_checked(monkeypatch, server):
    port, asked = server
    rebinding(monkeypatch, "127.0.0.1", "169.254.169.254")
    with http_clients.client(timeout=5) as client:
        assert client.get(f"http://rebind.example:{port}/a").status_code == 200
    assert [each[0::2] for each in asked] == [("/a", f"rebind.example:{port}")]


def test_a_name_that_leads_to_credentials_later_is_refused_then(monkeypatch, server):
    port, asked = server
    rebinding(monkeypatch, "169.254.169.254")
    with http_clients.client(timeout=5) as client, pytest.raises(httpx2.ConnectError, match="provide credentials"):
        client.get(f"http://rebind.example:{port}/a")

    async def ask():
        async with http_clients.async_client(timeout=5) as client:
            await client.get(f"http://rebind.example:{port}/a")

    with pytest.raises(httpx2.ConnectError, match="provide credentials"):
        asyncio.run(ask())
    assert asked == []


def test_the_hot_path_refuses_it_too(monkeypatch):
    rebinding(monkeypatch, "169.254.169.254")

    async def ask():
        async with transport_to("http://rebind.example:80/v1", "key") as transport:
            await transport.post("/chat/completions", b"{}")

    with pytest.raises(EndpointError, match="provide credentials"):
        asyncio.run(ask())


def test_one_address_of_several_makes_all_of_them_forbidden():
    with pytest.raises(ForbiddenAddressError):
        addresses.checked("h", [(*INFO, ("8.8.8.8", 1)), (*INFO, ("169.254.1.1", 1))])
    assert forbidden("fe80::1%eth0")
    assert resolved("127.0.0.1", 5)[0][4] == ("127.0.0.1", 5)


def test_the_sdk_follows_no_redirect_with_the_key(server):
    port, asked = server

    async def ask():
        client = OpenAIClient(f"http://127.0.0.1:{port}/v1", "secret-key", concurrency=1, timeout_s=5, max_attempts=1)
        async with client:
            await client.models()

    with pytest.raises(EndpointError):
        asyncio.run(ask())
    assert [path for path, *_ in asked] == ["/v1/models"]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://me:PW-0123456789@127.0.0.1:1/v1", "user name or a password"),
        ("http://[::1", "is not the address"),
        ("http://h:99999/v1", "is not the address"),
        ("ftp://h/v1", "is not the address"),
        ("http:///v1", "is not the address"),
        ("postgresql://gem:PW-0123456789@h/x", "is not the address"),
    ],
)
def test_an_address_that_cannot_be_asked_is_said_in_one_line(url, why):
    with pytest.raises(UserError, match=why) as said:
        transport_to(url, "key")
    assert "PW-" not in str(said.value)
