"""What the checks say about an edit: its findings, and which errors are new with it."""

from collections import Counter

from gem_tasks.checks import run_checks
from gem_tasks.checks.reading.case import Evidence
from gem_tasks.dataset.privacy import scrub
from gem_tasks.domain.base import Value
from gem_tasks.domain.finding import Finding, Severity
from gem_tasks.domain.people import kind_of
from gem_tasks.domain.trajectory import Message, Trajectory
from gem_tasks.domain.workflow import Extraction
from gem_tasks.edits.subject import Subject


class Checked(Value):
    """The findings that an edit brings in."""

    errors: tuple[Finding, ...]
    others: tuple[Finding, ...]
    """Findings that refuse nothing: for a judge, or for the record."""


def check(subject: Subject, messages: tuple[Message, ...]) -> Checked:
    """Runs the checks on the edit, and on what was shown before.

    The text is compared as it is shown, without personal data: the conversation has these replacements, too.
    """
    before = Counter(_name(each) for each in _found(subject, subject.shown.messages))
    new: list[Finding] = []
    for each in _found(subject, messages):
        if before[_name(each)]:
            before[_name(each)] -= 1
        else:
            new.append(each)
    errors = tuple(each for each in new if _is_error(each, subject))
    return Checked(errors=errors, others=tuple(each for each in new if not _is_error(each, subject)))


def _found(subject: Subject, messages: tuple[Message, ...]) -> list[Finding]:
    segment = subject.record.segment
    asked = Message(role="user", content=segment.text)
    together = Trajectory(tools=subject.accepted.tools, messages=(asked, *messages))
    clean = scrub(together, segment.text, segment.language).trajectory
    text, *rest = clean.messages
    evidence = Evidence(text.content, subject.record.output("extract", Extraction))
    return run_checks(Trajectory(tools=clean.tools, messages=tuple(rest)), evidence)


def _is_error(finding: Finding, subject: Subject) -> bool:
    return finding.severity is Severity.ERROR and kind_of(finding) not in subject.record.opened


def _name(finding: Finding) -> tuple[str, str, str, str]:
    """Without the position, which moves when a message is added."""
    return finding.check, finding.kind, finding.detail, finding.json_path
