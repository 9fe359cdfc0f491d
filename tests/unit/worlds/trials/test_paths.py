"""Paths into earlier results."""

import pytest

from gem_tasks.worlds.trials.paths import resolved

RESULTS = {1: {"items": [{"id": "a-1", "n": 2}]}, 3: {"id": "b"}}


def test_paths_are_replaced_anywhere_and_other_texts_stay():
    given = {"id": "$1.items.0.id", "more": ["$3.id", "$5.00", "costs $1.items"], "n": {"of": "$1.items.0.n"}}
    wanted = {"id": "a-1", "more": ["b", "$5.00", "costs $1.items"], "n": {"of": 2}}
    assert resolved(given, RESULTS) == wanted


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("$2.id", "no call 2 before it succeeded"),
        ("$1.items.1.id", "has no '1' there, but a list of 1"),
        ("$3.name", "has no 'name' there, but id"),
    ],
)
def test_a_path_that_leads_nowhere_says_where(path, complaint):
    with pytest.raises(LookupError, match=complaint):
        resolved([path], RESULTS)
