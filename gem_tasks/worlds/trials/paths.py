"""Arguments that an earlier result tells: `"$3.items.0.id"` is a path into the third call's result."""

import re
from collections.abc import Mapping
from typing import Any, cast

from gem_tasks.domain.base import Json

_KEYS = 12
_PATH = re.compile(r"\$(\d{1,4})\.([A-Za-z_][^\s]*)")


def resolved(value: Any, results: Mapping[int, Json]) -> Any:
    """A value with its paths replaced.

    Args:
        value: JSON, such as arguments.
        results: by number, from 1.

    Raises:
        LookupError: a path that the results do not have; the message is for the model.
    """
    if isinstance(value, dict):
        return {key: resolved(each, results) for key, each in cast("Json", value).items()}
    if isinstance(value, list):
        return [resolved(each, results) for each in cast("list[Any]", value)]
    found = _PATH.fullmatch(value) if isinstance(value, str) else None
    return _at(results, int(found[1]), found[2], found[0]) if found else value


def _shown(here: Any) -> str:
    if isinstance(here, list):
        return f"a list of {len(cast('list[Any]', here))}"
    return ", ".join(list(cast("Json", here))[:_KEYS]) if isinstance(here, dict) else f"{here!r:.40}"


def _at(results: Mapping[int, Json], number: int, path: str, whole: str) -> Any:
    if number not in results:
        raise LookupError(f"{whole}: no call {number} before it succeeded")
    here: Any = results[number]
    for part in path.split("."):
        if isinstance(here, list) and part.isdecimal() and int(part) < len(cast("list[Any]", here)):
            here = cast("list[Any]", here)[int(part)]
        elif isinstance(here, dict) and part in here:
            here = cast("Json", here)[part]
        else:
            raise LookupError(f"{whole}: result {number} has no {part!r} there, but {_shown(here)}")
    return here
