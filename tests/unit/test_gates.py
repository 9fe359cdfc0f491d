"""Gates halt on a broken bound, say which, and do not judge shares of a handful."""

import pytest

from gem_tasks.domain.gate import Metrics, Policy
from gem_tasks.gates import decide

POLICY = Policy(max_failed_share=0.2, min_accepted_share=0.1, min_total=10)


@pytest.mark.parametrize(
    ("accepted", "rejected", "failed", "action"),
    [
        (50, 40, 10, "continue"),
        (50, 20, 30, "halt"),
        (5, 95, 0, "halt"),
        (0, 5, 4, "continue"),
        (0, 0, 3, "halt"),
        (0, 0, 0, "continue"),
    ],
)
def test_decisions(accepted, rejected, failed, action):
    metrics = Metrics(stage="filter", accepted=accepted, rejected=rejected, failed=failed)
    decision = decide(metrics, POLICY)
    assert decision.action == action
    assert decision.reason
