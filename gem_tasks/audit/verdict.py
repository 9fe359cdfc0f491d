"""Summarises ratings: a rate with its interval per quality, agreement, and the paper's bar. Pure."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from math import ceil
from statistics import fmean

from gem_tasks.audit.kappa import kappa, unanimous
from gem_tasks.domain.audit import GOOD, QUALITIES, Audit, Quality, Rating
from gem_tasks.domain.base import Value
from gem_tasks.domain.interval import wilson

BAR = 0.8
"""More than this share must be coherent (arXiv 2601.10355)."""
ENOUGH = 30
"""Minimum number of items for a verdict, or all items if there are fewer."""
_RATED = 0.9
"""Share of the drawn items that must be rated: otherwise a selective rater could choose the result."""


class QualityReport(Value):
    """One of the three questions over all rated items."""

    mean: float | None
    """Mean of all scores."""
    good: int
    """Items that more than half of their raters gave 4 or 5."""
    items: int
    share: float | None
    low: float | None
    high: float | None
    """Bounds of the share's 95 % interval (Wilson)."""
    compared: int
    """Number of items that every rater rated; agreement refers to these."""
    unanimous: float | None
    """Share of these items on which all raters agree."""
    kappa: float | None
    """Cohen's for two raters, Fleiss' for more, on good or not; None if undefined."""


class Report(Value):
    """An audit with its results so far."""

    audit: Audit
    rated: int
    raters: dict[str, int]
    """Number of rated items by rater."""
    qualities: dict[Quality, QualityReport]
    passed: bool | None
    """None if undecided."""
    reason: str


def report(audit: Audit, ratings: Sequence[Rating]) -> Report:
    """The verdict on all ratings of an audit."""
    raters: defaultdict[str, int] = defaultdict(int)
    for rating in ratings:
        raters[rating.rater] += 1
    qualities: dict[Quality, QualityReport] = {
        quality: _quality(ratings, quality, sorted(raters)) for quality in QUALITIES
    }
    rated = len({rating.item_id for rating in ratings})
    passed, reason = _bar(audit, rated, qualities["coherence"])
    return Report(audit=audit, rated=rated, raters=dict(raters), qualities=qualities, passed=passed, reason=reason)


def _quality(ratings: Sequence[Rating], quality: Quality, raters: Sequence[str]) -> QualityReport:
    scores: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for rating in ratings:
        scores[rating.item_id][rating.rater] = getattr(rating, quality)
    good = sum(_good(item.values()) for item in scores.values())
    compared = [
        [item[rater] >= GOOD for rater in raters]
        for item in scores.values()
        if len(raters) > 1 and set(raters) <= set(item)
    ]
    low, high = wilson(good, len(scores)) if scores else (None, None)
    return QualityReport(
        mean=fmean(score for item in scores.values() for score in item.values()) if scores else None,
        good=good,
        items=len(scores),
        share=good / len(scores) if scores else None,
        low=low,
        high=high,
        compared=len(compared),
        unanimous=unanimous(compared),
        kappa=kappa(compared),
    )


def _good(scores: Collection[int]) -> bool:
    return 2 * sum(score >= GOOD for score in scores) > len(scores)


def _bar(audit: Audit, rated: int, coherence: QualityReport) -> tuple[bool | None, str]:
    if audit.sample.what == "refused":
        return None, "audits of refused conversations give no verdict; `gem judge` compares them with checks and judge"
    least = min(ENOUGH, audit.population)
    if audit.items < least:
        return None, f"{audit.items} items were drawn, but a verdict needs {least}: draw a larger sample"
    needed = max(ceil(_RATED * audit.items), least)
    if rated < needed or coherence.share is None:
        return None, f"{rated} of {audit.items} items are rated; a verdict needs {needed}"
    passed = coherence.share > BAR
    found = f"{coherence.share:.0%} of {rated} items are coherent ({coherence.low:.0%} to {coherence.high:.0%})"
    return passed, f"{found}, {'more than' if passed else 'not more than'} {BAR:.0%}"
