"""Who may connect to a served world, and what a client is offered."""

import pytest
from mcp import Client

from gem_tasks.environments.mcp_server import server
from gem_tasks.environments.room import FullError, Rooms, Setting
from gem_tasks.environments.serving import Access
from gem_tasks.errors import UserError
from gem_tasks.worlds.built import Built
from gem_tasks.worlds.reading import Shelved
from gem_tasks.worlds.world import Tool
from tests.executed import LENDING, REPLAYABLE, RETURNED

WORLD = Shelved(built=Built(world=LENDING), scenarios=REPLAYABLE.scenarios)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "box.example"])
def test_an_address_that_others_reach_needs_a_token(host):
    with pytest.raises(UserError, match="GEM_WORLD_TOKEN"):
        Access(host, 1)
    assert Access(host, 1, "token").token == "token"


@pytest.mark.parametrize(
    ("access", "hosts"),
    [
        (Access("127.0.0.1", 7), {"127.0.0.1:7", "localhost:7", "[::1]:7"}),
        (Access("::1", 7), {"127.0.0.1:7", "localhost:7", "[::1]:7"}),
        (Access("0.0.0.0", 7, "t", ("box.example", "b:8")), {"0.0.0.0:7", "box.example:7", "b:8"}),
        (Access("::", 7, "t", ("[fd00::1]",)), {"[::]:7", "[fd00::1]:7"}),
    ],
)
def test_only_names_of_the_server_are_allowed_as_host_and_origin(access, hosts):
    assert set(access.security.allowed_hosts) == hosts
    assert set(access.security.allowed_origins) == {f"http://{host}" for host in hosts}
    assert access.security.enable_dns_rebinding_protection


async def offered(setting, **options):
    async with Client(server(setting, lambda _: None, **options)) as client:
        return {tool.name: tool for tool in (await client.list_tools()).tools}


async def test_controls_are_offered_as_far_as_they_act():
    assert set(await offered(Setting(WORLD))) == {"show_book", "lend_book", "gem_reset"}
    found = await offered(Setting(WORLD, RETURNED))
    assert set(found) == {"show_book", "lend_book", "gem_reset", "gem_turn", "gem_deed"}
    assert found["gem_deed"].input_schema["properties"]["name"]["enum"] == ["call"]
    assert set(await offered(Setting(WORLD, RETURNED), controls=False)) == {"show_book", "lend_book"}


async def test_a_tool_of_the_world_comes_before_a_control_of_its_name():
    own = Tool(name="gem_reset", parameters={"properties": {"x": {}}}, description="Its own.")
    world = Shelved(built=Built(world=LENDING.model_copy(update={"tools": (own,)})))
    found = await offered(Setting(world))
    assert (found["gem_reset"].description, found["gem_reset"].input_schema["type"]) == ("Its own.", "object")


def test_rooms_are_given_away_only_after_a_while():
    rooms = Rooms(Setting(WORLD), most=1, idle_s=60)
    first = rooms.of("a")
    assert rooms.of("a") is first
    with pytest.raises(FullError):
        rooms.of("b")
    first.used -= 61
    assert rooms.of("b") is not first
    rooms.close()
