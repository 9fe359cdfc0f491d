"""References name what only a result tells by its place: `"$3.items.0.id"` is a field of the third call's result."""

import re
from collections.abc import Callable, Sequence
from typing import Any, cast

from gem_tasks.domain.base import Json
from gem_tasks.worlds.session import Session
from gem_tasks.worlds.steps import Call, Step

_PLACE = re.compile(r"\$([1-9][0-9]{0,2})\.([^\s.0-9][^\s.]*(?:\.[^\s.]+)*)")
"""A result is an object, so a place begins with a name; `$3.50` is an amount."""


class UnresolvedError(ValueError):
    """A place that the results do not have; the message says which."""


def resolved(session: Session, reference: Sequence[Step]) -> tuple[Step, ...]:
    """The steps of a reference with the values of its results, taken one by one from the first state on.

    Raises:
        UnresolvedError: a place that the results do not have.
        ValueError: a deed that the scenario does not have.
    """
    session.restart()
    results: list[Json] = []
    steps: list[Step] = []
    for step in reference:
        steps.append(_filled(step, results) if isinstance(step, Call) else step)
        answer = session.take(steps[-1:])[0]
        if isinstance(step, Call):
            results.append(answer.result or {})
    return tuple(steps)


def places(arguments: Any) -> list[int]:
    """Numbers of the calls, from 1, whose results the arguments refer to."""
    found: list[int] = []

    def note(text: str) -> str:
        found.extend(int(match[1]) for match in [_PLACE.fullmatch(text)] if match)
        return text

    each_text(arguments, note)
    return found


def each_text(value: Any, changed: Callable[[str], Any]) -> Any:
    """The value with every text in it replaced."""
    if isinstance(value, dict):
        return {key: each_text(each, changed) for key, each in cast("Json", value).items()}
    if isinstance(value, list):
        return [each_text(each, changed) for each in cast("list[Any]", value)]
    return changed(value) if isinstance(value, str) else value


def _filled(call: Call, results: list[Json]) -> Call:
    def filled(text: str) -> Any:
        match = _PLACE.fullmatch(text)
        return _at(results, int(match[1]), match[2], text) if match else text

    return Call(name=call.name, arguments=each_text(call.arguments, filled))


def _at(results: list[Json], number: int, path: str, text: str) -> Any:
    if number > len(results):
        raise UnresolvedError(f"{text}: there is no call {number} before it")
    found: Any = results[number - 1]
    for name in path.split("."):
        if isinstance(found, list) and name.isdecimal() and int(name) < len(cast("list[Any]", found)):
            found = cast("list[Any]", found)[int(name)]
        elif isinstance(found, dict) and name in found:
            found = cast("Json", found)[name]
        else:
            raise UnresolvedError(
                f"{text}: the result of call {number} has no {path}; it is {_short(results[number - 1])}"
            )
    return found


def _short(result: Json) -> str:
    text = str(result)
    return text if len(text) <= 300 else f"{text[:300]}…"
