"""Trajectories against a live API: maps their tools, translates their calls, and checks or makes them.

The real system does not know a conversation's ids, so GEM learns them during the run: if a synthesized and a real
answer have a field of the same name, the real value replaces the synthesized one from then on. Failures of calls
that also fail in the conversation prove nothing; they are counted separately.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gem_tasks.checks.reading.case import Case, Exchange, scalars
from gem_tasks.domain.base import Json
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.live_apis import findings
from gem_tasks.live_apis.figures import CallOutcome, Report, Source, ToolKey, report_of
from gem_tasks.live_apis.findings import Finding, Problem
from gem_tasks.live_apis.fit import Fit
from gem_tasks.live_apis.match import THRESHOLD, Match, Matcher
from gem_tasks.live_apis.operation import Api, Call, Operation
from gem_tasks.live_apis.sample import Sampled


async def ground(
    sample: Sequence[Sampled],
    api: Api,
    call: Call | None = None,
    *,
    allow_writes: bool = False,
    max_calls: int = 1_000,
    threshold: float = THRESHOLD,
    fixed: Mapping[str, str | None] | None = None,
    source: Source | None = None,
) -> Report:
    """Maps and checks every call of the sample.

    Args:
        sample: the conversations.
        api: the API.
        call: makes a call in a sandbox; None for a dry run, which checks arguments and sends nothing.
        allow_writes: whether calls may be made that change something.
        max_calls: limit for calls that are made.
        threshold: minimum score for mapping a tool to an operation.
        fixed: operations by tools that were mapped by hand; None for a tool that has none.
        source: how to make the report again.
    """
    matcher = Matcher(api.operations, threshold, fixed or {}, api.title)
    matches: dict[ToolKey, Match] = {}
    for row in sample:
        for tool in row.trajectory.tools:
            key = (tool.name, tool.canonical_parameters)
            if key not in matches:
                matches[key] = matcher.match(tool)
    caller = Caller(api, call, allow_writes, max_calls)
    outcomes: list[CallOutcome] = []
    found: list[Finding] = []
    for row in sample:
        made = await _Conversation(row.trajectory_id, row.trajectory, caller, matches).ground()
        outcomes += made
        found += _findings(row, made, caller, matches)
    return report_of(api, "sandbox" if call else "dry-run", sample, matches, outcomes, found, source)


class Caller:
    """Checks calls against operations, and makes those that it may."""

    def __init__(self, api: Api, call: Call | None, allow_writes: bool, max_calls: int) -> None:
        self._operations = {each.name: each for each in api.operations}
        self._fits: dict[str, Fit] = {}
        self._call, self._allow_writes, self._left = call, allow_writes, max_calls

    def operation(self, match: Match | None) -> Operation | None:
        """The operation that a tool is mapped to."""
        return self._operations[match.operation] if match and match.operation else None

    def fit(self, operation: Operation) -> Fit:
        """The operation's validators, compiled once."""
        return self._fits.setdefault(operation.name, Fit(operation))

    def withheld(self, operation: Operation) -> tuple[str, str] | None:
        """Why a valid call is not made; None if it is."""
        if self._call is None:
            return "", ""
        if operation.writes and not self._allow_writes:
            return "write_not_allowed", f"{operation.name} may change something"
        if self._left <= 0:
            return "call_limit", "the limit of calls is reached"
        return None

    async def make(self, operation: Operation, arguments: Json) -> tuple[bool, str, str, Any]:
        """Makes the call: whether it succeeded, why not, and the answer."""
        assert self._call  # noqa: S101 - else it is withheld
        self._left -= 1
        reply = await self._call(operation, arguments)
        return reply.ok, reply.reason, reply.detail, reply.body


