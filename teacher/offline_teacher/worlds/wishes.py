"""How the offline user says a wish, and how the offline assistant reads it."""

import json
import re
from typing import Any

from gem_tasks.domain.base import Json
from offline_teacher.talk.tools import Tool, Toolbox

_SAID = re.compile(r"^- (\w+): (.+)$", re.MULTILINE)


def wish(tool: Tool, said: Json) -> str:
    """What is to be done, then its details, one a line."""
    lines = [f"- {name}: {json.dumps(value, ensure_ascii=False)}" for name, value in said.items()]
    return "\n".join([f"Please {tool.action(known=True)}.", *lines])


def meant(text: str, box: Toolbox) -> Tool | None:
    """The tool that a message of the user asks for."""
    first = text.partition("\n")[0].casefold()
    return next((tool for tool in box.tools.values() if f" {tool.action(known=True)}.".casefold() in f" {first}"), None)


def details(text: str) -> Json:
    """The arguments that a message names."""
    found: Json = {}
    for name, value in _SAID.findall(text):
        found[name] = _value(value)
    return found


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
