"""The overview's charts over time: their series, their labels, and the top of each scale in words."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from gem_console import charts
from gem_console.rendering import compact, usd
from gem_tasks.console.overview import Overview, Point


class Chart(NamedTuple):
    """A column chart, ready to draw."""

    title: str
    kinds: tuple[str, ...]
    """Classes of colour, one for each part of a column."""
    shown: charts.Columns
    top: str
    """The top of the scale."""
    labels: tuple[str, ...]
    """A description of each column."""
    first: datetime
    last: datetime


class Timeline(NamedTuple):
    """The charts of a range; a chart is None when it would be empty."""

    results: Chart | None
    trajectories: Chart | None
    money: Chart | None
    """None when no call of the range has a price."""


def timeline(view: Overview) -> Timeline:
    """The charts of the overview's series."""

    def chart(
        title: str,
        kinds: tuple[str, ...],
        values: Callable[[Point], Sequence[float]],
        scale: Callable[[float], str],
        parts: str = "",
    ) -> Chart:
        shown = charts.columns([values(point) for point in points])
        return Chart(
            f"{title} per {view.filters.step}{parts}",
            kinds,
            shown,
            scale(shown.top),
            labels,
            points[0].at,
            points[-1].at,
        )

    points = view.series
    if not points:
        return Timeline(None, None, None)
    labels = tuple(_label(point) for point in points)
    return Timeline(
        results=chart("Results", ("good", "muted", "bad"), _outcomes, compact, ": accepted, rejected, failed"),
        trajectories=chart("Accepted trajectories", ("accent",), lambda point: (point.trajectories,), compact),
        money=chart("Dollars", ("money",), lambda point: (point.usd,), usd) if view.usd else None,
    )


def _outcomes(point: Point) -> Sequence[float]:
    return point.accepted, point.results - point.accepted - point.failed, point.failed


def _label(point: Point) -> str:
    return (
        f"{point.at:%Y-%m-%d %H:%M}: {point.results} results, {point.failed} failed,"
        f" {point.trajectories} trajectories, ${round(point.usd, 4)}"
    )
