"""What people rated is weighed, and the kinds that disagree with them too often are opened."""

import pytest

from gem_tasks.domain.outcome import Cost, Outcome
from gem_tasks.pipeline.people import _verdict, kinds_to_open
from gem_tasks.settings import Settings


def outcome(**changes):
    return Outcome(**{"segment_id": "s", "kind": "rejected", "reason": "x", "cost": Cost(), **changes})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reason": "judge_r1"}, (True, frozenset({"judge_r1"}))),
        ({"reason": "check_schema"}, (False, frozenset())),
        ({"kind": "accepted", "reason": None}, (False, frozenset())),
    ],
)
def test_what_the_judge_said_of_outcomes_without_a_stored_judgement(changes, said):
    assert _verdict(outcome(**changes)) == said


def test_without_a_database_or_an_agreement_in_the_policy_nothing_is_opened():
    assert kinds_to_open(Settings()) == ()
