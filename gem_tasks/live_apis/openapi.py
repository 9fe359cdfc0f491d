"""An HTTP API described by OpenAPI 3.0 or 3.1, by Swagger 2.0, or by a Google discovery document: its operations.

GEM follows no reference to another document, and calls no server that the document names.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import yaml

from gem_tasks.domain.base import Json
from gem_tasks.errors import UserError, first_line
from gem_tasks.live_apis.discovery import converted, is_discovery
from gem_tasks.live_apis.operation import Api, Operation
from gem_tasks.live_apis.read_operation import OperationReader
from gem_tasks.live_apis.references import References, RefError
from gem_tasks.live_apis.swagger import upgraded
from gem_tasks.plain_yaml import read_yaml

_METHODS = ("get", "put", "post", "delete", "patch", "head")
MAX_BYTES = 20_000_000
_MAX_NODES = 2_000_000
_MAX_SLOTS = 200_000
"""Most parameters and fields of all operations: operations that refer to one schema each get its fields."""
_SMALLER = "Give a smaller document."
_FIX = "Give OpenAPI 3, Swagger 2.0 or a Google discovery document, in JSON or YAML."
_OTHERS = {
    "discoveryVersion": "a list of Google discovery documents", "asyncapi": "an AsyncAPI document", "swaggerVersion":
    "Swagger 1", "wsdl": "WSDL", "__schema": "a GraphQL schema", "item": "a Postman collection",
}  # fmt: skip
"""Other descriptions, by a key that they have."""


def read_spec(path: Path) -> Api:
    """The operations of a document in JSON or YAML.

    Raises:
        UserError: it is not such a document.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UserError(
                f"{path} is larger than {MAX_BYTES} bytes", "Give a smaller document: one that keeps its references."
            )
        data = path.read_bytes()
        spec = _checked(path, _parsed(path, data.decode("utf-8-sig")))
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise UserError(f"{path} cannot be read: {first_line(error)}", _FIX) from None
    return _api(path.name, spec, hashlib.sha256(data).hexdigest())


def _parsed(path: Path, text: str) -> Any:
    if text.lstrip()[:1] == "{":
        if sum(map(text.count, "{[,:")) > _MAX_NODES:
            raise UserError(f"{path} contains more than {_MAX_NODES} values", _SMALLER)
        try:
            return json.loads(text)
        except ValueError:
            pass  # YAML may also begin like this
    return read_yaml(text, _MAX_NODES, aliases=True)


def _checked(path: Path, spec: Any) -> Json:
    if not isinstance(spec, dict):
        raise UserError(f"{path} is not an OpenAPI document", _FIX)
    row = cast("Json", spec)
    if is_discovery(row):
        return converted(row)
    if not isinstance(row.get("paths"), dict):
        for key, kind in _OTHERS.items():
            if key in row:
                raise UserError(f"{path} is {kind}, not an OpenAPI document", f"Convert it. {_FIX}")
        raise UserError(f"{path} is not an OpenAPI document: it has no paths", _FIX)
    return upgraded(row) if str(row.get("swagger", "")).startswith("2") else row


def _api(file: str, spec: Json, sha256: str) -> Api:
    references, info = References(spec), spec.get("info")
    found: dict[str, Operation] = {}
    unusable: dict[str, str] = {}
    slots = 0
    reader = OperationReader(spec, references, unusable)
    for path, raw in spec["paths"].items():
        for method, item in _methods(references, str(path), raw, unusable):
            name = f"{method.upper()} {path}"
            try:
                operation = reader.operation(name, method, str(path), item)
            except (RefError, KeyError, TypeError, AttributeError, RecursionError, ValueError) as error:
                unusable[name] = f"{type(error).__name__}: {str(error)[:200]}"
                continue
            if (slots := slots + len(operation.slots)) > _MAX_SLOTS:
                raise UserError(f"{file}: its operations have more than {_MAX_SLOTS} fields", _SMALLER)
            # Some documents use an id twice.
            found[name if operation.name in found else operation.name] = (
                operation.model_copy(update={"name": name}) if operation.name in found else operation
            )
    said = cast("Json", info) if isinstance(info, dict) else {}
    return Api(
        title=str(said.get("title") or file),
        version=str(said.get("version", "")),
        sha256=sha256,
        operations=tuple(found.values()),
        unusable=unusable,
        servers=tuple(_servers(spec)),
    )


def _methods(references: References, path: str, raw: Any, unusable: dict[str, str]) -> Iterator[tuple[str, Json]]:
    """The methods of a path, each with the path's item."""
    if path.startswith("x-"):
        return
    try:
        item = references.resolved(raw)
    except RefError as error:
        unusable[path] = f"{type(error).__name__}: {error}"
        return
    for method in _METHODS:
        if method in item and not isinstance(item[method], dict):
            unusable[f"{method.upper()} {path}"] = "it is not an object"
        elif method in item:
            yield method, item


def _servers(spec: Json) -> Iterator[str]:
    servers: Any = spec.get("servers")
    for each in cast("list[Any]", servers) if isinstance(servers, list) else []:
        if isinstance(each, dict) and isinstance(cast("Json", each).get("url"), str):
            yield cast("Json", each)["url"]
