"""The subjects of tool results: rows known by an identifier, and the field with that identifier."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple, cast

from gem_tasks.checks.reading.case import Rows
from gem_tasks.checks.reading.verbs import words
from gem_tasks.domain.base import Json

_ID_ENDINGS = {"id", "uuid", "guid", "sku", "isbn", "iban", "number", "no", "code", "ref", "reference"}
_NOT_IDENTITY = frozenset(
    """
    phone mobile fax telephone error status page zip postal country currency language request trace transaction discount
    promo total room seat floor line serial version house parent previous next
    """.split()
)
_KEYS = frozenset("id uuid guid".split())
_OF_TRAFFIC = frozenset("request trace correlation error session".split())
"""A `request_id` may change with every answer; a `time_request_id` does not."""
_PART_ENDINGS = frozenset("line position index row sequence step entry page slot".split())
_PERIODS = frozenset("date day month year period week".split())
"""A bare `date` identifies the row, a `due_date` describes it."""
_OTHERS = frozenset("previous next parent".split())
_CODE = re.compile(r"\d|^[A-Z][A-Z_-]{1,19}$")
"""The form of an identifier: it has a digit, or is a code in capitals."""
_WORD = re.compile(r"[\w.:@/-]{2,64}")


class Sighting(NamedTuple):
    """One row about one thing."""

    path: str
    """Path of the row inside the result."""
    key: str
    """The field that holds the identifier."""
    ident: str
    row: Json


@lru_cache(maxsize=8192)
def noun(key: str) -> str:
    """`order_id` and `orderNumber` name an order; `id` an unnamed thing."""
    return " ".join(word for word in words(key) if word not in _ID_ENDINGS)


@lru_cache(maxsize=8192)
def is_part_key(key: str) -> bool:
    """Whether a field distinguishes rows of one parent: lines, positions, entries, periods."""
    found = words(key)
    if not found or is_id_key(key):
        return False
    if found[-1] in _PERIODS:
        return len(found) == 1
    return found[-1] in _PART_ENDINGS or (found[-1] in _ID_ENDINGS and not _PART_ENDINGS.isdisjoint(found))


@lru_cache(maxsize=8192)
def is_id_key(key: str) -> bool:
    """Whether a field identifies a thing rather than describes it."""
    found = words(key)
    if not found or found[-1] not in _ID_ENDINGS:
        return False
    return _NOT_IDENTITY.isdisjoint(found) or (found[-1] in _KEYS and _OTHERS.isdisjoint(found))


@lru_cache(maxsize=8192)
def is_traffic_key(key: str) -> bool:
    """Whether a field may number the answer rather than a thing: `request_id`, which may also be a leave request's."""
    found = words(key)
    return len(found) == 2 and found[0] in _OF_TRAFFIC


def sightings(rows: Rows) -> Iterator[Sighting]:
    """Every row whose first identifying field states its subject."""
    for path, row in rows:
        named = [(key, value) for key, value in row.items() if is_id_key(key) and is_ident(key, value)]
        if named:
            key, value = next((each for each in named if not is_traffic_key(each[0])), named[0])
            yield Sighting(path, key, str(value), row)


def identifiers(rows: Rows) -> set[str]:
    """Every identifier in the rows, also as a reference to another thing."""
    found: set[str] = set()
    for _, row in rows:
        found.update(own_identifiers(row))
    return found


def own_identifiers(row: Json) -> Iterator[str]:
    """The identifiers in a row's own fields."""
    for key, value in row.items():
        if not _is_reference(key):
            continue
        if isinstance(value, list):
            yield from (str(part) for part in cast("list[Any]", value) if is_ident(key, part))
        elif is_ident(key, value):
            yield str(value)


@lru_cache(maxsize=8192)
def _is_reference(key: str) -> bool:
    return is_id_key(key) or key.endswith("ids")


def is_ident(key: str, value: Any) -> bool:
    """Whether a value can be an identifier: under a name that ends in `id`, any single word (`sdb`) can."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return False
    return not isinstance(value, str) or bool(
        _CODE.search(value) or (words(key)[-1] in _KEYS and _WORD.fullmatch(value))
    )
