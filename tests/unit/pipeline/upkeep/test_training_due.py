"""When a prefilter is trained, on which verdicts, and what it is worth using for."""

import logging
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from gem_tasks.lineage.prefilters import PrefilterHistory, VerdictCounts, VerdictRow
from gem_tasks.pipeline.recipes import Chain
from gem_tasks.pipeline.upkeep import prefilter_training as module
from gem_tasks.pipeline.upkeep.prefilter_training import recheck, status, train
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.prefilter import recall
from gem_tasks.prefilter.learn import Report
from gem_tasks.prefilter.model import Model
from gem_tasks.settings import Settings
from gem_tasks.store import keys, shards
from gem_tasks.store.local import LocalStore
from tests.corpus import PROCEDURE, STORY
from tests.factories import make_segment

PARTITION = "2026-01-31T14:00"


class Rows:
    """Verdicts of the filter, and the prefilters so far."""

    def __init__(self):
        self.counts = {True: VerdictCounts(9000, 9000), False: VerdictCounts(9000, 9000)}
        self.row, self.verdicts, self.past, self.withdrawn = None, {"accepted": [], "rejected": []}, [], Counter()
        self.used, self.asked = [], []
        self.prefilters = self.retention = self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    @contextmanager
    def writing(self):
        yield

    @contextmanager
    def transaction(self):
        yield

    def last_drift(self, recipe_id):
        return None

    def verdict_counts(self, recipe_id, since):
        return self.counts

    def current(self, recipe_id):
        return self.row

    def newest_verdicts(self, recipe_id, outcome, since, most):
        return self.verdicts[outcome]

    def use(self, parent, own, key, digest, report):
        self.used.append((own, key, report))

    def history(self, recipe_id):
        return self.past

    def withdrawn_rejections(self, recipe_id):
        return self.withdrawn

    def ask_withdrawn(self, recipe_id):
        self.asked.append(recipe_id)


@pytest.fixture
def rows():
    return Rows()


@pytest.fixture
def work(tmp_path, rows, monkeypatch):
    monkeypatch.setattr(module, "switch_off_drifted", lambda work: None)

    class Offline(Workspace):
        def ledger(self):
            return rows

    settings = Settings(home=tmp_path)
    return Offline(settings=settings, store=LocalStore(tmp_path / "store"), chain=Chain(settings))


def with_setting(work, value):
    from dataclasses import replace

    return replace(work, settings=work.settings.model_copy(update={"prefilter": value}))


def never(verdicts):
    raise AssertionError("no text may be read")


def trained_on(accepted):
    return SimpleNamespace(prefilter_id="old", report={"unbiased_accepted": accepted})


def test_it_is_trained_unless_the_settings_say_no_or_the_one_in_use_is_good_enough(work, rows, monkeypatch):
    monkeypatch.setattr(module, "learn", never)
    assert train(with_setting(work, "off")).state == "off"
    rows.row = trained_on(6001)
    found = train(work)
    assert (found.state, found.prefilter) == ("kept", "old")
    assert found.reason == "6001 accepted segments then, 9000 now"
    rows.row = trained_on(6000)
    with pytest.raises(AssertionError, match="no text"):
        train(work)


def test_too_few_accepted_segments_are_counted_and_not_read(work, rows, monkeypatch):
    monkeypatch.setattr(module, "learn", never)
    for counts in ({True: VerdictCounts(9000, recall.needed() - 1)}, {}):
        rows.counts = counts
        found = train(work, force=True)
        assert found.state == "too_few"
        assert f"the held-out half needs {recall.needed()}" in found.reason


def stored(work, rows, count):
    """Verdicts in two shards, of which the second has lost its object."""
    texts = [(number % 2 == 0, (PROCEDURE if number % 2 == 0 else STORY).format(n=number)) for number in range(count)]
    segments = [make_segment(text, number) for number, (_, text) in enumerate(texts)]
    work.store.put(keys.segments_key(PARTITION, 0), shards.encode_segments(segments))
    for (accepted, _), segment in zip(texts, segments, strict=True):
        rows.verdicts["accepted" if accepted else "rejected"].append(
            VerdictRow(segment.segment_id, segment.document_id, PARTITION, 0, unbiased=True)
        )
    rows.verdicts["accepted"].append(VerdictRow("lost", "lost", PARTITION, 1, unbiased=True))


def test_a_trained_one_is_stored_and_put_to_use_and_a_lost_shard_is_passed_over(work, rows, caplog):
    stored(work, rows, 660)
    with caplog.at_level(logging.WARNING):
        found = train(work)
    assert found.state == "trained"
    assert (found.report.verdicts, found.report.missed) == (660, 0)
    assert "training skips its verdicts" in caplog.text
    ((own, key, report),) = rows.used
    assert (found.prefilter, own.parent) == (own.recipe_id, work.chain.id_of("filter"))
    assert report["unbiased_accepted"] == 9000
    low, high = Model.decode(work.store.get(key)).scores([STORY.format(n=1), PROCEDURE.format(n=1)])
    assert low < own.params["threshold"] <= high


@pytest.mark.parametrize(("saved", "state"), [(None, "too_few"), (0.01, "not_worth_it")])
def test_what_saves_too_little_is_not_put_to_use(work, rows, monkeypatch, saved, state):
    report = Report(verdicts=10, accepted=5, held_out_accepted=2, needed=149, saved_of_rejected=saved, reason="because")
    monkeypatch.setattr(module, "learn", lambda verdicts: (None, report))
    found = train(work)
    assert (found.state, found.reason, found.report, rows.used) == (state, "because", report, [])


def past(name, retired_at=None, usd_saved=None):
    return PrefilterHistory(name, datetime(2026, 1, 1, tzinfo=UTC), retired_at, None, "", {}, 10, 4, 3, 1, usd_saved)


def test_the_status_adds_up_what_all_prefilters_saved(work, rows):
    rows.past = [past("new", usd_saved=0.5), past("old", datetime(2026, 1, 2, tzinfo=UTC))]
    rows.withdrawn = Counter({PARTITION: 3})
    found = status(work)
    assert (found["in_use"], found["saved_calls"], found["usd_saved"], found["withdrawn_rejections"]) == (
        "new",
        20,
        0.5,
        3,
    )
    assert found["verdicts"] == {"accepted": 9000, "rejected": 9000, "unbiased_accepted": 9000}
    assert [each["retired_at"] for each in found["prefilters"]] == [None, "2026-01-02T00:00:00+00:00"]
    assert status(with_setting(work, "off"))["in_use"] is None


def test_rejections_are_given_back_to_the_model_but_not_by_a_dry_run(work, rows):
    rows.withdrawn = Counter({PARTITION: 3})
    assert (recheck(work, dry_run=True), rows.asked) == ({PARTITION: 3}, [])
    assert (recheck(work, dry_run=False), rows.asked) == ({PARTITION: 3}, [work.chain.id_of("filter")])
