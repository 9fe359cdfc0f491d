"""A world's code in pieces: one for each tool's function, with the numbers of the rules that it enforces."""

import re
from collections.abc import Collection, Iterator, Sequence

from gem_tasks.domain.base import Value
from gem_tasks.worlds.built import Rule

_FUNCTION = re.compile(r"^(?:async )?function\*? ?([A-Za-z_]\w{0,63})", re.MULTILINE)


class Piece(Value):
    """A part of the code."""

    tool: str | None
    """None: what is before and between the tools' functions."""
    text: str
    rules: tuple[int, ...] = ()


def pieces(code: str, tools: Collection[str], rules: Sequence[Rule]) -> tuple[Piece, ...]:
    """The code, cut where the function of a tool begins and at the next function after it."""
    return tuple(_piece(name, text, rules) for name, text in _cut(code, tools) if text.strip())


def _piece(tool: str | None, text: str, rules: Sequence[Rule]) -> Piece:
    enforced = (number for number, rule in enumerate(rules, 1) if tool and tool in rule.tools)
    return Piece(tool=tool, text=text.strip("\n"), rules=tuple(enforced))


def _cut(code: str, tools: Collection[str]) -> Iterator[tuple[str | None, str]]:
    at, here = 0, None
    for found in _FUNCTION.finditer(code):
        name = found[1] if found[1] in tools else None
        if name or here:
            yield here, code[at : found.start()]
            at, here = found.start(), name
    yield here, code[at:]
