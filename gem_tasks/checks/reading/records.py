"""Results as rows about records: the record, what distinguishes it from its neighbours, and its facts.

Rows are about the same record if they share their identifier and agree in every other key: line, position, period, and
the identifiers of their parents. Totals of a list and echoed arguments describe the question, so they are not facts.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

from gem_tasks.checks.reading.alike import is_plain
from gem_tasks.checks.reading.case import Exchange, objects
from gem_tasks.checks.reading.entities import is_id_key, is_part_key, is_traffic_key, noun, sightings
from gem_tasks.checks.reading.verbs import SETS, reads, verb, words
from gem_tasks.domain.base import Json

_PLAIN = (str, int, float)
_COUNTS = frozenset("count counts total totals sum number results matches pages".split())
"""In a result that lists rows, these describe the list."""
_LEVELS = frozenset("quantity amount balance stock count total units".split())
_ADDS = frozenset("move transfer add assign book post receive ship".split())
"""Writes whose `quantity` is an addition, while the result's may be the new level."""


class Row(NamedTuple):
    """One row about one record."""

    path: str
    noun: str
    ident: str
    keys: Json
    """All its identifying fields."""
    apart: Json
    """The keys that distinguish it from rows with its identifier: line, position, identifiers of its parents."""
    facts: Json
    question: str
    """The question on which its facts depend besides the record; empty if none."""
    shared: bool
    """Whether several rows have its identifier, which is then a parent's."""


def rows(exchange: Exchange) -> Iterator[Row]:
    """The records in a result; for a write, also those that its arguments set."""
    arguments, looks = exchange.call.arguments, reads(exchange.call.name)
    seen = list(sightings(exchange.rows))
    often = Counter((_list_of(one.path), one.key, one.ident) for one in seen)
    root = object_of(exchange.data)
    lists = has_lists(root)
    extra = looks and any(not is_id_key(key) for key in arguments)
    around = {**ids(arguments), **ids(root)}
    for one in seen:
        top = one.path == "$"
        row = {**_set(exchange), **one.row} if top else one.row
        shared = often[_list_of(one.path), one.key, one.ident] > 1
        made = _row(one.path, one.key, one.ident, row, around, shared)
        if shared and len(made.keys) + len(parts(row)) == 1:
            continue  # several rows of one parent without a distinction
        hidden = set(arguments) if top and looks else set[str]()
        facts = {key: value for key, value in made.facts.items() if key not in hidden}
        if top and lists:  # it also describes the list
            facts = {key: value for key, value in facts.items() if not _COUNTS.intersection(words(key))}
        yield made._replace(facts=facts, question=_query(exchange) if top and extra else "")


def set_rows(exchange: Exchange) -> Iterator[Row]:
    """The rows inside the arguments of a write that sets fields."""
    if verb(exchange.call.name) not in SETS:
        return
    around = {**ids(exchange.call.arguments), **ids(object_of(exchange.data))}
    for one in sightings(tuple(objects(exchange.call.arguments))):
        if one.path != "$":
            yield _row(one.path, one.key, one.ident, one.row, around, shared=False)


def _query(exchange: Exchange) -> str:
    return exchange.call.name + json.dumps(exchange.call.arguments, sort_keys=True)


def _row(path: str, key: str, ident: str, row: Json, around: Json, shared: bool) -> Row:
    keys, own = ids(row), parts(row)
    apart = {**{name: value for name, value in around.items() if name not in row}, **own}
    facts = {
        name: value for name, value in row.items() if isinstance(value, _PLAIN) and name not in keys and name not in own
    }
    return Row(path, noun(key), ident, keys, apart, facts, "", shared)


def ids(row: Json) -> Json:
    """The identifiers in a row."""
    return {key: value for key, value in row.items() if is_id_key(key) and not is_traffic_key(key) and is_plain(value)}


def parts(row: Json) -> Json:
    """Line, position, period: what distinguishes rows of one parent."""
    return {key: value for key, value in row.items() if is_part_key(key) and is_plain(value)}


def has_lists(row: Json) -> bool:
    """Whether any field is a list."""
    return any(isinstance(value, list) and len(cast("list[Any]", value)) > 0 for value in row.values())


def object_of(data: Any) -> Json:
    """The result if it is an object, otherwise an empty object."""
    return cast(Json, data) if isinstance(data, dict) else {}


def _set(exchange: Exchange) -> Json:
    """The fields that the arguments of a write set: plain ones, without levels to which the write adds."""
    if verb(exchange.call.name) not in SETS:
        return {}
    adds = verb(exchange.call.name) in _ADDS
    return {
        key: value
        for key, value in exchange.call.arguments.items()
        if isinstance(value, _PLAIN) and not (adds and _LEVELS.intersection(words(key)))
    }


_INDEX = re.compile(r"\[\d+\]$")


def _list_of(path: str) -> str:
    return _INDEX.sub("[]", path)
