"""Private thoughts that know the future or their own making: a model trained on them learns to make results up.

A thought may state what stands before it: in the system turn, the users' turns, results, the assistant's words and
calls, and the definitions of tools; and what follows from that by plain arithmetic or a calendar. A value with another
origin is a finding only if a *later* result or user's turn is the first to bring it. So a guess that never comes true
passes, and so does what the assistant itself names next, its own choice. Counts below a hundred and paraphrases ("it
will fail") are not traced: they carry too little.

All findings are open: a guess can come true, and a judge sees which one a person might have made.
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import islice

from gem_tasks.checks.faults import Fault, finding
from gem_tasks.checks.grounding.grounds import Grounds
from gem_tasks.checks.reading.amounts import DATE, MOST, derived, together, written
from gem_tasks.checks.reading.case import Case, scalars
from gem_tasks.checks.reading.dates import Calendar, day, in_words
from gem_tasks.checks.reading.numbers import numbers
from gem_tasks.checks.reading.said import Said, Utterance, folded
from gem_tasks.checks.reading.verbs import words
from gem_tasks.domain.finding import Finding
from gem_tasks.patterns import IgnoringCase

CHECK = "thoughts"
THOUGHTS_VERSION = 1
"""Part of the validate recipe if there are thoughts: raise it whenever a verdict on one can change."""

_WORD = re.compile(r"[^\s\"'“”‘’(),;<>\[\]{}]+")
_CODE = re.compile(
    r"(?=[^\d]*\d)(?=.*[A-Za-z])[\w./#:+@-]{2,64}|\d{5,30}|[^\s@]+@[^\s@]+\.\w+|[A-Z]{1,8}(?:[_-][A-Z]{2,})+|[A-Z]{5,}"
)
"""A word with letters and digits, a long number, an address, or capitals such as `PERIOD_CLOSED` and `F-SEAL`."""
_ORDINARY = IgnoringCase(r"\d+(?:st|nd|rd|th|x|k|m|h|s|%|-?[a-z]{3,})|[a-z]+-?\d|\d+[:/.]\d+(?:[:/.]\d+)?[a-z]*")
"""`3rd`, `30-day`, `step-2`, `24/7`: words with digits that people make freely."""
_SHORT = 4
"""Codes with fewer characters count only as a whole value of a result."""
_NAME = re.compile(r"[A-Z][^\d@]+")
_PROPER = re.compile(r"(?<![.!?:]\s)(?<!^)\b[A-Z][\w'’-]+(?:\s+[A-Z][\w'’-]+)+")
"""A name of several words inside a sentence."""
_NAMED = frozenset(
    """
    name names assignee owner customer vendor supplier contact technician manager author approver user person company
    employee requester recipient buyer agent
    """.split()
)
_STATED = frozenset("status state stage phase condition outcome resolution verdict".split())
_LONGEST = 80
"""Characters of a name or state; longer values are prose."""
_UNSURE = IgnoringCase(
    r"\b(?:if|whether|unless|may|might|could|maybe|perhaps|probably|likely|should|would|suppose|assume|guess|expect"
    r"|hope|either|in case|not sure|ob|falls|vielleicht|könnte|si|peut-être)\b|\?",
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_MADE = IgnoringCase(
    r"\b(?:the|this|my|our) (plan|prompt|text|workflow|scenario|script|draft|persona|pattern|source text|story"
    r"|conversation|trajectory) (?:says|said|asks|wants|requires|calls for|demands|needs|tells|dictates|names|expects"
    r"|has me|is (?:about|supposed|meant) to)\b"
    r"|\b(?:this|the|an?) (training (?:data|example|conversation)|synthetic conversation|tool-use conversation"
    r"|simulated (?:user|tool|result)|look-alikes?|user turns?|assistant turns?)\b"
    r"|\bas the (writer|author)\b|\bthe (?:next|following|later) (tool result|user turn|turn) (?:will|says|shows)\b",
)
"""The noun is a group: `payment plan`, `approval workflow` and `text message` are things of some conversations."""
_MOST_READ = 2000
"""Most values of a conversation's thoughts to look for in everything said before."""
_MOST_SEARCHED = 20_000_000
"""Characters of later messages to search for those that were not; a conversation has 40,000."""
_MOST_FOUND = 100
"""Most findings of one thought."""
_AT_HAND = 60
"""Latest numbers from which an amount may follow."""


