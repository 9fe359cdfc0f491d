"""The source of an endpoint's key: a setting, or a command that prints it."""

import shlex
from typing import NamedTuple


class KeyCommand(NamedTuple):
    """A command line that runs without a shell."""

    words: tuple[str, ...]


KeySource = str | KeyCommand | None
"""A key in clear text, for the client only; None for endpoints without keys."""


def read_command(line: str | KeyCommand) -> KeyCommand:
    """Splits a command line into words, quoted as for a shell; returns an already split one unchanged.

    Raises:
        ValueError: it is empty, or a quote is not closed.
    """
    if isinstance(line, KeyCommand):
        return line
    words = tuple(shlex.split(line))
    if not words:
        raise ValueError("the command is empty")
    return KeyCommand(words)
