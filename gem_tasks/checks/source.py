"""The segment as something to trace to: sentences with their character spans, words and numbers."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from gem_tasks.checks.numbers import numbers
from gem_tasks.checks.said import content_words, stem

_SENTENCE = re.compile(r"[^\n.!?;|]+(?:[.!?;|](?=\S)[^\n.!?;|]*)*[.!?;|]?")
_MARKER = re.compile(r"^\s*(?:[-*•>]\s*|#+\s*|\(?[A-Z]?\d{1,3}(?:\.\d{1,2})*[.):]\s+|\(?[a-zA-Z][.)]\s+)+")
_MIN_WORDS = 2


@dataclass(frozen=True)
class Sentence:
    """One sentence or line of the text."""

    start: int
    end: int
    text: str
    stems: frozenset[str]

    @cached_property
    def numbers(self) -> frozenset[float]:
        """Its quantities, without the number of the list item."""
        return frozenset(numbers(_MARKER.sub("", self.text)))


@dataclass(frozen=True)
class Trace:
    """Where in the segment something comes from."""

    what: str
    """`tool:name`, `step:0`, `rule:3`."""
    start: int
    """Of the sentence, in the segment's text; both are 0 when nothing resembles it."""
    end: int
    score: float
    """Share of its words that the sentence has, 0 to 1."""


@dataclass(frozen=True)
class Source:
    """A segment, read once."""

    sentences: tuple[Sentence, ...]
    stems: frozenset[str]
    numbers: frozenset[float]

    def best(self, stems: frozenset[str]) -> tuple[float, int]:
        """Share of the words that the best sentence has, and its position; -1 when none has any."""
        best, place = 0, -1
        for at, sentence in enumerate(self.sentences):
            shared = len(stems & sentence.stems)
            if shared > best:
                best, place = shared, at
        return (best / len(stems) if stems else 0.0), place

    def around(self, place: int) -> frozenset[float]:
        """The numbers of a sentence and its neighbours."""
        near = self.sentences[max(0, place - 1) : place + 2]
        return frozenset[float]().union(*(sentence.numbers for sentence in near))

    def trace(self, what: str, stems: frozenset[str]) -> Trace:
        """The best sentence as a span."""
        score, place = self.best(stems)
        if place < 0:
            return Trace(what, 0, 0, 0.0)
        sentence = self.sentences[place]
        return Trace(what, sentence.start, sentence.end, round(score, 3))


def stems_of(text: str) -> frozenset[str]:
    """Stems of the words that carry meaning; numbers are compared on their own."""
    return frozenset(stem(word) for word in content_words(text) if not word.isdecimal())


@lru_cache(maxsize=64)
def source(text: str) -> Source:
    """Reads a segment. Cached, for several checks and several trajectories ask for the same one."""
    found: list[Sentence] = []
    for match in _SENTENCE.finditer(text):
        stems = stems_of(match[0])
        if len(stems) >= _MIN_WORDS:
            found.append(Sentence(match.start(), match.end(), match[0], stems))
    return Source(tuple(found), frozenset[str]().union(*(item.stems for item in found)), frozenset(numbers(text)))


@dataclass(frozen=True)
class Rule:
    """One line of the system turn."""

    text: str
    stems: frozenset[str]
    numbers: frozenset[float]


@lru_cache(maxsize=64)
def rules(system: str) -> tuple[Rule, ...]:
    """The lines of a system turn that say something, without their markers; table definitions are no rules."""
    lines = (_MARKER.sub("", part) for line in system.splitlines() for part in _parts(line))
    kept = [line for line in lines if not re.match(r"\s*\w+\s*\([\w, :]+\)", line)]
    made = (Rule(line.strip(), stems_of(line), frozenset(numbers(line))) for line in kept)
    return tuple(rule for rule in made if len(rule.stems) >= _MIN_WORDS)


def _parts(line: str) -> Iterable[str]:
    return re.split(r"(?<=[.!?;])\s+(?=[A-Z])", line)
