"""Ids that a counter would give."""

import pytest

from gem_tasks.worlds.trials.data import below, shown
from gem_tasks.worlds.world import IdFormat


@pytest.mark.parametrize(
    ("form", "ahead", "found"),
    [("SO-{n}", 0, "SO-17"), ("{n:6}/26", 2, "000023/26"), ("x{hex:4}", 1, "x0014"), ("{hex}", 5, "20")],
)
def test_an_id_is_written_as_the_engine_writes_it(form, ahead, found):
    assert shown(IdFormat(format=form, next=17, step=3), ahead) == found


@pytest.mark.parametrize(
    ("form", "next_number", "found"),
    [
        (
            "SO-{n}",
            42,
            ['<ids>: "kind" continues at 42, but SO-42 exists: next must be above all numbers of that kind'],
        ),
        ("SO-{n}", 43, [None]),
        ("{n:4}/26", 8, ['<ids>: "kind" continues at 8, but 9/26 exists: next must be above all numbers of that kind']),
        ("{n}", 1, []),
        ("x-{hex:4}", 1, []),
    ],
)
def test_new_records_have_higher_numbers_than_all_of_their_kind(form, next_number, found):
    keys = ("SO-41", "SO-42", "SO-x", "SO-", "0009/26", "77", "x-00ff")
    kinds = {"kind": IdFormat(format=form, next=next_number)}
    assert [each and each.detail for each in below(kinds, keys)] == found
