"""A call of a tool that succeeds, searched among values of the world's records and of the workflow's planned calls."""

from collections.abc import Iterable, Iterator, Sequence
from heapq import heappop, heappush
from itertools import zip_longest
from typing import Any, cast

from gem_tasks.domain.base import Json
from gem_tasks.domain.workflow import Workflow
from gem_tasks.worlds.arguments import ArgumentCheck
from gem_tasks.worlds.steps import Snapshot
from gem_tasks.worlds.trials.bench import Bench, Tried, tables

_MOST = 300
"""Calls of a tool."""
_CHOICES = 12


def found(bench: Bench, name: str, workflow: Workflow, states: Sequence[Snapshot]) -> Tried:
    """The first call that succeeds, or the last that did not."""
    schema = bench.tools[name].parameters
    check, tried = ArgumentCheck(schema), bench.call(name, {}, states[0])
    planned = [action.arguments for action in workflow.actions]
    for at in reversed(states):
        pool = Pool(at, planned)
        for arguments in _candidates(schema, pool, _MOST // len(states)):
            if check.violation(arguments) is None:
                tried = bench.call(name, arguments, at)
            if tried.succeeded or tried.fault():
                return tried
    return tried


class Pool:
    """Values for an argument, most plausible first."""

    def __init__(self, at: Snapshot, planned: Sequence[Json]) -> None:
        self._tables = tables(at)
        self._planned = planned
        self._fields = [record for table in self._tables.values() for record in table.values()]

    def values(self, name: str, schema: Json) -> list[Any]:
        """Up to a dozen values for an argument of that name."""
        unique: dict[str, Any] = {}
        for value in self._all(name, schema):
            unique.setdefault(repr(value), value)
            if len(unique) == _CHOICES:
                break
        return list(unique.values())

    def _all(self, name: str, schema: Json) -> Iterator[Any]:
        if schema.get("type") in ("array", "object"):
            yield from (each[name] for each in self._planned if name in each)
            yield from _plain(self, name, schema)
            return
        yield from schema.get("enum", [])
        yield from (schema[key] for key in ("const", "default") if key in schema)
        sources = (
            self._keys(name),
            (cast("Json", record)[name] for record in self._fields if isinstance(record, dict) and name in record),
            (each[name] for each in self._planned if name in each),
        )
        yield from (value for row in zip_longest(*map(_distinct, sources)) for value in row if value is not None)
        yield from _plain(self, name, schema)

    def _keys(self, name: str) -> Iterator[str]:
        """Ids of the tables whose name the argument contains."""
        stem = name.removesuffix("_ids").removesuffix("_id").removesuffix("_number").removesuffix("_code")
        for table, records in self._tables.items():
            if stem and (table.startswith(stem) or stem in table or table.rstrip("s") in name):
                yield from records


def _distinct(values: Iterable[Any]) -> list[Any]:
    return list({repr(value): value for value in values}.values())


def _plain(pool: Pool, name: str, schema: Json) -> Iterator[Any]:
    """Values of the schema's type."""
    kinds: Any = schema.get("type", "string")
    for kind in cast("list[str]", kinds) if isinstance(kinds, list) else [str(kinds)]:
        if kind in ("integer", "number"):
            yield from (schema.get("minimum", 1), schema.get("maximum", 1), 1, 10)
        elif kind == "boolean":
            yield from (True, False)
        elif kind == "array":
            item = cast("Json", schema.get("items") or {})
            yield from ([each] for each in pool.values(name.removesuffix("s"), item))
            yield []
        elif kind == "object":
            yield from _candidates(schema, pool, 4)
        elif kind == "string":
            yield from {"date": ["2026-03-16"], "date-time": ["2026-03-16T10:00:00Z"], "email": ["a.b@c.example"]}.get(
                str(schema.get("format")), ["Example", "a"]
            )


def _candidates(schema: Json, pool: Pool, most: int) -> Iterator[Json]:
    """Arguments, first the most plausible of each, without optional ones; then with all of them."""
    properties = cast("dict[str, Json]", schema.get("properties") or {})
    required = [name for name in schema.get("required", []) if name in properties]
    for names in dict.fromkeys((tuple(required), tuple(properties))):
        choices = [pool.values(name, properties[name]) for name in names]
        for picked in _combinations([len(each) for each in choices], max(1, most // 2)):
            yield {name: choices[at][number] for at, (name, number) in enumerate(zip(names, picked, strict=True))}


def _combinations(sizes: Sequence[int], most: int) -> Iterator[tuple[int, ...]]:
    """Indices of one choice each, those with the smallest sum first."""
    start = tuple(0 for _ in sizes)
    heap, seen = [(0, start)], {start}
    while heap and most > 0 and all(sizes):
        total, picked = heappop(heap)
        yield picked
        most -= 1
        for at, size in enumerate(sizes):
            following = (*picked[:at], picked[at] + 1, *picked[at + 1 :])
            if following[at] < size and following not in seen:
                seen.add(following)
                heappush(heap, (total + 1, following))
