"""The tables of a state as rows and columns of short texts. Any JSON of any size can be shown."""

import json
from collections.abc import Iterator
from typing import Any, cast

from gem_tasks.domain.base import Json, Value

_TABLES, _ROWS, _COLUMNS, _CELL = 60, 100, 16, 160


class Table(Value):
    """A table, or a single value of the state."""

    name: str
    columns: tuple[str, ...] = ()
    """Empty if it is no table of records."""
    rows: tuple[tuple[str, ...], ...] = ()
    """A key, then a cell for each column; a single cell if it is no table."""
    records: int = 0
    """All of them; `rows` are the first ones."""
    hidden: int = 0
    """Columns that are left out."""


def tables(state: Json) -> tuple[Table, ...]:
    """The first tables of a state, in its order; single values such as `now` come first."""
    shown = [_table(name, value) for name, value in list(state.items())[:_TABLES]]
    return tuple(sorted(shown, key=lambda table: bool(table.columns)))


def short(value: Any, most: int = _CELL) -> str:
    """A text as it is, anything else as JSON; only its beginning."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= most else f"{text[:most]}…"


def _table(name: str, value: Any) -> Table:
    records = list(_records(value))
    if not records:
        return Table(name=name, rows=((short(value),),))
    every = list(dict.fromkeys(field for _, record in records for field in record))
    columns = [field for field in every if any(record.get(field) != key for key, record in records)]
    rows = tuple(
        (short(key), *(short(record[name]) if name in record else "" for name in columns[:_COLUMNS]))
        for key, record in records[:_ROWS]
    )
    return Table(
        name=name,
        columns=tuple(columns[:_COLUMNS]) or ("",),
        rows=rows if columns else tuple((key, "") for (key,) in rows),
        records=len(records),
        hidden=max(0, len(columns) - _COLUMNS),
    )


def _records(value: Any) -> Iterator[tuple[str, Json]]:
    """Keys and records. A list has numbers as keys, and what is no object is in the field `value`."""
    items: list[tuple[str, Any]] = []
    if isinstance(value, dict):
        items = list(cast("Json", value).items())
    elif isinstance(value, list):
        items = [(str(at), each) for at, each in enumerate(cast("list[Any]", value))]
    for key, each in items:
        yield key, cast("Json", each) if isinstance(each, dict) else {"value": each}
