"""The facts that results state about records, and later results that contradict them.

A fact belongs to a record and a field, and to the question that it answers: a price for another day, the total of
another filter and an echoed argument are not facts about the record. Rows are the same record if they share their
identifier and agree in every other key (line, position, period). A difference proves nothing: states change without a
call, people work on the same records, a bulk write affects unnamed ones. So this reports only differences that no write
explains and that the conversation never mentions, and they are for the judge; only the same question, asked again in
the same turn with no write in between, proves a contradiction.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from gem_tasks.checks.faults import Fault
from gem_tasks.checks.reading.alike import plain, same, show
from gem_tasks.checks.reading.case import Case, Exchange, NotJson, objects, scalars
from gem_tasks.checks.reading.entities import identifiers, is_id_key, own_identifiers
from gem_tasks.checks.reading.records import Row, has_lists, object_of, parts, rows, set_rows
from gem_tasks.checks.reading.said import Utterance, content_words, stem
from gem_tasks.checks.reading.verbs import reads, verb, words
from gem_tasks.domain.base import Json

_FIXED = frozenset(
    """
    name title email phone address currency created sku isbn birth type category brand manufacturer model author origin
    unit weight capacity owner assignee description
    """.split()
)
"""Fields that a record keeps unless a write names them; so do other texts."""
_IDENTITY = _FIXED - {"owner", "assignee", "currency", "unit", "type", "description"}
"""Fields that no system changes between two reads by itself."""
_MOVING = frozenset(
    """
    status state stage condition price cost fee total balance quantity stock amount due expires tier plan subtotal
    priority rating deposit
    """.split()
)
"""Fields that may also follow from a write to something related; so may other numbers."""
_FLEETING = frozenset(
    """
    updated changed modified at timestamp time ms now seen checked request requests remaining elapsed message version
    revision etag estimated eta history result success query page last next previous
    """.split()
)
_BULK = frozenset(
    "import sync synchronize synchronise refresh restore upload load migrate merge regenerate run".split()
)
"""Writes that affect things they do not name."""
_PLAIN = (str, int, float)
_AFTER = 12
"""Messages after a result in which its news would be mentioned."""
_TELLING = 4
"""Letters from which one word of a name identifies its owner."""
_MOST_RECORDS = 40
"""Most records of one identifier: beyond that it names a group."""
_MOST_LINKED = 30
"""Most identifiers of one row, and of the question, that are linked with each other: a row with more lists a group."""


class _Told(NamedTuple):
    value: Any
    at: int
    """Position of the exchange."""
    turn: int
    """User turns before it."""
    exchange: Exchange
    written: bool
    """Whether a write's argument set it; otherwise a result stated it."""


@dataclass(slots=True)
class _Record:
    """One thing, as long as its rows agree in their keys."""

    keys: Json
    """All identifying fields of its rows and their parents."""
    shared: bool
    facts: dict[str, _Told] = field(default_factory=dict[str, _Told])


class _Write(NamedTuple):
    at: int
    touched: frozenset[str]
    """Identifiers in arguments and result."""
    names: frozenset[str]
    """Fields that it mentions."""
    parts: Json
    """Line or position of the one record in its answer; empty if there are several or none."""
    bulk: bool
    """Whether it may have written things that it does not name."""


class Difference(NamedTuple):
    """A fact that differs from an earlier result."""

    fault: Fault
    detail: str
    exchange: Exchange
    path: str


@dataclass
class _World:
    """Facts from results so far."""

    case: Case
    records: dict[tuple[str, str, str], list[_Record]] = field(
        default_factory=dict[tuple[str, str, str], list[_Record]]
    )
    """By noun, identifier and, for what depends on the question, the question."""
    links: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    """Identifiers found in the same row or result as the key, as far as requested."""
    linked: int = 0
    """Exchanges already included in `links`."""
    writes: list[_Write] = field(default_factory=list[_Write])
    """Successful writes."""
    tried: int = -1
    """Position of the last write, failed ones included."""


def differences(case: Case) -> Iterator[Difference]:
    """Every difference that no write explains and the conversation never mentions, in the order of the results."""
    world = _World(case)
    users = [at for at, message in enumerate(case.messages) if message.role == "user"]
    for position, exchange in enumerate(case.exchanges):
        writes = not reads(exchange.call.name)
        world.tried = position if writes else world.tried
        if exchange.answer_index is None or exchange.failed or isinstance(exchange.data, NotJson):
            continue
        turn, found = bisect_left(users, exchange.index), list(rows(exchange))
        if writes:
            world.writes.append(_write(position, exchange))
        for row in found:
            if records := list(_matching(row, world)):
                for key, value in row.facts.items():
                    if difference := _compare(row, key, value, records, exchange, turn, world):
                        yield difference
        for row in set_rows(exchange) if writes else ():
            _learn(row, position, turn, exchange, row.facts, world)
        for row in found:
            _learn(row, position, turn, exchange, exchange.call.arguments if writes else {}, world)


