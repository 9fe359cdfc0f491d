"""The prefilter in use: scores records, leaves a share to the model, and is switched off when it misses too much."""

from contextlib import nullcontext
from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pytest

from gem_tasks.errors import StoreError
from gem_tasks.lineage.prefilters import CurrentPrefilter, Share
from gem_tasks.pipeline.recipes import Chain
from gem_tasks.pipeline.shard.prefilter import SHARE, Prefilter, current, drift, in_share, scored, switch_off_drifted
from gem_tasks.settings import Settings
from tests.factories import make_record


class Half:
    """A model that thinks the same of every text."""

    def scores(self, texts):
        return np.array([0.5 for _ in texts])


class Prefilters:
    def __init__(self, row, share=(0, 0)):
        self.row, self.found, self.off = row, Share(*share), None

    def current(self, recipe_id):
        return self.row

    def share(self, recipe_id, prefilter_id, window):
        return self.found

    def switch_off(self, recipe_id, fault):
        self.off = fault


ROW = CurrentPrefilter("p", "models/prefilter/x.npz", "0" * 64, {"threshold": 0.1}, datetime(2026, 1, 31, tzinfo=UTC))


def work(prefilters, **settings):
    made = Settings(**settings)
    return SimpleNamespace(
        settings=made,
        chain=Chain(made),
        ledger=lambda: nullcontext(SimpleNamespace(prefilters=prefilters)),
        fetch=lambda key: b"no model",
        store=SimpleNamespace(url=lambda key: f"/store/{key}"),
    )


def test_records_get_score_threshold_and_share():
    (found,) = Prefilter("p", Half(), 0.7).scored(iter([make_record()]))
    score = found.prefilter_score
    assert (score.prefilter, score.score, score.threshold) == ("p", 0.5, 0.7)
    assert score.share == in_share(found.segment.segment_id)


def test_the_share_is_one_in_so_many_and_the_same_everywhere():
    drawn = sum(in_share(f"segment-{number}") for number in range(100 * SHARE))
    assert 60 <= drawn <= 140
    assert [in_share("segment-1")] * 3 == [in_share("segment-1") for _ in range(3)]


def test_other_stages_and_a_filter_without_a_prefilter_get_records_as_they_are():
    records = [make_record()]
    assert list(scored(work(Prefilters(ROW)), "extract", iter(records))) == records
    assert list(scored(work(Prefilters(None)), "filter", iter(records))) == records
    assert current(work(Prefilters(ROW), prefilter="off")) is None


def test_bytes_that_are_not_those_recorded_stop_the_filter():
    with pytest.raises(StoreError, match=r"/store/models/prefilter/x\.npz is not a usable prefilter"):
        current(work(Prefilters(ROW)))


@pytest.mark.parametrize(("accepted", "missed", "drifted"), [(0, 0, False), (300, 3, False), (300, 60, True)])
def test_only_misses_that_prove_it_are_drift(accepted, missed, drifted):
    assert bool(drift(accepted, missed)) is drifted


def test_a_prefilter_that_drifted_is_neither_used_nor_kept():
    bad, good = Prefilters(ROW, (300, 60)), Prefilters(ROW, (300, 0))
    assert current(work(bad)) is None
    switch_off_drifted(work(bad))
    switch_off_drifted(work(good))
    assert "would have rejected 60" in bad.off
    assert good.off is None
    off = Prefilters(ROW, (300, 60))
    switch_off_drifted(work(off, prefilter="off"))
    assert off.off is None
