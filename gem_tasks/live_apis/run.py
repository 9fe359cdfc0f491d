"""Trajectories against a live API: maps their tools, translates their calls, checks or makes them, and counts.

The real system does not know a conversation's ids, so GEM learns them during the run: if a synthesized and a real
answer have a field of the same name, the real value replaces the synthesized one from then on. Failures of calls
that also fail in the conversation prove nothing; they are counted separately.
"""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from gem_tasks.checks.reading.case import Case, scalars
from gem_tasks.checks.reading.validator import Validator
from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.domain.workflow import ToolSpec
from gem_tasks.live_apis.match import THRESHOLD, Match, match
from gem_tasks.live_apis.operation import Call, Operation

Mode = Literal["dry-run", "sandbox"]
Sample = Sequence[tuple[str, Trajectory]]
"""Ids and trajectories."""


class CallOutcome(Value):
    """The result of one call."""

    trajectory_id: str
    tool: str
    operation: str | None
    ok: bool
    reason: str = ""
    """Reason of a failure: `unmapped_tool`, `missing_argument`, `invalid_argument`, `unsafe_path`, `timeout`, …"""
    detail: str = ""
    meant_to_fail: bool = False
    """Whether the call's result in the conversation is an error."""


class Report(Value):
    """How well a sample fits a live API."""

    mode: Mode
    trajectories: int
    operations: int
    tools: int
    """Distinct definitions, by name and parameters."""
    mapped_tools: int
    calls: int
    """Calls except those that are expected to fail."""
    succeeded: int
    reasons: dict[str, int]
    """Reasons of failed calls, most frequent first."""
    meant_to_fail: int
    failed_as_meant: int
    matches: tuple[Match, ...]
    outcomes: tuple[CallOutcome, ...]

    @property
    def success_rate(self) -> float | None:
        """Share of successful calls among those that should succeed; None without any."""
        return self.succeeded / self.calls if self.calls else None


def draw(rows: Iterable[tuple[str, Trajectory]], size: int, seed: int) -> list[tuple[str, Trajectory]]:
    """A random sample in one pass (reservoir, Vitter's algorithm R), the same for the same seed and rows."""
    chance, kept = random.Random(seed), list[tuple[str, Trajectory]]()  # noqa: S311 - a sample, no secret
    for at, row in enumerate(rows):
        if len(kept) < size:
            kept.append(row)
        elif (place := chance.randint(0, at)) < size:
            kept[place] = row
    return kept


async def ground(
    sample: Sample, operations: Sequence[Operation], call: Call | None = None, threshold: float = THRESHOLD
) -> Report:
    """Maps and checks every call of the sample.

    Args:
        sample: the conversations.
        operations: operations of the API.
        call: makes a call in a sandbox; None for a dry run, which checks arguments and sends nothing.
        threshold: minimum score for mapping a tool to an operation.
    """
    matches: dict[tuple[str, str], Match] = {}
    outcomes: list[CallOutcome] = []
    by_name = {operation.name: operation for operation in operations}
    for trajectory_id, trajectory in sample:
        for tool in trajectory.tools:
            key = (tool.name, tool.canonical_parameters)
            if key not in matches:
                matches[key] = match(tool, operations, threshold)
        talk = _Conversation(trajectory_id, trajectory, call, by_name, matches)
        outcomes += await talk.ground()
    return _report("sandbox" if call else "dry-run", sample, operations, list(matches.values()), outcomes)


class _Conversation:
    """One trajectory on its way through the API."""

    def __init__(
        self,
        trajectory_id: str,
        trajectory: Trajectory,
        call: Call | None,
        operations: dict[str, Operation],
        matches: dict[tuple[str, str], Match],
    ) -> None:
        self._id, self._case, self._call = trajectory_id, Case(trajectory), call
        self._operations, self._matches = operations, matches
        self._real: dict[Any, Any] = {}
        """Real values by the synthesized ones."""

    async def ground(self) -> list[CallOutcome]:
        """Runs calls in order: later ones may need results of earlier ones."""
        found: list[CallOutcome] = []
        for exchange in self._case.exchanges:
            tool = self._case.tools.get(exchange.call.name)
            known = self._matches[tool.name, tool.canonical_parameters] if tool else None
            operation = self._operations[known.operation] if known and known.operation else None
            reason, detail = "unmapped_tool", f"no operation matches {exchange.call.name}"
            if tool and known and operation:
                reason, detail = await self._one(tool, known, operation, exchange.call.arguments, exchange.data)
            found.append(
                CallOutcome(
                    trajectory_id=self._id,
                    tool=exchange.call.name,
                    operation=operation.name if operation else None,
                    ok=not reason,
                    reason=reason,
                    detail=detail,
                    meant_to_fail=exchange.failed,
                )
            )
        return found

    async def _one(
        self, tool: ToolSpec, known: Match, operation: Operation, given: Json, answer: Any
    ) -> tuple[str, str]:
        arguments = {
            known.arguments[name]: self._translated(value) for name, value in given.items() if name in known.arguments
        }
        if missing := sorted(set(operation.required) - set(arguments)):
            return "missing_argument", f"{operation.name} needs {', '.join(missing)}, which {tool.name} does not give"
        for _, path, fault in Validator(operation.parameters).faults(arguments):
            return "invalid_argument", f"{operation.name} {path}: {fault}"
        if self._call is None:
            return "", ""
        reply = await self._call(operation, arguments)
        if reply.ok:
            self._learn(answer, reply.body)
        return reply.reason, reply.detail

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
            if _names_id(name) and not isinstance(value, bool) and value is not None and name.lower() in first:
                self._real.setdefault(value, first[name.lower()])


def _names_id(name: str) -> bool:
    return name.lower() == "id" or name.endswith(("_id", "Id", "ID", "_number", "Number", "_code", "Code"))


def _report(
    mode: Mode, sample: Sample, operations: Sequence[Operation], matches: list[Match], outcomes: list[CallOutcome]
) -> Report:
    wanted = [each for each in outcomes if not each.meant_to_fail]
    others = [each for each in outcomes if each.meant_to_fail]
    return Report(
        mode=mode,
        trajectories=len(sample),
        operations=len(operations),
        tools=len(matches),
        mapped_tools=sum(each.operation is not None for each in matches),
        calls=len(wanted),
        succeeded=sum(each.ok for each in wanted),
        reasons=dict(Counter(each.reason for each in wanted if not each.ok).most_common()),
        meant_to_fail=len(others),
        failed_as_meant=sum(not each.ok for each in others),
        matches=tuple(matches),
        outcomes=tuple(outcomes),
    )