def _write(position: int, exchange: Exchange) -> _Write:
    touched = identifiers(tuple(objects(exchange.call.arguments))) | identifiers(exchange.rows)
    touched |= {str(value) for _, name, value in scalars(exchange.call.arguments) if is_id_key(name)}
    names = frozenset(exchange.call.arguments).union(*(row for _, row in exchange.rows))
    root = object_of(exchange.data)
    several = has_lists(root)
    bulk = not touched or verb(exchange.call.name) in _BULK
    return _Write(position, frozenset(touched), names, {} if several else parts(root), bulk)


def _same_record(one: Json, other: Json) -> bool:
    """Whether the two agree in every common key."""
    return all(same(value, other[key]) for key, value in one.items() if value and other.get(key))


def _matching(row: Row, world: _World) -> Iterator[_Record]:
    for record in world.records.get((row.noun, row.ident, row.question), ()):
        whole = {**row.apart, **row.keys} if row.shared or record.shared else row.apart
        if _same_record(whole, record.keys):
            yield record


def _compare(
    row: Row, key: str, value: Any, records: list[_Record], exchange: Exchange, turn: int, world: _World
) -> Difference | None:
    for told in filter(None, (record.facts.get(key) for record in records)):
        if told.value == value or told.value in ("", None) or same(told.value, value):
            continue
        about = set(words(key))
        fixed = bool(about & _FIXED) or (isinstance(value, str) and not about & _MOVING)
        if not told.written and (about & _FLEETING or isinstance(value, bool) or not told.value):
            continue
        at_once = told.turn == turn and not told.written and _asks_the_same(told.exchange, exchange)
        detail = f"{exchange.call.name}: {key} of {row.ident} was {show(told.value)}, is {show(value)}"
        place = (exchange, f"{row.path}.{key}")
        if at_once and about & _IDENTITY and isinstance(value, str) and world.tried <= told.at:
            return Difference(Fault.CHANGED_AT_ONCE, f"{detail}: the same question was asked twice", *place)
        if _explained(row, key, told, fixed, world) or _taken_up(value, told, exchange, world, fixed):
            continue
        if told.written:
            return Difference(Fault.WRITE_LOST, f"{detail}, although that was written", *place)
        return Difference(Fault.CHANGED, f"{detail}, nothing wrote it and nobody speaks of it", *place)
    return None


def _asks_the_same(one: Exchange, other: Exchange) -> bool:
    return one.call.name == other.call.name and one.call.arguments == other.call.arguments


def _explained(row: Row, key: str, told: _Told, fixed: bool, world: _World) -> bool:
    """Whether a write since then could have changed it."""
    since = [write for write in world.writes if write.at > told.at and _same_record(write.parts, row.apart)]
    if any(write.bulk for write in since):
        return True
    if not fixed and not told.written:
        near = {row.ident} | _near(row.ident, since[-1].at, world) if since else set[str]()
        return any(near & write.touched for write in since)
    return any(row.ident in write.touched and (not fixed or key in write.names) for write in since)


def _taken_up(value: Any, told: _Told, exchange: Exchange, world: _World, fixed: bool) -> bool:
    """Whether the new value is mentioned: between the two reads, or after the second."""
    first = world.case.exchanges[told.at].index
    last = min((exchange.answer_index or 0) + _AFTER, len(world.case.messages))
    spoken = False
    for at in range(first, last):
        message = world.case.messages[at]
        if message.role not in ("user", "assistant") or not message.content:
            continue
        if _mentions(world.case.utterances[at], value, fixed):
            return True
        spoken = at > exchange.index and message.role == "assistant"
        if spoken and not message.tool_calls:
            break
    return False


def _mentions(said: Utterance, value: Any, fixed: bool) -> bool:
    """Whether a text has the value: for a name, one telling word is enough; a state of several words is one phrase."""
    if isinstance(value, int | float):
        return value in said.numbers or -value in said.numbers
    wanted = content_words(str(value))
    if fixed and len(wanted) > 1:
        return any(word in said.stems for word in wanted if len(word) >= _TELLING)
    text = plain(value)
    return text in plain(said.text) if " " in text else all(stem(word) in said.stems for word in wanted)


def _learn(row: Row, position: int, turn: int, exchange: Exchange, arguments: Json, world: _World) -> None:
    records = world.records.setdefault((row.noun, row.ident, row.question), [])
    record = next(_matching(row, world), None)
    if record is None:
        if len(records) >= _MOST_RECORDS:
            return
        record = _Record({}, row.shared)
        records.append(record)
    record.keys = {**record.keys, **row.keys, **row.apart}
    record.shared = record.shared or row.shared
    for key, value in row.facts.items():
        record.facts[key] = _Told(value, position, turn, exchange, key in arguments)


def _near(ident: str, position: int, world: _World) -> set[str]:
    """Identifiers that occurred beside one in the exchanges up to a position."""
    for exchange in world.case.exchanges[world.linked : position + 1]:
        if not exchange.failed:
            _link(exchange, world)
    world.linked = max(world.linked, position + 1)
    return world.links.get(ident, set())


def _link(exchange: Exchange, world: _World) -> None:
    given = sorted(identifiers(tuple(objects(exchange.call.arguments))))[:_MOST_LINKED]
    for _, row in exchange.rows:
        linked = {*islice(own_identifiers(row), _MOST_LINKED), *given}
        for ident in linked:
            world.links.setdefault(ident, set()).update(linked)
