"""The scalars inside a call's arguments, each with the part of the schema that governs it."""

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

from gem_tasks.checks.reading.case import MAX_DEPTH
from gem_tasks.domain.base import Json

_MOST_LINKS = 8
_GIVES = frozenset({"enum", "const", "default"})
_COMBINATORS = frozenset({"anyOf", "oneOf", "allOf"})
_INDIRECT = _COMBINATORS | {"$ref"}


class Leaf(NamedTuple):
    """One scalar."""

    path: str
    """`$.items[0].quantity`."""
    name: str
    """Name of the innermost field."""
    value: Any
    schema: Json

    @property
    def settled(self) -> bool:
        """Whether the schema itself determines the value: a constant, a list entry, the default; or the only choice."""
        if self.value is None or isinstance(self.value, bool):
            return True
        if _GIVES.isdisjoint(self.schema):
            return False
        options = [*_list(self.schema.get("enum")), self.schema.get("const"), self.schema.get("default")]
        return any(type(option) is type(self.value) and option == self.value for option in options)


def leaves(arguments: Json, schema: Json) -> Iterator[Leaf]:
    """All scalars, in written order."""
    followed: dict[int, Json] = {}  # by the identity of a part of the schema: a list has one for all its items
    stack: list[tuple[str, str, Any, Json, int]] = [("$", "", arguments, schema, 0)]
    while stack:
        path, name, value, node, depth = stack.pop()
        if depth > MAX_DEPTH:
            continue
        if node and not _INDIRECT.isdisjoint(node):
            if id(node) not in followed:
                followed[id(node)] = resolved(node, schema)
            node = followed[id(node)]
        parts: list[tuple[str, str, Any, Json, int]] = []
        if isinstance(value, dict):
            known = _dict(node.get("properties"))
            rest = _dict(node.get("additionalProperties"))
            for key, part in cast(Json, value).items():
                parts.append((f"{path}.{key}", key, part, _dict(known.get(key)) or rest, depth + 1))
        elif isinstance(value, list):
            inner = _dict(node.get("items"))
            whole = cast("list[Any]", value)
            parts = [(f"{path}[{at}]", name, part, inner, depth + 1) for at, part in enumerate(whole)]
        else:
            yield Leaf(path, name, value, node)
        stack.extend(reversed(parts))


def resolved(node: Json, root: Json) -> Json:
    """Follows local references, and merges the branches of combinators: any branch may determine the value."""
    for _ in range(_MOST_LINKS):
        link = node.get("$ref")
        if not isinstance(link, str) or not link.startswith("#/"):
            break
        target: Any = root
        for step in link[2:].split("/"):
            target = _dict(target).get(step)
        node = _dict(target)
    if _COMBINATORS.isdisjoint(node):
        return node
    branches = [branch for keyword in sorted(_COMBINATORS) for branch in _list(node.get(keyword))]
    merged: Json = dict(node)
    options = _list(node.get("enum"))[:]
    for branch in map(_dict, branches):
        options += _list(branch.get("enum"))
        for key, value in branch.items():
            merged.setdefault(key, value)
    return {**merged, "enum": options} if "enum" in merged else merged


def _dict(value: Any) -> Json:
    return cast(Json, value) if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []
