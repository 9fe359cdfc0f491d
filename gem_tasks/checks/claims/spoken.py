"""Compares the assistant's words with the conversation so far: identifiers and amounts of unknown origin, and false
refusals.

A model that misreads its own results misquotes them: one digit of an order number, a total that no addition yields.
Small numbers, dates and times carry too little information to be traced; identifiers count only if others of their
form were shown. The remaining ones may be an estimate or a longer calculation, so all findings go to the judge.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from gem_tasks.checks.faults import Fault, finding
from gem_tasks.checks.reading.amounts import DATE, MOST, bare, derived, together, written
from gem_tasks.checks.reading.case import Case
from gem_tasks.checks.reading.numbers import numbers
from gem_tasks.checks.reading.said import content_stems, stem
from gem_tasks.checks.reading.verbs import reads, words
from gem_tasks.domain.finding import Finding
from gem_tasks.domain.trajectory import ToolCall
from gem_tasks.patterns import IgnoringCase

_ID = re.compile(r"(?<![\w/.-])([A-Z]{1,10}[-_#/])([\w/-]*\d[\w/-]*)(?![\w-])")
_IN_WORD = re.compile(r"\w")
_TO_A_DIGIT = re.compile(r"\w*\d")
_AT_HAND = 60
"""Numbers that are considered."""
_MOST_TRIED = 6
"""Most amounts of one message to trace; a text with more is a table."""
_MOST_LOOKED_FOR = 5000
"""Most identifiers and amounts of a conversation to look for in everything said."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_UNABLE = IgnoringCase(
    r"\b(?:I (?:can['’]?t|cannot|can not|am (?:not able|unable) to)|I['’]m (?:unable|not able) to"
    r"|I (?:have no|don['’]t have an?y?) (?:tool|function|way)|there(?:['’]s| is) no (?:tool|function|way)"
    r"|it(?:['’]s| is) (?:not possible|impossible)|it isn['’]t possible)\b([^.;:,—–(]*)",
)
_HINTS = ("can't", "can’t", "cannot", "can not", " able to", "unable", "no tool", "no function", "no way", "a tool",
          "any tool", "possible")  # fmt: skip
"""A refusal contains one of these: the pattern is slow."""
_REASON = IgnoringCase(
    r"\b(?:because|since|as long as|until|unless|once|while|without|before|after|yet|again|any ?more|beforehand|whether"
    r"|but|only|if|also|both|all|just|directly)\b",
)
"""Words that limit a refusal: the tool can do it, but not now."""


def check(case: Case) -> Iterator[Finding]:
    """Findings for identifiers and amounts of unknown origin in the assistant's words, and for false refusals."""
    given = _Given(case)
    for index, message in enumerate(case.messages):
        text = message.content or ""
        if message.role == "assistant" and text:
            yield from _identifiers(text, index, given)
            yield from _amounts(text, index, given)
            yield from _refusals(text, index, case)
        given.take(index, text)
        given.calls += message.tool_calls


@dataclass
class _Given:
    """Everything said up to a message."""

    case: Case
    seen: int = 0
    """Messages read so far."""
    texts: list[str] = field(default_factory=list[str])
    """With thousands written as `1234`."""
    calls: list[ToolCall] = field(default_factory=list[ToolCall])
    arguments: list[str] = field(default_factory=list[str])
    """Those of the calls, as JSON, as far as they were needed."""
    looked_for: int = 0
    """Identifiers and amounts of all messages so far."""
    _ordered: dict[int, dict[float, None]] = field(default_factory=dict[int, dict[float, None]])

    def take(self, index: int, text: str) -> None:
        """Reads a message."""
        self.seen = index + 1
        self.texts.append(together(text))

    def literally(self, wanted: str) -> bool:
        """Whether the same characters occur in a message or in the arguments of a call."""
        self.looked_for += 1
        if any(wanted in text for text in reversed(self.texts)):
            return True
        for call in self.calls[len(self.arguments) :]:
            self.arguments.append(json.dumps(call.arguments, ensure_ascii=False))
        return any(wanted in text for text in self.arguments)

    def has_form(self, prefix: str) -> bool:
        """Whether others of the form were shown: `INV-204` for `INV-`."""
        return any(prefix in text and _shown(prefix, text) for text in self.texts)

    def numbers(self) -> list[float]:
        """The latest quantities except 0 and 1, newest first: as many as a sum may have."""
        found: dict[float, None] = {}
        for at in range(self.seen - 1, -1, -1):
            if at not in self._ordered:
                said = self.case.utterances[at].numbers
                near = sorted(number for number in said if 1 < number < MOST or 0 < number < 1)
                self._ordered[at] = dict.fromkeys(near)
            found.update(self._ordered[at])
            if len(found) >= _AT_HAND:
                break
        return list(found)


def _identifiers(text: str, index: int, given: _Given) -> Iterator[Finding]:
    unknown: dict[str, bool] = {}
    for match in _ID.finditer(text):
        if match[0] not in unknown and given.looked_for < _MOST_LOOKED_FOR:
            unknown[match[0]] = not given.literally(match[0]) and given.has_form(match[1])
        if unknown.get(match[0]):
            yield finding(Fault.UNKNOWN_ID, f"no message gave {match[0]!r}", index)


def _amounts(text: str, index: int, given: _Given) -> Iterator[Finding]:
    shown = written(together(text))
    if not shown:
        return
    plain = together(DATE.sub(lambda _: " ", text))
    left = max(0, _MOST_LOOKED_FOR - given.looked_for)
    looked_for = islice((one for one in written(plain) if one in shown), left)
    strange = list(islice((one for one in looked_for if not given.literally(bare(one))), _MOST_TRIED))
    if not strange:
        return
    own, said = numbers(plain), given.numbers()
    for one in strange:
        number = float(one)
        near = [*sorted(other for other in own - {number, 0, 1} if other < MOST), *said]
        if not derived(number, near):
            yield finding(Fault.UNSOURCED_AMOUNT, f"no message gave {one}, and no plain sum yields it", index)


def _shown(prefix: str, text: str) -> bool:
    """Whether the text has an identifier of the form."""
    at = text.find(prefix)
    while at >= 0:
        before, end = text[at - 1 : at], at + len(prefix)
        if not (before == "-" or _IN_WORD.match(before)) and _TO_A_DIGIT.match(text, end):
            return True
        at = text.find(prefix, end)
    return False


def _refusals(text: str, index: int, case: Case) -> Iterator[Finding]:
    """Finds claims of being unable to do what a tool does, without a reason."""
    if not any(word in text for word in _HINTS) or not _UNABLE.search(text):
        return
    for sentence in _SENTENCE.split(text):
        unable = _UNABLE.search(sentence)
        if not unable or _REASON.search(sentence):
            continue
        stems = content_stems(unable[1])
        for name in case.tools:
            wanted = {stem(word) for word in words(name)}
            if len(wanted) > 1 and wanted <= stems and not reads(name):
                yield finding(
                    Fault.FALSE_REFUSAL,
                    f"it says {sentence[unable.start() : unable.end()][:120]!r}, but there is {name}",
                    index,
                )
                break
