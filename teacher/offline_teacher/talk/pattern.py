"""A string for a regular expression: the common core of patterns that schemas use, sampled."""

import random
import re
import string

_CLASSES = {"d": string.digits, "w": string.ascii_uppercase + string.digits, "s": " "}
_MAX_LENGTH = 60
_QUANTIFIER = re.compile(r"([?*+]|\{\d{1,3}(?:,\d{0,3})?\})[?+]?")


class _Unknown(Exception):
    """The pattern uses something beyond the common core."""


def sample(pattern: str, rng: random.Random) -> str | None:
    """A match for the pattern, or None if it uses more than classes, groups, alternatives and counts."""
    if len(pattern) > 300:
        return None
    try:
        text, rest = _alternatives(pattern, rng, 0)
    except (_Unknown, IndexError):
        return None
    return text if not rest and len(text) <= _MAX_LENGTH else None


def _alternatives(pattern: str, rng: random.Random, depth: int) -> tuple[str, str]:
    """Reads up to a closing bracket or the end; gives one alternative and what is left."""
    if depth > 4:
        raise _Unknown
    options: list[str] = []
    while True:
        text, pattern = _sequence(pattern, rng, depth)
        options.append(text)
        if not pattern.startswith("|"):
            return rng.choice(options), pattern
        pattern = pattern[1:]


def _sequence(pattern: str, rng: random.Random, depth: int) -> tuple[str, str]:
    made = ""
    while pattern and pattern[0] not in "|)":
        if pattern[0] in "^$":
            pattern = pattern[1:]
            continue
        start = pattern
        _, pattern = _atom(start, rng, depth)
        count, pattern = _count(pattern, rng)
        for _ in range(count):
            made += _atom(start, rng, depth)[0]
            if len(made) > _MAX_LENGTH:
                raise _Unknown
    return made, pattern


def _atom(pattern: str, rng: random.Random, depth: int) -> tuple[str, str]:
    first = pattern[0]
    if first == "(":
        if pattern.startswith("(?") and not pattern.startswith("(?:"):
            raise _Unknown
        text, rest = _alternatives(pattern[3:] if pattern.startswith("(?:") else pattern[1:], rng, depth + 1)
        if not rest.startswith(")"):
            raise _Unknown
        return text, rest[1:]
    if first == "[":
        return _bracket(pattern, rng)
    if first == "\\":
        code = pattern[1]
        if code in _CLASSES:
            return rng.choice(_CLASSES[code]), pattern[2:]
        if code.isalnum():
            raise _Unknown
        return code, pattern[2:]
    return (rng.choice(string.ascii_lowercase) if first == "." else first), pattern[1:]


def _bracket(pattern: str, rng: random.Random) -> tuple[str, str]:
    end = pattern.find("]", 2)
    body = pattern[1:end]
    if end < 0 or "[" in body:
        raise _Unknown
    found: list[str] = []
    for match in re.finditer(r"\\([dws])|\\?(.)-\\?(.)|\\?(.)", body.removeprefix("^")):
        if match[1]:
            found += _CLASSES[match[1]]
        elif match[2]:
            found += [chr(code) for code in range(ord(match[2]), min(ord(match[3]), ord(match[2]) + 200) + 1)]
        else:
            found.append(match[4])
    if body.startswith("^"):
        found = [letter for letter in string.ascii_letters + string.digits if letter not in found]
    if not found:
        raise _Unknown
    return rng.choice(found), pattern[end + 1 :]


def _count(pattern: str, rng: random.Random) -> tuple[int, str]:
    match = _QUANTIFIER.match(pattern)
    if not match:
        return 1, pattern
    low, high = {"?": (0, 1), "*": (0, 4), "+": (1, 5)}.get(match[1], (-1, -1))
    if low < 0:
        least, comma, most = match[1][1:-1].partition(",")
        low = int(least)
        high = int(most) if most else low + (4 if comma else 0)
    return rng.randint(low, max(low, min(high, low + 6))), pattern[match.end() :]
