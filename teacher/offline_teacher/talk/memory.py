"""What the results of a conversation say about things: fields and states by id."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from gem_tasks.domain.base import Json
from gem_tasks.domain.trajectory import Message

_ID_FIELD = re.compile(r"(?:^|_)(?:id|number|no|code|ref|reference)$", re.IGNORECASE)
_FIXED = ("name", "title", "email", "account_name", "requested_by", "created_at", "created_by")
"""Fields that do not change by themselves."""


def response_of(message: Message) -> Json:
    """The JSON object of a tool message; an empty one if it is something else."""
    try:
        found = json.loads(message.content or "")
    except (ValueError, RecursionError):
        return {}
    return cast(Json, found) if isinstance(found, dict) else {}


def failed(response: Json) -> bool:
    """Whether a response reports an error."""
    return bool(response.get("error")) or response.get("success") is False


def rows_in(value: Any) -> Iterator[Json]:
    """All objects inside a JSON value, outer ones first."""
    if isinstance(value, dict):
        row = cast(Json, value)
        yield row
        for part in row.values():
            yield from rows_in(part)
    elif isinstance(value, list):
        for part in cast("list[Any]", value):
            yield from rows_in(part)


def id_field(row: Json) -> str | None:
    """The field that names the thing a row is about: the first that looks like an id and is no parent's."""
    return next((name for name, given in row.items() if _ID_FIELD.search(name) and _names(given)), None)


def _names(given: object) -> bool:
    return isinstance(given, str | int) and not isinstance(given, bool)


@dataclass
class Memory:
    """Facts by id, as the results gave them."""

    rows: dict[str, Json] = field(default_factory=dict[str, Json])
    """Everything known of a thing: its id field first."""
    keys: dict[str, str] = field(default_factory=dict[str, str])
    """The field in which an id stood."""
    status: dict[str, str] = field(default_factory=dict[str, str])
    statuses: set[str] = field(default_factory=set[str])
    succeeded: list[str] = field(default_factory=list[str])
    """Tools whose calls brought a result."""

    def take(self, tool: str, arguments: Json, response: Json) -> list[str]:
        """Takes in a result.

        Returns:
            What in it contradicts the call or earlier results.
        """
        if failed(response):
            return []
        self.succeeded.append(tool)
        faults = [
            f"{tool} was called with {name} {given} and answers for {response[name]}"
            for name, given in arguments.items()
            if _ID_FIELD.search(name)
            and isinstance(given, str)
            and isinstance(response.get(name), str)
            and response[name] != given
        ]
        changed = {str(given) for given in arguments.values()}
        for row in rows_in(response):
            faults += self._row(row, changed)
        return faults

    def mentions(self, name: str, status: str) -> bool:
        """Whether something in that state refers to a thing, so that a sentence may speak of both."""
        return any(row.get("status") == status and name in row.values() for row in self.rows.values())

    def _row(self, row: Json, changed: set[str]) -> list[str]:
        key = id_field(row)
        if key is None:
            return []
        name = str(row[key])
        known = self.rows.setdefault(name, {})
        self.keys.setdefault(name, key)
        faults = [
            f"{field_name} of {name} was {known[field_name]!r} and is now {row[field_name]!r}"
            for field_name in _FIXED
            if field_name in known
            and field_name in row
            and self.keys[name] == key
            and known[field_name] != row[field_name]
            and str(row[field_name]) not in changed
        ]
        if self.keys[name] == key:
            known.update(row)
        state = row.get("status")
        if isinstance(state, str):
            self.status[name] = state
            self.statuses.add(state)
        return faults
