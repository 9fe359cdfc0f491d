"""What can be said about a first state without running anything."""

import json
from collections.abc import Iterator

from gem_tasks.worlds.trials.bench import Bench, tables
from gem_tasks.worlds.trials.failure import Failure
from gem_tasks.worlds.world import IdFormat

LEAST_RECORDS = 6
_AHEAD = 30
"""Ids of a kind that must be free."""


def poor(bench: Bench) -> Iterator[Failure | None]:
    """Too few records in the main table."""
    most = max((len(table) for table in tables(bench.first).values()), default=0)
    if most >= LEAST_RECORDS:
        yield None
    else:
        yield Failure("few_records", "", f"the largest table has {most} records; the main one needs {LEAST_RECORDS}")


def taken(bench: Bench) -> Iterator[Failure | None]:
    """Ids that `nextId` would give and that exist."""
    keys = {key for table in tables(bench.first).values() for key in table}
    for prefix, kind in bench.world.ids.items():
        doubled = next((each for each in map(lambda n: shown(kind, n), range(_AHEAD)) if each in keys), None)
        if doubled:
            yield Failure("id_taken", "", f"<ids>: {json.dumps(prefix)} would give {doubled}, which exists")
        else:
            yield None


def shown(kind: IdFormat, ahead: int) -> str:
    """The id that a counter gives after `ahead` others, as the engine writes it."""
    before, _, rest = kind.format.partition("{")
    form, closed, after = rest.partition("}")
    if not closed:
        return kind.format
    name, _, width = form.partition(":")
    number = kind.next + ahead * kind.step
    return before + (f"{number:x}" if name == "hex" else str(number)).zfill(int(width or 0)) + after
