"""Numbers as people and systems write them, and what follows from them by plain arithmetic.

Digits inside dates, clock times and identifiers (`RD-2647`, `2026-05-14`) are not quantities and are ignored: otherwise
every timestamp would "explain" every small number.
"""

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import combinations

from gem_tasks.patterns import IgnoringCase

_NOT_QUANTITIES = re.compile(
    # The first character first, which the regex engine can find fast; then what must not precede it.
    r"\d(?:\d{3}-\d{1,2}-\d{1,2}(?:[T ]\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?)?"
    r"|(?<!\w\d)(?:\d?:\d{2}(?::\d{2})?\b|(?!\d*[a-zA-Z]{1,4}\b)\d*+[A-Za-z_]\w*\b))"
    r"|[A-Za-z_](?<!\w[A-Za-z_])(?:(?<!_)[A-Za-z]{0,11}+[-_#]\w*\d[\w-]*|[A-Za-z_]*+\d\w*\b)"
)
_JOINED = re.compile(r"\d[A-Za-z_:-]|[A-Za-z_#-]\d")
"""All of those contain this."""
_NUMBER = re.compile(
    # Empty alternatives instead of `?`, which takes the engine four times as long. No groups: they cost as much again.
    r"[0-9](?<![\w.,].)[0-9]{0,2}+"
    r"(?:[,.' \u00a0][0-9]{3}(?:[,.' \u00a0][0-9]{3})*(?:[.,][0-9]+|)|[0-9]*+(?:[.,][0-9]+|))"
    r"(?:[kmKM]\b|\s[kmKM]\b|)"
)
_OTHER_DIGIT = re.compile(r"[^\D0-9]")
_SIZES = re.compile(r"\d(?:\s?+[x×]\s?+\d++)+")
"""`51x70` is two numbers, `51 x 70 x 30` three."""
_THOUSANDS = re.compile(r"(?<=\d)[,' \u00a0](?=\d{3}(?!\d))")
_SCALES = {"k": 1e3, "K": 1e3, "m": 1e6, "M": 1e6}
_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()
_WORDS: dict[str, float] = (
    {word: at for at, word in enumerate(_ONES)}
    | {word: 20 + 10 * at for at, word in enumerate(_TENS)}
    | {word: at + 1 for at, word in enumerate(_ORDINALS)}
    | {"once": 1, "twice": 2, "thrice": 3, "couple": 2, "both": 2, "pair": 2, "single": 1, "double": 2, "triple": 3}
    | {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 1_000_000, "half": 0.5, "quarter": 0.25}
    | {"ein": 1, "eine": 1, "einen": 1, "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6, "sieben": 7}
    | {"acht": 8, "neun": 9, "zehn": 10, "un": 1, "une": 1, "deux": 2, "trois": 3, "dos": 2, "tres": 3}
)
_WORD = re.compile(r"[a-zü]+")
_NUMERALS = frozenset(_WORDS)
_DIGIT = re.compile(r"\d")
_MULTIPLES = IgnoringCase(r"((?<!\d)\d++(?:\.\d++)?)\s*+(thousand|million|dozen|hundred)\b")
_FACTORS = (60, 3600, 24, 1440, 86400, 7, 12, 10, 100, 1000, 1_000_000, 1024, 1024**2, 2.54, 30.48, 0.3048, 1.609344,
            0.45359237, 28.349523, 3.785411784, 4.184)  # fmt: skip
"""Between units of time, money (cents), metric prefixes, bytes, and the common imperial ones."""
_MOST_TERMS = 32
_RELATIVE, _ABSOLUTE = 1e-4, 0.005
"""Numbers that differ by no more are the same, rounded."""


class Quantities(set[float]):
    """Numbers that were said. It only grows."""

    _fractions: tuple[int, list[float]] = (0, [])

    def has_near(self, value: float) -> bool:
        """Whether one that is no whole number is close to the value."""
        if self._fractions[0] != len(self):
            broken = sorted(each for each in self if math.isfinite(each) and not each.is_integer())
            self._fractions = len(self), broken
        _, broken = self._fractions
        slack = max(_RELATIVE * abs(value) * 1.001, _ABSOLUTE * 1.001)
        candidates = range(bisect_left(broken, value - slack), bisect_right(broken, value + slack))
        return math.isfinite(value) and any(_close(value, broken[at]) for at in candidates)


def numbers(text: str) -> set[float]:
    """All quantities in a text, in digits or words."""
    found = _in_words(text.lower())
    if not _DIGIT.search(text):
        return found
    # Most lines of most texts have no number, and the patterns are slow.
    lines = [line for line in text.splitlines() if _DIGIT.search(line)]
    plain = "\n".join([_quantities(line) if _JOINED.search(line) else line for line in lines])
    if _OTHER_DIGIT.search(plain):
        plain = plain.translate(_Digits())
    for number in set(_NUMBER.findall(plain)):
        found.update(_readings(number))
    for match in _MULTIPLES.finditer(plain):
        found.add(float(match[1]) * _WORDS[match[2].lower()])
    return found


class _Digits(dict[int, int | str]):
    """For `str.translate`: `3` for `٣`; a pattern reads ASCII in half the time."""

    def __missing__(self, code: int) -> int | str:
        character = chr(code)
        self[code] = str(int(character)) if character.isdecimal() else code
        return self[code]


def _quantities(line: str) -> str:
    if "x" in line or "×" in line:
        line = _SIZES.sub(_spaced, line)
    return _NOT_QUANTITIES.sub(" ", line)


def _spaced(sizes: re.Match[str]) -> str:
    return "".join(sizes[0].split()).replace("x", "×").replace("×", " × ")


def _in_words(lowered: str) -> set[float]:
    """`three`, `a dozen`, `twenty-five`."""
    words = _WORD.findall(lowered)
    found: set[float] = set()
    if not _NUMERALS.isdisjoint(words):
        for word, following in zip(words, [*words[1:], ""], strict=True):
            if word in _WORDS:
                tens, ones = _WORDS[word], _WORDS.get(following, 0)
                compound = word in _TENS and following in _ONES[1:10]
                found.add(float(tens + ones if compound else tens))
    return found


@lru_cache(maxsize=8192)
def _readings(number: str) -> tuple[float, ...]:
    """`1,200.5` is one number; `1.200` and `1,5` are read in both ways, English and continental; `2k` as 2 and 2000."""
    scale = _SCALES.get(number[-1], 1)
    return tuple(_read(number[:-1].rstrip() if scale > 1 else number, scale))


def _read(digits: str, scale: float) -> Iterator[float]:
    forms = {_THOUSANDS.sub("", digits).replace(",", ".")}
    if "." in digits or "," in digits:
        forms.add(re.sub(r"[.,' \u00a0](?=\d{3}(?!\d))", "", digits).replace(",", "."))
    for form in forms:
        try:
            value = float(form)
        except ValueError:
            continue
        yield value
        if scale > 1:
            yield value * scale


def known(value: float, said: set[float]) -> bool:
    """Whether a number was said, up to its sign."""
    return value in said or -value in said


def converted(value: float, said: Quantities) -> bool:
    """Whether the number is a given one in another unit, as a percentage, or rounded."""
    if not math.isfinite(value) or value == 0:
        return False
    near = [value * factor for factor in _FACTORS] + [value / factor for factor in _FACTORS]
    near += [(value - 32) / 1.8, value * 1.8 + 32]
    if any(round(form, 6) in said for form in near if math.isfinite(form)):
        return True
    return any(said.has_near(form) for form in (value, *near))


def computed(value: float, said: Iterable[float]) -> bool:
    """Whether the number is sum, difference, product, quotient or share of two given ones, or the sum of all."""
    terms = [term for term in dict.fromkeys(said) if math.isfinite(term)][-_MOST_TERMS:]
    if _close(math.fsum(terms), value):
        return True
    for one, other in combinations(terms, 2):
        results = [one + other, one - other, other - one, one * other, one * other / 100]
        results += [one * (1 - other / 100), other * (1 - one / 100), one * (1 + other / 100), other * (1 + one / 100)]
        results += [one / other] if other else []
        results += [other / one] if one else []
        if any(_close(result, value) for result in results):
            return True
    return False


def _close(one: float, other: float) -> bool:
    return math.isfinite(one) and math.isclose(one, other, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)
