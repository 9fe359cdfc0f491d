"""The segment as a source for tracing: sentences with their character spans, words and numbers."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from gem_tasks.checks.reading.numbers import numbers
from gem_tasks.checks.reading.said import content_stems
from gem_tasks.patterns import IgnoringCase, words

_SENTENCE = re.compile(r"[^\n.!?;|]+(?:[.!?;|](?=\S)[^\n.!?;|]*)*[.!?;|]?")
_MARKER = re.compile(
    r"\s*+(?:[-*•>#][-*•>#\s]*+|\(?[A-Z]?\d{1,3}(?:\.\d{1,2})*[.):]\s++|\(?[a-zA-Z][.)]\s++"
    r"|[A-Z]?\d{1,2}(?:\.\d{1,2})+\s++(?=[\"'`“„]?[^\W\da-z]))+"
)
"""Markers of a list item, a heading, or a rule: `- `, `## `, `3.`, `(a)`, `B7:`, and `2.1 ` before a capital."""
_NUMERAL = re.compile(r"\d(?:[\d,.]*\d)?")
_NO_WORD = re.compile(r"[^\w#]+|_+")
_DIGIT = re.compile(r"\d")
_IN_NAMES = re.compile(r"(?:(?<![A-Za-z])[A-Za-z]++[-_.]?|\b[A-Z]\w*+\s)(\d{1,9})(?![\d.,]*\d)")
_MIN_WORDS = 2
_MIN_QUOTED = 3
"""From this many words besides the first on, the same words are a quotation."""
_MONTH = words("jan feb mar apr may jun jul aug sep oct nov dec mär mai okt dez".split())
_DATED = IgnoringCase(
    rf"\b(?:\d{{1,2}}(?:st|nd|rd|th|\.)?\s++(?:of\s++)?{_MONTH}[a-zäé]*\.?(?:,?\s++\d{{4}})?"
    rf"|{_MONTH}[a-zäé]*\.?\s++\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s++\d{{4}})?)"
)
_APART = re.compile(rf"(?<=[.!?;])\s+(?:\(\d{{1,2}}\)\s+)?(?=[A-Z])(?!(?i:{_MONTH}))")
_TABLE = re.compile(r"\s*\w+\s*\([\w, :]+\)")
_CURRENT = IgnoringCase(r"\b(?:today|current date|date:|now\b|it is|heute|aujourd'hui)")


@dataclass
class Sentence:
    """One sentence or line of the text."""

    start: int
    end: int
    text: str
    stems: frozenset[str]

    @cached_property
    def numbers(self) -> frozenset[float]:
        """Its quantities, without the number of the list item."""
        return frozenset(numbers(_unmarked(self.text)))


@dataclass(frozen=True)
class Trace:
    """The place in the segment that something comes from."""

    what: str
    """`tool:name`, `step:0`, `rule:3`."""
    start: int
    """Of the sentence, in the segment's text; both are 0 if nothing resembles it."""
    end: int
    score: float
    """Share of its words that the sentence has, 0 to 1."""


@dataclass(frozen=True)
class Source:
    """A segment, parsed once."""

    text: str
    sentences: tuple[Sentence, ...]
    stems: frozenset[str]
    numbers: frozenset[float]

    def best(self, stems: frozenset[str]) -> tuple[float, int]:
        """Share of the words that the best sentence has, and its position; -1 if none has any."""
        best, place = 0, -1
        for at, sentence in enumerate(self.sentences):
            shared = len(stems & sentence.stems)
            if shared > best:
                best, place = shared, at
                if best == len(stems):
                    break
        return (best / len(stems) if stems else 0.0), place

    def around(self, place: int) -> frozenset[float]:
        """The numbers of a sentence and its neighbours."""
        near = self.sentences[max(0, place - 1) : place + 2]
        return frozenset[float]().union(*(sentence.numbers for sentence in near))

    @cached_property
    def named_numbers(self) -> frozenset[float]:
        """Numbers in names, such as `22` in `v22` and `365` in `Microsoft 365`: mentioned, but not as a quantity."""
        return frozenset(float(digits) for digits in _IN_NAMES.findall(self.text))

    @cached_property
    def _masked(self) -> tuple[str, list[str]]:
        return masked(self.text)

    def misquoted(self, rule: str) -> tuple[str, str] | None:
        """`(its numbers, the text's)` if a rule repeats the text's words with other numbers; None otherwise."""
        ours, numerals = masked(rule)
        if not numerals or ours.count(" ") <= _MIN_QUOTED:
            return None
        if ours not in self._quoted:
            self._quoted[ours] = list(self._numerals_of(ours, len(numerals)))
        found = self._quoted[ours]
        return (", ".join(numerals), ", ".join(found[-1])) if found and tuple(numerals) not in found else None

    @cached_property
    def _quoted(self) -> dict[str, list[tuple[str, ...]]]:
        """The numerals of every quotation that was looked for."""
        return {}

    def _numerals_of(self, words: str, count: int) -> Iterator[tuple[str, ...]]:
        """The numerals wherever the masked words stand."""
        theirs, known = self._masked
        first, before, at = 0, 0, theirs.find(words)
        while at >= 0:
            first, before = first + theirs.count("#", before, at), at
            yield tuple(known[first : first + count])
            at = theirs.find(words, at + 1)

    def trace(self, what: str, stems: frozenset[str]) -> Trace:
        """The best sentence as a span."""
        score, place = self.best(stems)
        if place < 0:
            return Trace(what, 0, 0, 0.0)
        sentence = self.sentences[place]
        return Trace(what, sentence.start, sentence.end, round(score, 3))


@lru_cache(maxsize=64)
def source(text: str) -> Source:
    """Parses a segment. Cached, because several checks and trajectories use the same one."""
    found: list[Sentence] = []
    for match in _SENTENCE.finditer(text):
        stems = content_stems(match[0])
        if len(stems) >= _MIN_WORDS:
            found.append(Sentence(match.start(), match.end(), match[0], stems))
    return Source(text, tuple(found), frozenset[str]().union(*(item.stems for item in found)), frozenset(numbers(text)))


def masked(text: str) -> tuple[str, list[str]]:
    """The words with `#` for every number, ` a # b `-spaced at the ends too, and the numbers."""
    lowered = text.casefold()
    numerals = [numeral.replace(",", "") for numeral in _NUMERAL.findall(lowered)]
    return f" {' '.join(_NO_WORD.sub(' ', _NUMERAL.sub(' # ', lowered.replace('#', ' '))).split())} ", numerals


class Rule(NamedTuple):
    """One line of the system turn."""

    text: str
    stems: frozenset[str]
    numbers: frozenset[float]


@lru_cache(maxsize=64)
def rules(system: str) -> tuple[Rule, ...]:
    """The lines of a system turn with content, without their markers; table definitions are not rules."""
    lines = (_unmarked(part) for line in system.splitlines() for part in _parts(line))
    kept = [line for line in lines if not ("(" in line and _TABLE.match(line))]
    made = (Rule(line.strip(), content_stems(line), frozenset(numbers(_without_today(line)))) for line in kept)
    return tuple(rule for rule in made if len(rule.stems) >= _MIN_WORDS)


def _unmarked(line: str) -> str:
    found = _MARKER.match(line)
    return line[found.end() :] if found else line


def _without_today(line: str) -> str:
    """The line without the current date, which is not a rule of the text."""
    return _DATED.sub(lambda _: " ", line) if _DIGIT.search(line) and _CURRENT.search(line) else line


def _parts(line: str) -> Iterable[str]:
    return _APART.split(line)
