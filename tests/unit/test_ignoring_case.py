"""`IgnoringCase` decides as `re.IGNORECASE`, and `words` as the alternatives it is made of."""

import random
import re

import pytest

from gem_tasks.checks.reading.source import masked
from gem_tasks.dataset.privacy import personal
from gem_tasks.patterns import IgnoringCase, folded, words

PATTERNS = (
    r"\b(?:I have|I['’]ve)\s+(\w+)", r"[a-z]{2,3}[^A-Z]", r"(?<![\w-])API-KEY\b", r"(?P<Sign>[äßü])|K(?!S)\W",
    r"\S+\Z", "MÄRZ|février", r"\x41\u0042?c",
)  # fmt: skip
SIGNS = "aAbBcCiIkKsSzZäÄßẞüÜéÉıİſ\u212aπΠ 019-_'’\n"


def test_folding_keeps_every_place():
    assert all(len(folded(chr(code))) == 1 for code in range(0x110000))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_it_decides_as_the_flag(pattern):
    flagged, ours, random_ = re.compile(pattern, re.IGNORECASE), IgnoringCase(pattern), random.Random(19)
    starts = ("I've ", "API-KEY", "ks", "März", "abc", "")
    for _ in range(3000):
        text = "".join(random_.choices(SIGNS, k=6)) + random_.choice(starts) + "".join(random_.choices(SIGNS, k=6))
        spans = [match.span() for match in flagged.finditer(text)]
        assert [match.span() for match in ours.finditer(text)] == spans
        found = flagged.search(text)
        assert ours.first(text) == (found[0] if found else None)
        assert bool(ours.match(text)) == bool(flagged.match(text))
        assert bool(ours.fullmatch(text)) == bool(flagged.fullmatch(text))
        assert ours.sub(lambda match: f"<{match}>", text) == flagged.sub(lambda match: f"<{match[0]}>", text)


def test_all_letters_of_one_case():
    for letter in "abcdefghijklmnopqrstuvwxyzäöüßéèêàâçñíóáúôûîïæøå":
        flagged, ours = re.compile(letter, re.IGNORECASE), IgnoringCase(letter.upper() if letter != "ß" else letter)
        assert all(bool(flagged.match(chr(code))) == bool(ours.match(chr(code))) for code in range(0x2200))


def test_words_are_tried_in_their_order():
    assert words(["one"]) == "one"
    assert re.match(words(["mon", "monday", "may"]), "monday")[0] == "mon"
    assert re.match(words(["monday", "mon", "may"]), "monday")[0] == "monday"
    random_ = random.Random(7)
    for _ in range(300):
        some = ["".join(random_.choices("ab.", k=random_.randint(1, 4))) for _ in range(random_.randint(1, 7))]
        plain = re.compile("|".join(map(re.escape, some)))
        text = "".join(random_.choices("ab.", k=40))
        assert re.findall(words(some), text) == plain.findall(text)


def test_words_and_numbers_of_a_text():
    assert masked("Pay 1,200.50 € # by 3rd_May, a1b") == (" pay # by # rd may a # b ", ["1200.50", "3", "1"])


def test_addresses_as_one_pattern_finds_them():
    plain = re.compile(r"[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,6}[A-Za-z]{2,24}\b")
    random_ = random.Random(3)
    pieces = ["a", "x.y", "@", "@b.de", "b.com", " ", "\n", "-", "é", "w" * 70, ".", "@c.d.org"]
    for _ in range(4000):
        text = "".join(random_.choices(pieces, k=random_.randint(1, 9)))
        assert [value for kind, value in personal(text) if kind == "email"] == plain.findall(text), text
