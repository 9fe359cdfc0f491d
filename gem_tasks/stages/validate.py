"""Stage 5: deterministic checks, then the judge's three rules (paper section 3.4). What fails here is not published."""

from typing import Any

from gem_tasks import prompts
from gem_tasks.checks import CHECKS_VERSION, run_checks
from gem_tasks.domain.base import Json
from gem_tasks.domain.chat import ChatMessage, Sampling
from gem_tasks.domain.finding import Severity
from gem_tasks.domain.outcome import Accepted, Malformed, Rejected
from gem_tasks.domain.record import Judgement, Record
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.prompts.dialogue import render_tools, render_trajectory
from gem_tasks.prompts.tags import TagError, parse_json, strip_thinking
from gem_tasks.settings import StageName

_RULES = ("R1", "R2", "R3")
_VERDICT: Json = {
    "type": "object",
    "properties": {**{rule: {"type": "integer", "enum": [0, 1]} for rule in _RULES}, "reason": {"type": "string"}},
    "required": [*_RULES, "reason"],
    "additionalProperties": False,
}


class Validate:
    """Rejects with `check_…` without a call, or with `judge_r1..3` after one; accepts with a `Judgement`."""

    name: StageName = "validate"
    version = 1000 * CHECKS_VERSION + 1
    sampling = Sampling(temperature=0, max_tokens=2048)
    answer_schema: Json | None = _VERDICT
    needs: tuple[StageName, ...] = ("refine",)
    output = Judgement

    def precheck(self, record: Record) -> Rejected | None:
        """The first error among the deterministic checks: no judge is paid for what code can refuse."""
        errors = [finding for finding in run_checks(_trajectory(record)) if finding.severity is Severity.ERROR]
        if not errors:
            return None
        first, more = errors[0], len(errors) - 1
        place = "" if first.message_index is None else f"message {first.message_index}: "
        detail = f"{place}{first.detail}" + (f" (and {more} more)" if more else "")
        return Rejected(reason=f"check_{first.check}", detail=detail)

    def request(self, record: Record) -> tuple[ChatMessage, ...]:
        """Tools and conversation; the judge does not see the text."""
        trajectory = _trajectory(record)
        return prompts.load(self.name).messages(
            tools=render_tools(trajectory.tools), trajectory=render_trajectory(trajectory.messages)
        )

    def parse(self, text: str, record: Record) -> Accepted | Rejected | Malformed:
        """Reads the verdict; an unreadable one is malformed, never a 0 and never a 1."""
        try:
            verdict: Any = parse_json(strip_thinking(text), "the verdict")
        except TagError as error:
            return Malformed(complaint=str(error))
        if not isinstance(verdict, dict) or any(verdict.get(rule) not in (0, 1) for rule in _RULES):  # pyright: ignore[reportUnknownMemberType]
            return Malformed(complaint='the verdict must be {"R1": 0 or 1, "R2": 0 or 1, "R3": 0 or 1, "reason": "…"}')
        reason = str(verdict.get("reason") or "")[:500]  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        broken = next((rule for rule in _RULES if not verdict[rule]), None)
        if broken:
            return Rejected(reason=f"judge_{broken.lower()}", detail=reason)
        warnings = tuple(run_checks(_trajectory(record)))
        return Accepted.of(Judgement(r1=True, r2=True, r3=True, reason=reason, warnings=warnings))


def _trajectory(record: Record) -> Trajectory:
    if record.refine is None:
        raise ValueError(f"{record.segment.segment_id} has not been through refine")
    return record.refine
