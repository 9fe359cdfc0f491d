"""A Google discovery document as OpenAPI 3.0: the parts that requests depend on.

Paths are those that spell out all their parts (`flatPath`): `v1/spaces/{spacesId}` instead of `v1/{+name}`, which most
methods of an API share. Numbers of 64 bits are text in this format, and numbers are accepted, too.
"""

import re
from collections.abc import Iterator
from typing import Any, cast

from gem_tasks.domain.base import Json

_PLACEHOLDER = re.compile(r"\{\+?([^{}]+)\}")
_SCHEMA = "#/components/schemas/"
_KEPT = ("type", "format", "description", "pattern", "enum", "readOnly")
_BOUNDS = ("minimum", "maximum")
_LONG = ("int64", "uint64")
_FORMATS = {"google-datetime": "date-time"}
_KEY = {"type": "apiKey", "in": "query", "name": "key"}


def is_discovery(spec: Json) -> bool:
    """Whether a document describes one API in this format; a list of APIs (`discovery#directoryList`) does not."""
    return "discoveryVersion" in spec and ("resources" in spec or "methods" in spec)


def converted(spec: Json) -> Json:
    """The document in the form of OpenAPI 3.0."""
    paths: dict[str, Json] = {}
    for method in _methods(spec):
        path, row = _operation(spec, method)
        verb = str(method.get("httpMethod", "")).lower()
        if verb in paths.setdefault(path, {}):  # only the pattern of a part tells them apart
            path, row = _operation(spec, method, as_written=True)
        paths.setdefault(path, {}).setdefault(verb, row)
    schemes = {"oauth2": {"type": "oauth2"}} if _rows(spec.get("auth")) else {"key": _KEY}
    return {
        "openapi": "3.0.3",
        "info": {"title": spec.get("title") or spec.get("name"), "version": spec.get("version", "")},
        "servers": [{"url": f"{spec.get('rootUrl', '')}{spec.get('servicePath', '')}"}],
        "security": [{name: []} for name in schemes],
        "components": {
            "securitySchemes": schemes,
            "schemas": {name: _schema(each) for name, each in _rows(spec.get("schemas")).items()},
        },
        "paths": paths,
    }


def _methods(spec: Json) -> Iterator[Json]:
    """Those of the API and of all its resources."""
    waiting = [spec]
    while waiting:
        resource = waiting.pop(0)
        yield from _rows(resource.get("methods")).values()
        waiting += _rows(resource.get("resources")).values()


def _operation(spec: Json, method: Json, *, as_written: bool = False) -> tuple[str, Json]:
    written = str(method.get("path", ""))
    path = written if as_written else str(method.get("flatPath") or written)
    given = _rows(method.get("parameters"))
    parts = _PLACEHOLDER.findall(path)
    whole = {name: each for name, each in given.items() if each.get("location") == "path" and name not in parts}
    said = " ".join(f"{name}: {each.get('description', '')}" for name, each in whole.items())
    split = [
        {"name": part, "in": "path", "required": True, "schema": {"type": "string"}, "description": f"Part of {said}"}
        for part in parts
        if part not in given
    ]
    row = {
        "operationId": method.get("id"),
        "description": method.get("description", ""),
        "parameters": [*split, *(_parameter(name, each) for name, each in given.items() if name not in whole)],
    }
    if request := _rows(method).get("request"):
        row["requestBody"] = {"content": {"application/json": {"schema": _body(spec, method, request)}}}
    return "/" + _PLACEHOLDER.sub(r"{\1}", path).lstrip("/"), row


def _parameter(name: str, row: Json) -> Json:
    schema = _schema({key: value for key, value in row.items() if key != "required"})
    if row.get("repeated") is True:
        schema = {"type": "array", "items": schema}
    about = {"name": name, "in": row.get("location"), "required": row.get("required") is True}
    return {**about, "description": row.get("description", ""), "schema": schema}


def _body(spec: Json, method: Json, request: Json) -> Json:
    """The schema of a request; its fields may be required by some methods only."""
    schema = _schema(request)
    fields = _rows(_rows(spec.get("schemas")).get(str(request.get("$ref")), {}).get("properties"))
    asked = method.get("id")
    needed = [name for name, each in fields.items() if asked in _list(_rows(each).get("annotations", {}), "required")]
    return {"allOf": [schema, {"required": needed}]} if needed else schema


def _schema(row: Json) -> Json:
    if isinstance(row.get("$ref"), str):
        return {"$ref": _SCHEMA + row["$ref"]}
    found: Json = {key: row[key] for key in _KEPT if key in row}
    found |= {key: bound for key in _BOUNDS if (bound := _number(row.get(key))) is not None}
    if found.get("type") == "any":
        del found["type"]
    if found.get("type") == "string" and found.get("format") in _LONG:
        found |= {"type": ["string", "integer"]}
    if found.get("format") in _FORMATS:
        found |= {"format": _FORMATS[str(found["format"])]}
    if properties := _rows(row.get("properties")):
        found["properties"] = {name: _schema(each) for name, each in properties.items()}
        found["required"] = [name for name, each in properties.items() if each.get("required") is True]
    found |= {key: _schema(cast("Json", row[key])) for key in ("items", "additionalProperties") if key in _rows(row)}
    return found


def _number(text: Any) -> float | int | None:
    """A bound, which the format writes as text."""
    for read in (int, float):
        try:
            return read(text)
        except (TypeError, ValueError, OverflowError):
            continue
    return None


def _list(row: Json, name: str) -> list[Any]:
    found = row.get(name)
    return cast("list[Any]", found) if isinstance(found, list) else []


def _rows(node: Any) -> dict[str, Json]:
    rows = cast("dict[Any, Any]", node) if isinstance(node, dict) else {}
    return {str(key): cast("Json", value) for key, value in rows.items() if isinstance(value, dict)}
