"""Geometry of the charts: turns numbers into positions of rectangles and points. The templates draw them as SVG."""

from collections.abc import Sequence
from math import ceil, floor, log10
from typing import NamedTuple

WIDTH, HEIGHT = 600, 120


class Column(NamedTuple):
    """One column of a stack, in the chart's units."""

    x: float
    width: float
    parts: tuple[tuple[float, float], ...]
    """`(y, height)` from the bottom up."""


class Columns(NamedTuple):
    """A column chart and the maximum of its scale."""

    top: float
    columns: tuple[Column, ...]


def columns(values: Sequence[Sequence[float]]) -> Columns:
    """Lays out stacked columns over `WIDTH`."""
    top = nice(max((sum(parts) for parts in values), default=0))
    pitch = WIDTH / max(1, len(values))
    gap = min(2.0, pitch * 0.2)
    made: list[Column] = []
    for place, parts in enumerate(values):
        base, stack = float(HEIGHT), list[tuple[float, float]]()
        for part in parts:
            height = part / top * HEIGHT
            base -= height
            stack.append((round(base, 2), round(height, 2)))
        made.append(Column(round(place * pitch + gap / 2, 2), round(min(pitch - gap, 48), 2), tuple(stack)))
    return Columns(top, tuple(made))


def line(values: Sequence[float], width: float = 100, height: float = 20) -> str:
    """Returns the `points` of an SVG polyline for a sparkline."""
    top, step = max(values, default=0) or 1, width / max(1, len(values) - 1)
    return " ".join(
        f"{place * step:.1f},{height - 1 - value / top * (height - 2):.1f}" for place, value in enumerate(values)
    )


def nice(value: float) -> float:
    """Rounds up to 1, 2, 5 or 10 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** floor(log10(value))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= value * 0.999)


def part(value: float, whole: float) -> float:
    """Per cent of the whole, at most 100, for a bar."""
    return round(min(100.0, 100 * value / whole), 2) if whole else 0.0


def level(done: float, expected: float) -> int:
    """Completed tenths (0 to 10), for the CSS classes of colours."""
    return ceil(10 * min(1.0, done / expected)) if expected else 0
