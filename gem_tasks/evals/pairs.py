"""The difference between two reports of one harness: which tries are compared, and what is the sample."""

from collections.abc import Sequence
from typing import Any

from gem_tasks.domain.evaluation import CaseScore, EvalReport
from gem_tasks.domain.promotion import Difference
from gem_tasks.evals.calls import comparison
from gem_tasks.evals.stats import paired_bootstrap
from gem_tasks.evals.worlds.cases import task_of
from gem_tasks.evals.worlds.report import counted

_OF_A_SET = ("worlds", "calls")
"""Harnesses whose tasks are the user's own: the subset names them."""


def difference(champion: EvalReport, challenger: EvalReport, **how: Any) -> Difference:
    """The paired bootstrap of the first metric; `how` is that of `paired_bootstrap`.

    Raises:
        ValueError: they did not run the same cases, or none.
    """
    if other_tasks(champion, challenger):
        raise ValueError("the two played different sets of tasks")
    if champion.harness == "calls":
        return comparison.difference(champion, challenger, **how)
    found = paired_bootstrap(_sample(champion), _sample(challenger), **how)
    return found.model_copy(update={"metric": champion.scores[0].metric})


def other_tasks(one: EvalReport, other: EvalReport) -> bool:
    """Whether two reports are about different sets of tasks, whose scores have nothing to do with each other."""
    return one.harness == other.harness and one.harness in _OF_A_SET and one.settings.subset != other.settings.subset


def _sample(report: EvalReport) -> Sequence[CaseScore]:
    """In worlds, the task is the case, and its variants and tries are the cluster, as in the overall score."""
    if report.harness != "worlds":
        return report.cases
    return [
        case.model_copy(update={"case_id": task_of(case.case_id), "category": "tasks"})
        for case in counted(report.cases)
    ]
