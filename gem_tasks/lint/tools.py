"""Tool definitions as datasets write them, as `ToolSpec`s with JSON Schemas.

| form | seen in |
|---|---|
| `{"type": "function", "function": {"name", "description", "parameters"}}` | OpenAI, TRL, Hermes, Toucan |
| `{"name", "description", "parameters"}` | LLaMA-Factory, APIGen-MT |
| `{"name", "description", "inputSchema"}` | MCP, the GEM paper |
| `{"name", "parameters": {"city": {"type": "str, optional", "description", "default"}}}` | xLAM, APIGen |
| Python's type names (`dict`, `float`, `List[int]`) for JSON Schema's | Gorilla, BFCL, ToolACE |

Equivalent foreign forms are translated and noted, so that the checks find only real faults.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any, cast

from gem_tasks.domain.base import Json
from gem_tasks.domain.workflow import TOOL_NAME, ToolSpec
from gem_tasks.lint.kinds import FormFault, FormKind
from gem_tasks.patterns import IgnoringCase

_OPTIONAL = IgnoringCase(r",\s*+optional|\s(?<!\s\s)\s*+(?:optional|\(optional\))|optional|\(optional\)")
_ONE_OF = IgnoringCase(r"(?:optional|union)\[(.+)\]")
_TYPES = {
    "str": "string",
    "string": "string",
    "text": "string",
    "char": "string",
    "int": "integer",
    "integer": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "number": "number",
    "bool": "boolean",
    "boolean": "boolean",
    "list": "array",
    "array": "array",
    "tuple": "array",
    "set": "array",
    "dict": "object",
    "object": "object",
    "map": "object",
    "hashmap": "object",
    "none": "null",
    "null": "null",
}
_JSON_TYPES = frozenset({"string", "integer", "number", "boolean", "array", "object", "null"})
_SCHEMA_WORDS = frozenset({"type", "properties", "required", "$ref", "anyOf", "oneOf", "allOf", "additionalProperties"})
_HOLDS_SCHEMAS = ("properties", "patternProperties", "$defs", "definitions")
_HOLDS_A_LIST = ("anyOf", "oneOf", "allOf", "prefixItems")
_MAX_DEPTH = 40


class ToolsError(ValueError):
    """The tools of a row cannot be read; the message says why."""


def read_tools(found: Any) -> tuple[tuple[ToolSpec, ...], tuple[FormFault, ...]]:
    """The definitions of a row.

    Args:
        found: a list of definitions or of JSON strings, one definition, a JSON string of either, or None.

    Raises:
        ToolsError: it is something else.
    """
    notes: list[FormFault] = []
    tools = [_tool(_object(item), notes) for item in _items(found)]
    return tuple(tools), tuple(dict.fromkeys(notes))


def _items(found: Any) -> list[Any]:
    if isinstance(found, str):
        if not found.strip():
            return []
        try:
            found = json.loads(found)
        except (ValueError, RecursionError) as error:
            raise ToolsError(f"the tools are not valid JSON: {str(error)[:120]}") from None
    if found is None:
        return []
    if isinstance(found, dict):
        return [found]
    if not isinstance(found, Iterable):
        raise ToolsError("the tools are not a list")
    return list(cast("Iterable[Any]", found))


def _object(item: Any) -> Json:
    if isinstance(item, str):
        try:
            item = json.loads(item)
        except (ValueError, RecursionError):
            item = None
    if not isinstance(item, dict):
        raise ToolsError("a tool is not a JSON object")
    return cast(Json, item)


def _tool(item: Json, notes: list[FormFault]) -> ToolSpec:
    inner = item.get("function")
    body = cast(Json, inner) if isinstance(inner, dict) else item
    name = body.get("name")
    if not isinstance(name, str) or not name.strip():
        raise ToolsError("a tool has no name")
    description = body.get("description")
    if not isinstance(description, str) or not description.strip():
        notes.append(FormFault(FormKind.NO_DESCRIPTION, f"tool {name[:80]} has no description"))
        description = name
    schema = next((body[key] for key in ("parameters", "inputSchema", "input_schema") if body.get(key)), None)
    return ToolSpec(name=name, description=description, parameters=_parameters(name, schema, notes))


def _parameters(name: str, schema: Any, notes: list[FormFault]) -> Json:
    if isinstance(schema, str):
        schema = _object(schema)
    if schema is None:
        return {"type": "object", "properties": {}}
    if not isinstance(schema, dict):
        raise ToolsError(f"the parameters of {name[:80]} are not a JSON object")
    found = cast(Json, schema)
    if not _SCHEMA_WORDS & set(found) or _is_flat(found):
        notes.append(
            FormFault(FormKind.FLAT_PARAMETERS, f"{name[:80]}: parameters are a list of names, not a JSON Schema")
        )
        return _from_flat(found)
    translated = cast(Json, _schema(found, name[:80], notes, 0))
    return translated if "type" in translated else {"type": "object", **translated}


def _is_flat(found: Json) -> bool:
    """Whether even what looks like a keyword is a parameter: `{"type": {"type": "str", …}}`."""
    return all(isinstance(value, dict) and "type" in value for value in found.values())


def _from_flat(found: Json) -> Json:
    """Converts xLAM's form: a parameter with a default, or called optional, is not required."""
    properties: Json = {}
    required: list[str] = []
    for name, about in found.items():
        body = cast(Json, about) if isinstance(about, dict) else {}
        said = str(body.get("type", ""))
        properties[name] = _python_type(said) | {key: body[key] for key in ("description",) if key in body}
        if about and "optional" not in said.lower() and "default" not in body:
            required.append(name)
    return {"type": "object", "properties": properties, "required": required}


