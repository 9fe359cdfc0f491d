"""Every regular expression of the package takes less than 0.1 s on a megabyte that is hard for it.

CPU time, the least of some runs, and in the measure of this machine: a scan of which the time is known is timed beside
it, so that a slow or busy machine does not fail. `python -m tests.patterns` measures more strings and prints a table.
"""

import re

import pytest

from gem_tasks.checks.reading.kinds import _form
from gem_tasks.checks.reading.said import Said, Utterance, _spelled
from gem_tasks.checks.reading.verbs import words
from gem_tasks.live_apis import words as api_words
from gem_tasks.llm.moments import seconds_until
from tests.patterns.found import Found, patterns
from tests.patterns.measure import CAPS, LIMIT_S, MEGABYTE, at_full_length, over, slowest
from tests.patterns.possessive import unsafe

GROWTH = 8


def slow(found):
    """A use and a string of a megabyte that take too long, tried again before it is said."""
    for each in slowest(found, 1):
        worst = at_full_length(found, each)
        if worst.seconds > LIMIT_S and over(found, each):
            return f"{worst.seconds:.3f} s: {worst.use} of {worst.text.head[:40]!r} {worst.text.piece[:40]!r}…"
    return None


def test_every_pattern_takes_less_than_a_tenth_of_a_second_for_a_megabyte():
    found = [each for each in patterns() if each.uses and each.where.startswith("gem_tasks.")]
    assert len(found) > 280
    too_slow = {each.where: why for each in found if (why := slow(each))}
    assert too_slow == {}


@pytest.mark.parametrize("pattern", [r"[ \t]++(?=\n)", r"\s*```$", r"<a>.*?</a>", r"(\d+)\s*million"])
def test_a_quadratic_pattern_is_found(pattern):
    found = Found("x", re.compile(pattern), ("sub",))
    worst = slowest(found, 1, 1 << 12)[0]
    short, longer = (at_full_length(found, worst, size).seconds for size in (1 << 10, 1 << 12))
    assert longer > GROWTH * short


def test_a_long_list_that_ignores_case_is_found():
    """Of 200 words: ten times the limit, so that a fast or busy machine finds it, too."""
    listed = "|".join(f"{first}{second}{third}rd" for first in "abcdefgh" for second in "aeiou" for third in "bcdfg")
    assert slow(Found("x", re.compile(rf"\b(?:{listed})\b", re.IGNORECASE), ("search",)))


def test_every_supported_python_matches_alike():
    """`seconds_until("1s")` was None on Debian 12, whose Python 3.11.2 has a fault that 3.11.5 has not."""
    assert [each.where for each in patterns() if unsafe(each.pattern)] == []


@pytest.mark.parametrize(
    "pattern", [r"(?:a|bc)++", r"(?:(?!a)b)*+", r"(?:x(?:a?b)c)*+", r"(?>a+b)", rb"(?:a*?b)?+", r"(?:,a)*+"]
)
def test_a_possessive_quantifier_over_what_backtracks_is_found(pattern):
    assert unsafe(re.compile(pattern))
    assert not unsafe(re.compile(r"[ab]++c?+(?:a++b)+"))


def test_the_caps_hold():
    """What `CAPS` says that a pattern sees, it sees."""
    cut = MEGABYTE // 2
    assert set(CAPS) == {
        "gem_tasks.checks.reading.kinds._PIECES", "gem_tasks.checks.reading.said._RUNS",
        "gem_tasks.checks.reading.verbs.WORDS",
        "gem_tasks.checks.grounding.identifiers._RUNS", "gem_tasks.live_apis.words._WORD",
        "gem_tasks.llm.moments._PART",
    }  # fmt: skip
    assert _form("1a" * cut) == "" and _form("1a2") == "9a9"
    assert _spelled("1a" * cut) is None
    assert seconds_until("1s" * 33) is None and seconds_until("1s" * 32) == 32
    assert len(words("aB" * cut)) <= CAPS["gem_tasks.checks.reading.verbs.WORDS"]
    assert (
        len(api_words.words(" ".join(f"a{number}" for number in range(cut // 8))))
        <= CAPS["gem_tasks.live_apis.words._WORD"]
    )


def test_a_long_value_is_found_without_its_separators():
    said = Said()
    said.add(Utterance("It is " + "ab-12 " * 100))
    assert said.spelled("AB12" * 100)
    assert not said.spelled("AB13" * 100)
