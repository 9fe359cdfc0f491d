"""States in a form in which what may differ between two right runs is equal.

- Ids that `nextId` made are replaced by a label of what their record holds, so neither numbers nor their order count.
- Times that the world took from its clock meanwhile are equal.
- Lists of references, and of new records, have no order.
"""

import json
import re
from collections.abc import Collection, Iterator
from hashlib import sha256
from typing import Any, cast

from gem_tasks.domain.base import Json
from gem_tasks.worlds.steps import Snapshot

Tables = dict[str, dict[str, Any]]
"""Records by table and key. What is no table is one record without a name."""

_ROUNDS = 3
"""How far a label sees: a record, those it refers to, and those that they refer to."""
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?Z")
_PART = re.compile(r"\{(n|hex)(?::([0-9]+))?\}")
_NEW = "new "


def tables_of(snapshot: Snapshot) -> Tables:
    """Without the clock."""
    return {name: _records(json.loads(text)) for name, text in snapshot.tables.items() if name != "now"}


def _records(table: Any) -> dict[str, Any]:
    if isinstance(table, dict):
        return cast("Json", table)
    if not isinstance(table, list):
        return {"": table}
    return {_key(row, at): row for at, row in enumerate(cast("list[Any]", table))}


def _key(row: Any, at: int) -> str:
    named = cast("Json", row).get("id") if isinstance(row, dict) else None
    return named if isinstance(named, str) else f"#{at}"


class Canonical:
    """One state after a run.

    Args:
        first: the state in which the run began.
        last: the state that it left.
        volatile: fields that do not count.
    """

    def __init__(self, first: Snapshot, last: Snapshot, volatile: Collection[str] = ()) -> None:
        self._volatile = frozenset(volatile)
        self._from, self._to = (json.loads(each.tables.get("now", "null")) for each in (first, last))
        self._raw = tables_of(last)
        self._keys = {key for each in (self._raw, tables_of(first)) for records in each.values() for key in records}
        self._prefixes = sorted(last.ids)
        self._pattern = _tokens(last, self._prefixes)
        self._kinds = {token: f"{_NEW}{prefix}" for token, prefix in self._generated(first, last)}
        self._labels = dict(self._kinds)
        for _ in range(_ROUNDS if self._labels else 0):
            self._labels |= dict(self._sharper())

    def tables(self, names: Collection[str]) -> Tables:
        """Canonical records of these tables."""
        return {name: self._table(self._raw.get(name, {})) for name in names}

    def _generated(self, first: Snapshot, last: Snapshot) -> Iterator[tuple[str, str]]:
        if self._pattern is None:
            return
        known = {match[0] for text in first.tables.values() for match in self._pattern.finditer(text)}
        for match in (match for text in last.tables.values() for match in self._pattern.finditer(text)):
            if match[0] not in known:
                yield match[0], self._prefixes[(match.lastindex or 1) - 1]

    def _sharper(self) -> Iterator[tuple[str, str]]:
        for records in self._raw.values():
            for key, record in records.items():
                if key in self._labels:
                    told = json.dumps(self._value(record), sort_keys=True)
                    yield key, f"{self._kinds[key]} {sha256(told.encode()).hexdigest()[:8]}"

    def _table(self, records: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, record in sorted(records.items(), key=lambda item: (self._text(item[0]), item[0])):
            name, count = self._text(key), 2
            while name in found:
                name, count = f"{self._text(key)} #{count}", count + 1
            found[name] = self._value(record)
        return found

    def _value(self, value: Any) -> Any:
        if isinstance(value, dict):
            fields = cast("Json", value).items()
            return {self._text(key): self._value(each) for key, each in fields if key not in self._volatile}
        if isinstance(value, list):
            return self._list(cast("list[Any]", value))
        if isinstance(value, str):
            return self._text(value)
        return self._labels.get(str(value), value) if type(value) is int else value

    def _list(self, items: list[Any]) -> list[Any]:
        told = [self._value(item) for item in items]
        unordered = all(item in self._keys for item in items if isinstance(item, str)) and all(
            isinstance(item, str) or _NEW in json.dumps(each) for item, each in zip(items, told, strict=True)
        )
        return sorted(told, key=json.dumps) if unordered else told

    def _text(self, text: str) -> str:
        if self._pattern is not None and self._labels:
            text = self._pattern.sub(lambda match: self._labels.get(match[0], match[0]), text)
        meanwhile = _TIME.fullmatch(text) and isinstance(self._from, str) and self._from < text <= self._to
        return "a time meanwhile" if meanwhile else text


def is_new(key: str) -> bool:
    """Whether a canonical key is that of a record whose id the run made."""
    return key.startswith(_NEW)


def _tokens(last: Snapshot, prefixes: list[str]) -> re.Pattern[str] | None:
    """Finds what may be an id that `nextId` made; the group's number is the position of its prefix, from 1."""
    groups = [f"({_form(str(last.ids[prefix]['format']))})" for prefix in prefixes]
    return re.compile(rf"(?<![\w-])(?:{'|'.join(groups)})(?![\w-])") if groups else None


def _form(text: str) -> str:
    found, end = "", 0
    for match in _PART.finditer(text):
        letters = "[0-9a-f]" if match[1] == "hex" else "[0-9]"
        found += re.escape(text[end : match.start()]) + f"{letters}{{{max(int(match[2] or 1), 1)},18}}"
        end = match.end()
    return found + re.escape(text[end:])
