"""Stage 6, a second chance: returns a rejected conversation once with every finding that rejected it.

The paper drops conversations that its rules reject, but most of them are paid for and have only one fault.
"""

from collections.abc import Iterator

from gem_tasks.domain.chat import ChatMessage, Sampling
from gem_tasks.domain.finding import Severity
from gem_tasks.domain.judgement import Judgement, Verdict
from gem_tasks.domain.outcome import Accepted, Malformed, Rejected
from gem_tasks.domain.record import Record
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.prompts import Prompt, synthesis
from gem_tasks.prompts.dialogue import render_tools, render_trajectory
from gem_tasks.prompts.tags import TagError, neutral
from gem_tasks.stages.base import Stage
from gem_tasks.stages.judge import describe
from gem_tasks.stages.validate import findings_of


class Revise(Stage):
    """Accepts with the revised `Trajectory`; `revalidate` decides whether it is sound."""

    name = "revise"
    version = 1
    sampling = Sampling(temperature=0.3, max_tokens=24576, least=1536)
    needs = ("extract", "refine", "validate")
    asks_for = synthesis.TAGS
    takes = "rejected"
    output = Trajectory

    def precheck(self, record: Record) -> Rejected | None:
        """Rejects a conversation without a fault under the current checks and judge."""
        if any(faults(record)):
            return None
        return Rejected(reason="nothing_to_revise", detail="no finding of the validation is known any more")

    def request(self, record: Record, prompt: Prompt) -> tuple[ChatMessage, ...]:
        """Sends tools, the conversation with numbered messages, the findings, and the text."""
        refused = record.needed("refine", Trajectory)
        listed = "\n".join(f"{number}. {fault}" for number, fault in enumerate(faults(record), 1))
        return prompt.messages(
            tools=render_tools(refused.tools),
            trajectory=render_trajectory(refused.messages, numbered=True),
            findings=neutral(listed),
            text=record.segment.text,
        )

    def parse(self, text: str, record: Record) -> Accepted | Rejected | Malformed:
        """Reads the full set of tools and the turns."""
        try:
            return Accepted.of(synthesis.read(text, thoughts=self.reads_thoughts))
        except TagError as error:
            return Malformed(complaint=str(error))


def faults(record: Record) -> Iterator[str]:
    """Yields the reasons for the rejection, one per line: all errors of the checks, otherwise the judge's faults."""
    errors = [finding for finding in findings_of(record) if finding.severity is Severity.ERROR]
    for finding in errors:
        yield describe(finding)
    refusing = record.output("validate", Judgement)
    for slug, verdict in (refusing.faults if refusing else {}).items():
        yield f"judge, {slug.removeprefix('judge_')}: {_said(verdict)}"


def _said(verdict: Verdict) -> str:
    quote = f' Quoted: "{" ".join(verdict.quote.split())}"' if verdict.quote else ""
    about = f" (about: {describe(verdict.finding)})" if verdict.finding else ""
    return f"{' '.join(verdict.reason.split()) or 'no reason given'}{quote}{about}"
