"""Every regular expression of the package takes linear time on strings that are hard for it.

Not timed in seconds: a string four times as long may take some six times as long. A quadratic pattern takes sixteen.
`python -m tests.patterns` measures all of them on a megabyte.
"""

import re
from itertools import islice

from tests.patterns.found import Found, patterns
from tests.patterns.hard import hard, scan

SMALL = 3000
SUSPECT_S = 0.004
GROWTH = 8
ACCEPTED = {
    "offline_teacher.server.spoil._CALL", "offline_teacher.server.spoil._TAG_OR_JSON",
}  # fmt: skip
"""Of the offline teacher: they see only what it wrote itself."""


def cpu(pattern, use, text):
    """The least of three: what else runs here can only add to it."""
    return min(scan(pattern, use, text) for _ in range(3))


def quadratic(found):
    for use in found.uses:
        for short, text in islice(
            zip(hard(found.pattern, SMALL), hard(found.pattern, 4 * SMALL), strict=True), 0, None, 2
        ):
            if scan(found.pattern, use, short) < SUSPECT_S or cpu(found.pattern, use, short) < SUSPECT_S:
                continue
            if cpu(found.pattern, use, text) > GROWTH * cpu(found.pattern, use, short):
                return f"{use} of {text[:40]!r}…"
    return None


def test_every_pattern_takes_linear_time():
    found = [each for each in patterns() if each.where not in ACCEPTED]
    assert len(found) > 400
    slow = {each.where: why for each in found if (why := quadratic(each))}
    assert slow == {}


def test_a_quadratic_pattern_is_found():
    for pattern in (r"[ \t]++(?=\n)", r"\s*```$", r"<a>.*?</a>", r"(\d+)\s*million"):
        assert quadratic(Found("x", re.compile(pattern), ("sub",)))
