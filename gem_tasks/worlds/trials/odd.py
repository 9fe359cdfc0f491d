"""Arguments of right types with odd values, and ids of no record: the code may refuse them, and must not throw."""

from collections.abc import Iterator
from typing import Any, cast

from gem_tasks.domain.base import Json
from gem_tasks.worlds.steps import Snapshot
from gem_tasks.worlds.trials.bench import tables

_BY_TYPE: dict[type, tuple[Any, ...]] = {
    str: ("", "constructor", "__proto__", "x" * 5000, "2026-02-30", "-1", "Łódź \u2028 漢字", "[", "$&"),
    int: (0, -1, 10**12),
    float: (0, -1, 1e12, 0.005),
    bool: (True, False),
    list: ([],),
    dict: ({},),
}
"""Values by the type of those that succeeded; `[` is no valid pattern."""
_MOST_RECORDS = 20
_FREE = frozenset(" @")
"""Characters of addresses and names."""


def odd(schema: Json, arguments: Json) -> Iterator[Json]:
    """Arguments that differ from the given ones in one value, without one optional value, or without all of them."""
    required: set[str] = set(schema.get("required", []))
    for name, value in arguments.items():
        yield from (arguments | {name: each} for each in _odd_values(value))
        if isinstance(value, list) and value:
            items = cast("list[Any]", value)
            yield arguments | {name: [*items, *items]}
            yield from (arguments | {name: [each]} for each in _odd_values(items[0]))
        if name not in required:
            yield {key: each for key, each in arguments.items() if key != name}
    yield {key: each for key, each in arguments.items() if key in required}


def _odd_values(value: Any) -> tuple[Any, ...]:
    return next((odds for kind, odds in _BY_TYPE.items() if type(value) is kind), ())


def unknown(arguments: Json, at: Snapshot) -> Iterator[tuple[str, Json]]:
    """`(name, arguments)` with the id of no record for one of a record.

    Addresses and names may be unknown to the system, even if tables have them as keys.
    """
    keys = {key for table in tables(at).values() for key in table}
    for name, value in arguments.items():
        if isinstance(value, str) and value in keys and not _FREE.intersection(value):
            yield name, arguments | {name: no_record(value, keys)}


def others(arguments: Json, at: Snapshot) -> Iterator[Json]:
    """The id of each other record of its table for that of one: records in other states."""
    for name, value in arguments.items():
        keys = next(
            (list(each) for each in tables(at).values() if isinstance(value, str) and value in each), list[str]()
        )
        yield from (arguments | {name: key} for key in keys[:_MOST_RECORDS] if key != value)


def no_record(key: str, keys: set[str]) -> str:
    """An id of the same form that no record has."""
    other = key
    while other in keys:
        changed = "".join(str((int(each) * 7 + 3) % 10) if each in "0123456789" else each for each in other)
        other = changed if changed not in (other, key) else f"{other}X"
    return other
