"""Rare collections while a shard runs, Python's own afterwards, whatever happened."""

import gc

import pytest

from gem_tasks.pipeline.shard.collector import rare_collections


def test_thresholds_are_raised_and_put_back_and_nothing_stays_frozen():
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    with pytest.raises(ValueError, match="inside"), rare_collections():
        assert gc.get_threshold()[0] > before[0]
        assert gc.get_freeze_count() > frozen
        raise ValueError("inside")
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
