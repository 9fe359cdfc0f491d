"""Reading JSON Schemas of any origin: references, unions, and whether a value fits. Never raises on odd schemas."""

import json
from typing import Any, cast

from gem_tasks.checks.reading.validator import validator
from gem_tasks.domain.base import Json
from gem_tasks.prompts.tags import leaked_tag

_MAX_HOPS = 8


def settled(schema: Any, root: Json) -> Json:
    """The schema with local references followed, `allOf` merged and the first useful branch of a union taken."""
    node: Json = _object(schema)
    for _ in range(_MAX_HOPS):
        if "$ref" in node:
            node = {**_target(str(node["$ref"]), root), **_without(node, "$ref")}
        elif parts := _list(node.get("allOf")):
            node = _without(node, "allOf")
            for part in parts:
                node = {**_object(part), **node}
        elif branch := _branch(node):
            node = {**_without(node, "anyOf", "oneOf"), **branch}
        else:
            break
    return node


def kind_of(schema: Json) -> str:
    """The JSON type to make: the first that is not null; guessed from other keywords where none is given."""
    declared = schema.get("type")
    kinds = [str(kind) for kind in _list(declared)] or [str(declared or "")]
    kind = next((kind for kind in kinds if kind != "null"), "null")
    if kind:
        return kind
    if "properties" in schema:
        return "object"
    if "items" in schema:
        return "array"
    return "number" if "minimum" in schema or "maximum" in schema else "string"


def properties_of(schema: Json) -> dict[str, Any]:
    """Of an object schema; empty if there are none or they are no object."""
    return _object(schema.get("properties"))


def required_of(schema: Json) -> list[str]:
    """Names that must be given."""
    return [str(name) for name in _list(schema.get("required"))]


def choices(schema: Json) -> list[Any]:
    """The values of an enum or const, without null."""
    fixed = [schema["const"]] if "const" in schema else _list(schema.get("enum"))
    return [value for value in fixed if value is not None]


def bounds(schema: Json) -> tuple[float | None, float | None]:
    """Smallest and largest number allowed; exclusive ones count as such."""
    low = [value for key in ("minimum", "exclusiveMinimum") if (value := _number(schema.get(key))) is not None]
    high = [value for key in ("maximum", "exclusiveMaximum") if (value := _number(schema.get(key))) is not None]
    return max(low, default=None), min(high, default=None)


def usable(name: str, parameters: Json) -> bool:
    """Whether calls of this tool can be written: a valid object schema none of whose names breaks the format."""
    if leaked_tag(name) or parameters.get("type") != "object":
        return False
    text = json.dumps(parameters, sort_keys=True)
    return leaked_tag(text) is None and not validator(text).fault


def fits(parameters: Json, value: Any) -> bool:
    """Whether the value validates; False where the schema itself cannot be used."""
    return validator(json.dumps(parameters, sort_keys=True)).fits(value)


def _without(node: Json, *names: str) -> Json:
    return {key: value for key, value in node.items() if key not in names}


def _target(reference: str, root: Json) -> Json:
    if not reference.startswith("#"):
        return {}
    node: Any = root
    for part in filter(None, reference[1:].split("/")):
        node = _object(node).get(part.replace("~1", "/").replace("~0", "~"))
    return _object(node)


def _branch(node: Json) -> Json:
    for key in ("anyOf", "oneOf"):
        branches = [_object(branch) for branch in _list(node.get(key))]
        if chosen := next((branch for branch in branches if branch.get("type") != "null"), None):
            return chosen
    return {}


def _object(value: Any) -> Json:
    return cast(Json, value) if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
