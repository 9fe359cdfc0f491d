"""What `gem gc` removes of a directory, by what the lineage says of each object."""

import os
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from gem_tasks.errors import UserError
from gem_tasks.pipeline.recipes import Chain
from gem_tasks.pipeline.upkeep.retention import collect
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import Settings
from gem_tasks.store.local import LocalStore

NOW = datetime(2026, 1, 31, tzinfo=UTC)
PREFILTER = f"models/prefilter/{'0' * 64}.npz"


class Rows:
    """The lineage: places with a row, recipes and prefilters in use, open shards, and what was recorded."""

    def __init__(self):
        self.live, self.kept, self.prefilters, self.open = set(), set(), set(), set()
        self.datasets = {}
        """By version: whether it may go."""
        self.forgotten, self.collected = [], []
        self.collector = self.free = True
        self.meanwhile = lambda: None
        """What happens while `gem gc` waits for the writers."""
        self.retention = self.changes = self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def only_collector(self):
        return self.collector

    @contextmanager
    def no_writers(self, patience_s):
        self.meanwhile()
        yield self.free

    def kept_recipes(self, current, days):
        return self.kept

    def live_objects(self, recipes, partitions, shards):
        return {at for at, place in enumerate(zip(recipes, partitions, shards, strict=True)) if place in self.live}

    def live_shards(self, partitions, shards):
        return {at for at, place in enumerate(zip(partitions, shards, strict=True)) if place in self.live}

    def dataset_states(self, versions, days):
        return {version: self.datasets[version] for version in versions if version in self.datasets}

    def shard_is_open(self, *place):
        return place in self.open

    def kept_prefilters(self, days):
        return self.prefilters

    def expired(self, days):
        return {}

    def delete(self, changes):
        assert not changes

    def forget_objects(self, recipes, partitions, shards):
        self.forgotten += zip(recipes, partitions, shards, strict=True)

    def mark_collected(self, versions):
        self.collected += versions


class Home:
    """A store of five-byte objects, ten days old unless said otherwise, and the lineage beside it."""

    def __init__(self, folder):
        self.rows = rows = Rows()

        class Offline(Workspace):
            def ledger(self):
                return rows

        settings = Settings(home=folder, retention_days=30)
        self.folder = folder / "store"
        self.work = Offline(settings=settings, store=LocalStore(self.folder), chain=Chain(settings))

    def put(self, key, days=10.0):
        self.work.store.put(key, b"bytes")
        self.age(self.folder / key, days)
        return key

    def age(self, path, days):
        then = (NOW - timedelta(days=days)).timestamp()
        os.utime(path, (then, then))

    def collect(self, **changes):
        return collect(self.work, **{"dry_run": False, "now": NOW, **changes})

    @property
    def left(self):
        return {found.key for found in self.work.store.scan("")}


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


def removed(found):
    return {swept.what: swept.objects for swept in found.classes if swept.objects}


def test_a_result_stays_while_a_row_names_it_and_its_recipe_is_kept(home):
    kept, old, lost = (
        home.put(f"stages/filter/{recipe}/2026-01/shard-0.parquet") for recipe in ("kept", "old", "lost")
    )
    home.rows.live = {("kept", "2026-01", 0), ("old", "2026-01", 0)}
    home.rows.kept = {"kept"}
    found = home.collect()
    assert removed(found) == {"unreferenced": 1, "old_recipes": 1}
    assert home.left == {kept}
    assert home.rows.forgotten == [("old", "2026-01", 0)], "a row is forgotten before its object"
    assert (found.objects, found.bytes, found.kept_objects, found.kept_bytes) == (2, 10, 1, 5)
    assert {old, lost}.isdisjoint(home.left)


def test_the_current_recipes_are_kept_without_asking(home):
    recipe = home.work.chain.id_of("filter")
    home.put(f"stages/filter/{recipe}/2026-01/shard-3.parquet")
    home.rows.live = {(recipe, "2026-01", 3)}
    assert removed(home.collect()) == {}


