"""The decision after a stage: its numbers against a policy. Pure, so that every decision can be replayed."""

from gem_tasks.domain.gate import Action, Decision, Metrics, Policy


def decide(metrics: Metrics, policy: Policy) -> Decision:
    """Continues, or halts with the bound that was broken.

    Shares mean nothing for a handful of outcomes, so below `policy.min_total` only a total failure halts.
    """
    action, reason = _judge(metrics, policy)
    return Decision(action=action, reason=reason, metrics=metrics, policy=policy)


def _judge(metrics: Metrics, policy: Policy) -> tuple[Action, str]:
    total = metrics.total
    if total and metrics.failed == total:
        return "halt", f"all {total} segments failed"
    if total < max(policy.min_total, 1):
        return "continue", f"{total} outcomes, too few for shares to mean anything (policy asks for {policy.min_total})"
    failed, accepted = metrics.failed / total, metrics.accepted / total
    if failed > policy.max_failed_share:
        return "halt", f"{failed:.1%} of {total} segments failed, at most {policy.max_failed_share:.1%} allowed"
    if accepted < policy.min_accepted_share:
        return "halt", f"{accepted:.1%} of {total} segments accepted, at least {policy.min_accepted_share:.1%} expected"
    return "continue", f"{accepted:.1%} of {total} accepted, {failed:.1%} failed"
