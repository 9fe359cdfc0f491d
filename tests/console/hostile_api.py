"""A test against a live API whose description tries to become markup."""

import asyncio

from gem_tasks.live_apis.kept import keep
from gem_tasks.live_apis.operation import Api, Operation
from gem_tasks.live_apis.run import ground
from gem_tasks.live_apis.sample import Sampled
from tests.factories import call, make_tool, make_trajectory, result, say

PAYLOAD = "<img src=x onerror=window.pwned=1>"
TEXT = {"type": "string"}
API = Api(
    title=f"Shop {PAYLOAD}",
    sha256="ab" * 32,
    operations=(
        Operation(
            name="create_order",
            parameters={
                "type": "object",
                "properties": {"item": TEXT, "currency": TEXT | {"description": PAYLOAD}},
                "required": ["item", "currency"],
            },
        ),
    ),
)


def kept(work):
    """Saves the report and returns its id."""
    tools = (make_tool("create_order", item=TEXT), make_tool("water_plants", half=TEXT))
    steps = (say("user", "?"), call(1, "create_order", item="\ud800"), result(1), say("assistant", "."))
    row = Sampled("t", make_trajectory(*steps, tools=tools), "s1", f"file:///{PAYLOAD}.md")
    keep(work.store, asyncio.run(ground([row], API)))
    return f"{API.sha256[:16]}-dry-run"
