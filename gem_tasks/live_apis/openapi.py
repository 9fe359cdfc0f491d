"""An HTTP API described by OpenAPI 3: operations from the document, calls to the given base URL and nowhere else.

GEM refuses everything that could misdirect a request: references to other documents, the document's own
`servers`, redirects, proxies of the environment, path values with `..`. It reads answers up to a limit.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, urlsplit

import httpx2
import yaml

from gem_tasks import http_clients
from gem_tasks.checks.reading.validator import Validator
from gem_tasks.connection_faults import reason
from gem_tasks.domain.base import Json
from gem_tasks.errors import UserError, first_line
from gem_tasks.live_apis.operation import Operation, Place, Reply
from gem_tasks.plain_yaml import read_yaml
from gem_tasks.redaction import beginning

_METHODS = ("get", "put", "post", "delete", "patch", "head")
_MAX_SPEC_BYTES = 20_000_000
_MAX_YAML_BYTES = 5_000_000
"""Reading YAML takes a hundred times as long as JSON."""
_MAX_ANSWER_BYTES = 1_000_000
_MAX_REFS = 10_000
_MAX_NODES = 2_000_000
"""Limit for all operations together, including their resolved references."""
_DEPTH = 12
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


class RefError(ValueError):
    """A `$ref` that GEM does not follow."""


def read_spec(path: Path) -> tuple[tuple[Operation, ...], dict[str, str]]:
    """Operations of a document in JSON or YAML, and those that cannot be used with the reason.

    Raises:
        UserError: it is not an OpenAPI 3 document.
    """
    try:
        if path.stat().st_size > _MAX_SPEC_BYTES:
            raise UserError(f"{path} is larger than {_MAX_SPEC_BYTES} bytes", "Give a smaller document.")
        spec = _parsed(path, path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise UserError(f"{path} cannot be read: {first_line(error)}", "Give OpenAPI 3 in JSON or YAML.") from None
    if not isinstance(spec, dict) or not isinstance(spec.get("paths"), dict):  # pyright: ignore[reportUnknownMemberType]
        raise UserError(f"{path} is not an OpenAPI document: it has no paths", "Give OpenAPI 3 in JSON or YAML.")
    return _operations(cast("Json", spec))


def _parsed(path: Path, text: str) -> Any:
    if text.lstrip()[:1] == "{":
        if sum(map(text.count, "{[,:")) > _MAX_NODES:
            raise UserError(f"{path} contains more than {_MAX_NODES} values", "Give a smaller document.")
        try:
            return json.loads(text)
        except ValueError:
            pass  # YAML may also begin like this
    if len(text) > _MAX_YAML_BYTES:
        raise UserError(f"{path} has more than {_MAX_YAML_BYTES} characters of YAML", "Give it as JSON.")
    return read_yaml(text)


def _operations(spec: Json) -> tuple[tuple[Operation, ...], dict[str, str]]:
    found: dict[str, Operation] = {}
    unusable: dict[str, str] = {}
    room = _Room()
    for path, item in spec["paths"].items():
        for method in _METHODS:
            if not isinstance(item, dict) or not isinstance(item.get(method), dict):  # pyright: ignore[reportUnknownMemberType]
                continue
            name = f"{method.upper()} {path}"
            try:
                operation = _Reader(spec, room).operation(name, method, str(path), cast("Json", item))
            except (RefError, KeyError, TypeError, AttributeError, RecursionError) as error:
                unusable[name] = f"{type(error).__name__}: {str(error)[:200]}"
                continue
            found.setdefault(operation.name, operation)
    return tuple(found.values()), unusable


class _Room:
    """Remaining nodes that a document may grow to: nested references can expand to any number."""

    def __init__(self) -> None:
        self.nodes = _MAX_NODES


class _Reader:
    """One operation; inlines references so that its schema is self-contained."""

    def __init__(self, spec: Json, room: _Room) -> None:
        self._spec, self._room = spec, room
        self._left = _MAX_REFS

    def operation(self, name: str, method: str, path: str, item: Json) -> Operation:
        body: Json = item[method]
        properties: Json = {}
        required: list[str] = []
        places: dict[str, Place] = {}
        for raw in [*item.get("parameters", []), *body.get("parameters", [])]:
            parameter = self.inline(raw)
            if parameter["in"] not in ("path", "query"):
                continue  # headers and cookies carry credentials, not arguments
            key = parameter["name"]
            described = {"description": parameter["description"]} if "description" in parameter else {}
            properties[key] = {**described, **parameter.get("schema", {})}
            places[key] = parameter["in"]
            if parameter.get("required") or parameter["in"] == "path":
                required.append(key)
        for key, schema, needed in self._body(body):
            if key not in properties:
                properties[key] = schema
                places[key] = "body"
                required += [key] if needed else []
        schema = {"type": "object", "properties": properties, "required": sorted(set(required))}
        if fault := Validator(schema).fault:
            raise TypeError(f"its parameters are not a valid JSON Schema: {fault}")
        said = " ".join(str(body.get(part, "")) for part in ("summary", "description")).strip()
        return Operation(
            name=body.get("operationId") or name,
            description=said,
            parameters=schema,
            method=method.upper(),
            path=path,
            places=places,
        )

    def _body(self, body: Json) -> Iterator[tuple[str, Json, bool]]:
        content: dict[str, Json] = self.inline(body.get("requestBody", {})).get("content", {})
        schemas: list[Json] = [part.get("schema", {}) for kind, part in content.items() if "json" in kind]
        schema: Json = schemas[0] if schemas else {}
        needed: set[str] = set(schema.get("required", []))
        parts: list[Json] = [schema, *schema.get("allOf", [])]
        for part in parts:
            needed |= set(part.get("required", []))
            for key, value in part.get("properties", {}).items():
                yield key, value, key in needed

    def inline(self, node: Any, depth: int = 0) -> Any:
        """The node with local references replaced by what they refer to."""
        self._room.nodes -= 1
        if self._room.nodes < 0:
            raise RefError("the document is too large once its references are resolved")
        if depth > _DEPTH:
            return {}  # a recursive schema allows anything from here on
        if isinstance(node, list):
            return [self.inline(part, depth) for part in cast("list[Any]", node)]
        if not isinstance(node, dict):
            return node
        row = cast("Json", node)
        if isinstance(row.get("$ref"), str):
            return self.inline(self._target(row["$ref"]), depth + 1)
        return {key: self.inline(value, depth + 1 if key == "properties" else depth) for key, value in row.items()}

    def _target(self, reference: str) -> Any:
        self._left -= 1
        if not reference.startswith("#/"):
            raise RefError(f"{reference!r} refers to another document, which is not fetched")
        if self._left < 0:
            raise RefError("too many references")
        node: Any = self._spec
        for part in reference[2:].split("/"):
            node = node[part.replace("~1", "/").replace("~0", "~")]
        return node


class HttpApi:
    """Calls below one base URL. An async context manager."""

    def __init__(self, base_url: str, key: str | None, timeout_s: float) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise UserError("--base-url is not a plain http URL", "Write http://host:port/prefix, without a key in it.")
        self._base = base_url.rstrip("/")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = http_clients.async_client(
            headers=headers, timeout=timeout_s, follow_redirects=False, trust_env=False, max_redirects=0
        )

    async def __aenter__(self) -> "HttpApi":
        """Returns the client; the first call opens a connection."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def call(self, operation: Operation, arguments: Json) -> Reply:
        """Makes the request; see `Call`."""
        by_place: dict[str, Json] = {"path": {}, "query": {}, "body": {}}
        for name, value in arguments.items():
            by_place[operation.places.get(name, "body")][name] = value
        path = filled(operation.path, by_place["path"])
        if path is None:
            return Reply(
                ok=False, reason="unsafe_path", detail="a path argument is empty, contains `..`, or is not a scalar"
            )
        body = by_place["body"] if by_place["body"] or operation.method in ("POST", "PUT", "PATCH") else None
        try:
            request = self._http.build_request(
                operation.method, self._base + path, params=_query(by_place["query"]), json=body
            )
            response = await self._http.send(request, stream=True)
            try:
                return await _reply(response)
            finally:
                await response.aclose()
        except httpx2.TimeoutException:
            return Reply(ok=False, reason="timeout", detail=f"{operation.method} {path} took too long")
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            return Reply(ok=False, reason="connection", detail=reason(error))


