"""Reads untrusted YAML within limits: aliases, which turn a few lines into gigabytes, only if they count as often as
they are used; few levels; and short numbers, because numbers to base 60 (`1:30:00`) take quadratic time.

PyYAML's own reader takes quadratic time for nested brackets; libyaml's, which is used if available, is also ten times
as fast.
"""

from typing import Any

import yaml

_SAFE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAX_EVENTS = 500_000
_MAX_DEPTH = 200
_MAX_NUMBER_CHARS = 100


class _Loader(_SAFE):
    """PyYAML's safe loader with bounded numbers."""


def _number(read: Any) -> Any:
    def construct(loader: Any, node: Any) -> Any:
        if len(node.value) > _MAX_NUMBER_CHARS:
            raise yaml.YAMLError(f"it has a number of more than {_MAX_NUMBER_CHARS} characters")
        return read(loader, node)

    return construct


_Loader.add_constructor("tag:yaml.org,2002:int", _number(_SAFE.construct_yaml_int))
_Loader.add_constructor("tag:yaml.org,2002:float", _number(_SAFE.construct_yaml_float))


def read_yaml(text: str, max_values: int = _MAX_EVENTS, *, aliases: bool = False) -> Any:
    """Returns the only document in a text.

    Args:
        text: YAML.
        max_values: limit for its values, each alias counted as all that it stands for.
        aliases: whether it may have aliases; their values are then the same objects.

    Raises:
        yaml.YAMLError: it is not YAML, has an alias that it may not have, or is too large.
        ValueError: one of its values is not valid.
        RecursionError: it is too deep.
    """
    _require_plain(text, max_values, aliases)
    return yaml.load(text, _Loader)  # noqa: S506  a safe one


def _require_plain(text: str, max_values: int, aliases: bool) -> None:
    count, sizes = 0, dict[str, int]()
    opened: list[tuple[str | None, int]] = []
    """Anchor and preceding count of each collection that has begun."""
    for event in yaml.parse(text, _SAFE):
        count += 1
        if isinstance(event, yaml.AliasEvent):
            if not aliases:
                raise yaml.YAMLError("it has an alias (*), which GEM does not accept")
            if event.anchor not in sizes:
                raise yaml.YAMLError("it has an alias (*) of something that contains it, or of nothing")
            count += sizes[event.anchor]
        elif isinstance(event, yaml.CollectionStartEvent):
            opened.append((event.anchor, count))
            sizes.pop(event.anchor or "", None)
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = opened.pop()
            sizes |= {anchor: count - before} if anchor else {}
        elif isinstance(event, yaml.ScalarEvent) and event.anchor:
            sizes[event.anchor] = 1
        if count > max_values:
            raise yaml.YAMLError(f"it holds more than {max_values} values")
        if len(opened) > _MAX_DEPTH:
            raise yaml.YAMLError(f"it is nested more than {_MAX_DEPTH} levels deep")
