"""Markdown of generated pages."""

import re
from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose cells are Markdown already; escapes bars and line breaks, which would end a cell."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines) + "\n"


def code(text: object) -> str:
    """A value as code; empty if there is none."""
    return f"`{text}`" if text not in (None, "") else ""


def prose(text: str) -> str:
    """Words of a docstring or help text, in which HTML and links outside of code are shown literally."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if at % 2 else re.sub(r"([<>\[\]*_])", r"\\\1", part) for at, part in enumerate(parts))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")
