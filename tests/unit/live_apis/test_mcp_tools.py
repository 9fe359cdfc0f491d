"""Tools that an MCP server lists are read under the same limits as a description in a file."""

from types import SimpleNamespace

import pytest
from mcp.types import ListToolsResult, Tool

from gem_tasks.live_apis import mcp_server
from gem_tasks.live_apis.fit import Fit
from gem_tasks.live_apis.mcp_server import McpApi, _list
from gem_tasks.live_apis.operation import Operation


def client(*schemas):
    tools = [Tool(name=f"t{number}", inputSchema=schema) for number, schema in enumerate(schemas)]

    async def list_tools(cursor):
        return ListToolsResult(tools=tools, nextCursor=None)

    return SimpleNamespace(list_tools=list_tools)


NODE = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}, "value": {"type": "integer"}}}
CYCLE = {"type": "object", "properties": {"head": {"$ref": "#/$defs/Node"}}, "$defs": {"Node": NODE}}
DOUBLING = {
    "type": "object",
    "properties": {"x": {"$ref": "#/$defs/D0"}},
    "$defs": {f"D{n}": {"allOf": [{"$ref": f"#/$defs/D{n + 1}"}] * 2} for n in range(30)} | {"D30": {}},
}


async def test_references_of_a_schema_are_followed_and_what_has_no_end_or_leads_elsewhere_is_left_out():
    elsewhere = {"type": "object", "properties": {"x": {"$ref": "https://evil.example/schema"}}}
    pattern = {"type": "object", "properties": {"x": {"type": "string", "pattern": "("}}}
    found = await _list(client(CYCLE, DOUBLING, elsewhere, pattern))
    assert [each.name for each in found.operations] == ["t0"]
    assert found.unusable.keys() == {"t1", "t2", "t3"}
    assert "too many references" in found.unusable["t1"]
    assert "which is not fetched" in found.unusable["t2"]
    fit = Fit(found.operations[0])
    assert not list(fit.faults({"head": {"value": 1, "next": {"value": 2}}}))
    assert [fault.path for fault in fit.faults({"head": {"next": {"value": "x"}}})] == ["$.head.next.value"]


async def test_the_tools_are_known_by_their_hash():
    one, same, other = [(await _list(client(*each))).sha256 for each in ((CYCLE,), (CYCLE,), (CYCLE, CYCLE))]
    assert one == same != other


async def test_a_list_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(mcp_server, "MAX_BYTES", 1_000)
    with pytest.raises(ValueError, match="larger than 1000 bytes"):
        await _list(client(CYCLE, {"type": "object", "description": "x" * 1_000}))


@pytest.mark.parametrize(
    ("text", "structured", "reason"),
    [
        ("x" * 50, {"rows": "x" * 20}, ""),
        ("x" * 101, None, "answer_too_large"),
        ("é" * 51, None, "answer_too_large"),
        ("", {"rows": ["x"] * 50}, "answer_too_large"),
        ("x" * 60, {"rows": "x" * 60}, "answer_too_large"),
        ("\ud800", {"rows": "\ud800"}, ""),
    ],
)
async def test_an_answer_is_as_large_as_its_text_and_its_data_in_bytes(text, structured, reason, monkeypatch):
    async def call_tool(name, arguments):
        part = SimpleNamespace(text=text)
        return SimpleNamespace(content=[part], is_error=False, structured_content=structured)

    monkeypatch.setattr(mcp_server, "MAX_ANSWER_BYTES", 100)
    server = McpApi("python", 1)
    server._client = SimpleNamespace(call_tool=call_tool)
    reply = await server.call(Operation(name="t", parameters={}), {})
    assert (reply.ok, reply.reason) == (not reason, reason)
