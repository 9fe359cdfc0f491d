"""Deterministic checks: pure, total, in this order. A new one is a module and a line in `CHECKS`."""

from collections.abc import Callable, Iterator

from gem_tasks.checks import complexity, leaks, schema, structure
from gem_tasks.domain.finding import Finding
from gem_tasks.domain.trajectory import Trajectory

Check = Callable[[Trajectory], Iterator[Finding]]

CHECKS: dict[str, Check] = {
    structure.CHECK: structure.check,
    schema.CHECK: schema.check,
    leaks.CHECK: leaks.check,
    complexity.CHECK: complexity.check,
}

CHECKS_VERSION = 1
"""Part of the validate recipe: raise it when a verdict can change."""


def run_checks(trajectory: Trajectory) -> list[Finding]:
    """All findings of all checks, in the order of `CHECKS`."""
    return [finding for check in CHECKS.values() for finding in check(trajectory)]
