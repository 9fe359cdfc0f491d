"""Kinds of params: each accepts only what its own allow-list permits.

Airflow checks params against their schema when a run is started and again when a task begins. Patterns end in `END`,
because `$` also matches before a final line feed.
"""

from typing import Any

from airflow.sdk import Param

END = r"(?![\s\S])"
_ACTING = r"\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
"""C0 and C1 control characters, bidirectional controls, line separators, lone surrogates."""
NAME = f"^[A-Za-z0-9][A-Za-z0-9_-]{{0,63}}{END}"
URL = f"^https?://[^\\s@?#{_ACTING}]{{1,500}}{END}"
PARTITION = f"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(T[0-9]{{2}}:[0-9]{{2}})?{END}"
SHA = f"^[0-9a-f]{{1,64}}{END}"
MOST_ITEMS = 1000
_SEEDS = 2**31 - 1


def line(most: int) -> str:
    """A pattern for one line of up to `most` characters, none of which acts on a terminal or a page."""
    return f"^[^{_ACTING}]{{1,{most}}}{END}"


def optional(kind: str, title: str, description: str, **more: Any) -> Param:
    """A param of one value; None if left empty."""
    return Param(None, type=["null", kind], title=title, description=description, **more)


def text(title: str, description: str, pattern: str) -> Param:
    """A param that matches the pattern; None if left empty."""
    return optional("string", title, description, pattern=pattern)


def whole(title: str, description: str, minimum: int, maximum: int) -> Param:
    """A whole number within the bounds, both inclusive; None if left empty."""
    return optional("integer", title, description, minimum=minimum, maximum=maximum)


def seed(description: str | None = None) -> Param:
    """The random seed; 0 by default."""
    return Param(0, type="integer", minimum=0, maximum=_SEEDS, title="Seed", description=description)


def several(title: str, description: str, default: list[str] | None = None, **items: Any) -> Param:
    """Up to `MOST_ITEMS` texts, one per line, each matching `items`; None if left empty."""
    return Param(
        default,
        type=["null", "array"],
        items={"type": "string", **items},
        maxItems=MOST_ITEMS,
        title=title,
        description=description,
    )
