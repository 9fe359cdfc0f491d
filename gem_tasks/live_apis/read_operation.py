"""One operation of a description: its parameters and body as one flat schema, each with its place in the request."""

from collections.abc import Iterator
from typing import Any

from gem_tasks.checks.reading.validator import Validator
from gem_tasks.domain.base import Json
from gem_tasks.live_apis.operation import Credential, Operation, Place, Slot, Style
from gem_tasks.live_apis.references import References

_STYLES: dict[Any, Style] = {
    "spaceDelimited": "space", "tabDelimited": "tab", "pipeDelimited": "pipe", "deepObject": "deep",
}  # fmt: skip
_FORM = ("application/x-www-form-urlencoded", "multipart/form-data")
_MAX_LEVELS = 20
_CHOICES = ("oneOf", "anyOf")
_KEYS = frozenset(("key", "apikey", "api_key", "appid", "access_token", "x_api_key", "subscription_key"))
_CHOSEN_BY_GEM = ("accept", "content-type", "authorization")
_NEVER_SENT = frozenset((
    "host", "connection", "content-length", "transfer-encoding", "x-http-method-override", "x-http-method",
    "x-method-override", "x-original-url", "x-rewrite-url",
))  # fmt: skip
"""Headers by which a call would lead elsewhere, or write where it seems to read."""


class OperationReader:
    """Reads operations of one document.

    Args:
        spec: the document.
        references: its references.
        unusable: gets the parameters whose schema is invalid, which are then not checked.
    """

    def __init__(self, spec: Json, references: References, unusable: dict[str, str]) -> None:
        self._spec, self._references, self._unusable = spec, references, unusable

    def operation(self, name: str, method: str, path: str, item: Json) -> Operation:
        """The operation of a path's item.

        Raises:
            RefError: it depends on something that GEM does not follow.
            TypeError, KeyError, AttributeError, ValueError: its form is not that of OpenAPI.
        """
        row: Json = item[method]
        parts = _Parts(name, self._references, self._unusable)
        credential, unsupported = self._credential(row)
        for parameter in self._parameters(item, row):
            if key := _key_in(parameter, row, self._spec):
                credential = key
            else:
                parts.add_parameter(parameter)
        parts.add_body(self._references.resolved(row.get("requestBody") or {}))
        said = " ".join(str(row[part]) for part in ("summary", "description") if row.get(part)).strip()
        return Operation(
            name=str(row.get("operationId") or name),
            description=said,
            parameters=parts.schema(),
            method=method.upper(),
            path=path,
            slots=parts.slots,
            body=parts.whole,
            headers=parts.headers,
            credential=credential,
            unsupported=parts.unsupported or unsupported,
        )

    def _parameters(self, item: Json, row: Json) -> list[Json]:
        """Those of the path, replaced by those of the operation with the same name and place."""
        raw: list[Any] = [*(item.get("parameters") or []), *(row.get("parameters") or [])]
        found = [self._references.resolved(each) for each in raw]
        return list({(each["name"], each["in"]): each for each in found}.values())

    def _credential(self, row: Json) -> tuple[Credential | None, str]:
        """Where the key goes, and why it cannot be sent."""
        wanted: Any = row["security"] if row.get("security") is not None else self._spec.get("security")
        if wanted is None:
            return Credential(kind="bearer"), ""
        if not wanted or {} in wanted:
            return None, ""
        components: Json = self._spec.get("components") or {}
        schemes: Json = components.get("securitySchemes") or {}
        for alternative in wanted:
            # Some documents name two flows of OAuth 2, which need the same token.
            found = [_credential(self._references.resolved(schemes[each])) for each in alternative]
            if found[0] and all(each == found[0] for each in found):
                return found[0], ""
        return None, f"it needs {' or '.join(' and '.join(each) for each in wanted)}, which GEM cannot send"


def _credential(scheme: Json) -> Credential | None:
    kind, within = scheme.get("type"), scheme.get("in")
    if kind in ("oauth2", "openIdConnect") or (kind == "http" and str(scheme.get("scheme")).lower() == "bearer"):
        return Credential(kind="bearer")
    if kind == "http" and str(scheme.get("scheme")).lower() == "basic":
        return Credential(kind="basic")
    if kind == "apiKey" and within in ("header", "query"):
        return Credential(kind=within, name=str(scheme["name"]))
    return None


def _key_in(parameter: Json, row: Json, spec: Json) -> Credential | None:
    """A key that the description has among the parameters instead of under `security`."""
    declared = row.get("security") is not None or spec.get("security") is not None
    name, place = str(parameter["name"]), parameter["in"]
    if declared or place not in ("query", "header") or name.lower().replace("-", "_") not in _KEYS:
        return None
    return Credential(kind=place, name=name)


