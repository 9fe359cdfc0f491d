"""How long a pattern takes on the strings that are hardest for it.

All strings are tried short; the few that take longest for their length are tried longer; the worst at full length.
"""

import re
import time
from typing import Any, NamedTuple

from gem_tasks.patterns import folded
from tests.patterns.found import Found
from tests.patterns.hard import Hard, hard

MEGABYTE = 1 << 20
LIMIT_S = 0.1
CAPS = {
    "gem_tasks.checks.reading.kinds._PIECES": 1000,
    "gem_tasks.checks.reading.said._RUNS": 200,
    "gem_tasks.checks.grounding.identifiers._RUNS": 1000,
    "gem_tasks.checks.reading.verbs.WORDS": 1000,
    "gem_tasks.live_apis.words._WORD": 20_000,
    "gem_tasks.llm.moments._PART": 64,
}
"""Characters that patterns of identifiers see at most; tests/unit/test_patterns.py holds it."""
_SHORT = 1024
_LONGER = 16 * _SHORT
_AGAIN = 8
"""Strings that are tried once more, and longer."""
_REFERENCE = re.compile(r"\w+")
_REFERENCE_TEXT = "ab " * (MEGABYTE // 3)
_REFERENCE_S = 0.03
"""What finding all of those takes on the machine of docs/security.md."""
_RUNS = 3
_TOLERANCE = 1.5
"""For a busy machine: the slowest takes 0.07 s on a quiet one, 0.1 s beside other tests."""


class Slow(NamedTuple):
    """A use of a pattern, with a string that is hard for it."""

    seconds: float
    """At the length at which it was tried last."""
    use: str
    text: Hard


def scan(found: Found, use: str, text: Any) -> float:
    """CPU seconds of one use."""
    pattern, begun = found.pattern, time.thread_time()
    if found.folds:
        text = folded(text)
    if use in ("finditer", "findall", "scanner"):
        for _ in pattern.finditer(text) if use == "finditer" else pattern.findall(text):
            pass
    elif use in ("sub", "subn"):
        pattern.sub(text[:0], text)
    else:
        getattr(pattern, {"first": "search"}.get(use, use))(text)
    return time.thread_time() - begun


def slowest(found: Found, most: int, size: int = _LONGER) -> list[Slow]:
    """Up to `most` pairs of use and string, the slowest first; those that looked slow are measured at `size`."""
    strings = [(each, each.of(_SHORT)) for each in hard(found.pattern)]
    tried = [Slow(scan(found, use, text) / len(text), use, each) for use in found.uses for each, text in strings]
    again = sorted(tried, key=lambda each: -each.seconds)[:_AGAIN]
    longer = [at_full_length(found, each, size) for each in again]
    return sorted(longer, key=lambda each: -each.seconds)[:most]


def at_full_length(found: Found, slow: Slow, size: int = MEGABYTE) -> Slow:
    """One more run, at `size` characters or as many as the pattern ever sees."""
    return slow._replace(seconds=scan(found, slow.use, slow.text.of(min(size, CAPS.get(found.where, size)))))


def over(found: Found, slow: Slow) -> bool:
    """Whether none of some runs takes less than the limit, in the measure of this machine at this moment."""
    return all(at_full_length(found, slow).seconds > _TOLERANCE * LIMIT_S * max(1.0, _pace()) for _ in range(_RUNS))


def _pace() -> float:
    """How much slower this machine is now."""
    begun = time.thread_time()
    _REFERENCE.findall(_REFERENCE_TEXT)
    return (time.thread_time() - begun) / _REFERENCE_S
