"""What a persona says of the world, against the state in which every conversation begins."""

import json
import re
from collections.abc import Iterator
from typing import Any, cast

from gem_tasks.domain.base import Json
from gem_tasks.worlds.task import Task

_MAIL = re.compile(r"[\w.+-]++(@[\w-]{1,64}(?:\.[\w-]{1,64}){1,4})?")
"""Also what has no `@`, so that no character is tried twice."""
_DATE = re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}\b")
_TOKEN = re.compile(r"[\w-]{3,64}")
_PREFIX = re.compile(r"[^0-9]{2,}(?=[0-9])")


def unknown(task: Task, state: Json) -> Iterator[str]:
    """E-mail addresses, past dates, and what looks like an id of a record, that the state does not have."""
    text, now = json.dumps(state, ensure_ascii=False), str(state.get("now", ""))[:10]
    named = [match[0] for match in _MAIL.finditer(task.persona) if match[1]]
    named += (date for date in _DATE.findall(task.persona) if date <= now)
    shapes = {_shape(key) for table in state.values() for key in _keys(table)} - {None}
    named += (token for token in _TOKEN.findall(task.persona) if _shape(token) in shapes)
    for each in dict.fromkeys(named):
        if each not in text:
            yield f"<persona> names {each}, which the state does not have"


def _keys(table: Any) -> list[str]:
    return list(cast("Json", table)) if isinstance(table, dict) else []


def _shape(token: str) -> tuple[str, int] | None:
    """What ids of one kind have in common; None if it does not look like one."""
    match = _PREFIX.match(token)
    return (match[0], len(token)) if match else None
