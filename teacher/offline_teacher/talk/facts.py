"""What the assistant says about results and plans, with their facts and no others."""

from typing import Any, cast

from gem_tasks.domain.base import Json
from offline_teacher.reading import english
from offline_teacher.talk import phrases
from offline_teacher.talk.grounding import Grounds, leaves
from offline_teacher.talk.tools import Tool
from offline_teacher.talk.world import Record, World

_MOST_ROWS = 3


def reported(tool: Tool, arguments: Json, response: Json, record: Record | None, world: World) -> str:
    """The result of a call in a sentence or two."""
    if tool.kind == "find":
        return _found(tool, response, world)
    if tool.kind == "read":
        return _read(tool, response, world)
    noun = tool.noun or "request"
    if tool.kind == "create" and record is not None:
        starts = (
            "I have {done} the {noun}: it has the ID {id} and its status is {status}.",
            "The {noun} is in the system now, ID {id}, status {status}.",
            "Done, the {noun} got the ID {id}; status: {status}.",
        )
        text = world.rng.choice(starts)
        status = phrases.value(response.get("status", "open"))
        return text.format(done=english.past(tool.verb), noun=noun, id=record.id, status=status)
    of = (
        f" {record.id}"
        if record and noun.endswith(record.entity.split(" ")[-1])
        else f" for {record.id}"
        if record
        else ""
    )
    done = english.past(tool.verb)
    text = world.rng.choice(
        ("I have {done} the {noun}{of}", "The {noun}{of} has been {done}", "Done: {noun}{of} {done}")
    )
    changed = [leaf for leaf in leaves(changes(tool, arguments), {}, {})]
    told = english.join([f"{name} {said}" for name, said in phrases.facts(changed)][:4])
    status = response.get("status")
    tail = f"; its status is now {phrases.value(status)}" if tool.final and isinstance(status, str) else ""
    return text.format(done=done, noun=noun, of=of) + (f" ({told})" if told else "") + f"{tail}."


def changes(tool: Tool, arguments: Json) -> Json:
    """The arguments that are no ids of existing things."""
    ids = {param.name for param in tool.params if param.entity}
    return {name: value for name, value in arguments.items() if name not in ids}


def planned(tool: Tool, arguments: Json, record: Record | None, grounds: Grounds) -> str:
    """The key values of a call that is about to be made; a record's name only if it has been mentioned."""
    told = [f"{name} {said}" for name, said in phrases.facts(list(leaves(changes(tool, arguments), {}, {})))]
    head = f"{tool.noun if same(tool, record) else record.entity} {record.id}" if record else ""
    if record and record.label != str(record.id) and record.label not in str(arguments) and grounds.has(record.label):
        head += f" ({record.label})"
    return ", ".join(filter(None, [head, *told[:6]]))


def same(tool: Tool, record: Record | None) -> bool:
    """Whether the record is what the tool is named after."""
    return record is not None and tool.noun.endswith(record.entity)


def rows_of(response: Json) -> list[Json]:
    """The records of a result that lists some."""
    for value in response.values():
        if isinstance(value, list):
            rows = cast("list[Any]", value)
            if rows and all(isinstance(row, dict) for row in rows):
                return cast("list[Json]", rows)
    return []


def _found(tool: Tool, response: Json, world: World) -> str:
    rows = rows_of(response)
    noun = tool.noun or "result"
    if not rows:
        return f"I found no {noun}."
    if event := _event(rows[0]):
        return f"I see {english.counted(len(rows), noun)}, the latest one {event}."
    if len(rows) == 1:
        starts = ("I found it", "There is one match", f"I found one {noun}", "Found it")
        return f"{world.rng.choice(starts)}: {title(rows[0])}."
    listed = "; ".join(title(row) for row in rows[:_MOST_ROWS])
    more = f" (and {len(rows) - _MOST_ROWS} more)" if len(rows) > _MOST_ROWS else ""
    return f"I found {english.counted(len(rows), noun)}: {listed}{more}."


def title(row: Json) -> str:
    """A record in short: its id, then what else is worth a word."""
    words = [
        phrases.value(given)
        for given in row.values()
        if isinstance(given, str | int | float) and not isinstance(given, bool)
    ]
    return f"{words[0]} ({', '.join(words[1:5])})" if len(words) > 1 else (words or ["one entry"])[0]


def _event(row: Json) -> str:
    by, when = row.get("changed_by"), row.get("changed_at")
    return (
        f"by {by} on {when} ({phrases.value(row.get('action', 'updated'))})"
        if isinstance(by, str) and isinstance(when, str)
        else ""
    )


def _read(tool: Tool, response: Json, world: World) -> str:
    noun = tool.noun or "result"
    inner = next((cast(Json, value) for value in response.values() if isinstance(value, dict)), None)
    own = tool.own_id()
    skip = {own.name, "name", "account_name", "requested_by"} if own else set[str]()
    said = phrases.shown(response if inner is None else inner, most=4, skip=tuple(skip))
    starts = (f"The {noun}: ", f"For the {noun} it says: ", f"The {noun} has ", f"What I see for the {noun}: ")
    return f"{world.rng.choice(starts)}{said}." if said else f"I have checked the {noun}."
