"""Reads untrusted YAML within limits: no aliases, which turn a few lines into gigabytes, and few levels.

PyYAML's own reader takes quadratic time for nested brackets; libyaml's, which is used if available, is also ten times
as fast.
"""

from typing import Any

import yaml

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAX_EVENTS = 500_000
_MAX_DEPTH = 200


def read_yaml(text: str) -> Any:
    """Returns the only document in a text.

    Raises:
        yaml.YAMLError: it is not YAML, has an alias, or is too large.
        ValueError: one of its values is not valid.
        RecursionError: it is too deep.
    """
    _require_plain(text)
    return yaml.load(text, _LOADER)  # noqa: S506  a safe one


def _require_plain(text: str) -> None:
    depth = 0
    for number, event in enumerate(yaml.parse(text, _LOADER)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            raise yaml.YAMLError("it has an alias (*), which GEM does not accept")
        if number > _MAX_EVENTS:
            raise yaml.YAMLError(f"it holds more than {_MAX_EVENTS} values")
        if depth > _MAX_DEPTH:
            raise yaml.YAMLError(f"it is nested more than {_MAX_DEPTH} levels deep")
