"""All data of an experiment's report."""

from pydantic import Field

from gem_tasks.distill.experiment import Plan
from gem_tasks.distill.steps import Measured
from gem_tasks.domain.base import Value
from gem_tasks.domain.distill import Model, SftSet
from gem_tasks.domain.evaluation import EvalReport
from gem_tasks.evals.correlation import Correlation

TITLES = {
    "bfcl": "BFCL", "tau2": "τ²-bench", "tool-eval-bench": "tool-eval-bench",
    "worlds": "Tasks in worlds of held-out texts",
    "calls": "Next actions in held-out conversations", "synthesizer": "Synthesizer on held-out texts",
}  # fmt: skip


class Result(Value):
    """All data of a report."""

    plan: Plan
    models: dict[str, Model | None]
    """Models by arm."""
    sets: dict[str, SftSet | None]
    measured: tuple[Measured, ...]
    reports: dict[str, EvalReport] = Field(default_factory=dict)
    """Reports by their key in the store."""
    correlations: tuple[Correlation, ...] = ()
    """Of next actions with benchmarks, over all models that had the turns of this run by its end."""
    lineage: dict[str, list[str]] = Field(default_factory=dict)
    """Recipe ids behind each arm's dataset versions."""
