"""Everything said up to a point of a conversation, searchable for values. Readings are computed lazily."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from gem_tasks.checks.reading.clock import durations, times
from gem_tasks.checks.reading.dates import Calendar
from gem_tasks.checks.reading.numbers import Quantities, numbers

_TOKEN = re.compile(r"[^\W_]+")
_ASCII_TOKEN = re.compile(r"[a-z0-9]+")
"""Words of folded ASCII text, found in half the time."""
_LONGEST_SPELLED = 200
"""Longest value to search with its separators; of longer ones, letters and digits are enough."""
_RUNS = re.compile(r"[^\W\d_]+|\d+")
_APART = re.compile(r"[\W_]+")
_WORD_REST = re.compile(r"[^\W_]+")
_READ_OUT = 10
"""From this many characters on, an identifier is found in any grouping: shorter ones would match by chance."""
_MIN_STEM = 4
_SHORT = 4
"""Up to this many characters, a string must occur as a separate word: `to` is in every text."""
_ENDINGS = "ation ment ing ied er ed ly al e y".split()

STOP = frozenset(
    """
    the and for with from that this are was were will have has had not but you your our their his her its can may all
    any one per via into onto than then them they there here when what which who how why yes please should would could
    der die das und ein eine mit für von ist nicht auf den dem
    a an of to in on at by is be or as it we i do if so no my me us he she
    """.split()
)


def folded(text: str) -> str:
    """Lower-case, single spaces, plain quotes: the common form of the same words by different writers."""
    return " ".join(text.casefold().replace("’", "'").split())


@lru_cache(maxsize=32768)
def stem(word: str) -> str:
    """A crude stem: `returned`, `returns` and `return` meet. Good enough to compare, not to show."""
    if word.endswith("ies") and len(word) > _MIN_STEM:
        word = word[:-3] + "y"
    elif word.endswith("s") and not word.endswith("ss") and len(word) >= _MIN_STEM:
        word = word[:-1]
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _MIN_STEM:
            return word[: -len(ending)]
    return word


def tokens(lowered: str) -> list[str]:
    """Words of a lower-case text; `_` separates words."""
    return (_ASCII_TOKEN if lowered.isascii() else _TOKEN).findall(lowered)


def content_words(text: str) -> list[str]:
    """The words that carry meaning, folded."""
    return [word for word in tokens(text.casefold()) if word not in STOP]


def content_stems(text: str) -> frozenset[str]:
    """Stems of the words that carry meaning; numbers are compared separately."""
    return frozenset(filter(None, map(_stem_of_content, tokens(text.casefold()))))


@lru_cache(maxsize=32768)
def _stem_of_content(word: str) -> str:
    return "" if word in STOP or word.isdecimal() else stem(word)


def _runs(value: str) -> list[str]:
    return _RUNS.findall(value.casefold()) if len(value) <= _LONGEST_SPELLED else []


@lru_cache(maxsize=8192)
def _spelled(value: str) -> re.Pattern[str] | None:
    """The same letters and digits with any or no separators between: `LO4411`, `lo-4411`, `LO 4411`."""
    runs = _runs(value)
    return re.compile(r"(?<!\w)" + r"[\W_]{0,2}".join(map(re.escape, runs)) + r"(?!\w)") if runs else None


@dataclass
class Utterance:
    """One text that was said; each reading is computed once."""

    text: str

    @cached_property
    def folded(self) -> str:
        """For substring search. JSON's escapes are decoded."""
        text = self.text
        if "\\" in text:
            text = text.replace('\\"', '"').replace("\\n", " ").replace("\\/", "/")
        return folded(text)

    @cached_property
    def stems(self) -> frozenset[str]:
        """Stems of all words, and the words themselves."""
        words = set(tokens(self.folded))
        return frozenset(words | {stem(word) for word in words})

    @cached_property
    def numbers(self) -> frozenset[float]:
        """All quantities."""
        return frozenset(numbers(self.text))

    @cached_property
    def times(self) -> frozenset[tuple[int, int]]:
        """All clock times."""
        return frozenset(times(self.text))

    @cached_property
    def squeezed(self) -> str:
        """Letters and digits only, for long identifiers that people spell in groups."""
        return _APART.sub("", self.folded)

    @cached_property
    def durations(self) -> frozenset[int]:
        """All lengths of time up to a day, in minutes."""
        return frozenset(durations(self.folded))

    @cached_property
    def digits(self) -> str:
        """Digits only, for telephone numbers."""
        return re.sub(r"\D+", "", self.text)


