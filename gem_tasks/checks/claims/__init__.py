"""Finds text instead of a call: calls written as prose, and claims of work that no call did.

A model trained on these learns to pretend. BFCL counts such an answer as a missed call; the judge's R2 forbids it.
Claims are recognised by grammar (first person perfect, passive), not by the phrases of one model; a claim that could
also be a fact already in the conversation is ignored.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from math import inf

from gem_tasks.checks.claims import spoken
from gem_tasks.checks.faults import Fault, finding
from gem_tasks.checks.reading.case import Case
from gem_tasks.checks.reading.said import content_stems, stem
from gem_tasks.checks.reading.verbs import pasts, reads, verb, words
from gem_tasks.domain.finding import Finding
from gem_tasks.domain.trajectory import Message
from gem_tasks.patterns import IgnoringCase

CHECK = "claims"

_ADVERB = r"(?:(?:now|just|already|also|successfully|gone ahead and|then|both|safely)\s+)*"
_I_HAVE = IgnoringCase(rf"\b(?:I have|I['’]ve|we have|we['’]ve)\s+{_ADVERB}(\w+)")
_HAS_BEEN = IgnoringCase(
    rf"\b(?:(?:has|have)\s+{_ADVERB}been\s+{_ADVERB}|(?:was|were)\s+successfully\s+|(?:is|are)\s+now\s+)(\w+)",
)
_STRONG = frozenset(
    (
        "created booked cancelled canceled updated deleted sent submitted renewed refunded rescheduled "
        "scheduled posted transferred assigned added removed registered approved processed placed reserved "
        "issued changed activated deactivated enabled disabled uploaded archived merged modified charged "
        "closed"
    ).split()
)
"""Actions that require a system, regardless of the names of the tools."""
_LOOKED = IgnoringCase(
    r"\bI(?:['’]ve| have)?\s+(?:just |now |already )?"
    r"(?:checked (?:the (?:system|database|records?)|your|our)|looked (?:\w+ ){0,4}up|searched|queried|pulled up"
    r"|retrieved|fetched|ran (?:a|the)\b)",
)
_CONDITIONAL = IgnoringCase(
    r"\b(?:if|once|after|before|until|unless|when|whenever|not|never|cannot|will|would|could|should|to have|can)\b"
    r"|n['’]t\b|\?",
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_WORDS_OF_A_NAME = 2
_EARLIER = IgnoringCase(r"\b(?:earlier|before|already|previously|at the start|first|then|above)\b")
_QUOTED = re.compile(r"\"[^\"\n]*+\"|“[^“”\n]*+”")


@dataclass
class _Deeds:
    """Effects of the calls so far."""

    called: set[str] = field(default_factory=set[str])
    lately: set[str] = field(default_factory=set[str])
    """Tools called since the last user turn."""
    done: set[str] = field(default_factory=set[str])
    """Past participles of the verbs of successful calls."""
    written: bool = False
    heard: str = ""
    """Words of the user and the tools, lower-case; a claim found in them is a report, not a claim."""


def check(case: Case) -> Iterator[Finding]:
    """Findings for calls in prose and for claims that no call supports."""
    yield from spoken.check(case)
    deeds = _Deeds()
    names = frozenset(case.tools)
    writes = frozenset(name for name in case.tools if not reads(name))
    for index, message in enumerate(case.messages):
        if message.role == "assistant":
            yield from _assistant(message, index, names, writes, deeds)
            deeds.called.update(call.name for call in message.tool_calls)
            deeds.lately.update(call.name for call in message.tool_calls)
            continue
        if message.role == "user":
            deeds.lately.clear()
        deeds.heard += "\n" + (message.content or "").lower()
        exchange = case.answered.get(index)
        if exchange and not exchange.failed:
            name, looks = exchange.call.name, reads(exchange.call.name)
            deeds.done.update(form for word in ([verb(name)] if looks else words(name)) for form in pasts(word))
            deeds.written = deeds.written or not looks


def _assistant(
    message: Message, index: int, names: frozenset[str], writes: frozenset[str], deeds: _Deeds
) -> Iterator[Finding]:
    text = message.content or ""
    if not text:
        return
    if found := _prose_call(text, names, message, deeds):
        yield finding(Fault.PROSE_CALL, f"a call is written as text: {found!r}", index)
    if not deeds.called and not message.tool_calls and (looked := _LOOKED.first(_QUOTED.sub("", text))):
        yield finding(Fault.CLAIMED_LOOKUP, f"no tool was called yet, but it says {looked!r}", index)
    if " been " in text or "ve " in text or " now " in text or "uccessfully" in text:
        yield from _claims(text, index, writes, deeds)


def _prose_call(text: str, names: frozenset[str], message: Message, deeds: _Deeds) -> str | None:
    """A call of a defined tool in the text, in one of the forms that models use."""
    if not any(name in text for name in names):
        return None
    called = {call.name for call in message.tool_calls}
    for name in sorted(names):
        # A one-word name (`search`) is also an ordinary word.
        if name not in text or name in called or len(words(name)) < _WORDS_OF_A_NAME:
            continue
        if found := min(_as_code(name, text), _written(name).search(text), key=_place):
            return text[found.start() : found.end()][:80]
        if (found := _told(name).search(text)) and not _may_be_true(found, name, text, deeds):
            return text[found.start() : found.end()][:80]
    return None


def _may_be_true(found: re.Match[str], name: str, text: str, deeds: _Deeds) -> bool:
    """Whether it may be a report of an earlier call, or a plan that waits for an answer."""
    planned = found[1].lower().endswith(("'ll", "’ll", "let me"))
    if not found[2].lower().endswith(("ed", "ran")):
        return planned and "?" in text
    return name in deeds.called and (name in deeds.lately or bool(_EARLIER.search(text)))


def _as_code(name: str, text: str) -> re.Match[str] | None:
    """`name(` with a line end or a closing bracket somewhere after it."""
    found = _opened(name).search(text)
    return found if found and max(text.rfind(")"), text.rfind("\n")) >= found.end() else None


def _place(found: re.Match[str] | None) -> float:
    return found.start() if found else inf


@lru_cache(maxsize=8192)
def _opened(name: str) -> IgnoringCase:
    return IgnoringCase(rf"(?<!\w){re.escape(name)}\(")


@lru_cache(maxsize=8192)
def _written(name: str) -> IgnoringCase:
    """A call as JSON, or as a stage direction."""
    plain = re.escape(name)
    said = rf"[`*\"']*{plain}[`*\"']*"
    return IgnoringCase(
        rf"[\"'](?:name|function|tool|action)[\"']\s*:\s*[\"']{plain}[\"']"
        rf"|\bAction:\s*{said}"
        rf"|[*\[(]\s*(?:calls?|calling|uses|using|runs|running|invokes|invoking)\s+(?:the\s+)?{said}",
    )


@lru_cache(maxsize=8192)
def _told(name: str) -> IgnoringCase:
    """`I am running x`: subject and verb."""
    said = rf"[`*\"']*{re.escape(name)}[`*\"']*"
    return IgnoringCase(
        rf"\b(I|I['’]m|I am|I['’]ve|I have|I['’]ll|let me)\s+(?:just |now |already )*"
        rf"(call(?:ed|ing)?|us(?:e|ed|ing)|run(?:ning)?|ran|invok(?:e|ed|ing)|execut(?:e|ed|ing)|quer(?:y|ied|ying))"
        rf"\s+(?:the\s+)?(?:tool\s+|function\s+)?{said}(?!\w)",
    )


def _claims(text: str, index: int, writes: frozenset[str], deeds: _Deeds) -> Iterator[Finding]:
    ours = _participles(writes)
    heard = dict[str, bool]()  # few deeds, many sentences
    for sentence in _SENTENCE.split(_QUOTED.sub("", text)):
        for mine, pattern in ((True, _I_HAVE), (False, _HAS_BEEN)):
            found = pattern.search(sentence)
            deed = found[1].lower() if found else ""
            if not found or (deed not in ours and deed not in _STRONG):
                continue
            if sentence.endswith("?") or _CONDITIONAL.search(sentence[: found.end()]):
                continue
            if not mine and deed not in heard:
                heard[deed] = deed in deeds.heard
            if deed in deeds.done or (not mine and heard[deed]) or (deeds.written and not (mine and deed in ours)):
                continue
            named = mine and not ours.get(deed, frozenset()).isdisjoint(content_stems(sentence))
            fault = Fault.CLAIMED_DEED if named else Fault.REPORTED_DEED
            yield finding(fault, f"no call has done what it says: {sentence[found.start() : found.end()]!r}", index)
            return


@lru_cache(maxsize=4096)
def _participles(writes: frozenset[str]) -> dict[str, frozenset[str]]:
    """What the tools can have done, with the stems of their objects: `created` with `invoice`."""
    found: dict[str, frozenset[str]] = {}
    for name in writes:
        nouns = frozenset(stem(word) for word in words(name) if word != verb(name))
        for form in pasts(verb(name)):
            found[form] = found.get(form, frozenset()) | nouns
    return found