def check(case: Case) -> Iterator[Finding]:
    """Findings for thoughts that state what comes later, or speak of how the conversation was made."""
    if not any(message.reasoning for message in case.messages):
        return
    told = _Told(case)
    for index, message in enumerate(case.messages):
        if message.reasoning:
            yield from islice(_future(message.reasoning, index, told), _MOST_FOUND)
            if made := _of_its_making(message.reasoning, told):
                yield finding(Fault.THOUGHT_OF_MAKING, f"a thought speaks of its making: {made!r}", index)
        told.hear(index)


class _Told:
    """Everything said up to a message, and what follows."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.grounds = Grounds(case)
        self.said = Said()
        self.left = _MOST_SEARCHED
        self.unread = _MOST_READ
        self.said.add(Utterance(json.dumps([tool.model_dump() for tool in case.trajectory.tools], ensure_ascii=False)))

    @cached_property
    def utterances(self) -> list[Utterance]:
        """Every message, with the arguments of its calls, without thoughts."""
        found = list(self.case.utterances)
        for index, message in enumerate(self.case.messages):
            if message.tool_calls:
                arguments = json.dumps([call.arguments for call in message.tool_calls], ensure_ascii=False)
                found[index] = Utterance(f"{message.content or ''}\n{arguments}")
        return found

    @cached_property
    def values(self) -> list[tuple[int, str, str]]:
        """`(message, "name" or "state", value)` of results: each value once, where it comes first."""
        found: dict[tuple[str, str], int] = {}
        for at, data in self.case.data.items():
            for _, key, value in scalars(data):
                if isinstance(value, str) and _SHORT <= len(value) <= _LONGEST:
                    named = set(words(key))
                    kind = "state" if named & _STATED else "name" if named & _NAMED and _NAME.fullmatch(value) else ""
                    if kind:
                        found.setdefault((kind, value), at)
        return [(at, kind, value) for (kind, value), at in found.items()]

    def hear(self, index: int) -> None:
        """Adds a message, with its thought: a leak is reported once."""
        self.grounds.hear(index)
        self.said.add(self.utterances[index])
        self.said.add(Utterance(self.case.messages[index].reasoning or ""))

    def takes(self) -> bool:
        """Whether another value is looked for; counts it."""
        self.unread -= 1
        return self.unread >= 0 and self.left > 0

    def brought_by(self, index: int, has: Callable[[Said], bool]) -> int | None:
        """The later message of a user or tool that is the first to have something; None if the assistant is."""
        for at in range(index, len(self.utterances)):
            self.left -= len(self.utterances[at].text)
            if has(Said([self.utterances[at]])):
                return None if self.case.messages[at].role in ("assistant", "system") else at
        return None

    def numbers(self) -> list[float]:
        """The latest quantities, newest first."""
        found: dict[float, None] = {}
        for said in self.said.newest_first():
            found.update(dict.fromkeys(sorted(number for number in said.numbers if 0 < number < MOST and number != 1)))
            if len(found) >= _AT_HAND:
                break
        return list(found)


def _future(thought: str, index: int, told: _Told) -> Iterator[Finding]:
    """Every value of a thought that first comes later, each once."""
    for reader, fault in ((_codes, Fault.FUTURE_ID), (_amounts, Fault.FUTURE), (_dates, Fault.FUTURE),
                          (_names, Fault.FUTURE), (_states, Fault.FUTURE)):  # fmt: skip
        for value, at in reader(thought, index, told):
            yield finding(fault, f"a thought knows {value[:100]!r}, which only message {at} brings", index)


def _codes(thought: str, index: int, told: _Told) -> Iterator[tuple[str, int]]:
    plain = DATE.sub(lambda _: " ", thought)
    for value in dict.fromkeys(word.strip(".,:!?*_`") for word in _WORD.findall(plain)):
        if not _CODE.fullmatch(value) or not told.takes() or told.said.spelled(value):
            continue
        short = len(value) < _SHORT or _ORDINARY.fullmatch(value)
        at = told.brought_by(index, lambda later, value=value: later.spelled(value))
        if at is not None and not (short and not _is_whole(value, told.case.data.get(at))):
            yield value, at


def _is_whole(value: str, data: object) -> bool:
    return any(isinstance(found, str) and folded(found) == folded(value) for _, _, found in scalars(data))


def _amounts(thought: str, index: int, told: _Told) -> Iterator[tuple[str, int]]:
    plain = together(DATE.sub(lambda _: " ", thought))
    own = numbers(plain)
    for value in written(plain):
        number = float(value)
        if not told.takes() or number in told.said.numbers() or told.said.spelled(value):
            continue
        at = told.brought_by(index, lambda later, it=(number, value): _has_amount(later, *it))
        if at is None:
            continue
        near = [*sorted(other for other in own - {number, 0, 1} if other < MOST), *told.numbers()]
        if not derived(number, near):
            yield value, at


def _has_amount(said: Said, number: float, digits: str) -> bool:
    """Also as part of an identifier: `7741` of `SO-7741`."""
    return number in said.numbers() or (len(digits) >= _SHORT and said.spelled(digits))


def _dates(thought: str, index: int, told: _Told) -> Iterator[tuple[str, int]]:
    read = Calendar()
    read.read_dates(thought)
    this_year = (day(now.year, *each) for now in told.grounds.today for each in read.partial)
    for wanted in sorted(read.dates.union(filter(None, this_year))):
        known = told.said.calendar
        if not told.takes() or known.knows(wanted) or known.derives(wanted, told.grounds.today):
            continue
        forms = in_words(wanted)
        if any(told.said.literally(form) for form in forms):
            continue
        at = told.brought_by(index, lambda later, wanted=wanted: later.calendar.knows(wanted))
        if at is not None:
            yield wanted.isoformat(), at


def _names(thought: str, index: int, told: _Told) -> Iterator[tuple[str, int]]:
    later = [value for at, kind, value in told.values if kind == "name" and at > index and value in thought]
    for value in dict.fromkeys([*later, *_PROPER.findall(thought)]):
        if not told.takes() or told.said.literally(value) or _all_said(value, told):
            continue
        at = told.brought_by(index, lambda later, value=value: later.literally(value))
        if at is not None:
            yield value, at


def _all_said(value: str, told: _Told) -> bool:
    parts = [word for word in folded(value).split() if len(word) > 1]
    return len(told.said.words(parts)) == len(parts)


def _states(thought: str, index: int, told: _Told) -> Iterator[tuple[str, int]]:
    """States that a thought asserts: `is backordered`; those that it only considers pass."""
    wanted = [(at, value) for at, kind, value in told.values if kind == "state" and at > index]
    if not wanted:
        return
    sure = [_plain(part) for part in _SENTENCE.split(thought) if not _UNSURE.search(part)]
    plain_thought = _plain(thought)
    for _, value in wanted:
        plain = _plain(value)
        if plain not in plain_thought or not told.takes() or told.said.spelled(value):
            continue
        asserted = IgnoringCase(
            rf"\b(?:is|are|was|been|shows?|says|status|state)(?:\s+(?:as|still|now|already|currently|only|just|in))*"
            rf"\s+['\"“`]?{re.escape(plain)}\b"
        )
        if any(asserted.search(part) for part in sure):
            at = told.brought_by(index, lambda later, value=value: later.spelled(value))
            if at is not None:
                yield value, at


def _plain(text: str) -> str:
    """For states: `ON_HOLD` as `on hold`."""
    return folded(text.replace("_", " ").replace("-", " "))


def _of_its_making(thought: str, told: _Told) -> str | None:
    """Words about plan, prompt or text, unless the conversation itself has one, such as a payment plan."""
    for found in _MADE.finditer(thought):
        if not told.said.literally(found[found.lastindex or 0]):
            return thought[found.start() : found.end()]
    return None
