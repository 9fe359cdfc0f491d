"""Where an endpoint's key comes from: it is set, or a command prints it."""

import shlex
from typing import NamedTuple


class KeyCommand(NamedTuple):
    """A command line without a shell around it."""

    words: tuple[str, ...]


KeySource = str | KeyCommand | None
"""A key in clear, for the client only; None for endpoints that want none."""


def read_command(line: str | KeyCommand) -> KeyCommand:
    """A command line in words, quoted as for a shell; one that has been read stays as it is.

    Raises:
        ValueError: there is nothing in it, or a quote is not closed.
    """
    if isinstance(line, KeyCommand):
        return line
    words = tuple(shlex.split(line))
    if not words:
        raise ValueError("the command is empty")
    return KeyCommand(words)
