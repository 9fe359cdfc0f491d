"""Decides whether a new model is better. Pure: two sets of reports in, a verdict out.

Better means: the whole interval of the paired difference is above zero in at least one harness, and below it in none.
Each part of BFCL counts like a harness; next-action accuracy alone is not enough. Both models must have run the same
cases of the same revision in the same way, otherwise there is no conclusion. More harnesses mean more chances of error,
so each gets its share of the error that the policy allows.
"""

from collections.abc import Iterator, Mapping

from gem_tasks.domain.evaluation import EvalReport
from gem_tasks.domain.promotion import Difference, Policy, Verdict
from gem_tasks.evals.pairs import difference, other_tasks, parts

Reports = Mapping[str, EvalReport]
"""Reports by harness."""


def judge(champion: Reports, challenger: Reports, policy: Policy = Policy()) -> Verdict:  # noqa: B008 - frozen
    """Compares the challenger with the champion in every harness that both ran."""
    common = sorted(set(champion) & set(challenger))
    if not common:
        return Verdict(outcome="kept", why="the two share no harness")
    if unfair := [fault for name in common for fault in _unfair(champion[name], challenger[name], policy)]:
        return Verdict(outcome="kept", why=unfair[0])
    ours, theirs = ({k: v for name in common for k, v in parts(side[name]).items()} for side in (champion, challenger))
    common = sorted(ours)
    confidence = 1 - (1 - policy.confidence) / len(common)
    found = {name: _difference(ours[name], theirs[name], confidence, policy) for name in common}
    worse = [name for name, each in found.items() if each.high < 0]
    better = [name for name, each in found.items() if each.low > 0]
    if worse:
        return Verdict(outcome="kept", why=f"worse in {_said(found, worse)}", differences=found)
    if better and set(better) <= set(policy.advisory):
        why = f"better in {_said(found, better)}, which does not decide alone"
        return Verdict(outcome="kept", why=why, differences=found)
    if better:
        return Verdict(outcome="promoted", why=f"better in {_said(found, better)}", differences=found)
    return Verdict(outcome="kept", why=f"not better with confidence in {_said(found, common)}", differences=found)


def _unfair(champion: EvalReport, challenger: EvalReport, policy: Policy) -> Iterator[str]:
    """Yields the reasons why two reports cannot be compared."""
    if reason := other_tasks(champion, challenger):
        yield f"{champion.harness}: {reason}"
    one, other = champion.settings.model_dump(), challenger.settings.model_dump()
    if changed := [name for name in one if one[name] != other[name]]:
        yield f"{champion.harness}: the two ran with different {', '.join(changed)}"
    cases = [{(case.category, case.case_id, case.epoch) for case in report.cases} for report in (champion, challenger)]
    if cases[0] != cases[1]:
        yield f"{champion.harness}: the two did not run the same cases ({len(cases[0] ^ cases[1])} on one side only)"
    for who, report in (("champion", champion), ("challenger", challenger)):
        if report.errors > policy.most_errors * len(report.cases):
            tries = f"{report.errors} of {len(report.cases)} tries of the {who}"
            yield f"{champion.harness}: {tries} failed outside the model"


def _difference(champion: EvalReport, challenger: EvalReport, confidence: float, policy: Policy) -> Difference:
    return difference(champion, challenger, confidence=confidence, resamples=policy.resamples, seed=policy.seed)


def _said(found: Mapping[str, Difference], names: list[str]) -> str:
    return "; ".join(
        f"{name}: {100 * found[name].mean:+.2f} points"
        f" [{100 * found[name].low:+.2f}, {100 * found[name].high:+.2f}] over {found[name].cases} cases"
        for name in names
    )
