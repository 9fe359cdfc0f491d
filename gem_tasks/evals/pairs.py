"""The difference between two reports of one harness: which tries are compared, and what is the sample."""

from collections.abc import Sequence
from typing import Any

from gem_tasks.domain.evaluation import CaseScore, EvalReport
from gem_tasks.domain.promotion import Difference
from gem_tasks.evals import bfcl_parts
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
    if reason := other_tasks(champion, challenger):
        raise ValueError(reason)
    if champion.harness == "calls":
        return comparison.difference(champion, challenger, **how)
    found = paired_bootstrap(_sample(champion), _sample(challenger), bfcl_parts.weights, **how)
    return found.model_copy(update={"metric": champion.scores[0].metric})


def other_tasks(one: EvalReport, other: EvalReport) -> str | None:
    """Why two reports are about different tasks, so that their scores have nothing to do with each other."""
    mine, theirs = one.settings, other.settings
    if one.harness != other.harness:
        return None
    if one.harness in _OF_A_SET and mine.subset != theirs.subset:
        return f"the two played different sets of tasks, {mine.subset} and {theirs.subset}"
    same_choice = (mine.subset, mine.extra) == (theirs.subset, theirs.extra)
    if mine.revision != theirs.revision or (same_choice and mine.tasks_sha256 != theirs.tasks_sha256):
        return f"the two ran tasks of different revisions, {mine.tasks} and {theirs.tasks}"
    return None


def parts(report: EvalReport) -> dict[str, EvalReport]:
    """The report by the scores that are compared, each by its name: several only for BFCL beyond multi-turn.

    Every part of BFCL is compared for itself: a model may gain in one what it loses in another.
    """
    by: dict[str, list[CaseScore]] = {}
    for case in report.cases if report.harness == "bfcl" else ():
        by.setdefault(bfcl_parts.part_of(case.category), []).append(case)
    if len(by) < 2:
        return {report.harness: report}
    return {f"bfcl {name}": report.model_copy(update={"cases": tuple(cases)}) for name, cases in by.items()}


def _sample(report: EvalReport) -> Sequence[CaseScore]:
    """What weighs alike in the overall score.

    In worlds, the task is the case, and its variants and tries are the cluster. tool-eval-bench averages over
    scenarios, not over categories.
    """
    if report.harness == "tool-eval-bench":
        return [case.model_copy(update={"category": "scenarios"}) for case in report.cases]
    if report.harness != "worlds":
        return report.cases
    return [
        case.model_copy(update={"case_id": task_of(case.case_id), "category": "tasks"})
        for case in counted(report.cases)
    ]
