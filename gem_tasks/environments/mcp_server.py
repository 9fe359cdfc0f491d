"""A world as an MCP server, through the official package: its tools with their schemas, results from the runtime.

There are also controls, for the program that lets an agent loose: `gem_reset`, and with a scenario `gem_turn` (the
next message of the user begins) and `gem_deed` (the user does something outside the tools).
"""

import json
import logging
from collections.abc import Callable
from typing import Any

from mcp import types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp.types.version import HANDSHAKE_PROTOCOL_VERSIONS

from gem_tasks.domain.base import Json
from gem_tasks.environments.room import FullError, Room, Setting
from gem_tasks.visible import visible
from gem_tasks.worlds.process import RefusedWorldError
from gem_tasks.worlds.steps import Answer, Call, Deed, Turn

Context = ServerRequestContext[Any, Any]
RoomOf = Callable[[Context], Room]
_log = logging.getLogger(__name__)

CONTROLS = {
    "gem_reset": "Begins again with the world's first state. For the program that runs the agent.",
    "gem_turn": "The next message of the user begins: time passes, and what the scenario plans for it happens.",
    "gem_deed": "The user does something outside the tools.",
}
_INSTRUCTIONS = "The tools act on a simulated system. Nothing outside it changes."


_NOTHING: Json = {"type": "object", "properties": {}}


def server(setting: Setting, room_of: RoomOf, *, controls: bool = True, sessions: bool = False) -> Server[Any]:
    """The server of a world.

    Args:
        setting: the world, its scenario, and what the client is told.
        room_of: the room of the client that sent a request.
        controls: whether to offer `CONTROLS`.
        sessions: whether clients are told apart by the transport's session. The protocol's versions from 2026-07-28 on
            have none over HTTP, so the server offers earlier ones only.
    """
    listed = types.ListToolsResult(tools=[*_tools(setting), *(_controls(setting) if controls else ())])

    async def list_tools(_: Context, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return listed

    async def call_tool(context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        if sessions and context.protocol_version not in HANDSHAKE_PROTOCOL_VERSIONS:
            raise MCPError(types.INVALID_REQUEST, f"Send `initialize` with {HANDSHAKE_PROTOCOL_VERSIONS[-1]} first")
        arguments = params.arguments or {}
        try:
            room = room_of(context)
            if controls and params.name in CONTROLS:
                return _result(await _control(room, params.name, arguments))
            (answer,) = await room.take([Call(name=params.name, arguments=arguments)])
        except FullError:
            raise MCPError(types.INTERNAL_ERROR, "Too many clients use this world") from None
        except RefusedWorldError as error:
            raise MCPError(
                types.INTERNAL_ERROR, f"The world does not load: {': '.join(map(str, error.args))}"
            ) from None
        _report(answer)
        return _result(answer.result or {})

    found = Server(
        "gem-world",
        version=setting.world.world_id,
        instructions=setting.instructions or _INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
    if sessions:
        _offer_sessions_only(found)
    return found


def _offer_sessions_only(found: Server[Any]) -> None:
    async def discover(_: Context, __: types.RequestParams | None) -> types.DiscoverResult:
        return types.DiscoverResult(
            supported_versions=list(HANDSHAKE_PROTOCOL_VERSIONS), capabilities=found.get_capabilities()
        )

    found.add_request_handler("server/discover", types.RequestParams, discover)


def _tools(setting: Setting) -> list[types.Tool]:
    return [
        types.Tool(
            name=tool.name,
            description=setting.world.described(tool.name) or None,
            input_schema={"type": "object", **tool.parameters},
            annotations=types.ToolAnnotations(read_only_hint=tool.reads, open_world_hint=False),
        )
        for tool in setting.world.world.tools
    ]


def _controls(setting: Setting) -> list[types.Tool]:
    taken = {tool.name for tool in setting.world.world.tools}
    deeds = (
        [name for name, event in setting.scenario.events.items() if event.trigger is None] if setting.scenario else []
    )
    schemas: Json = {
        "gem_reset": {"type": "object", "properties": {}},
        **({"gem_turn": {"type": "object", "properties": {}}} if setting.scenario else {}),
        **({"gem_deed": _deed_schema(deeds)} if deeds else {}),
    }
    return [
        types.Tool(name=name, description=CONTROLS[name], input_schema=schema)
        for name, schema in schemas.items()
        if name not in taken
    ]


def _deed_schema(deeds: list[str]) -> Json:
    return {"type": "object", "properties": {"name": {"type": "string", "enum": deeds}}, "required": ["name"]}


async def _control(room: Room, name: str, arguments: Json) -> Json:
    if name == "gem_reset":
        await room.reset()
        return {"reset": True}
    try:
        await room.take([Turn() if name == "gem_turn" else Deed(name=str(arguments.get("name")))])
    except ValueError as error:
        return {"error": {"code": "UNKNOWN_DEED", "message": str(error)[:200]}}
    return {"happened": True}


def _report(answer: Answer) -> None:
    """Says on stderr what is wrong with the world itself: the client sees `INTERNAL` only."""
    for finding in answer.findings:
        _log.warning("world at fault in %s: %s: %s", finding.where, finding.reason, visible(finding.detail))


def _result(found: Json) -> types.CallToolResult:
    text = types.TextContent(type="text", text=json.dumps(found, ensure_ascii=False))
    return types.CallToolResult(content=[text], structured_content=found, is_error=found.get("error") is not None)
