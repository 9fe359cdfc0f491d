"""Tool results that could come from one real system: JSON, about the thing that was asked for, with stable facts.

Nothing is executed when a model writes a trajectory, so nothing but this check stops a price from changing between two
looks. The rule: a fact about a thing (same identifier) stays until a successful write could have changed it. Facts of
identity (name, price, date of creation) need a write that names the thing; states and totals may also follow from a
write to something connected with it. Whatever looks like a clock, a counter of requests or a history is left alone.
"""

import json
import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple, cast

from gem_tasks.checks.case import Case, Exchange, NotJson, objects, scalars
from gem_tasks.checks.entities import Sighting, identifiers, is_id_key, own_identifiers, sightings
from gem_tasks.checks.verbs import reads, verb, words
from gem_tasks.domain.base import Json
from gem_tasks.domain.finding import Finding, Severity

CHECK = "realism"

_FIXED = frozenset(
    """
    name title price cost fee email phone address currency created sku isbn birth type category brand
    manufacturer model author origin unit deposit capacity weight rating
    """.split()
)
_CHANGING = frozenset(
    """
    status state total balance quantity stock amount count owner assignee due expires tier plan subtotal
    priority stage condition
    """.split()
)
_FLEETING = frozenset(
    """
    updated changed modified at timestamp time ms now seen checked request requests remaining elapsed message
    version revision estimated eta history result success query page last
    """.split()
)
_SETS = frozenset(
    """
    update set change edit modify rename move assign create register schedule put reschedule book configure
    patch replace upsert save record enable
    """.split()
)
_COUNTS: frozenset[str] = frozenset(
    {"count", "total_count", "total_results", "result_count", "num_results", "number_of_results"}
)
_STATES = frozenset("status state stage condition online connected".split())
"""What people and machines outside change between two turns of a conversation: then the judge is asked."""
_CLOCKS = frozenset("updated changed modified timestamp ms now seen checked remaining elapsed".split())
_COUNTERS = {"version", "revision", "etag"}
_LEVELS = frozenset("quantity amount balance stock count total units".split())
_ADDS = frozenset("move transfer add assign book".split())
"""Writes whose `quantity` is what is added, while the result's may be the new level."""
_PLAIN = (str, int, float)
_MOST_PER_MESSAGE = 8


class _When(NamedTuple):
    at: int
    """Position of the exchange that told it."""
    turns: int
    """User turns before it."""


@dataclass(slots=True)
class _Facts:
    """About one thing."""

    values: Json = field(default_factory=Json)
    told: dict[str, _When] = field(default_factory=dict[str, _When])


class _Set(NamedTuple):
    value: Any
    at: int
    """Position of the write."""


@dataclass(slots=True)
class _Write:
    at: int
    touched: set[str]
    """Identifiers."""
    names: frozenset[str]
    """Fields it speaks of."""


@dataclass
class _World:
    """What the results have said so far."""

    facts: dict[tuple[str, str], _Facts] = field(default_factory=dict[tuple[str, str], _Facts])
    links: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    """Identifiers that stood in one row or result with an identifier."""
    writes: list[_Write] = field(default_factory=list[_Write])
    """Every successful write."""
    set_to: dict[str, dict[str, _Set]] = field(default_factory=dict[str, dict[str, _Set]])
    """Identifier, then field: what the last write set it to."""


def check(case: Case) -> Iterator[Finding]:
    """Findings for results that are no JSON, answer for something else, or contradict what was told or written."""
    world = _World()
    users = [at for at, message in enumerate(case.messages) if message.role == "user"]
    for position, exchange in enumerate(case.exchanges):
        if exchange.answer_index is None:
            continue
        if isinstance(exchange.data, NotJson):
            yield _finding("not_json", "the result is not JSON", exchange, "")
        if isinstance(exchange.data, NotJson) or exchange.failed:
            continue
        yield from _answers_for_another(exchange)
        yield from _miscounted(exchange)
        given = identifiers(tuple(objects(exchange.call.arguments)))
        if not reads(exchange.call.name):
            yield from _echo(exchange)
            _write(position, exchange, given, world)
        seen = tuple(sightings(exchange.rows))
        turns = bisect_left(users, exchange.index)
        yield from islice(_contradictions(position, exchange, seen, turns, world), _MOST_PER_MESSAGE)
        _learn(position, turns, seen, given, world)


def _answers_for_another(exchange: Exchange) -> Iterator[Finding]:
    """Asked about one thing, a result has the same field with another identifier."""
    if not isinstance(exchange.data, dict):
        return
    row = cast(Json, exchange.data)
    for key, given in exchange.call.arguments.items():
        told = row.get(key)
        if is_id_key(key) and isinstance(given, str) and isinstance(told, str) and _norm(given) != _norm(told):
            yield _finding("other_thing", f"{key} {given!r} was asked for, {told!r} is answered", exchange, f"$.{key}")


def _miscounted(exchange: Exchange) -> Iterator[Finding]:
    """A count that is less than the rows beside it; more may be on other pages."""
    for path, row in exchange.rows:
        if _COUNTS.isdisjoint(row):
            continue
        lists = [cast("list[Any]", value) for value in row.values() if isinstance(value, list)]
        for key, value in row.items():
            if key in _COUNTS and type(value) is int and len(lists) == 1 and value < len(lists[0]):
                detail = f"{key} is {value}, but {len(lists[0])} are listed"
                yield _finding("miscounted", detail, exchange, f"{path}.{key}")


