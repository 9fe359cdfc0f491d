"""Whether tool results could come from one real system: JSON, about the requested thing, with stable facts.

Writing a trajectory executes nothing, so only this check stops a price from changing between two reads. `facts`
compares the results of two reads; this module compares one result with its call.
"""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any, cast

from gem_tasks.checks.faults import Fault, finding
from gem_tasks.checks.reading.alike import is_plain, plain, same, show
from gem_tasks.checks.reading.case import Case, Exchange, NotJson, scalars
from gem_tasks.checks.reading.entities import is_id_key, is_traffic_key
from gem_tasks.checks.reading.verbs import SETS, reads, verb, words
from gem_tasks.checks.realism.facts import differences
from gem_tasks.domain.base import Json
from gem_tasks.domain.finding import Finding

CHECK = "realism"

_LEVELS = frozenset("quantity amount balance stock count total units".split())
_STATES = frozenset("status state stage condition action mode".split())
"""Fields that a system fills in its own words: asked to `approve`, it is `approved` or waits for approval."""
_ADDS = frozenset("move transfer add assign book".split())
"""Writes whose `quantity` is an addition, while the result's may be the new level."""
_COUNTS: frozenset[str] = frozenset(
    {"count", "total_count", "total_results", "result_count", "num_results", "number_of_results"}
)
_LOOKS = frozenset("get read show view fetch retrieve describe open inspect check".split())
"""Reads of the one thing that they are given; `me` and `latest` name something else."""
_OTHERS = frozenset("next previous similar related alternative substitute replacement successor resolve".split())
_HAS_DIGIT = re.compile(r"\d")
_MOST_PER_MESSAGE = 3


def check(case: Case) -> Iterator[Finding]:
    """Findings for results that are not JSON, answer for something else, or contradict what was told or written."""
    json_spoken = _speaks_json(case)
    for exchange in case.exchanges:
        if exchange.answer_index is None:
            continue
        if isinstance(exchange.data, NotJson):
            if json_spoken:
                yield _at(exchange, Fault.NOT_JSON, "the result is not JSON, as the others are")
        elif not exchange.failed:
            yield from _answers_for_another(exchange)
            yield from _miscounted(exchange)
            if not reads(exchange.call.name):
                yield from _echo(exchange)
    for _, found in groupby(differences(case), key=lambda each: each.exchange.answer_index):
        for each in list(found)[:_MOST_PER_MESSAGE]:
            yield finding(each.fault, each.detail, each.exchange.answer_index, each.path)


def _speaks_json(case: Case) -> bool:
    """Whether most results are JSON, so that one that is not stands out. Otherwise tools may answer in prose."""
    answered = [exchange for exchange in case.exchanges if exchange.answer_index is not None]
    return 2 * sum(not isinstance(exchange.data, NotJson) for exchange in answered) >= len(answered)


def _answers_for_another(exchange: Exchange) -> Iterator[Finding]:
    """Finds results that have the requested field with another identifier.

    A write may create another one (it regenerates, replaces, copies); so may a result that also mentions the first one.
    """
    if not isinstance(exchange.data, dict):
        return
    row, name = cast(Json, exchange.data), words(exchange.call.name)
    for key, given in exchange.call.arguments.items():
        told = row.get(key)
        if not (
            is_id_key(key) and not is_traffic_key(key) and isinstance(given, str) and isinstance(told, str)
        ) or _akin(given, told):
            continue
        if any(value == given for _, _, value in scalars(row)):
            continue
        certain = verb(exchange.call.name) in _LOOKS and _HAS_DIGIT.search(given) and _OTHERS.isdisjoint(name)
        fault = Fault.OTHER_THING if certain else Fault.OTHER_RESULT
        yield _at(exchange, fault, f"{key} {given!r} was asked for, {told!r} is answered", f"$.{key}")


def _akin(one: str, other: str) -> bool:
    """Whether these are two spellings of one identifier: `10482` and `SO-10482`."""
    left, right = plain(one), plain(other)
    return left == right or left.endswith(right) or right.endswith(left)


def _miscounted(exchange: Exchange) -> Iterator[Finding]:
    """Finds a count below the number of rows beside it; a larger count may include other pages."""
    for path, row in exchange.rows:
        if _COUNTS.isdisjoint(row):
            continue
        lists = [cast("list[Any]", value) for value in row.values() if isinstance(value, list)]
        for key, value in row.items():
            if key in _COUNTS and type(value) is int and len(lists) == 1 and value < len(lists[0]):
                detail = f"{key} is {value}, but {len(lists[0])} are listed"
                yield _at(exchange, Fault.MISCOUNTED, detail, f"{path}.{key}")


def _echo(exchange: Exchange) -> Iterator[Finding]:
    """Finds a write whose result has an argument's field with another value."""
    if not isinstance(exchange.data, dict) or verb(exchange.call.name) not in SETS:
        return
    row = cast(Json, exchange.data)
    for key, given in exchange.call.arguments.items():
        told = row.get(key)
        if verb(exchange.call.name) in _ADDS and _LEVELS.intersection(words(key)):
            continue
        if key in row and is_plain(given) and is_plain(told) and not is_id_key(key) and not same(given, told):
            detail = f"{key} was set to {show(given)}, the result says {show(told)}"
            yield _at(exchange, Fault.ECHO, detail, f"$.{key}")


def _at(exchange: Exchange, fault: Fault, detail: str, path: str = "") -> Finding:
    return finding(fault, f"{exchange.call.name}: {detail}", exchange.answer_index, path)
