"""One contract for every object store, over a real file system and a real S3 API."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from gem_tasks.errors import StoreError, UserError
from gem_tasks.store import keys, open_store


@pytest.fixture(params=["directory", "s3"])
def store(request, tmp_path):
    if request.param == "directory":
        return open_store(str(tmp_path / "store"))
    return open_store(f"s3://{request.getfixturevalue('bucket')}/some/prefix")


def test_what_was_put_is_got(store):
    key = keys.stage_key("filter", "0123456789abcdef", "2026-01-31T14:00", 7)
    assert not store.exists(key)
    store.put(key, b"first")
    store.put(key, b"second")
    assert store.exists(key)
    assert store.get(key) == b"second"


def test_of_many_who_create_a_key_at_once_one_does(store):
    with ThreadPoolExecutor(16) as pool:
        wrote = list(pool.map(lambda number: store.create("a/marker", b"%d" % number), range(16)))
    assert sum(wrote) == 1
    assert store.get("a/marker") == b"%d" % wrote.index(True)
    assert store.create("a/marker", b"later") is False
    assert list(store.list("")) == ["a/marker"]


def test_a_missing_object_is_a_key_error_and_deleting_it_is_fine(store):
    with pytest.raises(KeyError):
        store.get("segments/none")
    store.delete("segments/none")


def test_listing_is_by_prefix_in_order(store):
    for key in ("a/2", "a/1", "a/b/3", "ab/4"):
        store.put(key, b"x")
    assert list(store.list("a/")) == ["a/1", "a/2", "a/b/3"]
    store.delete("a/1")
    assert list(store.list("a/")) == ["a/2", "a/b/3"]


def test_large_objects_survive(store):
    data = bytes(range(256)) * 40_000
    store.put("large", data)
    assert store.get("large") == data


def test_a_file_goes_in_and_comes_out_piece_by_piece(store, tmp_path):
    file = tmp_path / "weights"
    file.write_bytes(bytes(range(256)) * 40_000)
    store.put("large", file)
    pieces = list(store.chunks("large"))
    assert b"".join(pieces) == file.read_bytes()
    assert len(pieces) > 1
    assert max(map(len, pieces)) < file.stat().st_size / 2
    with pytest.raises(KeyError):
        list(store.chunks("segments/none"))


def test_a_url_names_the_place_without_secrets(store):
    assert store.url("a/1").endswith("a/1")
    assert "secret" not in store.url("a/1")


@pytest.mark.parametrize("key", ["../escape", "a/../../escape", "/etc/passwd"])
def test_no_key_leaves_the_directory(tmp_path, key):
    with pytest.raises(StoreError):
        open_store(str(tmp_path / "store")).put(key, b"x")


@pytest.mark.parametrize("url", ["ftp://host/x", "s3:///no-bucket"])
def test_a_url_of_another_kind_is_refused(url):
    with pytest.raises(UserError, match="is not an object store"):
        open_store(url)


def test_a_bucket_that_does_not_exist_is_a_store_error(bucket):
    with pytest.raises(StoreError):
        open_store(f"s3://{bucket}-missing").put("a", b"x")
