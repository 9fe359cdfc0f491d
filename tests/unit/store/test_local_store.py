"""The directory store when something goes wrong: old or new, never half, and always our own error."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gem_tasks.errors import StoreError
from gem_tasks.store.local import LocalStore


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "store")


def files(tmp_path):
    return {path.name for path in (tmp_path / "store").rglob("*") if path.is_file()}


def test_a_write_that_fails_leaves_the_old_object_and_no_litter(store, tmp_path, monkeypatch):
    store.put("a/b", b"old")

    def full(handle):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(StoreError, match="No space left"):
            store.put("a/b", b"new")
    assert store.get("a/b") == b"old"
    assert files(tmp_path) == {"b"}


def test_the_data_is_on_the_disk_before_it_has_its_name(store, monkeypatch):
    """And the name, with the folders above it, after."""
    happened = []
    sync, replace = os.fsync, Path.replace

    def spy_sync(handle):
        happened.append("sync folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "sync file")
        sync(handle)

    def spy_replace(path, target):
        happened.append("rename")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", spy_sync)
    monkeypatch.setattr(Path, "replace", spy_replace)
    store.put("a/b/c", b"x")
    assert happened == ["sync folder"] * 3 + ["sync file", "rename", "sync folder"]


def test_what_a_crash_left_unfinished_is_not_listed(store, tmp_path):
    store.put("a/b", b"x")
    store.put("a/c.part", b"a name of the user's own")
    (tmp_path / f"store/a/.b.{12:032x}.part").write_bytes(b"half")
    assert list(store.list("")) == ["a/b", "a/c.part"]


def test_only_its_own_unfinished_files_are_offered_for_removal(store, tmp_path):
    (tmp_path / "store").mkdir(exist_ok=True)
    for name in (f".b.{12:032x}.part", ".download.part", ".b.123.part", f"b.{12:032x}.part"):
        (tmp_path / "store" / name).touch()
    assert [found.key for found in store.scan_unfinished()] == [f".b.{12:032x}.part"]


def test_writers_of_one_key_do_not_mix(store):
    contents = [bytes([number]) * 200_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda data: store.put("a/b", data), contents))
    assert store.get("a/b") in contents
    assert list(store.list("a/")) == ["a/b"]


def test_a_file_where_a_folder_should_be_is_a_store_error(store):
    store.put("a", b"x")
    for act in (lambda: store.put("a/b", b"x"), lambda: store.get("a/b"), lambda: store.delete("a/b")):
        with pytest.raises(StoreError, match=r"Not a directory|File exists"):
            act()
    assert not store.exists("a/b")


def test_a_folder_is_no_object(store):
    store.put("a/b", b"x")
    assert not store.exists("a")
    for act in (lambda: store.put("a", b"x"), lambda: store.get("a"), lambda: store.delete("a")):
        with pytest.raises(StoreError, match="Is a directory"):
            act()


def test_a_store_that_nothing_was_put_into_is_empty(store):
    assert list(store.list("")) == []
    assert list(store.list("segments/")) == []


def test_a_file_is_put_like_bytes_and_read_in_pieces(store, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(b"x" * (1 << 20) + b"end")
    store.put("a/b", source)
    assert [len(piece) for piece in store.chunks("a/b")] == [1 << 20, 3]
    assert store.get("a/b") == source.read_bytes()
    with pytest.raises(KeyError):
        list(store.chunks("a/c"))
