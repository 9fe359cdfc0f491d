"""States in a form in which what may differ between two right runs is equal.

- Ids that `nextId` made are replaced by a label of what their record holds, so neither numbers nor their order count.
- Times that the world took from its clock are equal: those that neither the first state nor a call has.
- Lists of references, and of new records, have no order.
"""

import json
import re
from collections.abc import Collection, Iterator
from hashlib import sha256
from itertools import islice
from typing import Any, cast

from gem_tasks.domain.base import Json
from gem_tasks.worlds.goals.run import Run
from gem_tasks.worlds.steps import Snapshot

Tables = dict[str, dict[str, Any]]
"""Records by table and key. What is no table is one record without a name."""

_ROUNDS = 3
"""How far a label sees: a record, those it refers to, and those that they refer to."""
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?"
)
_DATE = len("2026-03-12")
_PART = re.compile(r"\{(n|hex)(?::([0-9]+))?\}")
_NEW = "new "
_MOST = 1000
"""New ids of one kind."""


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
        run: the run.
        first: whether it is the state in which the run began, not the one that it left.
        volatile: fields that do not count.
    """

    def __init__(self, run: Run, *, first: bool = False, volatile: Collection[str] = ()) -> None:
        self._volatile = frozenset(volatile)
        last = run.first if first else run.last
        self._from, self._to = (json.loads(each.tables.get("now", "null")) for each in (run.first, last))
        self._before, self._given = "\n".join(run.first.tables.values()), run.arguments
        self._raw = tables_of(last)
        self._keys = {key for each in (self._raw, tables_of(run.first)) for records in each.values() for key in records}
        self._kinds = {token: f"{_NEW}{prefix}" for prefix in last.ids for token in _made(prefix, run.first, last)}
        self._pattern = _any_of(self._kinds)
        self._labels = dict(self._kinds)
        for _ in range(_ROUNDS if self._labels else 0):
            self._labels |= dict(self._sharper())

    def tables(self, names: Collection[str]) -> Tables:
        """Canonical records of these tables."""
        return {name: self._table(self._raw.get(name, {})) for name in names}

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
        if _TIME.fullmatch(text):
            return "a time of the clock" if self._of_clock(text) else text
        return self._pattern.sub(lambda match: self._labels[match[0]], text) if self._pattern else text

    def _of_clock(self, time: str) -> bool:
        meanwhile = isinstance(self._from, str) and self._from < time <= self._to
        return meanwhile or (time not in self._before and time[:_DATE] not in self._given)


def is_time(text: str) -> bool:
    """Whether it is an ISO time with a date."""
    return _TIME.fullmatch(text) is not None


def is_new(key: str) -> bool:
    """Whether a canonical key is that of a record whose id the run made."""
    return key.startswith(_NEW)


def _made(prefix: str, first: Snapshot, last: Snapshot) -> Iterator[str]:
    """Ids that `nextId` made between two states."""
    kind, known = last.ids[prefix], first.ids.get(prefix)
    if known:
        for number in islice(range(known["next"], kind["next"], kind["step"]), _MOST):
            yield _written(kind["format"], number)
        return
    pattern = re.compile(rf"(?<![\w-]){re.escape(prefix)}-[0-9]{{4,18}}(?![\w-])")  # nothing says where they began
    before = {match[0] for text in first.tables.values() for match in pattern.finditer(text)}
    for text in last.tables.values():
        yield from (match[0] for match in pattern.finditer(text) if match[0] not in before)


def _written(form: str, number: int) -> str:
    """As the engine's `nextId` writes it."""

    def digits(match: re.Match[str]) -> str:
        return f"{number:x}".zfill(int(match[2] or 0)) if match[1] == "hex" else str(number).zfill(int(match[2] or 0))

    return _PART.sub(digits, form, count=1)


def _any_of(tokens: Collection[str]) -> re.Pattern[str] | None:
    longest_first = sorted(tokens, key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w-])") if tokens else None
