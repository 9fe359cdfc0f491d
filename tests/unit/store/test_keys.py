"""Keys: the layout people rely on, and what is refused because a directory and a bucket would disagree about it."""

from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.errors import StoreError
from gem_tasks.store import keys
from gem_tasks.store.local import LocalStore

ODD = ["", ".", "..", "/", "/a", "a/", "a//b", "a/./b", "a/../b", "../a", "a/..", "a\0b", "a\nb", "\ud800", "n" * 201]


def test_the_layout_is_the_documented_one():
    partition = "2026-11-20T22:00"
    assert keys.segments_key(partition, 7) == "segments/2026-11-20T22:00/shard-00007.parquet"
    assert keys.stage_key("filter", "ab12", partition, 0) == "stages/filter/ab12/2026-11-20T22:00/shard-00000.parquet"
    assert keys.dataset_key("v1", "README.md") == "datasets/v1/README.md"


@pytest.mark.parametrize("key", ODD)
def test_what_two_stores_would_read_differently_is_no_key(key):
    with pytest.raises(StoreError, match="is not a valid object key"):
        keys.checked(key)


@pytest.mark.parametrize(("prefix", "sound"), [("", True), ("a/", True), ("a/b", True), ("a//", False), ("../", False)])
def test_a_prefix_may_be_empty_or_end_in_a_slash(prefix, sound):
    if sound:
        assert keys.checked_prefix(prefix) == prefix
    else:
        with pytest.raises(StoreError):
            keys.checked_prefix(prefix)


@given(st.text(max_size=30) | st.lists(st.sampled_from(["a", "..", ".", "", "b:c", "é"]), max_size=6).map("/".join))
def test_every_key_stays_below_the_root_and_means_one_file(key):
    try:
        keys.checked(key)
    except StoreError:
        return
    path = Path(LocalStore(Path("/root")).url(key))
    assert path.relative_to("/root") == PurePosixPath(key)
    assert path.resolve().is_relative_to("/root")
