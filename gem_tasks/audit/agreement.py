"""Agreement between raters beyond what chance brings about.

Own code instead of scikit-learn or statsmodels: two formulas of four lines do not justify 100 MB of dependencies.
Both are undefined (None) where everybody always says the same: chance then explains all of it.
"""

from collections import Counter
from collections.abc import Hashable, Sequence

Answers = Sequence[Sequence[Hashable]]
"""One sequence per item with one answer per rater, in the same order of raters."""


def kappa(answers: Answers) -> float | None:
    """Cohen's kappa for two raters, Fleiss' for more; None if it is undefined or there are fewer than two raters.

    Raises:
        ValueError: not every item has an answer of every rater.
    """
    if len({len(item) for item in answers}) > 1:
        raise ValueError("every item needs an answer of every rater")
    raters = len(answers[0]) if answers else 0
    if raters < 2:
        return None
    return cohen(answers) if raters == 2 else fleiss(answers)


def cohen(answers: Answers) -> float | None:
    """Cohen's kappa (1960, Educational and Psychological Measurement 20, 37-46): each rater's own leaning is chance."""
    total = len(answers)
    first, second = Counter(one for one, _ in answers), Counter(two for _, two in answers)
    observed = sum(one == two for one, two in answers) / total
    expected = sum(first[answer] * second[answer] for answer in first) / total**2
    return _beyond(observed, expected)


def fleiss(answers: Answers) -> float | None:
    """Fleiss' kappa (1971, Psychological Bulletin 76, 378-382): what all raters say together is chance."""
    total, raters = len(answers), len(answers[0])
    agreeing = sum(count * (count - 1) for item in answers for count in Counter(item).values())
    observed = agreeing / (total * raters * (raters - 1))
    overall = Counter(answer for item in answers for answer in item)
    expected = sum((count / (total * raters)) ** 2 for count in overall.values())
    return _beyond(observed, expected)


def unanimous(answers: Answers) -> float | None:
    """Share of items on which all raters say the same; None without items."""
    return sum(len(set(item)) == 1 for item in answers) / len(answers) if answers else None


def _beyond(observed: float, expected: float) -> float | None:
    return None if expected >= 1 - 1e-12 else (observed - expected) / (1 - expected)
