"""The tools of each rollout's world, from one server for all rollouts."""

import asyncio
from collections import defaultdict
from pathlib import Path
from typing import Any

import verifiers.v1 as vf
from mcp.server.mcpserver import Context, MCPServer
from mcp.types import CallToolResult, TextContent, Tool

from gem_worlds.gem.environments.kit.play import Row, Worlds, called, shown

DATA = Path(__file__).parent.parent / "data"


class WorldsState(vf.State):
    """What happened in a rollout: its answers follow from the steps."""

    row: Row | None = None
    rollout: str = ""
    steps: list[dict[str, Any]] = []


class WorldsToolset(vf.Toolset[vf.SharedToolsetConfig, WorldsState]):
    """The tools have the names and schemas of the task, without a prefix."""

    TOOL_PREFIX = None

    async def setup(self) -> None:
        self._worlds = Worlds(DATA)
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def register(self, mcp: MCPServer) -> None:
        # Each rollout has its own tools, so none is registered: the server's handlers call these methods.
        mcp.list_tools = self._with_state(self.list_tools)
        mcp.call_tool = self._in_turn

    async def list_tools(self) -> list[Tool]:
        specs = [tool["function"] for tool in self.state.row.tools] if self.state.row else []
        return [
            Tool(
                name=spec["name"],
                description=spec.get("description") or None,
                input_schema={"type": "object", **spec["parameters"]},
            )
            for spec in specs
        ]

    async def _in_turn(self, name: str, arguments: dict[str, Any], context: Context | None = None) -> CallToolResult:
        """One call of a rollout at a time: each reads all steps and adds its own."""
        _, _, route = self._state_channel()
        async with self._locks[route or ""]:
            return await self._with_state(self.call)(name, arguments)

    async def call(self, name: str, arguments: dict[str, Any]) -> CallToolResult:
        self.state.steps = [*self.state.steps, called(name, arguments)]
        result = await self._worlds.result(self.state.row, self.state.steps)
        return CallToolResult(
            content=[TextContent(type="text", text=shown(result))], is_error=result.get("error") is not None
        )


if __name__ == "__main__":
    WorldsToolset.run()