def test_texts_stay_while_a_row_names_them(home):
    kept, _ = home.put("segments/2026-01/shard-0.parquet"), home.put("segments/2026-01/shard-1.parquet")
    home.rows.live = {("2026-01", 0)}
    assert removed(home.collect()) == {"unreferenced": 1}
    assert home.left == {kept}


def test_a_dataset_goes_when_the_lineage_lets_it_or_does_not_know_it(home):
    versions = ("20260101T0000-kept", "20260102T0000-old", "20260103T0000-unknown")
    kept, *_ = (home.put(f"datasets/{version}/{name}") for version in versions for name in ("data.jsonl",))
    home.put("datasets/20260102T0000-old/card.md")
    home.rows.datasets = {versions[0]: False, versions[1]: True}
    assert removed(home.collect()) == {"superseded_datasets": 3}
    assert home.left == {kept}
    assert sorted(home.rows.collected) == [versions[1], versions[2]]


def test_a_journal_goes_when_its_shard_is_done_or_nobody_wrote_for_long(home):
    home.rows.kept = {"kept"}
    home.rows.open = {("kept", "2026-01", 0), ("old", "2026-01", 0), ("kept", "2026-01", 2)}
    kept = home.put("journal/kept/2026-01/shard-0/a.jsonl")
    home.put("journal/old/2026-01/shard-0/a.jsonl")
    home.put("journal/kept/2026-01/shard-1/a.jsonl")
    home.put("journal/kept/2026-01/shard-2/a.jsonl", days=31)
    assert removed(home.collect()) == {"journals": 3}
    assert home.left == {kept}


def test_a_prefilter_that_is_not_kept_goes(home):
    home.put(PREFILTER)
    kept = home.put(PREFILTER.replace("0", "a", 64))
    home.rows.prefilters = {kept}
    assert removed(home.collect()) == {"prefilters": 1}
    assert home.left == {kept}


def test_a_pulse_goes_after_a_day_without_a_new_one(home):
    home.put("pulses/r/2026-01/shard-00000.json", days=1.1)
    kept = {home.put("pulses/r/2026-01/shard-00001.json", days=0.9), home.put("pulses/mine.json")}
    assert removed(home.collect()) == {"pulses": 1}
    assert home.left == kept


def test_unfinished_writes_go_after_a_day(home):
    for name, days in (("old", 2), ("new", 0.5)):
        path = home.folder / f".{name}.{'0' * 32}.part"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"half")
        home.age(path, days)
    assert removed(home.collect()) == {"unfinished_writes": 1}
    assert [found.key for found in home.work.store.scan_unfinished()] == [f".new.{'0' * 32}.part"]


def test_what_is_young_or_no_name_of_ours_is_never_judged(home):
    home.put("stages/filter/r/2026-01/shard-0.parquet", days=0.9)
    home.put("stages/filter/r/2026-01/notes.txt")
    home.put("models/prefilter/mine.npz")
    found = home.collect()
    assert (removed(found), found.kept_objects) == ({}, 3)


def test_a_dry_run_counts_and_removes_nothing(home):
    key = home.put("segments/2026-01/shard-0.parquet")
    found = home.collect(dry_run=True, days=7)
    assert (removed(found), found.days, found.dry_run) == ({"unreferenced": 1}, 7, True)
    assert home.left == {key}


def test_what_is_written_again_or_named_meanwhile_is_left_for_the_next_time(home):
    again, named, gone = (home.put(f"segments/2026-01/shard-{number}.parquet") for number in range(3))

    def meanwhile():
        home.put(again, days=0)
        home.rows.live = {("2026-01", 1)}

    home.rows.meanwhile = meanwhile
    found = home.collect()
    assert (removed(found), found.busy_objects) == ({"unreferenced": 1}, 2)
    assert home.left == {again, named}
    assert gone not in home.left


def test_while_writers_are_always_active_nothing_is_removed(home):
    key = home.put("segments/2026-01/shard-0.parquet")
    home.rows.free = False
    found = home.collect()
    assert (removed(found), found.busy_objects, found.kept_objects) == ({}, 1, 1)
    assert home.left == {key}


def test_one_collection_at_a_time(home):
    home.rows.collector = False
    with pytest.raises(UserError, match="Another `gem gc` is running"):
        home.collect()
