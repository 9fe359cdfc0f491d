"""The judge's verdicts on a trajectory, and the rule for keeping it."""

from gem_tasks.domain.base import Value
from gem_tasks.domain.finding import Finding

RULES = ("R1", "R2", "R3", "R4", "R5")
"""Arguments, capability, context (from the paper); policy and state, faithfulness to the text (added by GEM)."""


class Verdict(Value):
    """One yes or no."""

    fault: bool
    quote: str = ""
    """The words that show the fault."""
    reason: str = ""
    quoted: bool = False
    """Whether the quote really occurs in the conversation or the text."""
    finding: Finding | None = None
    """The open finding that it settles; None for a rule."""


class Judgement(Value):
    """Output of the validation: every verdict, and the warnings of the checks."""

    rules: dict[str, Verdict]
    findings: tuple[Verdict, ...] = ()
    warnings: tuple[Finding, ...] = ()

    @property
    def faults(self) -> dict[str, Verdict]:
        """Verdicts against the trajectory by slug, such as `judge_r3` or `judge_open_grounding`; rules first."""
        broken = {f"judge_{rule.lower()}": self.rules[rule] for rule in RULES if self.rules[rule].fault}
        confirmed = {f"judge_open_{each.finding.check}": each for each in self.findings if each.fault and each.finding}
        return broken | confirmed

    @property
    def kept(self) -> bool:
        """The keep rule: all rules hold, and no open finding is a fault."""
        return not self.faults
