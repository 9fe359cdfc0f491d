"""Deterministic checks: pure, total, in this order. A new one is a module and a line in `CHECKS`."""

from collections.abc import Callable, Iterator

from gem_tasks.checks import (
    claims,
    complexity,
    confirmation,
    fidelity,
    grounding,
    leak,
    policy,
    realism,
    schema,
    structure,
)
from gem_tasks.checks.reading.case import Case, Evidence
from gem_tasks.domain.finding import Finding
from gem_tasks.domain.trajectory import Trajectory

Check = Callable[[Case], Iterator[Finding]]

CHECKS: dict[str, Check] = {
    structure.CHECK: structure.check,
    schema.CHECK: schema.check,
    leak.CHECK: leak.check,
    claims.CHECK: claims.check,
    grounding.CHECK: grounding.check,
    realism.CHECK: realism.check,
    policy.CHECK: policy.check,
    confirmation.CHECK: confirmation.check,
    fidelity.CHECK: fidelity.check,
    complexity.CHECK: complexity.check,
}

CHECKS_VERSION = 4
"""Part of the validate recipe: raise it whenever a verdict can change."""

NO_EVIDENCE = Evidence()


def run_checks(trajectory: Trajectory, evidence: Evidence = NO_EVIDENCE) -> list[Finding]:
    """All findings of all checks, in the order of `CHECKS`.

    Args:
        trajectory: the trajectory to check.
        evidence: the segment and its workflows; without them the checks that compare with the text find less.
    """
    case = Case(trajectory, evidence)
    return [finding for check in CHECKS.values() for finding in check(case)]
