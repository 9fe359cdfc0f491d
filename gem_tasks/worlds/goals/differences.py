"""What a run's state lacks of the reference's, in words."""

import json
from collections.abc import Iterator
from typing import Any, cast

from gem_tasks.domain.base import Json
from gem_tasks.worlds.goals.canonical import Tables, is_new

_MOST = 160
_ABSENT = object()


def outcome(run: Tables, reference: Tables) -> Iterator[str]:
    """Differences of the outcome tables."""
    for table in sorted(reference):
        yield from _of_table(table, run.get(table, {}), reference[table])


def _of_table(table: str, run: dict[str, Any], reference: dict[str, Any]) -> Iterator[str]:
    missing = [key for key in sorted(reference) if key not in run]
    extra = [key for key in sorted(run) if key not in reference]
    for key in (key for key in sorted(reference) if key in run):
        yield from _of_record(f"table {table}, record {_named(key)}", run[key], reference[key])
    pairs = list(_alike([key for key in missing if is_new(key)], [key for key in extra if is_new(key)], reference, run))
    for wanted, got in pairs:
        yield from _of_record(f"table {table}, new record", run[got], reference[wanted])
    paired = {key for pair in pairs for key in pair}
    for key in (key for key in missing if key not in paired):
        yield f"table {table}, record {_named(key)} is missing: {_short(reference[key])}"
    for key in (key for key in extra if key not in paired):
        yield f"table {table}, record {_named(key)} should not be there: {_short(run[key])}"


def _alike(
    missing: list[str], extra: list[str], reference: dict[str, Any], run: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    """New records of both, each with the one that it resembles most."""
    left = list(extra)
    for wanted in missing[: len(extra)]:
        fields = {json.dumps(item, sort_keys=True) for item in _fields(reference[wanted])}
        got = max(left, key=lambda key: len(fields & {json.dumps(item, sort_keys=True) for item in _fields(run[key])}))
        left.remove(got)
        yield wanted, got


def _fields(record: Any) -> list[tuple[str, Any]]:
    return list(cast("Json", record).items()) if isinstance(record, dict) else []


def _of_record(where: str, run: Any, reference: Any) -> Iterator[str]:
    if _same(run, reference):
        return
    if not isinstance(run, dict) or not isinstance(reference, dict):
        yield f"{where}: is {_short(run)}, not {_short(reference)}"
        return
    got, wanted = cast("Json", run), cast("Json", reference)
    both = {
        field: (got.get(field, _ABSENT), wanted.get(field, _ABSENT)) for field in sorted(got.keys() | wanted.keys())
    }
    unlike = {field: pair for field, pair in both.items() if not _same(*pair)}
    plain = {
        field: pair
        for field, pair in unlike.items()
        if not all(isinstance(each, str) and is_new(each) for each in pair)
    }
    for field, (a, b) in (plain or unlike).items():  # the label of an id differs with any other field
        yield f"{where}, field {field}: is {_short(a)}, not {_short(b)}"


def guard(run: Tables, reference: Tables, first: Tables) -> Iterator[str]:
    """Records that the reference did not touch, and the run did.

    A record that the run added counts only if the reference added none to its table.
    """
    for table in sorted(run.keys() | reference.keys() | first.keys()):
        got, wanted, before = (each.get(table, {}) for each in (run, reference, first))
        adds = any(key not in before for key in wanted)
        for key in sorted(got.keys() | wanted.keys()):
            a, b, c = (each.get(key, _ABSENT) for each in (got, wanted, before))
            if not (adds and c is _ABSENT) and _same(b, c) and not _same(a, b):
                yield f"table {table}, record {_named(key)}: is {_short(a)}, but the task leaves it {_short(b)}"


def _same(a: Any, b: Any) -> bool:
    if a is _ABSENT or b is _ABSENT:
        return a is b
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


def _named(key: str) -> str:
    return "(new)" if is_new(key) else key


def _short(value: Any) -> str:
    text = "absent" if value is _ABSENT else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MOST else f"{text[:_MOST]}…"
