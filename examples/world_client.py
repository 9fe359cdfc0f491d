"""An agent's client in a served world: takes the steps of an executed conversation over MCP, and compares the results.

gem export --out data
.venv/bin/python examples/world_client.py data
"""

import asyncio
import json
import sys
from pathlib import Path

from mcp import Client, StdioServerParameters

CONTROLS = {"turn": "gem_turn", "deed": "gem_deed"}


async def main(folder: Path) -> None:
    """Serves the world of the first executed conversation in an export, and acts in it."""
    rows = map(json.loads, (folder / "trajectories.jsonl").open(encoding="utf-8"))
    row = next((each for each in rows if each["metadata"]["verified"] == "executed"), None)
    if row is None:
        sys.exit(f"{folder} has no executed conversation: export one that GEM made with GEM_WORLDS=on")
    about = row["metadata"]
    told = [json.loads(message["content"]) for message in row["messages"] if message["role"] == "tool"]
    world = str(folder / "worlds" / f"{about['world']}.json")
    scene = ["--task", str(about["task"]), "--variant", about["variant"], "--seed", str(about["seed"])]
    serve = ["-c", "from gem_tasks.cli.main import main; main()", "world", "serve", world, *scene]
    async with Client(StdioServerParameters(command=sys.executable, args=serve)) as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        sys.stdout.write(f"World {about['world']} is served over MCP, with the tools {', '.join(tools)}\n")
        results: list[object] = []
        for step in about["steps"]:
            if step["kind"] == "call":
                results.append((await client.call_tool(step["name"], step["arguments"])).structured_content)
            else:
                await client.call_tool(CONTROLS[step["kind"]], {"name": step["name"]} if "name" in step else {})
    same = sum(one == other for one, other in zip(results, told, strict=True))
    sys.stdout.write(f"{len(results)} calls of conversation {about['trajectory_id']}: {same} results equal\n")


asyncio.run(main(Path(sys.argv[1])))