class _Conversation:
    """One trajectory on its way through the API."""

    def __init__(
        self, trajectory_id: str, trajectory: Trajectory, caller: Caller, matches: Mapping[ToolKey, Match]
    ) -> None:
        self._id, self._case, self._caller, self._matches = trajectory_id, Case(trajectory), caller, matches
        self._real: dict[Any, Any] = {}
        """Real values by the synthesized ones."""

    async def ground(self) -> list[CallOutcome]:
        """Runs calls in order: later ones may need results of earlier ones."""
        return [await self._one(exchange) for exchange in self._case.exchanges]

    async def _one(self, exchange: Exchange) -> CallOutcome:
        name = exchange.call.name
        tool = self._case.tools.get(name)
        known = self._matches[tool.name, tool.canonical_parameters] if tool else None
        operation = self._caller.operation(known)
        about = CallOutcome(trajectory_id=self._id, tool=name, meant_to_fail=exchange.failed)
        if not tool or not known or not operation:
            return about.model_copy(update={"reason": "unmapped_tool", "detail": f"no operation matches {name}"})
        made = about.model_copy(update={"operation": operation.name})
        return made.model_copy(update=await self._checked(known, operation, exchange))

    async def _checked(self, known: Match, operation: Operation, exchange: Exchange) -> Json:
        fit = self._caller.fit(operation)
        given = exchange.call.arguments
        arguments = fit.written(
            {known.arguments[name]: self._translated(value) for name, value in given.items() if name in known.arguments}
        )
        missing = sorted(set(operation.required) - set(arguments))
        faults = [each for each in fit.faults(arguments) if not (each.keyword == "required" and each.path == "$")]
        if problems := findings.of_call(operation, missing, arguments, faults):
            reason = "missing_argument" if missing else problems[0].kind
            return {"reason": reason, "detail": problems[0].detail, "problems": tuple(problems)}
        if (withheld := self._caller.withheld(operation)) is not None:
            return {"valid": True, "reason": withheld[0], "detail": withheld[1]}
        ok, reason, detail, body = await self._caller.make(operation, arguments)
        if ok:
            self._learn(exchange.data, body)
            return {"valid": True, "sent": True, "succeeded": True}
        problem = Problem(kind="rejected", parameter="", detail=f"{operation.name}: {reason}: {detail}")
        return {"valid": True, "sent": True, "reason": reason, "detail": detail, "problems": (problem,)}

    def _translated(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._translated(part) for part in value]  # pyright: ignore[reportUnknownVariableType]
        if isinstance(value, dict):
            return {key: self._translated(part) for key, part in value.items()}  # pyright: ignore[reportUnknownVariableType]
        return value if isinstance(value, bool) else self._real.get(value, value)

    def _learn(self, synthesized: Any, real: Any) -> None:
        """Learns only ids: strings and numbers under the same field name, the first of each."""
        first: dict[str, Any] = {}
        for _, name, value in scalars(real):
            first.setdefault(name.lower(), value)
        for _, name, value in scalars(synthesized):
            theirs = first.get(name.lower(), first.get("id"))  # many APIs call each thing's id `id`
            if _names_id(name) and not isinstance(value, bool) and value is not None and theirs is not None:
                self._real.setdefault(value, theirs)


def _names_id(name: str) -> bool:
    return name.lower() == "id" or name.endswith(("_id", "Id", "ID", "_number", "Number", "_code", "Code"))


def _findings(
    row: Sampled, outcomes: Sequence[CallOutcome], caller: Caller, matches: Mapping[ToolKey, Match]
) -> Iterator[Finding]:
    """Findings of a conversation's tools, each with how many calls show it."""
    for tool in {each.name: each for each in reversed(row.trajectory.tools)}.values():
        match = matches[tool.name, tool.canonical_parameters]
        operation = caller.operation(match)
        if operation is None:
            continue
        own = [each for each in outcomes if each.tool == tool.name and not each.meant_to_fail]
        for problem, calls in _counted(list(findings.of_tool(tool, match, operation)), own):
            yield Finding(
                **problem.model_dump(),
                segment_id=row.segment_id,
                trajectory_id=row.trajectory_id,
                tool=tool.name,
                operation=operation.name,
                calls=calls,
            )


def _counted(of_tool: Sequence[Problem], outcomes: Sequence[CallOutcome]) -> list[tuple[Problem, int]]:
    """Each problem once; a call omits what its tool does not have."""
    needs = {each.parameter: each for each in of_tool if each.kind == "needs"}
    counts = Counter[tuple[str, str]]()
    first = {(each.kind, each.parameter): each for each in of_tool}
    for outcome in outcomes:
        shown = [needs.get(each.parameter, each) if each.kind == "omits" else each for each in outcome.problems]
        counts.update({(each.kind, each.parameter) for each in shown})
        first = {(each.kind, each.parameter): each for each in shown} | first
    return [(problem, counts[key]) for key, problem in first.items()]