def _echo(exchange: Exchange) -> Iterator[Finding]:
    """A write whose result names an argument's field with another value."""
    if not isinstance(exchange.data, dict) or verb(exchange.call.name) not in _SETS:
        return
    row = cast(Json, exchange.data)
    for key, given in exchange.call.arguments.items():
        told = row.get(key)
        if verb(exchange.call.name) in _ADDS and _LEVELS.intersection(words(key)):
            continue
        if key in row and _is_plain(given) and _is_plain(told) and not is_id_key(key) and not _same(given, told):
            detail = f"{key} was set to {_show(given)}, the result says {_show(told)}"
            yield _finding("echo", detail, exchange, f"$.{key}")


def _write(position: int, exchange: Exchange, given: set[str], world: _World) -> None:
    touched = given | identifiers(exchange.rows)
    touched |= {str(value) for _, name, value in scalars(exchange.call.arguments) if is_id_key(name)}
    world.writes.append(_Write(position, touched, _named(exchange)))
    idents = [str(value) for key, value in exchange.call.arguments.items() if is_id_key(key) and value is not None]
    # What is created is named by the answer only.
    named = own_identifiers(cast(Json, exchange.data)) if isinstance(exchange.data, dict) else iter(())
    things = dict.fromkeys([*idents[:1], *islice(named, 1)])
    if verb(exchange.call.name) in _SETS:
        for key, value in exchange.call.arguments.items():
            adds = verb(exchange.call.name) in _ADDS and _LEVELS.intersection(words(key))
            if _is_plain(value) and not is_id_key(key) and not adds:
                for thing in things:
                    world.set_to.setdefault(thing, {})[key] = _Set(value, position)


def _contradictions(
    position: int, exchange: Exchange, sighted: tuple[Sighting, ...], turns: int, world: _World
) -> Iterator[Finding]:
    for seen in sighted:
        known, sets = world.facts.get(seen.thing), world.set_to.get(seen.ident, {})
        if not known and not sets:
            continue
        told = known.values if known else {}
        for key, value in seen.row.items():
            if key == seen.key or not _is_plain(value):
                continue
            written = sets.get(key)
            if written and written.at < position and _unwritten(seen, key, value, written, world):
                detail = f"{key} of {seen.ident} was set to {_show(written.value)}, now it reads {_show(value)}"
                yield _finding("write_lost", detail, exchange, f"{seen.path}.{key}")
            elif known and told.get(key, value) != value and _changed(seen, key, value, known, world):
                detail = f"{key} of {seen.ident} was {_show(told[key])}, is {_show(value)}, and nothing wrote it"
                outside = known.told[key].turns < turns and not _STATES.isdisjoint(words(key))
                yield _finding("changed", detail, exchange, f"{seen.path}.{key}", unsettled=outside)


def _unwritten(seen: Sighting, key: str, value: Any, written: _Set, world: _World) -> bool:
    """A write is gone: the value differs, and no later write could have replaced it."""
    about = set(words(key))
    if _same(written.value, value) or about & _CLOCKS or key in _COUNTERS:
        return False
    later = (write for write in world.writes if write.at > written.at and seen.ident in write.touched)
    return not any(key in write.names or about & _CHANGING for write in later)


def _named(exchange: Exchange) -> frozenset[str]:
    """The fields that a write speaks of, in its arguments or its answer: the others it leaves alone."""
    rows = (row for _, row in exchange.rows)
    return frozenset(exchange.call.arguments).union(*rows)


def _changed(seen: Sighting, key: str, value: Any, known: _Facts, world: _World) -> bool:
    """The value differs, and no write since then excuses it."""
    before = known.values[key]
    if value is None or before is None:
        return False
    about = set(words(key))
    if about & _FLEETING or _same(before, value):
        return False
    since = [write.touched for write in world.writes if write.at > known.told[key].at]
    if about & _FIXED or is_id_key(key):
        return not any(seen.ident in touched for touched in since)
    if about & _CHANGING:
        near = {seen.ident} | world.links.get(seen.ident, set()) | identifiers(tuple(objects(seen.row)))
        return not any(near & touched or not touched for touched in since)
    return False


def _learn(position: int, turns: int, sighted: tuple[Sighting, ...], given: set[str], world: _World) -> None:
    now = _When(position, turns)
    for seen in sighted:
        plain = {key: value for key, value in seen.row.items() if isinstance(value, _PLAIN)}
        facts = world.facts.get(seen.thing) or world.facts.setdefault(seen.thing, _Facts())
        facts.values.update(plain)
        facts.told.update(dict.fromkeys(plain, now))
        linked = {*own_identifiers(seen.row), *given}
        for ident in linked:
            world.links.setdefault(ident, set()).update(linked)


def _close(one: float, other: float) -> bool:
    try:
        return math.isclose(one, other, rel_tol=1e-6)
    except OverflowError:  # JSON's integers have no end
        return False


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, _PLAIN)


def _same(one: Any, other: Any) -> bool:
    """Equal as people read it: case and spacing aside, `5` and `5.0` and `"5"`, a date and the instant it begins."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other or _norm(one) == _norm(other)
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one == other or _close(one, other) or (one != one and other != other)
    left, right = _norm(one), _norm(other)
    return left == right or _is_date_of(left, right) or _is_date_of(right, left) or _number(left) == _number(right)


def _norm(value: Any) -> str:
    return " ".join(str(value).casefold().replace("_", " ").replace("-", " ").split())


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


_DATE_CHARS = 10


def _is_date_of(day: str, instant: str) -> bool:
    return len(day) == _DATE_CHARS and day[:2].isdigit() and instant.startswith(day)


def _show(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:80]


def _finding(kind: str, detail: str, exchange: Exchange, path: str, *, unsettled: bool = False) -> Finding:
    return Finding(
        check=CHECK,
        severity=Severity.WARNING if unsettled else Severity.ERROR,
        unsettled=unsettled,
        kind=kind,
        detail=f"{exchange.call.name}: {detail[:300]}",
        message_index=exchange.answer_index,
        json_path=path[:300],
    )
