"""Differences of two prompts, line by line, as `diff -u` writes them."""

from collections.abc import Iterator
from difflib import unified_diff

_CONTEXT = 3
_MOST_PAIRS = 1_000_000
"""Pairs of lines that are compared: on a prompt of 64 KB in short, repeated lines `difflib` takes minutes."""


def changes(old: str, new: str, old_name: str = "", new_name: str = "") -> Iterator[str]:
    """The lines of a unified diff, without line ends; of prompts with too many lines, all old and then all new ones."""
    before, after = old.splitlines(), new.splitlines()
    if len(before) * len(after) <= _MOST_PAIRS or before == after:
        yield from unified_diff(before, after, old_name, new_name, n=_CONTEXT, lineterm="")
        return
    yield f"--- {old_name}"
    yield f"+++ {new_name}"
    yield f"@@ -1,{len(before)} +1,{len(after)} @@"
    yield from (f"-{line}" for line in before)
    yield from (f"+{line}" for line in after)
