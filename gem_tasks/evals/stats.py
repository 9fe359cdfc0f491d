"""Scores with standard errors, and the paired bootstrap: pure, deterministic by seed.

Cases are the sample, the epochs of a case one cluster (Miller 2024, "Adding Error Bars to Evals", sections 2 and 3).
Overall is the plain mean of the categories, as in BFCL; its variance is that of independent strata.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from statistics import fmean, stdev

import numpy as np

from gem_tasks.domain.evaluation import OVERALL, CaseScore, Score
from gem_tasks.domain.promotion import Difference

By = dict[str, dict[str, list[float]]]
"""Scores of the epochs by case by category."""
Weigh = Callable[[Mapping[str, int]], Mapping[str, float]]
Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
_CHUNK = 500
"""Most resamples drawn at a time, which limits memory."""
_MOST_DRAWN = 1 << 20
"""Most clusters drawn at a time, likewise. The result does not depend on either."""


def most_first(counts: Mapping[str, int]) -> dict[str, int]:
    """By count, then by name: a database keeps no order of keys."""
    return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def average(cases: Iterable[CaseScore], metric: str = "accuracy") -> tuple[Score, ...]:
    """The mean over epochs, then cases, then categories: accuracy, or Avg@k."""
    by = grouped(cases)
    parts = [_mean(category, metric, [fmean(tries) for tries in cases.values()]) for category, cases in by.items()]
    if not parts:
        return ()
    errors = [part.standard_error for part in parts]
    known = [error for error in errors if error is not None]
    spread = math.sqrt(sum(error**2 for error in known)) / len(parts) if len(known) == len(parts) else None
    value, count = fmean(part.value for part in parts), sum(part.cases for part in parts)
    overall = Score(category=OVERALL, metric=metric, value=value, standard_error=spread, cases=count)
    return (overall, *parts)


def grouped(cases: Iterable[CaseScore]) -> By:
    """Groups scores by category and case, both in order of appearance."""
    found: By = defaultdict(lambda: defaultdict(list))
    for case in cases:
        found[case.category][case.case_id].append(case.score)
    return {category: dict(by_case) for category, by_case in found.items()}


def _mean(category: str, metric: str, values: Sequence[float]) -> Score:
    spread = stdev(values) / math.sqrt(len(values)) if len(values) > 1 else None
    return Score(category=category, metric=metric, value=fmean(values), standard_error=spread, cases=len(values))


def _alike(counts: Mapping[str, int]) -> Mapping[str, float]:
    return dict.fromkeys(counts, 1 / len(counts))


def paired_bootstrap(
    champion: Sequence[CaseScore],
    challenger: Sequence[CaseScore],
    weigh: Weigh = _alike,
    *,
    confidence: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> Difference:
    """Resamples cases within their category; both models keep their scores of a case together.

    `weigh` returns the weight of each category by their numbers of cases.

    Raises:
        ValueError: they did not run the same cases, or none.
    """
    differences = _differences(grouped(champion), grouped(challenger))
    weights = weigh({category: len(values) for category, values in differences.items()})
    draw = np.random.default_rng(seed)
    total = np.zeros(resamples)
    for category, values in differences.items():
        for start, count in _portions(resamples, len(values)):
            drawn = values[draw.integers(0, len(values), (count, len(values)))].mean(axis=1)
            total[start : start + count] += weights[category] * drawn
    low, high = np.quantile(total, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Difference(
        mean=sum(weights[category] * float(values.mean()) for category, values in differences.items()),
        low=float(low),
        high=float(high),
        confidence=confidence,
        better=float((total > 0).mean()),
        cases=sum(map(len, differences.values())),
        resamples=resamples,
        seed=seed,
    )


def _differences(champion: By, challenger: By) -> "dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]":
    """Per category, challenger minus champion by case."""
    if not champion or _names(champion) != _names(challenger):
        odd = len(_names(champion) ^ _names(challenger))
        raise ValueError(f"the two did not run the same cases: {odd} were run on one side only")
    return {
        category: np.array([fmean(challenger[category][case]) - fmean(tries) for case, tries in cases.items()])
        for category, cases in sorted(champion.items())
    }


def _names(by: By) -> set[tuple[str, str]]:
    return {(category, case) for category, cases in by.items() for case in cases}


def resampled_ratios(numerators: Floats, denominators: Floats, resamples: int = 10_000, seed: int = 0) -> Floats:
    """The cluster bootstrap of ratios of sums, such as a share of turns over conversations of different lengths.

    Args:
        numerators: a row for each ratio, a column for each cluster.
        denominators: likewise.
        resamples: number of draws of clusters, with replacement.
        seed: of the draws, which are the same for all ratios.

    Returns:
        A row for each ratio, a column for each draw; NaN where the drawn clusters have nothing to divide by.
    """
    clusters, draw = numerators.shape[1], np.random.default_rng(seed)
    found: list[Floats] = []
    for _, count in _portions(resamples, clusters):
        times = _times_drawn(draw, count, clusters)
        # Not `@`: the threads of a matrix product cost more than they save, and much more on a busy machine.
        above, below = (np.einsum("rc,dc->rd", each, times) for each in (numerators, denominators))
        found.append(np.where(below > 0, above / np.maximum(below, 1), np.nan))
    return np.concatenate(found, axis=1)


def _portions(resamples: int, clusters: int) -> Iterator[tuple[int, int]]:
    """`(start, number)` of the resamples drawn at a time."""
    step = max(1, min(_CHUNK, _MOST_DRAWN // max(clusters, 1)))
    return ((start, min(step, resamples - start)) for start in range(0, resamples, step))


def _times_drawn(draw: np.random.Generator, draws: int, clusters: int) -> Floats:
    """How often each cluster is in each draw."""
    places = draw.integers(0, clusters, (draws, clusters)) + clusters * np.arange(draws)[:, None]
    return np.bincount(places.ravel(), minlength=draws * clusters).reshape(draws, clusters).astype(np.float64)
