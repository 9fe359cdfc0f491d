"""pass^k and pass@k of tasks that were tried several times, with intervals: pure, deterministic by seed.

pass^k is the chance that all of k tries succeed (τ-bench, arXiv 2406.12045), pass@k that any does (Chen et al. 2021).
Both are estimated without bias from n ≥ k tries. Tasks are the sample; the variants and tries of a task are a cluster.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import comb, sqrt
from statistics import fmean, stdev

import numpy as np

from gem_tasks.domain.evaluation import CaseScore, Score

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
        yield _score(_by_task(tries, task_of, all_of, number), category, f"pass^{number}")
    if k > 1:
        yield _score(_by_task(tries, task_of, any_of, k), category, f"pass@{k}")


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


def _score(tasks: list[float], category: str, metric: str) -> Score:
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
    if set(tasks) <= {0.0} or set(tasks) <= {1.0}:
        reach = ((1 - confidence) / 2) ** (1 / len(tasks))
        return (reach, 1.0) if tasks[0] else (0.0, 1 - reach)
    if len(tasks) == 1:
        return None
    values, draw = np.array(tasks), np.random.default_rng(seed)
    means = np.concatenate(
        [values[draw.integers(0, len(values), (_CHUNK, len(values)))].mean(axis=1) for _ in range(_RESAMPLES // _CHUNK)]
    )
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
