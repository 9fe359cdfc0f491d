"""Whether the Chat Completions API would accept the tools, and whether calls fit them.

Shape (types, required, unknown properties) must be right for every call. A call that got an error may break a limit
(bounds, enum, pattern, format): that is how conversations teach recovery, so there it is only a warning.
"""

from collections.abc import Iterator
from typing import Any

from gem_tasks.checks.faults import Fault, finding
from gem_tasks.checks.reading.case import Case, Exchange
from gem_tasks.checks.reading.validator import SchemaFault, validator
from gem_tasks.domain.finding import Finding
from gem_tasks.domain.workflow import TOOL_NAME, ToolSpec

CHECK = "schema"

_KINDS = {"type": "wrong type", "required": "missing", "additionalProperties": "unknown property"}
_FAULTS = {"type": Fault.WRONG_TYPE, "required": Fault.MISSING, "additionalProperties": Fault.UNKNOWN_PROPERTY,
           "format": Fault.FORMAT}  # fmt: skip
LIMITS = frozenset(
    """
    enum const minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength minItems maxItems
    uniqueItems pattern format minProperties maxProperties
    """.split()
)
"""Keywords that state a limit rather than a shape."""


def tool_faults(tool: ToolSpec) -> Iterator[str]:
    """Faults of a definition: name, description, or parameters that are not a valid object schema."""
    if not TOOL_NAME.match(tool.name):
        yield f"tool name {tool.name!r} must match {TOOL_NAME.pattern}"
    if not tool.description.strip():
        yield f"tool {tool.name} has no description"
    schema = tool.parameters
    if schema.get("type") != "object":
        yield f"parameters of {tool.name} must be a schema of type object"
        return
    if fault := validator(tool.canonical_parameters).fault:
        yield f"parameters of {tool.name} are no valid JSON Schema: {fault}"
        return
    properties: dict[str, Any] = schema.get("properties") or {}
    for name in sorted(set(schema.get("required", [])) - set(properties)):
        yield f"{tool.name} requires {name!r}, which is not among its properties"


def argument_faults(tool: ToolSpec, arguments: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """`(json path, what is wrong)` for each fault of the arguments against a valid schema."""
    for _, path, detail in faults_by_keyword(tool, arguments):
        yield path, detail


def faults_by_keyword(tool: ToolSpec, arguments: dict[str, Any]) -> Iterator[SchemaFault]:
    """Each fault of the arguments against a valid schema; the detail begins with its kind."""
    for keyword, path, message in validator(tool.canonical_parameters).faults(arguments):
        yield SchemaFault(keyword, path, f"{_KINDS.get(keyword, keyword)}: {message}")


def check(case: Case) -> Iterator[Finding]:
    """Findings for invalid or duplicate tool definitions, undefined functions and arguments that do not validate."""
    invalid: set[str] = set()
    names: set[str] = set()
    for tool in case.trajectory.tools:
        faults = list(tool_faults(tool))
        if tool.name in names:
            faults.append(f"tool {tool.name} is defined twice")
        names.add(tool.name)
        for fault in faults:
            invalid.add(tool.name)
            yield finding(Fault.TOOL_DEFINITION, fault)
    for exchange in case.exchanges:
        name = exchange.call.name
        if name not in case.tools:
            yield finding(Fault.UNDEFINED, f"{name} is called but not defined", exchange.index)
        elif name not in invalid:
            yield from _call(case.tools[name], exchange)


def _call(tool: ToolSpec, exchange: Exchange) -> Iterator[Finding]:
    for keyword, path, detail in faults_by_keyword(tool, exchange.call.arguments):
        refused = exchange.failed and exchange.answer_index is not None
        limit = Fault.REFUSED_LIMIT if refused else Fault.LIMIT
        fault = _FAULTS.get(keyword, limit if keyword in LIMITS else Fault.SHAPE)
        fault = Fault.REFUSED_LIMIT if refused and fault is Fault.FORMAT else fault
        yield finding(fault, f"{tool.name}: {detail}", exchange.index, path)
