"""What can be said about a first state without running anything."""

import json
from collections.abc import Collection, Iterator, Mapping

from gem_tasks.worlds.trials.bench import Bench, tables
from gem_tasks.worlds.trials.failure import Failure
from gem_tasks.worlds.world import IdFormat

LEAST_RECORDS = 6
_AHEAD = 30
"""Ids of a kind that must be free."""
_TELLING = 2
"""Fixed characters of a format that tell its ids from those of other kinds."""


def poor(bench: Bench) -> Iterator[Failure | None]:
    """Too few records in the main table."""
    most = max((len(table) for table in tables(bench.first).values()), default=0)
    if most >= LEAST_RECORDS:
        yield None
    else:
        yield Failure("few_records", "", f"the largest table has {most} records; the main one needs {LEAST_RECORDS}")


def taken(bench: Bench) -> Iterator[Failure | None]:
    """Ids that `nextId` would give and that exist."""
    keys = keys_of(bench)
    for prefix, kind in bench.world.ids.items():
        doubled = next((each for each in map(lambda n: shown(kind, n), range(_AHEAD)) if each in keys), None)
        if doubled:
            yield Failure("id_taken", "", f"<ids>: {json.dumps(prefix)} would give {doubled}, which exists")
        else:
            yield None


def below(ids: Mapping[str, IdFormat], keys: Collection[str]) -> Iterator[Failure | None]:
    """Numbers of existing records at or above the next one of their kind. Hexadecimal ones are in no order."""
    for prefix, kind in ids.items():
        before, _, rest = kind.format.partition("{")
        form, closed, after = rest.partition("}")
        if not closed or not form.startswith("n") or len(before) + len(after) < _TELLING:
            continue
        numbers = (key[len(before) : len(key) - len(after)] for key in keys if _fits(key, before, after))
        most = max((int(number) for number in numbers if number.isdecimal()), default=-1)
        if most >= kind.next:
            told = f"<ids>: {json.dumps(prefix)} continues at {kind.next}, but {before}{most}{after} exists"
            yield Failure("id_below", "", f"{told}: next must be above all numbers of that kind")
        else:
            yield None


def _fits(key: str, before: str, after: str) -> bool:
    return len(key) > len(before) + len(after) and key.startswith(before) and key.endswith(after)


def keys_of(bench: Bench) -> set[str]:
    """Of all records of the first state."""
    return {key for table in tables(bench.first).values() for key in table}


def shown(kind: IdFormat, ahead: int) -> str:
    """The id that a counter gives after `ahead` others, as the engine writes it."""
    before, _, rest = kind.format.partition("{")
    form, closed, after = rest.partition("}")
    if not closed:
        return kind.format
    name, _, width = form.partition(":")
    number = kind.next + ahead * kind.step
    return before + (f"{number:x}" if name == "hex" else str(number)).zfill(int(width or 0)) + after
