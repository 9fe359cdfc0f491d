"""Ids that a counter would give."""

import pytest

from gem_tasks.worlds.trials.data import shown
from gem_tasks.worlds.world import IdFormat


@pytest.mark.parametrize(
    ("form", "ahead", "found"),
    [("SO-{n}", 0, "SO-17"), ("{n:6}/26", 2, "000023/26"), ("x{hex:4}", 1, "x0014"), ("{hex}", 5, "20")],
)
def test_an_id_is_written_as_the_engine_writes_it(form, ahead, found):
    assert shown(IdFormat(format=form, next=17, step=3), ahead) == found
