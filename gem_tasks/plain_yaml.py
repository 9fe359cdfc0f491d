"""YAML of others: no aliases, by which a few lines become gigabytes, and a bounded depth.

PyYAML's reader takes quadratic time over brackets in brackets; composing node by node ends at Python's recursion limit.
"""

from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("it has an alias (*), which is not taken here")
        return super().compose_node(parent, index)


def read_yaml(text: str) -> Any:
    """The only document in a text.

    Raises:
        yaml.YAMLError: it is no YAML, or has an alias.
        ValueError: a value of it is none.
        RecursionError: it is too deep.
    """
    return yaml.load(text, _Loader)  # noqa: S506  a safe one
