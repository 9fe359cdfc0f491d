"""The difference between two states, by table."""

import json
from typing import Any, Literal, cast

from gem_tasks.domain.base import Json, Value
from gem_tasks.worlds.steps import Snapshot


class Change(Value):
    """A record that was added, removed or changed; `key` is None for a table that is no object."""

    table: str
    key: str | None
    kind: Literal["added", "removed", "changed"]
    before: Any = None
    after: Any = None


def difference(before: Snapshot, after: Snapshot) -> list[Change]:
    """Changed records, sorted by table and key."""
    found: list[Change] = []
    for table in sorted(before.tables.keys() | after.tables.keys()):
        old, new = before.tables.get(table), after.tables.get(table)
        if old != new:
            found += _of_table(table, _loaded(old), _loaded(new))
    return found


_ABSENT = object()


def _loaded(text: str | None) -> Any:
    return _ABSENT if text is None else json.loads(text)


def _of_table(table: str, old: Any, new: Any) -> list[Change]:
    if not isinstance(old, dict) or not isinstance(new, dict):
        change = _change(table, None, old, new)
        return [change] if change else []
    a, b = cast("Json", old), cast("Json", new)
    changes = (_change(table, key, a.get(key, _ABSENT), b.get(key, _ABSENT)) for key in sorted(a.keys() | b.keys()))
    return [change for change in changes if change]


def _change(table: str, key: str | None, old: Any, new: Any) -> Change | None:
    if old is _ABSENT:
        return Change(table=table, key=key, kind="added", after=new)
    if new is _ABSENT:
        return Change(table=table, key=key, kind="removed", before=old)
    same = json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True)  # so that 1 and true differ
    return None if same else Change(table=table, key=key, kind="changed", before=old, after=new)
