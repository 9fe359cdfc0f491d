"""Fenced code in Markdown, by CommonMark's rules."""

import re
from typing import NamedTuple

FENCES = ("```", "~~~")
_OPENING = re.compile(r"[ \t]*(`{3,}(?=[^`\n]*\n?$)|~{3,})")


class Fence(NamedTuple):
    """The opening of a code block, and what closes it: the same mark, at least as often, and nothing else."""

    mark: str
    length: int

    @classmethod
    def opened_by(cls, line: str) -> "Fence | None":
        """The fence that a line opens; None for inline code at its beginning."""
        match = _OPENING.match(line)
        return cls(match[1][0], len(match[1])) if match else None

    def ended_by(self, line: str) -> bool:
        """Whether a line closes it."""
        words = line.strip()
        return len(words) >= self.length and not words.strip(self.mark)
