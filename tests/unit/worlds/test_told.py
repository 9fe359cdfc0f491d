"""Deeds stand before the message of the user that mentions them."""

import pytest

from gem_tasks.worlds.steps import Call, Deed, Turn, told
from gem_tasks.worlds.task import Variant

STEPS = {"t": Turn(), "c": Call(name="look", arguments={}), "d": Deed(name="rings"), "e": Deed(name="signs")}


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("tc", "tc"),
        ("tcdtc", "tcdtc"),
        ("tdc", "dtc"),
        ("tctdc", "tcdtc"),
        ("tctdec", "tcdetc"),
        ("tdtc", "tdtc"),
        ("tcdc", "tcdtc"),
        ("tcd", "tcdt"),
        ("tctd", "tctdt"),
        ("dc", "dtc"),
        ("", ""),
    ],
)
def test_a_deed_goes_with_a_message(written, found):
    steps = tuple(STEPS[each] for each in found)
    assert told([STEPS[each] for each in written]) == steps
    assert told(steps) == steps
    assert Variant(name="v", reference=tuple(STEPS[each] for each in written)).reference == steps
