"""Reads untrusted YAML within limits: no aliases, which turn a few lines into gigabytes, few levels, and short numbers,
because numbers to base 60 (`1:30:00`) take quadratic time.

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


def read_yaml(text: str) -> Any:
    """Returns the only document in a text.

    Raises:
        yaml.YAMLError: it is not YAML, has an alias, or is too large.
        ValueError: one of its values is not valid.
        RecursionError: it is too deep.
    """
    _require_plain(text)
    return yaml.load(text, _Loader)  # noqa: S506  a safe one


def _require_plain(text: str) -> None:
    depth = 0
    for number, event in enumerate(yaml.parse(text, _SAFE)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            raise yaml.YAMLError("it has an alias (*), which GEM does not accept")
        if number > _MAX_EVENTS:
            raise yaml.YAMLError(f"it holds more than {_MAX_EVENTS} values")
        if depth > _MAX_DEPTH:
            raise yaml.YAMLError(f"it is nested more than {_MAX_DEPTH} levels deep")