def filled(template: str, values: Json) -> str | None:
    """The path with its placeholders filled; None if a value could lead to another path."""
    parts: dict[str, str] = {}
    for name in _PLACEHOLDER.findall(template):
        value = values.get(name)
        if isinstance(value, bool) or not isinstance(value, str | int | float) or str(value) in ("", ".", ".."):
            return None
        parts[name] = quote(str(value), safe="")
    path = _PLACEHOLDER.sub(lambda match: parts[match[1]], template)
    return path if path.startswith("/") and not {".", ".."} & set(path.split("/")) else None


def _query(values: Json) -> dict[str, Any]:
    """Repeats lists; writes objects, which have no common form, as JSON."""
    return {name: json.dumps(value) if isinstance(value, dict) else value for name, value in values.items()}


async def _reply(response: httpx2.Response) -> Reply:
    data = b""
    async for chunk in response.aiter_bytes():
        data += chunk
        if len(data) > _MAX_ANSWER_BYTES:
            return Reply(ok=False, reason="answer_too_large", detail=f"more than {_MAX_ANSWER_BYTES} bytes")
    try:
        body = json.loads(data)
    except ValueError:
        body = None
    if response.is_success:
        return Reply(ok=True, body=body)
    if response.is_redirect:
        return Reply(ok=False, reason="redirect", detail="redirects are not followed")
    said = beginning(data.decode("utf-8", "replace"), 200)
    return Reply(ok=False, reason=f"http_{response.status_code}", detail=said, body=body)
