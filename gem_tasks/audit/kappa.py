"""Agreement between raters beyond chance.

The code avoids scikit-learn and statsmodels: three short formulas do not justify 100 MB of dependencies.
All are undefined (None) if all raters always give the same answer: chance then explains the agreement.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from math import sqrt

from gem_tasks.domain.interval import Z

Answers = Sequence[Sequence[Hashable]]
"""One sequence per item with one answer per rater, in the same order of raters."""


def kappa(answers: Answers) -> float | None:
    """Cohen's kappa for two raters, Fleiss' for more; None if it is undefined or there are fewer than two raters.

    Raises:
        ValueError: not every item has an answer of every rater.
    """
    if len({len(item) for item in answers}) > 1:
        raise ValueError("every item needs a rating from every rater")
    raters = len(answers[0]) if answers else 0
    if raters < 2:
        return None
    return cohen(answers) if raters == 2 else fleiss(answers)


def cohen(answers: Answers) -> float | None:
    """Cohen's kappa (1960, Educational and Psychological Measurement 20, 37-46): each rater has a distribution."""
    total = len(answers)
    first, second = Counter(one for one, _ in answers), Counter(two for _, two in answers)
    observed = sum(one == two for one, two in answers) / total
    expected = sum(first[answer] * second[answer] for answer in first) / total**2
    return _beyond(observed, expected)


def fleiss(answers: Answers) -> float | None:
    """Fleiss' kappa (1971, Psychological Bulletin 76, 378-382): chance follows from the distribution of all ratings."""
    total, raters = len(answers), len(answers[0])
    agreeing = sum(count * (count - 1) for item in answers for count in Counter(item).values())
    observed = agreeing / (total * raters * (raters - 1))
    overall = Counter(answer for item in answers for answer in item)
    expected = sum((count / (total * raters)) ** 2 for count in overall.values())
    return _beyond(observed, expected)


def unanimous(answers: Answers) -> float | None:
    """Share of items on which all raters say the same; None without items."""
    return sum(len(set(item)) == 1 for item in answers) / len(answers) if answers else None


def weighted_kappa(items: Sequence[tuple[float, bool, bool]]) -> tuple[float, float, float] | None:
    """Cohen's kappa of two raters over `(weight, first says yes, second says yes)`, and its 95 % interval.

    The standard error is the asymptotic one (Fleiss, Cohen and Everitt 1969, Psychological Bulletin 72, 323-327) for as
    many items as the weights are worth (Kish 1965). None if kappa is undefined.
    """
    total, squares = sum(weight for weight, *_ in items), sum(weight**2 for weight, *_ in items)
    if not total:
        return None
    both, first, second, neither = (
        sum(weight for weight, one, two in items if (one, two) == cell) / total
        for cell in ((True, True), (True, False), (False, True), (False, False))
    )
    yes, also = both + first, both + second
    observed, expected = both + neither, yes * also + (1 - yes) * (1 - also)
    kappa = _beyond(observed, expected)
    if kappa is None:
        return None
    spread = both * (1 - expected - (yes + also) * (1 - observed)) ** 2
    spread += neither * (1 - expected - (2 - yes - also) * (1 - observed)) ** 2
    spread += (1 - observed) ** 2 * (first * (also + 1 - yes) ** 2 + second * (yes + 1 - also) ** 2)
    spread -= (observed * expected - 2 * expected + observed) ** 2
    margin = Z * sqrt(max(spread, 0.0) / (total**2 / squares)) / (1 - expected) ** 2
    return kappa, max(kappa - margin, -1.0), min(kappa + margin, 1.0)


def _beyond(observed: float, expected: float) -> float | None:
    return None if expected >= 1 - 1e-12 else (observed - expected) / (1 - expected)
