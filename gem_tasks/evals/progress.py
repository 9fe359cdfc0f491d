"""Progress of long work: the type of its callback, and a silent one."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""`(activity, units done, total units)`; 0 of 0 if unknown."""


def silent(what: str, done: int, total: int) -> None:
    """Discards progress messages."""
