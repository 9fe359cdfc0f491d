"""`gem world serve` with the real client of MCP: over stdio in a subprocess, and over HTTP on a free port."""

import asyncio
import contextlib
import socket
import sys

import httpx2
import pytest
import uvicorn
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from gem_tasks.environments.room import Setting
from gem_tasks.environments.serving import Access, app
from gem_tasks.worlds.built import Built
from gem_tasks.worlds.reading import Shelved
from tests.executed import LENDING, LENT, REPLAYABLE, RETURNED, SHOWN, UNAVAILABLE

BOOK = {"id": "b-2", "member": "m-1"}
TOKEN = "a-token-of-the-test"
WORLD = Shelved(built=Built(world=LENDING), scenarios=REPLAYABLE.scenarios)


async def called(client, tool, /, **arguments):
    result = await client.call_tool(tool, arguments)
    assert result.is_error == ("error" in result.structured_content)
    return result.structured_content


async def test_a_client_over_stdio_plays_the_task_and_begins_again(tmp_path):
    file = tmp_path / "world.json"
    file.write_text(REPLAYABLE.model_dump_json())
    options = ["--task", "0", "--variant", "returned", "--seed", "5"]
    command = ["-c", "from gem_tasks.cli.main import main; main()", "world", "serve", str(file), *options]
    async with Client(StdioServerParameters(command=sys.executable, args=command)) as client:
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(listed) == {"show_book", "lend_book", "gem_reset", "gem_turn", "gem_deed"}
        assert listed["show_book"].input_schema == LENDING.tools[0].parameters
        assert await called(client, "lend_book", **BOOK) == UNAVAILABLE
        assert await called(client, "gem_deed", name="call") == {"happened": True}
        assert await called(client, "gem_turn") == {"happened": True}
        assert await called(client, "show_book", id="b-2") == SHOWN
        assert await called(client, "lend_book", **BOOK) == LENT
        await called(client, "gem_reset")
        assert await called(client, "show_book", id="b-2") == {"id": "b-2", "lent_to": "m-4"}
        assert (await called(client, "show_book"))["error"]["code"] == "INVALID_ARGUMENTS"


@pytest.fixture(scope="module")
def access():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return Access("127.0.0.1", probe.getsockname()[1], TOKEN)


@contextlib.asynccontextmanager
async def serving(access, most=2):
    setting = Setting(WORLD, RETURNED, 5)
    found = uvicorn.Server(uvicorn.Config(app(setting, access, most=most), port=access.port, log_level="critical"))
    running = asyncio.create_task(found.serve())
    while not found.started:
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        found.should_exit = True
        await running


@contextlib.asynccontextmanager
async def connected(access, **options):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx2.AsyncClient(headers=headers) as http:
        async with Client(streamable_http_client(access.url, http_client=http), **options) as client:
            yield client


async def test_clients_over_http_have_separate_worlds_and_strangers_none(access):
    async with serving(access):
        async with connected(access) as one, connected(access, mode="legacy") as two:
            assert await called(one, "lend_book", **BOOK) == UNAVAILABLE
            await called(one, "gem_turn")
            assert (await called(one, "lend_book", **BOOK))["lent_to"] == "m-1"
            assert (await called(two, "show_book", id="b-2"))["lent_to"] == "m-4"
            async with connected(access, mode="2026-07-28") as newest:
                with pytest.raises(MCPError, match="initialize"):
                    await newest.call_tool("show_book", {"id": "b-2"})
        await refusals(access)


async def refusals(access):
    """Requests that no client may make."""
    right = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json, text/event-stream"}
    asked = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    async with httpx2.AsyncClient() as http:
        for changed, status in (
            ({"Authorization": "Bearer another"}, 401),
            ({"Authorization": TOKEN}, 401),
            ({"Host": "evil.example"}, 421),
            ({"Host": f"127.0.0.1:{access.port}.evil.example"}, 421),
            ({"Origin": "https://evil.example"}, 403),
            ({"Origin": f"http://127.0.0.1:{access.port}.evil.example"}, 403),
            ({"mcp-session-id": "0" * 32}, 404),
        ):
            reply = await http.post(access.url, json=asked, headers={**right, **changed})
            assert (changed, reply.status_code) == (changed, status)
        large = await http.post(
            access.url, content=b"[" * (2 << 20), headers={**right, "Content-Type": "application/json"}
        )
        assert large.status_code == 413
