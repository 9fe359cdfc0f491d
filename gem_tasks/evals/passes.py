"""pass^k and pass@k of tasks that were tried several times, with intervals: pure, deterministic by seed.

pass^k is the chance that all of k tries succeed (τ-bench, arXiv 2406.12045), pass@k that any does (Chen et al. 2021).
Both are estimated without bias from n ≥ k tries. Tasks are the sample; the variants and tries of a task are a cluster.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import comb, sqrt
from statistics import fmean, stdev

import numpy as np

from gem_tasks.domain.evaluation import OVERALL, CaseScore, Score

_RESAMPLES = 10_000
_CHUNK = 500
"""Resamples drawn at a time, which limits memory."""
Estimate = Callable[[int, int, int], float]
"""From tries, successes and k."""


def all_of(tries: int, solved: int, k: int) -> float:
    """pass^k: the share of the choices of k tries in which all succeed."""
    return comb(solved, k) / comb(tries, k)


def any_of(tries: int, solved: int, k: int) -> float:
    """pass@k: the share of the choices of k tries in which at least one succeeds."""
    return 1 - comb(tries - solved, k) / comb(tries, k)


def passes(cases: Sequence[CaseScore], category: str, task_of: Callable[[str], str]) -> Iterator[Score]:
    """pass^1 to pass^k, then pass@k, for as many tries k as every case has; none without cases.

    Args:
        cases: the tries, with a score of 0 or 1.
        category: name of the scores.
        task_of: the task of a case, by the case's id.
    """
    tries = _tries(cases)
    k = min(map(len, tries.values()), default=0)
    for number in range(1, k + 1):
        yield mean_of_tasks(_by_task(tries, task_of, all_of, number), category, f"pass^{number}")
    if k > 1:
        yield mean_of_tasks(_by_task(tries, task_of, any_of, k), category, f"pass@{k}")


def passes_by_category(cases: Sequence[CaseScore]) -> Iterator[Score]:
    """`passes` overall, as the mean of the categories, then of each category; every case is a task.

    Args:
        cases: the tries of all categories, with a score of 0 or 1.
    """
    by: dict[str, list[CaseScore]] = {}
    for case in cases:
        by.setdefault(case.category, []).append(case)
    tries = {category: _tries(found) for category, found in by.items()}
    k = min((len(scores) for found in tries.values() for scores in found.values()), default=0)
    kinds = [(f"pass^{number}", all_of, number) for number in range(1, k + 1)] + [(f"pass@{k}", any_of, k)] * (k > 1)
    for metric, estimate, number in kinds:
        yield _overall([_by_task(found, str, estimate, number) for found in tries.values()], metric)
    for category, found in by.items():
        yield from passes(found, category, str)


def _overall(strata: list[list[float]], metric: str) -> Score:
    """The mean of the strata's means, whose variance is that of independent strata."""
    spreads = [stdev(tasks) ** 2 / len(tasks) for tasks in strata if len(tasks) > 1]
    known = len(spreads) == len(strata)
    return Score(
        category=OVERALL,
        metric=metric,
        value=fmean(map(fmean, strata)),
        standard_error=sqrt(sum(spreads)) / len(strata) if known else None,
        interval=interval_of_strata(strata),
        cases=sum(map(len, strata)),
    )


def _tries(cases: Iterable[CaseScore]) -> dict[str, list[float]]:
    found: defaultdict[str, list[float]] = defaultdict(list)
    for case in cases:
        found[case.case_id].append(case.score)
    return found


def _by_task(tries: dict[str, list[float]], task_of: Callable[[str], str], estimate: Estimate, k: int) -> list[float]:
    """The mean over the variants of each task."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    for case, scores in tries.items():
        found[task_of(case)].append(estimate(len(scores), sum(score == 1 for score in scores), k))
    return [fmean(values) for values in found.values()]


def mean_of_tasks(tasks: Sequence[float], category: str, metric: str) -> Score:
    """The mean over tasks, with its standard error and its interval; at least one task."""
    return Score(
        category=category,
        metric=metric,
        value=fmean(tasks),
        standard_error=stdev(tasks) / sqrt(len(tasks)) if len(tasks) > 1 else None,
        interval=interval(tasks),
        cases=len(tasks),
    )


def interval(tasks: Sequence[float], confidence: float = 0.95, seed: int = 0) -> tuple[float, float] | None:
    """The percentile bootstrap over tasks; None for one task that was partly solved.

    If all tasks were always solved, or never, resamples are all alike, so it is the exact binomial interval.
    """
    return interval_of_strata([tasks], confidence, seed)


def interval_of_strata(
    strata: Sequence[Sequence[float]], confidence: float = 0.95, seed: int = 0
) -> tuple[float, float] | None:
    """The interval of the mean of the strata's means; tasks are drawn within their stratum; None for one of each.

    If all tasks of all strata were always solved, or never, each stratum counts as many tasks as the smallest has:
    then the binomial interval is not too narrow.
    """
    seen = {value for tasks in strata for value in tasks}
    if seen in ({0.0}, {1.0}):
        reach = ((1 - confidence) / 2) ** (1 / (len(strata) * min(map(len, strata))))
        return (reach, 1.0) if 1.0 in seen else (0.0, 1 - reach)
    if all(len(tasks) == 1 for tasks in strata):
        return None
    draw = np.random.default_rng(seed)
    means = sum(_resampled(np.array(tasks), draw) for tasks in strata) / len(strata)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def _resampled(
    values: "np.ndarray[tuple[int], np.dtype[np.float64]]", draw: np.random.Generator
) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Means of as many values, drawn with replacement; if all are 0, or all 1, likely shares of an exact interval."""
    count = len(values)
    if values.min() == values.max() and values[0] in (0.0, 1.0):
        reach = draw.random(_RESAMPLES) ** (1 / count)
        return reach if values[0] else 1 - reach
    return np.concatenate(
        [values[draw.integers(0, count, (_CHUNK, count))].mean(axis=1) for _ in range(_RESAMPLES // _CHUNK)]
    )
