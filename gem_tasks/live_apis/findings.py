"""What an API wants that a tool, or a call of it, does not give."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, cast

from gem_tasks.checks.reading.validator import SchemaFault
from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.workflow import ToolSpec
from gem_tasks.live_apis.match import Match
from gem_tasks.live_apis.operation import Operation, properties_of

Kind = Literal[
    "needs", "omits", "no_counterpart", "wrong_type", "not_in_enum", "wrong_format", "out_of_range", "missing_field",
    "unknown_field", "invalid_argument", "rejected",
]  # fmt: skip
_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("type",), "wrong_type"),
    **dict.fromkeys(("enum", "const"), "not_in_enum"),
    **dict.fromkeys(("format", "pattern"), "wrong_format"),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), "out_of_range"),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "uniqueItems"), "out_of_range"),
    **dict.fromkeys(("required",), "missing_field"),
    **dict.fromkeys(("additionalProperties", "unevaluatedProperties"), "unknown_field"),
}
_OFFSET = "; it wants a time with its offset from UTC, such as 2026-01-05T10:00:00+01:00"


class Problem(Value):
    """One thing that an operation wants otherwise."""

    kind: Kind
    parameter: str
    """Of the operation; for `no_counterpart`, of the tool; empty for the call as a whole."""
    detail: str


class Finding(Problem):
    """A problem of a tool in a conversation."""

    segment_id: str
    """The text; empty if unknown."""
    trajectory_id: str
    tool: str
    operation: str
    calls: int
    """Calls with it; 0 for one that the tool's definition has."""


def of_tool(tool: ToolSpec, match: Match, operation: Operation) -> Iterator[Problem]:
    """What the definitions alone show."""
    paired = match.arguments
    for name in sorted(set(operation.required) - set(paired.values())):
        yield Problem(kind="needs", parameter=name, detail=f"{operation.name} needs `{name}`{_said(operation, name)}")
    for name, schema in properties_of(tool.parameters).items():
        if name not in paired:
            yield Problem(
                kind="no_counterpart", parameter=name, detail=f"{operation.name} has no counterpart of `{name}`"
            )
        elif problem := _types(operation, name, schema, paired[name]):
            yield problem


def of_call(operation: Operation, missing: Sequence[str], given: Json, faults: Sequence[SchemaFault]) -> list[Problem]:
    """What the arguments of a call lack or violate."""
    found = [Problem(kind="omits", parameter=name, detail=f"{operation.name} needs `{name}`") for name in missing]
    return [*found, *(_violation(operation, each, given) for each in faults)]


def _violation(operation: Operation, fault: SchemaFault, given: Json) -> Problem:
    name = fault.path.removeprefix("$").removeprefix(".").partition(".")[0].partition("[")[0]
    named = max((each for each in given if fault.path.startswith(f"$.{each}")), key=len, default=name)
    hint = _OFFSET if fault.keyword == "format" and "date-time" in fault.detail else ""
    kind = _KINDS.get(fault.keyword, "invalid_argument")
    return Problem(kind=kind, parameter=named, detail=f"{operation.name} {fault.path}: {fault.detail}{hint}")


def _said(operation: Operation, name: str) -> str:
    said = str((operation.properties.get(name) or {}).get("description") or "").split("\n")[0].strip()
    return f": {said[:150]}" if said else ""


def _types(operation: Operation, name: str, ours: Json, theirs: str) -> Problem | None:
    """Only in JSON: elsewhere all values are text."""
    if operation.places.get(theirs) not in ("body", "argument"):
        return None
    wanted, given = _declared((operation.properties.get(theirs) or {}).get("type")), _declared(ours.get("type"))
    if "number" in wanted:
        wanted |= {"integer"}
    if not wanted or not given or given & wanted:
        return None
    detail = (
        f"{operation.name} wants `{theirs}` as {' or '.join(sorted(wanted))}; `{name}` is {' or '.join(sorted(given))}"
    )
    return Problem(kind="wrong_type", parameter=theirs, detail=detail)


def _declared(types: Any) -> set[str]:
    return {types} if isinstance(types, str) else {str(each) for each in cast("list[Any]", types or [])}
