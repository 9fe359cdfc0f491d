"""The judge's answer: five rules per trajectory, a verdict per open finding, a quoted reason for each fault.

R1 to R3 come from the paper (appendix, rules of the quality judge), R4 and R5 from GEM. `Judgement.kept` decides: every
rule holds and no open finding is a fault.
"""

import re
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, Field, ValidationError

from gem_tasks.domain.base import Json
from gem_tasks.domain.finding import Finding
from gem_tasks.domain.judgement import RULES, Judgement, Verdict
from gem_tasks.prompts.tags import TagError, json_object_in, parse_json, strip_thinking

MOST_OPEN = 20
"""Maximum number of open findings in one request; the judge always reads the whole conversation."""

_LONGEST = 500
"""Maximum characters of a stored quote or reason, and of a finding in the request."""
_LOOSE = re.compile(r"\\[nrt]|[\s\\\"'“”‘’`…]+|\.\.\.$")
_MARK: Json = {"type": "integer", "enum": [0, 1]}
_TEXT: Json = {"type": "string"}


def _list_of(**properties: Json) -> Json:
    item: Json = {
        "type": "object",
        "properties": {**properties, "quote": _TEXT, "reason": _TEXT},
        "required": [*properties, "quote", "reason"],
        "additionalProperties": False,
    }
    return {"type": "array", "items": item}


ANSWER: Json = {
    "type": "object",
    "properties": {
        "rules": _list_of(rule={"type": "string", "enum": list(RULES)}, **{"pass": _MARK}),
        "findings": _list_of(number={"type": "integer"}, fault=_MARK),
    },
    "required": ["rules", "findings"],
    "additionalProperties": False,
}
"""JSON schema of the answer, strict."""


class _Rule(BaseModel):
    rule: str
    passed: bool = Field(alias="pass")
    quote: str = ""
    reason: str = ""


class _Settled(BaseModel):
    number: int
    fault: bool
    quote: str = ""
    reason: str = ""


class _Answer(BaseModel):
    rules: list[_Rule]
    findings: list[_Settled] = []


def render_open(findings: Sequence[Finding]) -> str:
    """Open findings as numbered lines, from 1."""
    return "\n".join(f"{number}. {describe(finding)}" for number, finding in enumerate(findings, 1)) or "none"


def parse_judgement(text: str, open_findings: Sequence[Finding], material: Iterable[str]) -> Judgement:
    """Reads the judge's answer.

    Args:
        text: the completion.
        open_findings: the findings of the request, in order.
        material: the possible sources of quotes: the messages and the text.

    Raises:
        TagError: a verdict is missing, duplicate or unreadable; the message is for the model.
    """
    try:
        found = _Answer.model_validate(parse_json(json_object_in(strip_thinking(text)), "the verdict"))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise TagError(f"the verdict is not as described: {place}: {first['msg']}") from error
    if sorted(each.rule for each in found.rules) != sorted(RULES):
        raise TagError(f'"rules" must hold exactly one entry for each of {", ".join(RULES)}')
    if sorted(each.number for each in found.findings) != list(range(1, len(open_findings) + 1)):
        raise TagError(f'"findings" must hold exactly one entry for each of the {len(open_findings)} open findings')
    source = [_plain(part) for part in material]
    settled = sorted(found.findings, key=lambda each: each.number)
    return Judgement(
        rules={each.rule: _verdict(not each.passed, each, source) for each in found.rules},
        findings=tuple(
            _verdict(each.fault, each, source, finding) for each, finding in zip(settled, open_findings, strict=True)
        ),
    )


def describe(finding: Finding) -> str:
    """A finding on one line, with its position, as the judge and the reviser see it."""
    place = "" if finding.message_index is None else f"message {finding.message_index}, "
    where = f"{finding.json_path}, " if finding.json_path else ""
    return f"{place}{where}{finding.check} ({finding.kind}): {' '.join(finding.detail.split())[:_LONGEST]}"


def _verdict(fault: bool, given: _Rule | _Settled, source: Sequence[str], finding: Finding | None = None) -> Verdict:
    """Sets `quoted`, because a judge that invents a quote may have invented its reason, too."""
    quote = _plain(given.quote)
    quoted = bool(quote) and any(quote in part for part in source)
    return Verdict(
        fault=fault, quote=given.quote[:_LONGEST], reason=given.reason[:_LONGEST], quoted=quoted, finding=finding
    )


def _plain(text: str) -> str:
    """Removes what models change when they copy: case, spaces, quotation marks, escapes, ellipses."""
    return _LOOSE.sub("", text).casefold()
