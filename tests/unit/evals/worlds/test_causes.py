"""Why a run missed its goal, by what it wrote."""

import pytest

from gem_tasks.evals.worlds.causes import of_states
from gem_tasks.worlds.goals.run import ran
from gem_tasks.worlds.session import opened
from tests.unit.evals.worlds.office import CANCELS, FIND, REFUND
from tests.unit.worlds.goals.shop import WORLD, T, call

VARIANT = CANCELS.variant("lost")
RIGHT = call("cancel", id="o-1", reason="late")


@pytest.fixture(scope="module")
def session():
    with opened(WORLD, VARIANT.scenario) as found:
        yield found


@pytest.mark.parametrize(
    ("cause", "steps"),
    [
        ("gave_up", []),
        ("gave_up", [call("cancel", id="o-3", reason="late"), call("cancel", id="o-9", reason="late")]),
        ("omitted_write", [RIGHT]),
        ("wrong_target", [call("cancel", id="o-4", reason="late"), call("refund", id="o-4", share=40)]),
        ("wrong_target", [call("cancel", id="o-2", reason="late"), RIGHT, call("refund", id="o-2", share=40)][:1]),
        ("extra_write", [RIGHT, REFUND, call("cancel", id="o-2", reason="late")]),
        ("extra_write", [RIGHT, REFUND, call("refund", id="o-1", share=40)]),
        ("extra_write", [RIGHT, REFUND, call("note", id="o-1", text="x")]),
        ("wrong_value", [RIGHT, call("refund", id="o-1", share=50)]),
        ("wrong_value", [call("cancel", id="o-1", reason="broken"), REFUND]),
        ("condition", [RIGHT, REFUND]),
    ],
)
def test_the_cause_is_what_differs_from_the_reference(session, cause, steps):
    reference = ran(session, (T, FIND, T, RIGHT, REFUND))
    run = ran(session, (T, *steps))  # without a second message of the user, no cancellation was confirmed
    assert of_states(WORLD, CANCELS, VARIANT, run, reference) == cause
