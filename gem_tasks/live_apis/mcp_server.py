"""An MCP server, by URL (streamable HTTP) or as a command (stdio), through the official client.

The SDK follows redirects only within the server's origin; a command gets the SDK's minimal environment, without GEM's
settings.
"""

import json
import shlex
from contextlib import AsyncExitStack
from hashlib import sha256
from typing import NamedTuple

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client import Transport
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp.types import Tool

from gem_tasks import http_clients
from gem_tasks.checks.reading.case import NotJson, parsed
from gem_tasks.checks.reading.validator import Validator
from gem_tasks.connection_faults import reason
from gem_tasks.domain.base import Json
from gem_tasks.errors import UserError
from gem_tasks.live_apis.hosts import is_url, parts_of
from gem_tasks.live_apis.http_api import MAX_ANSWER_BYTES
from gem_tasks.live_apis.openapi import MAX_BYTES
from gem_tasks.live_apis.operation import Api, Operation, Reply, Slot, properties_of
from gem_tasks.live_apis.references import References, RefError
from gem_tasks.proxies import proxy_for
from gem_tasks.redaction import beginning

_PAGES = 50
_TIMEOUT_S = 30.0
_STREAM_S = 300.0
"""A server may keep a silent stream open; both limits are the SDK's defaults."""


class Listed(NamedTuple):
    """What a server lists."""

    operations: tuple[Operation, ...]
    unusable: dict[str, str]
    sha256: str


class McpApi:
    """One server. An async context manager: entering it connects and lists the tools."""

    def __init__(self, address: str, timeout_s: float) -> None:
        self._address, self._timeout_s = address, timeout_s
        self._stack = AsyncExitStack()
        self._client: Client | None = None
        self._listed = Listed((), {}, "")
        self._title = title_of(address)

    @property
    def api(self) -> Api:
        """The tools that the server lists. Its own name is in the title: many commands are `python`."""
        return Api(title=self._title, **self._listed._asdict())

    async def __aenter__(self) -> "McpApi":
        """Connects.

        Raises:
            UserError: it cannot be started or does not answer.
        """
        try:
            # The client limits each request itself; another scope around it would exit in the wrong order.
            client = Client(await self._server(), read_timeout_seconds=self._timeout_s)
            self._client = await self._stack.enter_async_context(client)
            self._listed = await _list(self._client)
            if about := self._client.server_info:
                self._title = f"{about.name} ({self._title})"
        except (OSError, TimeoutError, MCPError, ValueError, ExceptionGroup) as error:
            await self._stack.aclose()
            first = _innermost(error)
            raise UserError(
                f"The MCP server {title_of(self._address)!r} does not answer: {beginning(reason(first), 200)}",
                "Give the URL or the command of an MCP server.",
            ) from None
        return self

    async def __aexit__(self, *_: object) -> None:
        """Ends the session, and the command if it was one."""
        await self._stack.aclose()

    async def _server(self) -> Transport | StdioServerParameters:
        if is_url(self._address):
            proxy_for(self._address)  # checked here, because the SDK would report a connection fault
            timeout = httpx2.Timeout(_TIMEOUT_S, read=_STREAM_S)
            http = await self._stack.enter_async_context(http_clients.async_client(timeout=timeout))
            return streamable_http_client(self._address, http_client=http)
        command, *arguments = _words(self._address)
        return StdioServerParameters(command=command, args=arguments)

    async def call(self, operation: Operation, arguments: Json) -> Reply:
        """Calls the tool; see `Call`."""
        assert self._client  # noqa: S101 - entered
        try:
            result = await self._client.call_tool(operation.name, arguments)
        except TimeoutError:
            return Reply(ok=False, reason="timeout", detail=f"{operation.name} took too long")
        except (MCPError, OSError, RuntimeError, ValueError) as error:  # also answers that break the protocol
            return Reply(ok=False, reason="mcp_error", detail=beginning(str(error), 200))
        text = " ".join(getattr(part, "text", "") for part in result.content)
        if result.is_error:
            return Reply(ok=False, reason="tool_error", detail=beginning(text, 200))
        structured = result.structured_content
        data = "" if structured is None else json.dumps(structured, ensure_ascii=False)
        if (size := len((text + data).encode(errors="surrogatepass"))) > MAX_ANSWER_BYTES:
            return Reply(ok=False, reason="answer_too_large", detail=f"{size} bytes")
        body = parsed(text) if structured is None else structured
        return Reply(ok=True, body=None if isinstance(body, NotJson) else body)


def title_of(address: str) -> str:
    """The URL without its query and login, or the command without its arguments: both may hold a secret."""
    if is_url(address):
        parts = parts_of(address)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    return _words(address)[0]


def _words(command: str) -> list[str]:
    """The words of a command; at least one.

    Raises:
        UserError: there is none, or a quote is not closed.
    """
    try:
        if found := shlex.split(command):
            return found
        why = "it is empty"
    except ValueError as error:
        why = str(error)
    raise UserError(f"--mcp is no command: {why}", "Give the URL or the command of an MCP server.")


async def _list(client: Client) -> Listed:
    """Lists the tools, under the same limits as a description in a file.

    Raises:
        ValueError: the list is too large.
    """
    found: list[Operation] = []
    unusable: dict[str, str] = {}
    digest, size, cursor = sha256(), 0, None
    for _ in range(_PAGES):
        page = await client.list_tools(cursor=cursor)
        for tool in page.tools:
            text = tool.model_dump_json().encode()
            digest.update(text)
            if (size := size + len(text)) > MAX_BYTES:
                raise ValueError(f"its list of tools is larger than {MAX_BYTES} bytes")
            try:
                found.append(_operation(tool))
            except (RefError, TypeError, AttributeError, RecursionError, ValueError) as error:
                unusable[tool.name] = f"{type(error).__name__}: {beginning(str(error), 200)}"
        if not (cursor := page.next_cursor):
            break
    return Listed(tuple(found), unusable, digest.hexdigest())


def _operation(tool: Tool) -> Operation:
    """A tool as an operation; its schema may refer to parts of itself only, and may not take too long to check.

    Raises:
        RefError, TypeError, AttributeError: it does.
        ValueError: it is not a schema.
    """
    references, hints = References(tool.input_schema), tool.annotations
    schema = references.schema(tool.input_schema)
    definitions = references.definitions(schema)
    schema["properties"] = {name: references.shallow(part) for name, part in properties_of(schema).items()}
    parameters = {**schema, **({"$defs": definitions} if definitions else {})}
    if fault := Validator(parameters).fault:
        raise ValueError(f"its schema is invalid: {fault}")
    return Operation(
        name=tool.name,
        description=tool.description or "",
        parameters=parameters,
        slots={name: Slot(place="argument", name=name) for name in schema["properties"]},
        reads_only=hints is not None and hints.read_only_hint is True,
    )


def _innermost(error: BaseException) -> BaseException:
    if isinstance(error, BaseExceptionGroup):
        return _innermost(error.exceptions[0])  # pyright: ignore[reportUnknownMemberType,reportUnknownArgumentType]
    return error