@dataclass
class Said:
    """Utterances in order, and the questions that grounding asks about them."""

    utterances: list[Utterance] = field(default_factory=list[Utterance])
    _calendar: Calendar = field(default_factory=Calendar)
    _read: int = 0
    _numbers: Quantities = field(default_factory=Quantities)
    _counted: int = 0
    """Utterances of which the numbers are in `_numbers`."""

    def add(self, said: Utterance) -> None:
        """Adds a text."""
        if said.text:
            self.utterances.append(said)

    def newest_first(self) -> Iterator[Utterance]:
        """Newest utterances first: arguments mostly come from the latest."""
        return reversed(self.utterances)

    def literally(self, value: str) -> bool:
        """Whether the words occur, as separate words if they are short."""
        wanted = folded(value)
        if not wanted:
            return True
        if len(wanted) > _SHORT:
            return any(_contains(item.folded, wanted) for item in self.newest_first())
        return any(wanted in item.stems or _contains(item.folded, wanted) for item in self.newest_first())

    def spelled(self, value: str) -> bool:
        """Whether the same letters and digits occur, with any separators."""
        pattern = _spelled(value)
        runs = _runs(value)
        said = (item.folded for item in self.newest_first() if all(run in item.folded for run in runs))  # it is faster
        if pattern and any(map(pattern.search, said)):
            return True
        bare = _APART.sub("", value.casefold())
        return len(bare) >= _READ_OUT and any(bare in item.squeezed for item in self.newest_first())

    def words(self, words: Iterable[str]) -> list[str]:
        """Those of the words that were said, compared by stem."""
        return [
            word
            for word in words
            if any(word in item.stems or stem(word) in item.stems for item in self.newest_first())
        ]

    def numbers(self) -> Quantities:
        """All quantities so far."""
        for item in self.utterances[self._counted :]:
            self._numbers |= item.numbers
        self._counted = len(self.utterances)
        return self._numbers

    def times(self) -> set[tuple[int, int]]:
        """All clock times so far."""
        return set[tuple[int, int]]().union(*(item.times for item in self.utterances))

    def durations(self) -> set[int]:
        """All lengths of time so far, in minutes."""
        return set[int]().union(*(item.durations for item in self.utterances))

    def calls_number(self, digits: str) -> bool:
        """Whether a telephone number was said, in any grouping, with or without its country code."""
        return any(digits in item.digits for item in self.newest_first())

    @property
    def calendar(self) -> Calendar:
        """All dates so far."""
        for item in self.utterances[self._read :]:
            self._calendar.read(item.text)
        self._read = len(self.utterances)
        return self._calendar


def _contains(text: str, wanted: str) -> bool:
    """Whether it occurs and is not part of a longer word."""
    start = text.find(wanted)
    while start >= 0:
        end = start + len(wanted)
        before, after = text[start - 1 : start], text[end : end + 1]
        if not (before.isalnum() and wanted[0].isalnum()) and not (after.isalnum() and wanted[-1].isalnum()):
            return True
        # Within the same word it always begins in the middle of it: a word of a million letters is read once.
        rest = _WORD_REST.match(text, start) if wanted[0].isalnum() else None
        start = text.find(wanted, rest.end() if rest else start + 1)
    return False
