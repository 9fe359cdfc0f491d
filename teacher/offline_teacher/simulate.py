"""Simulate: both players of a conversation in a world, each by what it has been told."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, cast

from gem_tasks.domain.base import Json
from gem_tasks.prompts import sections
from gem_tasks.prompts.dialogue import parse_tools
from gem_tasks.prompts.tags import TagError
from offline_teacher.reading import english
from offline_teacher.talk.memory import failed, id_field, rows_in
from offline_teacher.talk.tools import Tool, Toolbox, toolbox
from offline_teacher.worlds.system import words
from offline_teacher.worlds.wishes import details, meant

Messages = Sequence[tuple[str, str]]
STOP = "<stop>"
_WISH = re.compile(r"^\d+\. (.*?)\n   When: ", re.DOTALL | re.MULTILINE)
_RESULT = re.compile(r"<tool>\n(.*?)\n</tool>", re.DOTALL)
_CALL = re.compile(r"<func>(.*?)</func>", re.DOTALL)
_PASSING = frozenset(("UNAVAILABLE", "RATE_LIMITED", "CONFLICT"))
"""Errors of calls that were not carried out and may succeed at once."""


class _Call(NamedTuple):
    tool: Tool
    arguments: Json
    result: Json


def user(messages: Messages) -> str:
    """The next wish that was not said yet; yes to a question; the stop once all are said."""
    briefing = next((content for role, content in messages if role == "user"), "")
    said = Counter(content.strip() for role, content in messages if role == "assistant")
    if said and messages[-1][1].rstrip().endswith("?"):
        return "Yes, please."
    for text in _WISH.findall(sections(briefing).get("wishes", "")):
        if not said[text.strip()]:
            return text
        said[text.strip()] -= 1
    return STOP


def assistant(messages: Messages) -> str:
    """The call that the last wish asks for, once more if the service was busy, then a sentence about the result."""
    try:
        box = toolbox(_tools(messages[0][1]))
    except TagError:
        return "I have no tools."
    start = max((at for at, (role, content) in enumerate(messages) if role == "user" and not _RESULT.search(content)))
    before, since = list(_calls(messages[:start], box)), list(_calls(messages[start:], box))
    wanted = meant(messages[start][1], box)
    if not since and wanted:
        return _written(wanted, _arguments(wanted, details(messages[start][1]), before))
    if not since:
        return f"I can {english.join([tool.action() for tool in box.tools.values()], 'or')}."
    if len(since) == 1 and _error(since[0].result).get("code") in _PASSING:
        return f"The service was busy, so I try once more.\n{_written(since[0].tool, since[0].arguments)}"
    return _report(since[-1])


def _tools(system: str) -> Any:
    """The list of tools at the end of the system message.

    Raises:
        TagError: there is none.
    """
    return parse_tools(system[system.rfind("\n[\n") :].strip())


def _calls(messages: Messages, box: Toolbox) -> Iterator[_Call]:
    """Calls with their results, in order."""
    for (role, content), (_, following) in pairwise(messages):
        written = _CALL.findall(content) if role == "assistant" else []
        for call, result in zip(map(_object, written), _RESULT.findall(following), strict=False):
            if tool := box.tools.get(str(call.get("name"))):
                yield _Call(tool, call["arguments"], _object(result))


def _arguments(tool: Tool, said: Json, before: Sequence[_Call]) -> Json:
    """What the user said, and ids that results tell."""
    made = {param.name: said[param.name] for param in tool.params if param.name in said}
    for param in tool.params:
        if param.entity and param.required and param.name not in made:
            known = list(_known(param.name, before))
            if known:
                made[param.name] = [known[0]] if param.schema.get("type") == "array" else known[0]
    return made


def _known(name: str, before: Sequence[_Call]) -> Iterator[Any]:
    """Values of a field in results: of the last creation, then of searches by words, then of anything else."""
    for call in reversed(before):
        if call.tool.kind == "create" and name in call.result:
            yield call.result[name]
    for call in sorted(before, key=lambda call: not set(words(call.tool)) & call.arguments.keys()):
        yield from (row[name] for row in rows_in(call.result) if name in row)


def _written(tool: Tool, arguments: Json) -> str:
    body = json.dumps({"name": tool.name, "arguments": arguments}, ensure_ascii=False).replace("<", "\\u003c")
    return f"<func>{body}</func>"


def _report(call: _Call) -> str:
    if failed(call.result):
        return f"I could not {call.tool.action(known=True)}: {_error(call.result).get('message', 'it failed')}"
    if call.tool.kind in ("find", "read"):
        rows = [(row, key) for row in rows_in(call.result) if (key := id_field(row)) and "status" in row]
        named = [f"{row.get('name', f'the {call.tool.noun}')} ({row[key]}, {row['status']})" for row, key in rows[:3]]
        return f"I found {english.join(named)}." if named else "I found nothing."
    key = id_field(call.result)
    which = f" ({call.result[key]})" if key else ""
    return f"Done: the {call.tool.noun or 'request'}{which} is {english.past(call.tool.verb)}."


def _error(result: Json) -> Json:
    error = result.get("error")
    return cast(Json, error) if isinstance(error, dict) else {}


def _object(text: str) -> Json:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return cast(Json, found) if isinstance(found, dict) else {}
