"""The lean HTTP client against a server that sends exactly the bytes it is told to."""

import asyncio
import gzip
import ssl
import tracemalloc
from contextlib import asynccontextmanager

import pytest

from gem_tasks.errors import EndpointError, ErrorClass, UserError
from gem_tasks.llm.http import connection as connection_module
from gem_tasks.llm.http import transport as transport_module
from gem_tasks.llm.http.proxied import ProxiedTransport
from gem_tasks.llm.http.transport import Transport, transport_to
from tests.integration.bytes_server import CLOSE, PATH, Server, raw, reply


@asynccontextmanager
async def talking_to(*scripts, tls=None, host="127.0.0.1", key="secret-key"):
    """The server, and a transport to it."""
    server = Server(*scripts)
    listening = await asyncio.start_server(server.handle, "127.0.0.1", 0, ssl=tls)
    scheme = "https" if tls else "http"
    url = f"{scheme}://{host}:{listening.sockets[0].getsockname()[1]}/v1?api-version=1"
    try:
        async with transport_to(url, key) as transport, asyncio.timeout(20):
            yield server, transport
    finally:
        listening.close()


async def ask(*script, **options):
    """What the first reply to a script is."""
    async with talking_to(script, **options) as (_, transport):
        return await transport.post(PATH, b"{}")


async def broken(*script, **options):
    """The fault that a script ends in."""
    with pytest.raises(EndpointError) as caught:
        await ask(*script, **options)
    return caught.value


async def test_a_request_is_plain_http_and_goes_out_in_one_piece():
    async with talking_to([reply()]) as (server, transport):
        await transport.post(PATH, b'{"a":1}')
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /v1/chat/completions?api-version=1 HTTP/1.1"
    assert {"Content-Type: application/json", "Content-Length: 7", "Authorization: Bearer secret-key"} <= set(lines)
    assert [line for line in lines if line.startswith("Host: 127.0.0.1:")]
    assert body == b'{"a":1}'


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    "whole",
    [
        reply(b'{"x":"1"}', X_Ratelimit_Remaining_Requests=3),
        raw(b'4\r\n{"x"\r\n5\r\n:"1"}\r\n0\r\n\r\n', Transfer_Encoding="chunked", X_Ratelimit_Remaining_Requests=3),
        raw(b"", "100 Continue") + reply(b'{"x":"1"}', X_Ratelimit_Remaining_Requests=3),
        reply(gzip.compress(b'{"x":"1"}', mtime=0), Content_Encoding="gzip", X_Ratelimit_Remaining_Requests=3),
    ],
    ids=["length", "chunks", "interim", "gzip"],
)
async def test_a_reply_is_the_same_however_it_is_framed_and_cut(whole, size):
    parts = [whole[at : at + size] for at in range(0, len(whole), size)]
    found = await ask(*parts)
    assert (found.status, found.body) == (200, b'{"x":"1"}')
    assert found.headers["x-ratelimit-remaining-requests"] == "3"


async def test_a_reply_without_a_length_ends_with_the_connection():
    found = await ask(raw(b"all of it"), CLOSE)
    assert found.body == b"all of it"


async def test_connections_are_used_again():
    async with talking_to([reply()]) as (server, transport):
        for _ in range(5):
            await transport.post(PATH, b"{}")
        await asyncio.gather(*(transport.post(PATH, b"{}") for _ in range(3)))
        await asyncio.gather(*(transport.post(PATH, b"{}") for _ in range(3)))
    assert (len(server.requests), server.connections) == (11, 3)


@pytest.mark.parametrize(
    "script", [[reply(Connection="close")], [reply(), CLOSE], [reply() + b"HTTP/1.1 200 OK\r\n"]], ids=str
)
async def test_a_connection_that_is_over_or_out_of_step_is_not_used_again(script):
    async with talking_to(script) as (server, transport):
        for _ in range(3):
            try:
                assert (await transport.post(PATH, b"{}")).status == 200
            except EndpointError as error:  # what came behind came at once
                assert "after the reply" in error.detail
            await asyncio.sleep(0.05)
    assert server.connections == 3


async def test_a_connection_that_was_idle_for_long_is_not_trusted(monkeypatch):
    monkeypatch.setattr(transport_module, "KEEP_ALIVE_S", 0.01)
    async with talking_to([reply()]) as (server, transport):
        for _ in range(3):
            await transport.post(PATH, b"{}")
            await asyncio.sleep(0.05)
    assert server.connections == 3


@pytest.mark.parametrize(
    "script",
    [
        [CLOSE],
        [b"HTTP/1.1 200 OK\r\nContent-Le", CLOSE],
        [raw(b"half", Content_Length=8), CLOSE],
        [raw(b"5\r\nhal", Transfer_Encoding="chunked"), CLOSE],
        [raw(b"zz\r\n", Transfer_Encoding="chunked")],
        [b"SSH-2.0-OpenSSH_9.2\r\n\r\n"],
        [raw(b"", "101 Switching Protocols", Upgrade="h2c", Connection="upgrade")],
        [reply(b"{}", Content_Encoding="gzip")],
        [reply(b"{}", Content_Encoding="br")],
        [reply(gzip.compress(b"x" * 1000, mtime=0)[:-9], Content_Encoding="gzip")],
    ],
    ids=range(10),
)
async def test_anything_but_a_whole_reply_is_a_connection_fault(script):
    assert (await broken(*script)).error_class is ErrorClass.CONNECTION


