"""Limits of a conversation."""

import pytest

from gem_tasks.worlds.caps import Caps
from gem_tasks.worlds.steps import Call, Deed, Turn

CAPS = Caps(calls=4, turns=2, repeats=2)
A, B = Call(name="a", arguments={"id": 1}), Call(name="a", arguments={"id": 2})


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([], None),
        ([Turn(), A, A, Deed(name="d"), Turn(), B, A], None),
        ([A, B, A, B, A], "more than 4 calls"),
        ([Turn(), Turn(), Turn()], "more than 2 messages of the user"),
        ([A, Turn(), A, Deed(name="d"), A], "the same call more than 2 times in a row"),
    ],
)
def test_the_first_limit_that_the_steps_exceed_is_named(steps, told):
    assert CAPS.broken(steps) == told


def test_a_flag_is_no_number():
    one, true = (Call(name="a", arguments={"n": each}) for each in (1, True))
    assert Caps(repeats=1).broken([one, true]) is None
