"""Deterministic checks: pure, total, in this order. A new one is a module and a line in `CHECKS`."""

from collections.abc import Callable, Iterator
from itertools import islice

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
    thoughts,
)
from gem_tasks.checks.faults import SETTLED, Fault, finding
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
    thoughts.CHECK: thoughts.check,
    complexity.CHECK: complexity.check,
}

MOST_FINDINGS = 1000
"""Most of one conversation that are kept."""
CHECKS_VERSION = 4
"""Part of the validate recipe: raise it whenever a verdict can change."""

NO_EVIDENCE = Evidence()


def run_checks(trajectory: Trajectory, evidence: Evidence = NO_EVIDENCE, *, executed: bool = False) -> list[Finding]:
    """All findings of all checks, in the order of `CHECKS`; of a conversation that is too large, only that.

    Args:
        trajectory: the trajectory to check.
        evidence: the segment and its workflows; without them the checks that compare with the text find less.
        executed: whether its results came from a world, which a replay proves; then kinds in `SETTLED` are no question.
    """
    case = Case(trajectory, evidence)
    if excess := list(complexity.excess(case)):
        return excess
    found: list[Finding] = []
    for name, check in CHECKS.items():
        findings = (each for each in check(case) if not (executed and (each.check, each.kind) in SETTLED))
        found += islice(findings, MOST_FINDINGS)
        if len(found) >= MOST_FINDINGS:
            detail = f"{name} has {MOST_FINDINGS:,} findings, and perhaps more"
            return [*found[:MOST_FINDINGS], finding(Fault.TOO_MUCH, detail)]
    return found