@pytest.mark.parametrize("body", [b"x" * 2000, gzip.compress(b"x" * 2000, mtime=0)], ids=["plain", "packed"])
async def test_an_answer_without_bounds_is_cut_off(monkeypatch, body):
    monkeypatch.setattr(connection_module, "MAX_BODY_BYTES", 1000)
    coding = {"Content_Encoding": "gzip"} if body[:2] == b"\x1f\x8b" else {}
    assert "larger than" in (await broken(reply(body, **coding))).detail


@pytest.mark.parametrize(
    "script",
    [
        [b"HTTP/1.1 200 OK\r\n", *[b"x-%d: %b\r\n" % (number, b"v" * 1000) for number in range(100)]],
        [b"HTTP/1.1 200 OK\r\nx: ", *[b"v" * 100_000] * 10],
        [raw(b"", "100 Continue") * 1000] * 100,
        [reply(b"{}", **{f"x{number}": "" for number in range(300)})],
    ],
    ids=["many", "long", "interim", "short"],
)
async def test_headers_without_bounds_are_cut_off(script):
    assert "more than 64 KB of headers" in (await broken(*script)).detail


async def test_what_follows_a_body_in_chunks_is_no_header_and_has_bounds(monkeypatch):
    head = raw(b"2\r\n{}\r\n0\r\n", Transfer_Encoding="chunked")
    found = await ask(head + b"Content-Encoding: gzip\r\nx-ratelimit-remaining-requests: 0\r\n\r\n")
    assert (found.body, dict(found.headers)) == (b"{}", {"transfer-encoding": "chunked"})
    monkeypatch.setattr(connection_module, "MAX_BODY_BYTES", 1000)
    assert "larger than" in (await broken(head + b"x: ", *[b"v" * 100_000] * 10)).detail


async def test_many_pieces_of_a_body_take_no_more_than_the_body():
    piece = b"2\r\nxy\r\n"
    tracemalloc.start()
    try:
        found = await ask(raw(b"", Transfer_Encoding="chunked"), *[piece * 10_000] * 20, b"0\r\n\r\n")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(found.body) == 400_000
    assert peak < 4_000_000


async def test_being_cancelled_ends_the_connection_so_that_a_late_reply_reaches_nobody():
    async with talking_to([b"HTTP/1.1 200"], [reply(b"second")]) as (server, transport):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await transport.post(PATH, b"{}")
        assert (await transport.post(PATH, b"{}")).body == b"second"
    assert server.connections == 2


async def test_a_name_is_looked_up_once_and_every_address_of_it_may_answer():
    async with talking_to([reply()], host="localhost") as (server, transport):
        await asyncio.gather(*(transport.post(PATH, b"{}") for _ in range(6)))
        assert len(server.requests) == 6
        assert isinstance(transport, Transport)


async def test_an_unknown_name_is_a_connection_fault():
    async with transport_to("http://no-such-host.invalid/v1", None) as transport:
        with pytest.raises(EndpointError) as caught:
            await transport.post(PATH, b"{}")
    assert caught.value.error_class is ErrorClass.CONNECTION


async def test_tls_checks_the_certificate(certificate, monkeypatch):
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*certificate)
    error = await broken(reply(), tls=tls, host="localhost")
    assert error.error_class is ErrorClass.CONNECTION
    assert "CERTIFICATE_VERIFY_FAILED" in error.detail
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    large = b"x" * 1_000_000
    assert (await ask(reply(large), tls=tls, host="localhost")).body == large


async def test_a_proxy_from_the_environment_is_asked_for_the_whole_address(monkeypatch):
    server = Server([reply(b"by proxy")])
    listening = await asyncio.start_server(server.handle, "127.0.0.1", 0)
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with transport_to("http://llm.example/v1", "secret-key") as transport:
        assert isinstance(transport, ProxiedTransport)
        assert (await transport.post(PATH, b"{}")).body == b"by proxy"
    listening.close()
    assert server.requests[0].startswith(b"POST http://llm.example/v1/chat/completions HTTP/1.1\r\n")


@pytest.mark.parametrize("key", ["a\r\nX-Evil: 1", "ключ"])
def test_a_key_cannot_break_out_of_its_header(key):
    with pytest.raises(UserError) as caught:
        transport_to("http://127.0.0.1:1/v1", key)
    assert key not in str(caught.value)


@pytest.fixture
def certificate(tmp_path):
    """Of localhost, signed by itself."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string("CN=localhost")
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    paths = tmp_path / "cert.pem", tmp_path / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, plain)
    )
    return paths
