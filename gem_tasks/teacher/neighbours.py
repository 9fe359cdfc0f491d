"""Tools that a real system would have beside the ones a conversation needs."""

from collections.abc import Iterator
from typing import Any

from gem_tasks.domain.workflow import ToolSpec
from gem_tasks.teacher.words import plural

_STRING = {"type": "string", "minLength": 1}


def neighbours(thing: str, tools: tuple[ToolSpec, ...], count: int) -> tuple[ToolSpec, ...]:
    """Up to `count` tools about a thing that are not there yet.

    Args:
        thing: what the conversation is about, in words: `sales order`.
        tools: that exist.
        count: how many are wanted.
    """
    taken = {tool.name for tool in tools}
    return tuple(tool for tool in _candidates(thing) if tool.name not in taken)[:count]


def _candidates(thing: str) -> Iterator[ToolSpec]:
    noun = thing.replace(" ", "_")[:40]
    key = {f"{noun}_id": {**_STRING, "description": f"Id of the {thing}."}}
    yield _tool(f"list_{noun}_changes", f"Lists what was changed on a {thing}, newest first.", key)
    note = {
        "type": "object",
        "description": "What to write down, and who may read it.",
        "properties": {"text": _STRING, "visible_to": {"type": "string", "enum": ["team", "everyone"]}},
        "required": ["text", "visible_to"],
        "additionalProperties": False,
    }
    yield _tool(f"add_{noun}_note", f"Adds a note to a {thing}.", {**key, "note": note})
    yield _tool(f"get_{noun}_permissions", f"Returns who may see and change a {thing}.", key)
    day = {"type": "string", "format": "date", "description": "First day of the period."}
    yield _tool(f"list_{plural(noun)}_by_period", f"Lists every {thing} since a day.", {"since": day})
    form = {"type": "string", "enum": ["pdf", "csv"], "description": "File format."}
    yield _tool(f"export_{noun}", f"Writes a {thing} to a file.", {**key, "file_format": form})


def _tool(name: str, description: str, properties: dict[str, Any]) -> ToolSpec:
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return ToolSpec(name=name, description=description, parameters=schema)
