"""Tables and numbers of a report as Markdown."""

from collections.abc import Sequence

from gem_tasks.domain.base import Json
from gem_tasks.visible import visible


def as_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table with escaped cells."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    """Names come from users and models: no pipe, break, markup, link or image may get out of them."""
    plain = visible(" ".join(str(text).split())).replace("<", "&lt;").replace("](", "] (")
    return plain.replace("\\", "\\\\").replace("|", "\\|") if "|" in plain else plain


def as_score(score: object) -> str:
    """Per cent with its standard error; `-` for none."""
    value, error = getattr(score, "value", None), getattr(score, "standard_error", None)
    if value is None:
        return "-"
    return f"{100 * value:.2f}" + (f" ± {100 * error:.2f}" if error is not None else "")


def as_number(value: object, digits: int) -> str:
    """The number with that many decimal places; `-` for anything but a number."""
    return f"{float(value):,.{digits}f}" if isinstance(value, int | float) else "-"


def as_counts(found: Json) -> str:
    """Names and counts in one line, such as `a 2, b 1`."""
    return ", ".join(f"{name} {count}" for name, count in found.items())
