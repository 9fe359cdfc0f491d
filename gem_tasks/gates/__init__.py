"""Gates compare a stage's numbers with a policy. Pure, so that every decision can be replayed."""

from gem_tasks.gates.decide import decide
from gem_tasks.gates.policy import parse_policy
from gem_tasks.gates.report import report

__all__ = ["decide", "parse_policy", "report"]
