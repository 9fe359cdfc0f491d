"""Where two JSON values differ first."""

import json
from typing import Any, NamedTuple, cast

from gem_tasks.domain.base import Json

_ABSENT = object()
_MOST = 120


class Difference(NamedTuple):
    """The first place at which a conversation differs from its replay."""

    message: int | None
    """Position of the message in the row; None: the whole row."""
    path: str
    """JSON path inside the result; empty: the whole step."""
    told: str
    real: str

    def __str__(self) -> str:
        where = "" if self.message is None else f"message {self.message} "
        return f"{where}{self.path}: told {self.told}, real {self.real}"


def shown(value: Any) -> str:
    """A value on one line, cut."""
    if value is _ABSENT:
        return "(absent)"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MOST else text[:_MOST] + " …"


def first_difference(told: Any, real: Any, path: str = "$") -> tuple[str, Any, Any] | None:
    """`(path, told, real)`; None if they are equal. 1 and true differ, and so do 1 and 1.0."""
    if isinstance(told, dict) and isinstance(real, dict):
        a, b = cast(Json, told), cast(Json, real)
        pairs = ((f"{path}.{name}", a.get(name, _ABSENT), b.get(name, _ABSENT)) for name in sorted(a.keys() | b.keys()))
    elif isinstance(told, list) and isinstance(real, list):
        c, d = cast("list[Any]", told), cast("list[Any]", real)
        pairs = ((f"{path}[{at}]", _at(c, at), _at(d, at)) for at in range(max(len(c), len(d))))
    else:
        same = type(cast("object", told)) is type(cast("object", real)) and told == real
        return None if same else (path, cast("Any", told), real)
    return next((found for where, x, y in pairs if (found := first_difference(x, y, where))), None)


def _at(items: list[Any], index: int) -> Any:
    return items[index] if index < len(items) else _ABSENT
