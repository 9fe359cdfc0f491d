"""Strings that may be hard for a pattern: what it can take, again and again, and then what it cannot."""

import re
from collections.abc import Iterator
from itertools import chain, permutations
from re import _constants as sre  # pyright: ignore[reportAttributeAccessIssue]
from re import _parser  # pyright: ignore[reportAttributeAccessIssue]
from typing import Any, NamedTuple

_COMMON = [
    " ", '\t', '\n', ' \n', '\t\t\n', '\r\n', "0", "1", "1,", "1.", "1-", "12:", "2026-01-01", "/", '"', "'", "`",
    "``` ", "~", '\\', '\\"', "(", "[", "{", "<", ">", "((", "[[", "<<", "<a", "</", "<!--", "-->", "&", "#", "*",
    "_", "-", "=", ":", ";", ",", ".", "..", "a", "A", "aA", "a ", "A ", "a.", "a-", "a_", "a1", "A1", "A-1", "a@",
    "a@b.", "a.b", "Aa ", "a/", '\x00', '\x1b[', '\x1b[1;', "é", "ü", "ß", "中", "。", "ก", "א", '\u200b', '\xad',
    '\xa0', "😀", 'a\n', 'a \n', "- ", "1. ", "> ", "| ", "|", "http://", "data: ", "$", "€", "%", "x", "×", "not ",
    "if ", "I have ", "the ", "at most ", "call ",
]  # fmt: skip
_BREAKS = ["\n", "x", "x\t\n"]
_BLANKS = [" ", "\t", "\n", "\u00a0", "1", "a", "A "]


class Hard(NamedTuple):
    """A string of any length."""

    head: str
    piece: str
    end: str
    bytes: bool

    def of(self, size: int) -> Any:
        """About `size` characters (or bytes)."""
        text = self.head + self.piece * max(1, size // max(1, len(self.piece))) + self.end
        return text.encode("utf-8", "replace") if self.bytes else text


def hard(pattern: re.Pattern[Any]) -> list[Hard]:
    """Strings of one piece again and again, behind a beginning of a match, before what ends one."""
    own = _pieces(pattern)[:24]
    made = chain(
        (("", piece, end) for piece in dict.fromkeys([*_COMMON, *own]) for end in ("", "\x01")),
        (("", head, "") for head in _heads(pattern)),
        ((head, piece, "") for head in _heads(pattern) for piece in (*_BLANKS, *own)),
        (("", piece, "") for one, other in permutations(own[:10], 2) for piece in (one + other, one * 200 + other)),
        (("", piece, end) for piece in own for end in _BREAKS),
        ((end, piece, "") for piece in own for end in _BREAKS),
    )
    return [Hard(*each, not isinstance(pattern.pattern, str)) for each in made]


def _pieces(pattern: re.Pattern[Any]) -> list[str]:
    """A character for everything that the pattern names, and its runs of literals."""
    tree = _parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    found = list(_characters(tree))
    return list(dict.fromkeys([*found, *_runs(tree)]))[:60]


def _heads(pattern: re.Pattern[Any]) -> list[str]:
    """What a match may begin with: one way through the pattern, cut after every part."""
    tree = _parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    whole = list(_path(tree))
    return list(dict.fromkeys("".join(whole[:end]) for end in range(1, min(len(whole), 12) + 1)))


def _characters(tree: Any) -> Iterator[str]:
    for kind, what in tree:
        if kind is sre.LITERAL or kind is sre.NOT_LITERAL:
            yield chr(what)
        elif kind is sre.ANY:
            yield "a"
        elif kind is sre.IN:
            yield from _of_class(what)
        yield from (each for inner in _inner(kind, what) for each in _characters(inner))


def _of_class(items: Any) -> list[str]:
    """Two of a class."""
    if items[0][0] is sre.NEGATE:
        return [each for each in ("a", " ", "0", "-", "\n", "中") if not _in(each, items[1:])][:3]
    found: list[str] = []
    for kind, what in items:
        if kind is sre.LITERAL:
            found.append(chr(what))
        elif kind is sre.RANGE:
            found += [chr(what[0]), chr(what[1])]
        elif kind is sre.CATEGORY:
            found += _CATEGORIES.get(what, ["a"])
    return found[:8]


_CATEGORIES = {
    sre.CATEGORY_DIGIT: ["1", "٣"], sre.CATEGORY_NOT_DIGIT: ["a", "-"], sre.CATEGORY_SPACE: [" ", "\t", "\n"],
    sre.CATEGORY_NOT_SPACE: ["a", "-"], sre.CATEGORY_WORD: ["a", "1", "_", "é"], sre.CATEGORY_NOT_WORD: [" ", "-"],
}  # fmt: skip


def _in(character: str, items: Any) -> bool:
    return bool(re.match(_parser_class(items), character))


def _parser_class(items: Any) -> str:
    names = {sre.CATEGORY_DIGIT: r"\d", sre.CATEGORY_SPACE: r"\s", sre.CATEGORY_WORD: r"\w",
             sre.CATEGORY_NOT_DIGIT: r"\D", sre.CATEGORY_NOT_SPACE: r"\S", sre.CATEGORY_NOT_WORD: r"\W"}  # fmt: skip
    parts: list[str] = []
    for kind, what in items:
        if kind is sre.LITERAL:
            parts.append(re.escape(chr(what)))
        elif kind is sre.RANGE:
            parts.append(f"{re.escape(chr(what[0]))}-{re.escape(chr(what[1]))}")
        elif kind is sre.CATEGORY:
            parts.append(names[what])
    return f"[{''.join(parts)}]"


def _inner(kind: Any, what: Any) -> list[Any]:
    if kind is sre.SUBPATTERN:
        return [what[-1]]
    if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        return [what[2]]
    if kind is sre.BRANCH:
        return list(what[1])
    if kind in (sre.ASSERT, sre.ASSERT_NOT):
        return [what[1]]
    return [what] if kind is sre.ATOMIC_GROUP else []


def _runs(tree: Any) -> Iterator[str]:
    """Words that are written out."""
    run = ""
    for kind, what in tree:
        if kind is sre.LITERAL:
            run += chr(what)
            continue
        if len(run) > 1:
            yield run
        run = ""
        yield from (each for inner in _inner(kind, what) for each in _runs(inner))
    if len(run) > 1:
        yield run


def _path(tree: Any) -> Iterator[str]:
    for kind, what in tree:
        if kind is sre.LITERAL:
            yield chr(what)
        elif kind is sre.NOT_LITERAL or kind is sre.ANY:
            yield "a"
        elif kind is sre.IN:
            yield (_of_class(what) or ["a"])[0]
        elif kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            for _ in range(min(what[0] or 1, 3)):
                yield from _path(what[2])
        elif kind is sre.BRANCH:
            yield from _path(what[1][0])
        elif kind not in (sre.ASSERT, sre.ASSERT_NOT):
            for inner in _inner(kind, what):
                yield from _path(inner)