class _Parts:
    """The parameters of an operation while it is read."""

    def __init__(self, operation: str, references: References, unusable: dict[str, str]) -> None:
        self._operation, self._references, self._unusable = operation, references, unusable
        self._properties: Json = {}
        self._required: set[str] = set()
        self.slots: dict[str, Slot] = {}
        self.headers: dict[str, str | None] = {}
        self.whole: Json | None = None
        self.unsupported = ""

    def schema(self) -> Json:
        """The flat schema."""
        found = self._flat()
        if not Validator(found).fault:
            return found
        self._properties = {key: self._valid(key, schema) for key, schema in self._properties.items()}
        return self._flat()

    def _flat(self) -> Json:
        flat: Json = {"type": "object", "properties": self._properties, "required": sorted(self._required)}
        return {**flat, **self._definitions(flat)}

    def add_parameter(self, row: Json) -> None:
        """Adds a parameter of path or query, or notes a header that must be sent."""
        content: dict[str, Json] = row.get("content") or {}
        raw: Any = next(iter(content.values())).get("schema", {}) if content else row.get("schema", {})
        place, name = row["in"], str(row["name"])
        needed = row.get("required") is True or place == "path"
        schema = self._references.schema(raw)
        if place == "header":
            if needed and name.lower() in _NEVER_SENT:
                self.unsupported = f"it needs the header {name}, which GEM does not send"
            elif needed and name.lower() not in _CHOSEN_BY_GEM:
                self.headers[name] = _only_value(self._references.shallow(schema))
        elif place == "cookie":
            self.unsupported = self.unsupported or (f"it needs the cookie {name}" if needed else "")
        elif place in ("path", "query"):
            described = {"description": row["description"]} if "description" in row else {}
            self._add(place, name, {**described, **schema}, needed, "json" if content else _style(row))

    def add_body(self, body: Json) -> None:
        """Adds the properties of the body, or the body as a whole if it is not an object."""
        content: dict[str, Json] = body.get("content") or {}
        if not content:
            return
        kind = _media_type(content)
        if kind is None:
            self.unsupported = f"its body is {', '.join(sorted(content))[:100]}"
            return
        media = content[kind] or {}
        schema = self._references.schema(media.get("schema", {}))
        whole = {**schema, **self._definitions(schema)}  # refuses what would have no end below
        rows = list(self._fields(schema, 0))
        place: Place = "form" if kind.partition(";")[0].strip().lower() in _FORM else "body"
        shape = self._references.shallow(schema)
        if not rows and "type" in shape and shape["type"] != "object":
            self._add("whole_body", "body", schema, body.get("required") is True, "json")
            return
        encoding: dict[str, Json] = media.get("encoding") or {}
        for name, (part, needed) in _merged(rows).items():
            self._add(place, name, part, needed, _style(encoding.get(name) or {}) if place == "form" else "json")
        if "multipart" in kind.lower():
            self.unsupported = f"its body is {kind}"
        if place == "body" and rows and not Validator(whole).fault:
            self.whole = whole

    def _fields(self, schema: Json, level: int) -> Iterator[tuple[str, Json, bool]]:
        """Name, schema and need of each property that a request may have, also of `allOf` and of alternatives."""
        shape = self._references.shallow(schema)
        if level > _MAX_LEVELS:
            return
        needed = {str(name) for name in shape.get("required") or ()}
        properties: dict[str, Json] = shape.get("properties") or {}
        for name, part in properties.items():
            if part.get("readOnly") is not True:
                yield name, part, name in needed
        for part in shape.get("allOf") or ():
            rows = list(self._fields(part, level + 1))
            yield from ((name, each, need or name in needed) for name, each, need in rows)
            yield from ((str(name), {}, True) for name in set(part.get("required") or ()) - {row[0] for row in rows})
        for choice in _CHOICES:
            alternatives = [list(self._fields(part, level + 1)) for part in shape.get(choice) or ()]
            always = [{name for name, _, need in rows if need} for rows in alternatives]
            common = set[str].intersection(*always) if always else set[str]()
            yield from (
                (name, each, name in common or name in needed) for rows in alternatives for name, each, _ in rows
            )

    def _add(self, place: Place, name: str, schema: Json, needed: bool, style: Style) -> None:
        key = name if name not in self._properties else f"{place}.{name}"
        self._properties[key] = self._references.shallow(schema)
        self.slots[key] = Slot(place=place, name=name, style=style)
        if needed:
            self._required.add(key)

    def _valid(self, key: str, schema: Json) -> Json:
        if fault := Validator({**schema, **self._definitions(schema)}).fault:
            self._unusable[f"{self._operation}, {key}"] = f"its schema is invalid, so it is not checked: {fault}"
            return {name: schema[name] for name in ("description",) if isinstance(schema.get(name), str)}
        return schema

    def _definitions(self, schema: Json) -> Json:
        found = self._references.definitions(schema)
        return {"$defs": found} if found else {}


def _merged(rows: list[tuple[str, Json, bool]]) -> dict[str, tuple[Json, bool]]:
    """One schema a property: the first that says something; needed if one of them is."""
    found: dict[str, tuple[Json, bool]] = {}
    for name, schema, needed in rows:
        known = found.get(name, ({}, False))
        found[name] = (known[0] or schema, known[1] or needed)
    return found


def _media_type(content: dict[str, Json]) -> str | None:
    """JSON if there is any, otherwise a form."""
    ranked = [kind for kind in content if "json" in kind.lower() or kind.startswith("*/*")]
    ranked += [kind for kind in content if kind.partition(";")[0].strip().lower() in _FORM]
    return ranked[0] if ranked else None


def _style(row: Json) -> Style:
    style = str(row.get("style", "form"))
    if style == "form" and row.get("explode") is False:
        return "comma"
    return _STYLES.get(style, "form")


def _only_value(schema: Json) -> str | None:
    """The value of a header that the description gives."""
    for value in (schema.get("const"), schema.get("default"), *(schema.get("enum") or ())):
        if isinstance(value, str | int | float):
            return str(value)
    return None
