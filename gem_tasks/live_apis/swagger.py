"""Swagger 2.0 as OpenAPI 3.0: the parts that requests depend on."""

from typing import Any, cast

from gem_tasks.domain.base import Json

_STYLES = {
    "csv": ("form", False), "ssv": ("spaceDelimited", False), "tsv": ("tabDelimited", False),
    "pipes": ("pipeDelimited", False), "multi": ("form", True),
}  # fmt: skip
"""Of lists, by `collectionFormat`. OpenAPI has none for tabs: `tabDelimited` is GEM's word."""
_KEPT = ("name", "in", "required", "description")
_FLOWS = {"basic": {"type": "http", "scheme": "basic"}, "oauth2": {"type": "oauth2"}}
_METHODS = ("get", "put", "post", "delete", "patch", "head")


def upgraded(spec: Json) -> Json:
    """The document in the form of OpenAPI 3.0; pointers into it stay valid."""
    shared = _rows(spec.get("parameters"))
    schemes = {
        name: _FLOWS.get(str(each.get("type")), each) for name, each in _rows(spec.get("securityDefinitions")).items()
    }
    consumes = spec.get("consumes")
    return {
        **spec,
        "servers": [{"url": f"{scheme}://{spec.get('host', '')}{spec.get('basePath', '')}"} for scheme in _list(
            spec.get("schemes") or ["https"])],
        "components": {"securitySchemes": schemes},
        "paths": {path: _item(item, shared, consumes) for path, item in _rows(spec.get("paths")).items()},
    }  # fmt: skip


def _item(item: Json, shared: dict[str, Json], consumes: Any) -> Json:
    common = _list(item.get("parameters"))
    found = {key: value for key, value in item.items() if key != "parameters"}
    for method in _METHODS:
        if isinstance(found.get(method), dict):
            found[method] = _operation(found[method], common, shared, consumes)
    return found


def _operation(operation: Json, common: list[Any], shared: dict[str, Json], consumes: Any) -> Json:
    by_key: dict[tuple[str, str], Json] = {}
    for raw in [*common, *_list(operation.get("parameters"))]:
        each = _own(raw, shared)
        by_key[str(each.get("name")), str(each.get("in"))] = each
    rows = list(by_key.values())
    kinds = [str(kind) for kind in _list(operation.get("consumes") or consumes)]
    found = {
        **operation,
        "parameters": [_parameter(each) for each in rows if each.get("in") not in ("body", "formData")],
    }
    if body := [each for each in rows if each.get("in") == "body"]:
        found["requestBody"] = {"required": body[0].get("required", False), "content": {
            kind: {"schema": body[0].get("schema", {})} for kind in kinds or ["application/json"]}}  # fmt: skip
    elif form := [each for each in rows if each.get("in") == "formData"]:
        found["requestBody"] = {"content": dict.fromkeys(kinds or ["application/x-www-form-urlencoded"], _form(form))}
    return found


def _own(raw: Any, shared: dict[str, Json]) -> Json:
    row = cast("Json", raw) if isinstance(raw, dict) else {}
    reference = str(row.get("$ref", ""))
    return shared.get(reference.removeprefix("#/parameters/"), row) if reference else row


def _parameter(row: Json) -> Json:
    if "$ref" in row:
        return row  # of another document: the reader refuses it
    schema = {key: value for key, value in row.items() if key not in _KEPT}
    return {**{key: row[key] for key in _KEPT if key in row}, "schema": schema, **_style(row)}


def _form(rows: list[Json]) -> Json:
    named = {str(row.get("name")): row for row in rows}
    properties = {name: _parameter(row)["schema"] | _said(row) for name, row in named.items()}
    required = [name for name, row in named.items() if row.get("required") is True]
    encoding = {name: _style(row) for name, row in named.items()}
    return {"schema": {"type": "object", "properties": properties, "required": required}, "encoding": encoding}


def _style(row: Json) -> Json:
    style, explode = _STYLES.get(str(row.get("collectionFormat")), _STYLES["csv"])
    return {"style": style, "explode": explode}


def _said(row: Json) -> Json:
    return {"description": row["description"]} if "description" in row else {}


def _rows(node: Any) -> dict[str, Json]:
    rows = cast("dict[Any, Any]", node) if isinstance(node, dict) else {}
    return {str(key): cast("Json", value) for key, value in rows.items() if isinstance(value, dict)}


def _list(node: Any) -> list[Any]:
    return cast("list[Any]", node) if isinstance(node, list) else []
