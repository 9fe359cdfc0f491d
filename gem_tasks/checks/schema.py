"""Tools that the Chat Completions API would take, and calls that fit them."""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable

from gem_tasks.domain.finding import Finding, Severity
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.domain.workflow import TOOL_NAME, ToolSpec

CHECK = "schema"


def tool_faults(tool: ToolSpec) -> Iterator[str]:
    """What is wrong with a definition: name, description, or parameters that are no valid object schema."""
    if not TOOL_NAME.match(tool.name):
        yield f"tool name {tool.name!r} must match {TOOL_NAME.pattern}"
    if not tool.description.strip():
        yield f"tool {tool.name} has no description"
    schema = tool.parameters
    if schema.get("type") != "object":
        yield f"parameters of {tool.name} must be a schema of type object"
        return
    try:
        Draft202012Validator.check_schema(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    except SchemaError as error:
        yield f"parameters of {tool.name} are no valid JSON Schema: {error.message[:200]} at {error.json_path}"
        return
    properties: dict[str, Any] = schema.get("properties") or {}
    for name in sorted(set(schema.get("required", [])) - set(properties)):
        yield f"{tool.name} requires {name!r}, which is not among its properties"


def argument_faults(tool: ToolSpec, arguments: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """`(json path, what is wrong)` for each fault of the arguments against a valid schema."""
    validator = _validator(json.dumps(tool.parameters, sort_keys=True))
    try:
        errors: list[ValidationError] = sorted(validator.iter_errors(arguments), key=lambda error: error.json_path)  # pyright: ignore[reportUnknownMemberType]
    except Unresolvable as error:
        yield "$", f"the schema refers to something that is not in it: {error}"
        return
    for error in errors:
        yield error.json_path, _explain(error)


def check(trajectory: Trajectory) -> Iterator[Finding]:
    """Findings for invalid or doubled tool definitions, undefined functions and arguments that do not validate."""
    invalid: set[str] = set()
    names: set[str] = set()
    for tool in trajectory.tools:
        faults = list(tool_faults(tool))
        if tool.name in names:
            faults.append(f"tool {tool.name} is defined twice")
        names.add(tool.name)
        for fault in faults:
            invalid.add(tool.name)
            yield Finding(check=CHECK, severity=Severity.ERROR, detail=fault)
    yield from _calls(trajectory, invalid)


def _calls(trajectory: Trajectory, invalid: set[str]) -> Iterator[Finding]:
    tools = {tool.name: tool for tool in trajectory.tools}
    for index, message in enumerate(trajectory.messages):
        for call in message.tool_calls:
            if call.name not in tools:
                detail = f"{call.name} is called but not defined"
                yield Finding(check=CHECK, severity=Severity.ERROR, detail=detail, message_index=index)
            elif call.name not in invalid:
                for path, fault in argument_faults(tools[call.name], call.arguments):
                    detail = f"{call.name}: {fault}"
                    yield Finding(
                        check=CHECK, severity=Severity.ERROR, detail=detail, message_index=index, json_path=path
                    )


@lru_cache(maxsize=4096)
def _validator(schema: str) -> Draft202012Validator:
    """Compiled once per distinct schema; the key is its canonical JSON."""
    # An empty registry: a `$ref` in model output must never make us fetch a URL.
    return Draft202012Validator(
        json.loads(schema), registry=Registry(), format_checker=Draft202012Validator.FORMAT_CHECKER
    )


def _explain(error: ValidationError) -> str:
    kinds = {"type": "wrong type", "required": "missing", "additionalProperties": "unknown property"}
    kind = kinds.get(str(error.validator), str(error.validator))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    return f"{kind}: {error.message[:200]}"
