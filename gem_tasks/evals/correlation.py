"""Whether next-action accuracy ranks models as the benchmarks do: Spearman's rank correlation over models. Pure.

It says how far the cheap yardstick can be trusted here; it replaces no benchmark.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import correlation

from gem_tasks.domain.base import Value
from gem_tasks.lineage import EvaluationRow

FEWEST = 3
"""Models below which no correlation is shown."""
MOST = 10_000
"""Newest evaluations that are compared."""
_YARDSTICK = "calls"
BENCHMARKS = ("bfcl", "tau2", "tool-eval-bench", "worlds")
_SAME = ("version", "subset", "mode", "epochs", "user_model", "revision", "tasks_sha256")
"""Settings that the scores of a benchmark share."""
_SCRIPTED = ("oracle", "apology", "constant")
"""They are no models: they are ranked alike everywhere by design."""
_Z = 1.96
_SPREAD = 1.03
"""Of Fisher's z of rank correlations, times the root of n - 3 (Fieller, Hartley and Pearson 1957)."""


class Correlation(Value):
    """How alike the models that ran both are ranked."""

    turns: str
    """The set of turns of `gem eval calls`."""
    harness: str
    subset: str
    models: int
    rho: float
    """Spearman's: 1 if both rank the models alike, -1 if in opposite order."""
    interval: tuple[float, float]
    """At 95 %; from -1 to 1 for three models, which prove nothing."""


def correlations(rows: Sequence[EvaluationRow]) -> list[Correlation]:
    """All pairs of a set of turns and a benchmark that at least three models ran.

    Args:
        rows: evaluations, newest first: of each model the newest counts; with other thinking it is another model.
    """
    scores: defaultdict[tuple[str, ...], dict[str, float]] = defaultdict(dict)
    for row in rows:
        if row.model_id is None and row.model in _SCRIPTED:
            continue
        if row.scores and row.harness in (_YARDSTICK, *BENCHMARKS):
            model = f"{row.model_id or row.model} {row.settings.get('thinking')}"
            same = tuple(str(row.settings.get(name)) for name in _SAME)
            scores[row.harness, *same].setdefault(model, float(row.scores[0]["value"]))
    return list(_pairs(scores))


def _pairs(scores: dict[tuple[str, ...], dict[str, float]]) -> Iterator[Correlation]:
    for turns, ours in scores.items():
        for other, theirs in scores.items():
            common = sorted(ours.keys() & theirs.keys())
            if turns[0] != _YARDSTICK or other[0] == _YARDSTICK or len(common) < FEWEST:
                continue
            rho = spearman([ours[each] for each in common], [theirs[each] for each in common])
            if rho is not None:
                yield Correlation(
                    turns=turns[2],
                    harness=other[0],
                    subset=other[2],
                    models=len(common),
                    rho=rho,
                    interval=interval(rho, len(common)),
                )


def spearman(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Of equal scores, each has the mean of their ranks; None if all scores of one side are equal."""
    if len(set(one)) == 1 or len(set(other)) == 1:
        return None
    return max(-1.0, min(1.0, correlation(_ranks(one), _ranks(other))))


def interval(rho: float, models: int) -> tuple[float, float]:
    """By Fisher's transformation."""
    if models <= FEWEST:
        return -1.0, 1.0
    z, reach = math.atanh(max(-0.9999, min(0.9999, rho))), _Z * _SPREAD / math.sqrt(models - 3)
    return math.tanh(z - reach), math.tanh(z + reach)


def _ranks(values: Sequence[float]) -> list[float]:
    ranked = sorted(values)
    first = {value: at for at, value in reversed(list(enumerate(ranked)))}
    last = {value: at for at, value in enumerate(ranked)}
    return [(first[value] + last[value]) / 2 for value in values]
