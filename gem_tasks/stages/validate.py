"""Stage 5: deterministic checks, then the judge (paper section 3.4). GEM does not publish what fails here."""

from gem_tasks.checks import CHECKS_VERSION, run_checks
from gem_tasks.checks.fidelity import traces
from gem_tasks.checks.reading.arguments import leaves
from gem_tasks.checks.reading.case import Evidence
from gem_tasks.domain.base import Json
from gem_tasks.domain.chat import ChatMessage, Sampling
from gem_tasks.domain.finding import Finding, Severity
from gem_tasks.domain.judgement import RULES, Judgement
from gem_tasks.domain.outcome import Accepted, Malformed, Rejected
from gem_tasks.domain.people import kind_of
from gem_tasks.domain.record import Record
from gem_tasks.domain.stage import StageName
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.domain.workflow import Extraction
from gem_tasks.prompts import Prompt
from gem_tasks.prompts.dialogue import render_tools, render_trajectory
from gem_tasks.prompts.tags import TagError
from gem_tasks.stages.base import Stage
from gem_tasks.stages.judge import ANSWER, MOST_OPEN, parse_judgement, render_open
from gem_tasks.worlds.played import Played


class Validate(Stage):
    """Rejects with `check_…` without a call, or with `judge_…` after one; accepts with a `Judgement`.

    As `revalidate`, it validates the revisions of `revise`; as `confirm`, the trajectories of a synthesizer.
    """

    version = 1000 * CHECKS_VERSION + 5
    sampling = Sampling(temperature=0, max_tokens=4096, least=384)
    answer_schema = ANSWER
    asks_for = ('"rules"', '"findings"', *RULES)
    output = Judgement

    def __init__(self, name: StageName = "validate", of: StageName = "refine") -> None:
        """Takes the stage `of` whose conversations it validates."""
        self.name = name
        self.needs = (of,) if of == "synthesize" else ("extract", of)

    def precheck(self, record: Record) -> Rejected | None:
        """Rejects with the first error of the deterministic checks, so that GEM pays no judge for it."""
        errors = [finding for finding in findings_of(record) if finding.severity is Severity.ERROR]
        if not errors:
            return None
        first, more = errors[0], len(errors) - 1
        place = "" if first.message_index is None else f"message {first.message_index}: "
        detail = f"{place}{first.detail}" + (f" (and {more} more)" if more else "")
        return Rejected(reason=f"check_{first.check}", detail=detail)

    def request(self, record: Record, prompt: Prompt) -> tuple[ChatMessage, ...]:
        """Sends tools, conversation, open findings of the checks, and the text."""
        trajectory = _trajectory(record)
        return prompt.messages(
            tools=render_tools(trajectory.tools),
            trajectory=render_trajectory(trajectory.messages, numbered=True),
            open_findings=render_open(_open(findings_of(record))),
            text=record.segment.text,
        )

    def parse(self, text: str, record: Record) -> Accepted | Rejected | Malformed:
        """Reads the verdicts; an unreadable one is malformed, never a 0 and never a 1."""
        try:
            judgement = judged(text, record)
        except TagError as error:
            return Malformed(complaint=str(error))
        for slug, verdict in judgement.faults.items():
            quote = f' — "{verdict.quote}"' if verdict.quote else ""
            made_up = " (not found in the conversation)" if verdict.quote and not verdict.quoted else ""
            detail = f"{verdict.reason}{quote}{made_up}"
            return Rejected(reason=slug, detail=detail, payload=judgement.model_dump_json())
        trajectory = _trajectory(record)
        measures = trajectory.measures | _settled(record, judgement) | {"spans": _spans(record)}
        thoughts = trajectory.thoughts if self.reads_thoughts else {}
        executed = {"verified": "executed"} if isinstance(trajectory, Played) else {}
        return Accepted.of(judgement).model_copy(update={"measures": measures | thoughts | executed})


def judged(text: str, record: Record) -> Judgement:
    """The judge's answer about a record.

    Raises:
        TagError: it cannot be read.
    """
    findings = findings_of(record)
    said = [message.model_dump_json() for message in _trajectory(record).messages]
    judgement = parse_judgement(text, _open(findings), [*said, record.segment.text])
    return judgement.model_copy(update={"warnings": tuple(findings)})


def findings_of(record: Record) -> list[Finding]:
    """The findings of the deterministic checks, compared with the text and its workflows.

    Errors of the kinds that the record opens go to the judge. What a world settles is no finding of a
    conversation that happened in it: see `SETTLED`.
    """
    trajectory = _trajectory(record)
    found = run_checks(trajectory, _evidence(record), executed=isinstance(trajectory, Played))
    return [_opened(each) if kind_of(each) in record.opened else each for each in found]


def _opened(finding: Finding) -> Finding:
    is_error = finding.severity is Severity.ERROR
    return finding.model_copy(update={"severity": Severity.OPEN}) if is_error else finding


def _settled(record: Record, judgement: Judgement) -> Json:
    """The number of argument values, and the number that the checks could not trace and left to the judge."""
    calls = [call for message in _trajectory(record).messages for call in message.tool_calls]
    opened = sum(finding.severity is Severity.OPEN and finding.check == "grounding" for finding in judgement.warnings)
    return {"values": sum(1 for call in calls for _ in leaves(call.arguments, {})), "open_values": opened}


def _spans(record: Record) -> dict[str, tuple[int, int]]:
    """Positions of the sources of tools, steps and rules in the segment: `[start, end)` in characters."""
    first = _trajectory(record).messages[0]
    system = (first.content or "") if first.role == "system" else ""
    found = traces(_evidence(record), system)
    return {trace.what: (trace.start, trace.end) for trace in found if trace.end}


def _open(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.severity is Severity.OPEN][:MOST_OPEN]


def _trajectory(record: Record) -> Trajectory:
    """The newest trajectory: that of a world or a synthesizer, the revised one if it exists, or the refined one."""
    ways: tuple[StageName, ...] = ("simulate", "synthesize", "revise")
    made = next((found for name in ways if (found := record.output(name, Trajectory))), None)
    return made or record.needed("refine", Trajectory)


def _evidence(record: Record) -> Evidence:
    return Evidence(record.segment.text, record.output("extract", Extraction))
