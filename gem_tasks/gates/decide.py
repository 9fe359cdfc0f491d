"""The decision after a stage."""

from gem_tasks.domain.gate import Action, Decision, Held, Metrics, Policy
from gem_tasks.gates.diversity import DIVERSITY

_GRAVITY: tuple[Action, ...] = ("continue", "review", "halt")


def decide(metrics: Metrics, policy: Policy) -> Decision:
    """The gravest action among the broken bounds; a stage in which everything failed halts under any policy."""
    held = tuple(
        Held(
            metric=metric,
            number=metrics.numbers.get(metric),
            bound=bound,
            enough=metrics.sample(metric) >= bound.sample,
        )
        for metric, bounds in policy.bounds.get(metrics.stage, {}).items()
        for bound in bounds
    )
    action, reason = _judge(metrics, held)
    return Decision(action=action, reason=reason, metrics=metrics, held=held, policy_sha256=policy.sha256)


def confirmed(decision: Decision, last: Decision | None) -> Decision:
    """The decision; continues if a person accepted the same numbers under the same policy before."""
    same = last and last.metrics == decision.metrics and last.policy_sha256 == decision.policy_sha256
    if decision.action != "review" or not last or not same or last.person is None or last.action != "continue":
        return decision
    reason = f"{last.person} let these numbers pass before: {last.reason}"
    return decision.model_copy(update={"action": "continue", "reason": reason, "person": last.person})


def _judge(metrics: Metrics, held: tuple[Held, ...]) -> tuple[Action, str]:
    total, asked = metrics.total, metrics.asked
    if asked and metrics.failed == asked:
        which = f", all that the model was asked about of {total}" if asked < total else ""
        return "halt", f"all {asked} segments failed{which}"
    broken = [each for each in held if each.broken]
    if not broken:
        return "continue", _kept(metrics, held)
    action = _GRAVITY[max(_GRAVITY.index(each.bound.action) for each in broken)]
    reasons = [f"{each.metric} is {each.number:.3g}, expected {each.bound}" for each in broken]
    note = f", the model was asked about {asked}" if asked < total else ""
    what = "conversations" if metrics.stage == DIVERSITY else "outcomes"
    return action, f"{'; '.join(reasons)} ({total} {what}{note})"


def _kept(metrics: Metrics, held: tuple[Held, ...]) -> str:
    if not metrics.total:
        return "no outcomes"
    thin = sum(not each.enough for each in held)
    note = f"; too few for {thin} of {len(held)} bounds" if thin else ""
    if metrics.stage == DIVERSITY:
        return f"{len(metrics.numbers)} figures of {metrics.total} conversations are as expected{note}"
    return f"{metrics.accepted} of {metrics.total} accepted, {metrics.failed} failed{note}"
