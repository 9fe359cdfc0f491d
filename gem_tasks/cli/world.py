"""`gem world`: looks at worlds, and serves them to agents."""

import asyncio
import json
import os
import socket
from typing import Annotated, Any, cast

import typer
from rich.markup import escape
from rich.table import Table

from gem_tasks.cli.terminal import Terminal, echo, echo_json
from gem_tasks.domain.base import Json
from gem_tasks.environments import library
from gem_tasks.errors import UserError
from gem_tasks.redaction import know
from gem_tasks.settings import load
from gem_tasks.visible import visible
from gem_tasks.worlds.reading import Shelved
from gem_tasks.worlds.scenario import Scenario

_ID = typer.Argument(metavar="ID|FILE", help="A world's id, its first characters, or its JSON file.")
_COLUMNS = ("world", "tools", "tasks", "text")
group = typer.Typer(
    help="Looks at worlds, the small systems made from texts, and serves them to agents.",
    no_args_is_help=True,
    add_completion=False,
)


@group.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Lists the worlds of the current recipes, and those that travel with the published datasets.

    Examples:
        gem world list
    """
    found = {each.world_id: each for each in library.stored(load())}
    if as_json:
        rows = [dict(zip(_COLUMNS, _counted(each), strict=True)) for each in found.values()]
        echo_json(json.dumps(rows, indent=1))
        return
    table = Table(*_COLUMNS)
    for each in found.values():
        table.add_row(*(escape(visible(str(cell))) for cell in _counted(each)))
    Terminal(highlight=False).print(table)


def _counted(world: Shelved) -> tuple[str, int, int, str]:
    return world.world_id, len(world.world.tools), len(world.tasks), world.segment_id


@group.command("show")
def show(
    named: Annotated[str, _ID],
    as_json: Annotated[bool, typer.Option("--json", help="Print the world as JSON.")] = False,
) -> None:
    """Shows a world: its tables, its tools, its rules with their quotations, and the trials that it passed.

    Examples:
        gem world show 3f9a1c
        gem world show data/worlds/3f9a1c0000000000000000aa.json
        gem world show 3f9a1c --json | jq -r .world.code
    """
    found = library.find(named, load())
    if as_json:
        echo_json(json.dumps({"world_id": found.world_id, **found.as_plain()}, ensure_ascii=False, indent=1))
        return
    console = Terminal(highlight=False)
    console.print(f"[bold]World {found.world_id}[/]")
    for table in (_tables(found), _tools(found), _rules(found)):
        if table.row_count:
            console.print(table)
    if found.built.trials:
        passed = ", ".join(f"{count} {name}" for name, count in found.built.trials.items())
        console.print(f"Trials passed: {escape(visible(passed))}")
    if found.scenarios:
        console.print(f"Tasks and variants: {escape(visible(', '.join(sorted(found.scenarios))))}")


def _tables(found: Shelved) -> Table:
    table = Table("table", title="Tables")
    table.add_column("records", justify="right")
    table.add_column("fields of the first record", overflow="fold")
    for name, value in found.world.state.items():
        records = _records(value)
        count = "" if records is None else f"{len(records):,}"
        shown = _fields(records[0] if records else value)
        table.add_row(*(escape(visible(each)) for each in (name, count, shown)))
    return table


def _records(value: Any) -> list[Any] | None:
    """The records of a table; None for a single value, such as `now`."""
    if isinstance(value, dict):
        return list(cast(Json, value).values())
    return cast("list[Any]", value) if isinstance(value, list) else None


def _fields(value: Any) -> str:
    return ", ".join(cast(Json, value)) if isinstance(value, dict) else json.dumps(value, ensure_ascii=False)[:80]


def _tools(found: Shelved) -> Table:
    table = Table("tool", "arguments", "", title="Tools")
    for tool in found.world.tools:
        arguments = tool.parameters.get("properties")
        names = _fields(arguments) if arguments else ""
        table.add_row(*(escape(visible(each)) for each in (tool.name, names, "reads" if tool.reads else "writes")))
    return table


def _rules(found: Shelved) -> Table:
    table = Table("rule", "the text says", "tools", title="Rules")
    for rule in found.built.rules:
        quote = f"“{rule.quote}”" if rule.quote else "(invented)"
        table.add_row(*(escape(visible(each)) for each in (rule.text, quote, ", ".join(rule.tools))))
    return table


@group.command("serve")
def serve(
    named: Annotated[str, _ID],
    task: Annotated[int | None, typer.Option(min=0, help="Number of a task: its events and faults happen.")] = None,
    variant: Annotated[str | None, typer.Option(help="Variant of the task. Default: its first.")] = None,
    seed: Annotated[int, typer.Option(help="Decides where numbers of new records begin.")] = 0,
    http: Annotated[bool, typer.Option("--http", help="Serve over streamable HTTP instead of stdio.")] = False,
    host: Annotated[str, typer.Option(help="Address to listen on; one that others reach needs a token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0: a free one.")] = 8765,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="A name by which clients know the server, as NAME[:PORT]; repeatable.")
    ] = None,
    clients: Annotated[int, typer.Option(min=1, max=1000, help="Clients at the same time.")] = 16,
    controls: Annotated[
        bool, typer.Option(help="Offer gem_reset, and with a task gem_turn and gem_deed, to the program of the agent.")
    ] = True,
) -> None:
    """Serves a world as an MCP server: any agent can use its tools, and each client has a separate world.

    Results come from the world's code in a confined process. Over HTTP, GEM_WORLD_TOKEN makes every client send
    `Authorization: Bearer TOKEN`.

    Examples:
        gem world serve data/worlds/3f9a1c0000000000000000aa.json
        gem world serve 3f9a1c --task 0 --variant taken --http
        GEM_WORLD_TOKEN=$(openssl rand -hex 16) gem world serve 3f9a1c --http --host 0.0.0.0 --allow-host box.example
    """
    from gem_tasks.environments import serving  # a third of a second, for this command only
    from gem_tasks.environments.room import Setting

    settings = load()
    found = library.find(named, settings)
    setting = Setting(found, _scenario(found, task, variant), seed, settings.sandbox)
    if not http:
        asyncio.run(serving.serve_stdio(setting, controls=controls))
        return
    token = os.environ.get("GEM_WORLD_TOKEN") or None
    know("GEM_WORLD_TOKEN", token)
    access = serving.Access(host, port or _free(host), token, tuple(allow_host or ()))
    echo(f"World {found.world_id} at {access.url}", err=True)
    serving.serve_http(setting, access, most=clients, controls=controls)


def _scenario(found: Shelved, task: int | None, variant: str | None) -> Scenario | None:
    """What happens in the chosen variant; None: no task was chosen."""
    if task is None:
        if variant is not None:
            raise UserError("--variant belongs to a task", "Give --task too.")
        return None
    names = [name.partition("/")[2] for name in found.scenarios if name.partition("/")[0] == str(task)]
    if not names or variant not in (None, *names):
        known = ", ".join(sorted(found.scenarios)) or "none"
        raise UserError(
            f"The world has no task {task}{f' with variant {variant!r}' if variant else ''}", f"It has: {known}."
        )
    return found.scenarios[f"{task}/{variant or names[0]}"]


def _free(host: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]
