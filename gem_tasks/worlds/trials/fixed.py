"""Answers that come from the code instead of the state, and code that names records or values of one conversation."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, cast

from gem_tasks.domain.base import Json
from gem_tasks.domain.workflow import Workflow
from gem_tasks.worlds.built import Built
from gem_tasks.worlds.trials.bench import Bench, Tried, tables
from gem_tasks.worlds.trials.failure import Failure, short

_LEAST = 3
"""Texts of an answer that the code contains; characters of an id."""
_COMMON = 2
"""Records that have the same value, such as a status, which code may compare with."""


def fixed(bench: Bench, good: Sequence[Tried]) -> Iterator[Failure | None]:
    """Each successful call in a state without records: an answer that is the same and full of the code's texts."""
    empty = bench.with_tables({name: {} for name in tables(bench.first)})
    for tried in good:
        again = bench.call(tried.call.name, tried.call.arguments, empty)
        given = set(_texts(tried.call.arguments))
        own = {each for each in _texts(tried.result) if each not in given and _quoted(each, bench.world.code)}
        if again.result == tried.result and len(own) >= _LEAST:
            detail = f"{tried.answered}, and the same without any record in the state: keep these data in tables"
            yield Failure("fixed_answer", tried.call.name, detail)
        else:
            yield None


def special(bench: Bench, built: Built, workflow: Workflow, good: Sequence[Tried]) -> Iterator[Failure | None]:
    """Ids of records in the code, and values of calls that it compares with; unless tools or quoted text name them."""
    code = bench.world.code
    named = json.dumps([tool.model_dump() for tool in workflow.tools], ensure_ascii=False)
    named += " ".join(rule.quote or "" for rule in built.rules)
    ids = {key for table in tables(bench.first).values() for key in table if _digit(key)}
    calls = [tried.call.arguments for tried in good] + [action.arguments for action in workflow.actions]
    common = Counter(_texts(list(tables(bench.first).values())))
    values = {each for each in _texts(calls) if common[each] < _COMMON and (_digit(each) or " " in each)}
    found = {each for each in ids if _quoted(each, code)} | {each for each in values if _compared(each, code)}
    found = sorted(each for each in found if len(each) >= _LEAST and each not in named)
    if found:
        detail = f"the code names {short(found[:5])}: let fields of the records or tables decide"
        yield Failure("special_cased", "", detail)
    else:
        yield None


def _digit(text: str) -> bool:
    return any(each.isdigit() for each in text)


def _quoted(text: str, code: str) -> bool:
    return any(f"{mark}{text}{mark}" in code for mark in "\"'`")


def _compared(text: str, code: str) -> bool:
    marked = [f"{mark}{text}{mark}" for mark in "\"'`"]
    return any(f"== {each}" in code or f"{each} ==" in code or f"case {each}" in code for each in marked)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in cast("Json", value).values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in cast("list[Any]", value):
            yield from _texts(each)
