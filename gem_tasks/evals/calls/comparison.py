"""The paired difference of two runs over the same turns. Pure."""

import numpy as np

from gem_tasks.domain.evaluation import CaseScore, EvalReport
from gem_tasks.domain.promotion import Difference
from gem_tasks.evals.calls.kinds import CALLING
from gem_tasks.evals.calls.ratios import ACTION
from gem_tasks.evals.calls.turns import conversation_of
from gem_tasks.evals.stats import Floats, resampled_ratios


def difference(
    champion: EvalReport,
    challenger: EvalReport,
    *,
    confidence: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> Difference:
    """The paired bootstrap of `action`: both models keep their turns of a conversation together.

    Raises:
        ValueError: they did not run the same turns, or none.
    """
    cases = [{case.case_id: case for case in report.cases} for report in (champion, challenger)]
    if not cases[0] or cases[0].keys() != cases[1].keys():
        odd = len(cases[0].keys() ^ cases[1].keys())
        raise ValueError(f"the two did not run the same cases: {odd} were run on one side only")
    names = list(dict.fromkeys(map(conversation_of, cases[0])))
    (above, below), (above_other, below_other) = (_counts(each, names) for each in cases)
    drawn = resampled_ratios(np.stack([above, above_other]), np.stack([below, below_other]), resamples, seed)
    moved = np.nan_to_num(drawn[1]) - np.nan_to_num(drawn[0])
    low, high = np.quantile(moved, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Difference(
        mean=_ratio(above_other, below_other) - _ratio(above, below),
        low=float(low),
        high=float(high),
        confidence=confidence,
        better=float((moved > 0).mean()),
        cases=len(names),
        metric=ACTION,
        resamples=resamples,
        seed=seed,
    )


def _counts(cases: dict[str, CaseScore], names: list[str]) -> tuple[Floats, Floats]:
    """By conversation: turns with the same calls, and turns at which the reference or the model calls."""
    place = {name: at for at, name in enumerate(names)}
    above, below = np.zeros(len(names)), np.zeros(len(names))
    for case_id, case in cases.items():
        at, calling = place[conversation_of(case_id)], case.category in CALLING
        above[at] += case.score if calling else 0
        below[at] += 1 if calling else 1 - case.score
    return above, below


def _ratio(above: Floats, below: Floats) -> float:
    return float(above.sum() / below.sum()) if below.sum() else 0.0
