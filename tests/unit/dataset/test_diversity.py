"""Entropy and shares of small distributions that can be worked out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.dataset.diversity import diversity


@pytest.mark.parametrize(
    ("counts", "bits", "evenness", "top_share"),
    [
        ({}, 0, 0, 0),
        ({"a": 4}, 0, 0, 1),
        ({"a": 2, "b": 2}, 1, 1, 0.5),
        ({"a": 1, "b": 1, "c": 1, "d": 1}, 2, 1, 0.25),
        ({"a": 2, "b": 1, "c": 1}, 1.5, 0.946, 0.5),
    ],
)
def test_by_hand(counts, bits, evenness, top_share):
    found = diversity(counts, trajectories=4)
    assert (found.entropy_bits, found.evenness, found.top_share) == (bits, evenness, top_share)


@given(st.dictionaries(st.text(max_size=5), st.integers(1, 100), max_size=20))
def test_evenness_is_a_share(counts):
    found = diversity(counts, trajectories=100)
    assert 0 <= found.evenness <= 1.001
    assert found.distinct == len(counts)
