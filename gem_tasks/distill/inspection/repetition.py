"""Patterns that could take exponential time, told by their form.

Tokenizers matches with Oniguruma, which backtracks. What is refused: repeating something that itself repeats or
chooses, referring to what was matched, and many repetitions in a row. Patterns of published models do none of it.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_MOST_CHARACTERS = 20_000
_MOST_IN_A_ROW = 6
"""Repetitions within one alternative."""
_MANY = 16
"""Times that count as unbounded."""
_OPENING = re.compile(r"\((?:\?(?:<?[=!]|[>:~]|<\w+>|[a-z-]*:))?")
_ATOM = re.compile(r"\\[pP]\{[^}]*\}|\\x\{[^}]*\}|\\.|.", re.DOTALL)
_COUNT = re.compile(r"\{([0-9]*+)(,?)([0-9]*+)\}")
_REFERENCE = re.compile(r"\\[1-9kg]")


class _Token(NamedTuple):
    kind: str
    """`(`, `)`, `|`, `atom`, `reference`, `repeat` for ever or often, `optional`, `times` for a few."""
    counted: bool = False
    """A repetition in braces."""


class _Group:
    """A group, or the whole pattern, while it is read."""

    def __init__(self) -> None:
        self.repeats = self.chooses = self.omits = False
        self.in_a_row = 0

    def dangerous_if_repeated(self, counted: bool) -> bool:
        return self.repeats or self.chooses or (self.omits and counted)

    def take(self, inner: "_Group") -> None:
        """Adds what a group within this one does."""
        self.repeats |= inner.repeats
        self.omits |= inner.omits
        self.in_a_row += inner.in_a_row


def dangerous(pattern: str) -> str:
    """Why the pattern could take exponential time; empty if not."""
    if len(pattern) > _MOST_CHARACTERS:
        return f"has over {_MOST_CHARACTERS} characters"
    stack, last, before = [_Group()], _Group(), ""
    for token in _tokens(pattern):
        top = stack[-1]
        if token.kind in ("repeat", "optional", "times"):
            if fault := _repetition_fault(token, last, before, top):
                return fault
        else:
            last = _Group()
            if token.kind == "reference":
                return "refers to what it matched"
            if token.kind == "(":
                stack.append(_Group())
            elif token.kind == ")" and len(stack) > 1:
                last = stack.pop()
                stack[-1].take(last)
            elif token.kind == "|":
                top.chooses, top.in_a_row = True, 0
        before = token.kind
    return ""


def _repetition_fault(token: _Token, repeated: _Group, before: str, top: _Group) -> str:
    """Notes a repetition in its group; why it is dangerous."""
    if before in ("repeat", "optional", "times"):
        return "repeats a repetition"
    if token.kind == "optional":
        top.omits = True
    if token.kind != "repeat":
        return ""
    if repeated.dangerous_if_repeated(token.counted):
        return "repeats a group that repeats or chooses"
    top.repeats = True
    top.in_a_row += 1
    return f"has more than {_MOST_IN_A_ROW} repetitions in a row" if top.in_a_row > _MOST_IN_A_ROW else ""


def _tokens(pattern: str) -> Iterator[_Token]:
    place = 0
    while place < len(pattern):
        character = pattern[place]
        if found := _repetition(pattern, place):
            token, place = found
        elif character == "(":
            opening = _OPENING.match(pattern, place)
            token, place = _Token("("), opening.end() if opening else place + 1
        elif character == "[":
            token, place = _Token("atom"), _after_class(pattern, place)
        else:
            atom = _ATOM.match(pattern, place)
            text = atom[0] if atom else character
            kind = "reference" if _REFERENCE.fullmatch(text) else text if text in (")", "|") else "atom"
            token, place = _Token(kind), place + len(text)
        yield token


def _repetition(pattern: str, place: int) -> tuple[_Token, int] | None:
    """The repetition there with `?` or `+` behind it, which make it reluctant or possessive, and where it ends."""
    character = pattern[place]
    if character in "*+?":
        token, end = _Token("optional" if character == "?" else "repeat"), place + 1
        return token, end + pattern.startswith(("?", "+"), end)
    found = _COUNT.match(pattern, place)
    if not found or not (found[1] or found[3]):
        return None
    most = found[3] or ("" if found[2] else found[1])
    often = not most or len(most) > 4 or int(most) > _MANY
    return _Token("repeat" if often else "times", counted=True), found.end() + pattern.startswith("?", found.end())


def _after_class(pattern: str, place: int) -> int:
    """Behind a class, in which classes can lie."""
    depth, at = 0, place
    while at < len(pattern):
        if pattern[at] == "\\":
            at += 1
        elif pattern[at] == "[":
            depth += 1
            at += pattern[at + 1 : at + 2] == "^"
            at += pattern[at + 1 : at + 2] == "]"  # a bracket that comes first stands for itself
        elif pattern[at] == "]":
            depth -= 1
            if not depth:
                return at + 1
        at += 1
    return at