def _without_brackets(line: str) -> str:
    """The text without the part between the first and the last bracket."""
    begin, end = line.find("["), line.rfind("]")
    return line[:begin] + line[end + 1 :] if 0 <= begin < end else line


def _python_type(said: str) -> Json:
    """A JSON Schema for `List[int], optional`; unknown types constrain nothing."""
    plain = _OPTIONAL.sub(lambda _: "", said).strip()
    if listed := _ONE_OF.fullmatch(plain):
        plain = plain[listed.start(1) : listed.end(1)]
    if re.search(r"\bor\b|[|,]", _without_brackets(plain)):
        return {}
    head, _, inner = plain.partition("[")
    kind = _TYPES.get(head.strip().lower())
    if kind is None:
        return {}
    if kind == "array" and inner and "," not in inner and (items := _python_type(inner.rstrip("]"))):
        return {"type": "array", "items": items}
    return {"type": ["number", "integer"]} if kind == "number" else {"type": kind}


def _schema(node: Any, where: str, notes: list[FormFault], depth: int) -> Any:
    """A schema with JSON Schema's words instead of Python's and OpenAPI's."""
    if depth > _MAX_DEPTH or not isinstance(node, dict):
        return node
    schema = dict(cast(Json, node))
    _retype(schema, where, notes)
    if isinstance(schema.get("required"), bool):  # OpenAPI and JSON Schema draft 3: a boolean in the property itself
        notes.append(FormFault(FormKind.BOOLEAN_REQUIRED, f"{where}: `required` is a boolean in the property"))
        del schema["required"]
    for key in _HOLDS_SCHEMAS:
        if isinstance(schema.get(key), dict):
            parts = cast(Json, schema[key])
            schema[key] = {name: _schema(part, f"{where}.{name}", notes, depth + 1) for name, part in parts.items()}
    for key in _HOLDS_A_LIST:
        if isinstance(schema.get(key), list):
            schema[key] = [_schema(part, where, notes, depth + 1) for part in cast("list[Any]", schema[key])]
    for key in ("items", "additionalProperties", "not"):
        if key in schema:
            schema[key] = _schema(schema[key], where, notes, depth + 1)
    # Arrow fills the fields of other rows' schemas with nulls, which mean nothing.
    return {key: value for key, value in schema.items() if value is not None or key in ("default", "const")}


def _retype(schema: Json, where: str, notes: list[FormFault]) -> None:
    said = schema.get("type")
    if not isinstance(said, str) or said in _JSON_TYPES:
        return
    notes.append(FormFault(FormKind.FOREIGN_TYPE, f"{where}: {said[:40]!r} is not a type of JSON Schema"))
    del schema["type"]
    schema |= {**_python_type(said), **schema}


def renamed(tools: Iterable[ToolSpec]) -> Iterator[tuple[str, str]]:
    """`(name, valid name)` for every tool whose name the Chat Completions API does not accept."""
    taken = {tool.name for tool in tools}
    numbers = defaultdict[str, Iterator[int]](count)
    for tool in tools:
        if TOOL_NAME.match(tool.name):
            continue
        base = re.sub(r"[^a-zA-Z0-9_-]", "_", tool.name)[:56] or "tool"
        plain = next(name for number in numbers[base] if (name := f"{base}_{number}") not in taken)
        taken.add(plain)
        yield tool.name, plain
