"""Possessive quantifiers that Python before 3.11.5 matches wrongly, such as 3.11.2 of Debian 12.

`(?:a|bc)++`, `(?:a?b)*+` and `(?:(?!a)b)*+` fail there, or match too little, as does
`(?:,a)*+` before `,b`: what is repeated must be one item that matches in one way, and looks neither ahead nor back
(https://github.com/python/cpython/issues/106052).
"""

import re
from collections.abc import Iterator
from re import _constants as codes
from re import _parser as parser
from typing import Any

_REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT)
_CHOICES = (codes.BRANCH, codes.ASSERT, codes.ASSERT_NOT)
_ATOMIC = (codes.POSSESSIVE_REPEAT, codes.ATOMIC_GROUP)


def unsafe(pattern: re.Pattern[Any]) -> bool:
    """Whether a possessive quantifier or an atomic group contains more than one way to match."""
    flags = pattern.flags if isinstance(pattern.pattern, str) else pattern.flags & ~re.UNICODE
    return _unsafe(parser.parse(pattern.pattern, flags))


def _unsafe(tree: Any) -> bool:
    return any(
        any(_unsafe(part) or (code in _ATOMIC and (len(part) > 1 or _backtracks(part))) for part in _parts(value))
        for code, value in tree
    )


def _backtracks(tree: Any) -> bool:
    return any(
        code in _CHOICES
        or (code in _REPEATS and value[0] != value[1])
        or any(_backtracks(part) for part in _parts(value))
        for code, value in tree
    )


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, parser.SubPattern):
        yield value
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _parts(each)
