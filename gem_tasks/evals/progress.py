"""How far long work is: a callback that anyone may pass down, and one that is silent."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""`(what is being done, units done, units in all)`; 0 of 0 when it cannot be told."""


def silent(what: str, done: int, total: int) -> None:
    """Says nothing."""
