"""Serves a world over stdio, or over HTTP to clients that may connect.

On this machine's own address, Host and Origin must name it, so that no web page reaches it by another name for that
address (DNS rebinding). On any other address, a client needs a token too.
"""

import secrets
from dataclasses import dataclass, field
from ipaddress import ip_address

import uvicorn
from mcp.server.stdio import stdio_server
from mcp.server.transport_security import TransportSecuritySettings
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from gem_tasks.environments.mcp_server import Context, server
from gem_tasks.environments.room import Room, Rooms, Setting
from gem_tasks.errors import UserError

PATH = "/mcp"
_SESSION = b"mcp-session-id"
_IDLE_S = 1800.0
_BODY = 1 << 20


async def serve_stdio(setting: Setting, *, controls: bool = True) -> None:
    """Serves one client until it closes stdin."""
    room = Room(setting)
    try:
        found = server(setting, lambda _: room, controls=controls)
        async with stdio_server() as (reading, writing):
            await found.run(reading, writing, found.create_initialization_options())
    finally:
        room.close()


@dataclass(frozen=True)
class Access:
    """Who may connect."""

    host: str
    port: int
    token: str | None = None
    names: tuple[str, ...] = ()
    """`HOST` or `HOST:PORT` under which clients know the server, beside its own address."""
    hosts: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Raises:
        UserError: others than this machine could connect without a token.
        """
        if not _local(self.host) and not self.token:
            raise UserError(
                f"{self.host} can be reached from other machines, and there is no token",
                "Set GEM_WORLD_TOKEN; clients send it as `Authorization: Bearer TOKEN`.",
            )
        own = ("127.0.0.1", "localhost", "[::1]") if _local(self.host) else (_bracketed(self.host),)
        names = [name if _has_port(name) else f"{name}:{self.port}" for name in self.names]
        object.__setattr__(self, "hosts", frozenset([*(f"{name}:{self.port}" for name in own), *names]))

    @property
    def url(self) -> str:
        """Where a client connects."""
        return f"http://{_bracketed(self.host)}:{self.port}{PATH}"

    @property
    def security(self) -> TransportSecuritySettings:
        """For the package's transport."""
        hosts = sorted(self.hosts)
        return TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=[f"http://{host}" for host in hosts])


def app(setting: Setting, access: Access, *, most: int, controls: bool = True) -> ASGIApp:
    """The ASGI application."""
    rooms = Rooms(setting, most, _IDLE_S)

    def room_of(context: Context) -> Room:
        return rooms.of(context.request.headers[_SESSION.decode()] if context.request else "")

    found = server(setting, room_of, controls=controls, sessions=True)
    inner = found.streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        max_request_body_size=_BODY,
        session_idle_timeout=_IDLE_S,
        max_sessions=most,
        transport_security=access.security,
    )
    return _Door(inner, access, rooms)


class _Door:
    """Checks the token, and ends the room of a client that leaves."""

    def __init__(self, inner: ASGIApp, access: Access, rooms: Rooms) -> None:
        self._inner, self._token, self._rooms = inner, access.token, rooms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            try:
                await self._inner(scope, receive, send)
            finally:
                self._rooms.close()
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if self._token and not self._admits(headers.get(b"authorization", b"")):
            await PlainTextResponse("A token is needed", 401, {"WWW-Authenticate": "Bearer"})(scope, receive, send)
            return
        await self._inner(scope, receive, send)
        if scope["type"] == "http" and scope["method"] == "DELETE":
            self._rooms.leave(headers.get(_SESSION, b"").decode("latin-1"))

    def _admits(self, given: bytes) -> bool:
        scheme, _, token = given.partition(b" ")
        return scheme.lower() == b"bearer" and secrets.compare_digest(token, (self._token or "").encode())


def serve_http(setting: Setting, access: Access, *, most: int, controls: bool = True) -> None:
    """Serves clients until the process is interrupted."""
    uvicorn.run(
        app(setting, access, most=most, controls=controls),
        host=access.host,
        port=access.port,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=2,
    )


def _local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _has_port(name: str) -> bool:
    return name.rpartition(":")[2].isdigit() and not name.endswith("]")
