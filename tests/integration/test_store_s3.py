"""What a bucket does beyond the common contract: paging, odd names, a wrong bucket or endpoint."""

from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest

from gem_tasks.errors import StoreError, UserError
from gem_tasks.store import keys, open_store

PARTITION = "2026-11-20T22:00"


@pytest.fixture
def store(bucket):
    return open_store(f"s3://{bucket}/some/prefix/")


def test_keys_lie_in_the_bucket_as_documented(store, bucket):
    store.put(keys.segments_key(PARTITION, 3), b"x")
    (found,) = boto3.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert found["Key"] == "some/prefix/segments/2026-11-20T22:00/shard-00003.parquet"
    assert store.url(keys.segments_key(PARTITION, 3)) == f"s3://{bucket}/{found['Key']}"


def test_a_listing_longer_than_a_page_is_whole_and_in_order(store, bucket):
    client = boto3.client("s3")
    wanted = [f"a/{number:04d}" for number in range(1100)]

    def put(key):
        client.put_object(Bucket=bucket, Key=f"some/prefix/{key}", Body=b"")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, reversed(wanted)))
    assert list(store.list("a/")) == wanted
    assert list(store.list("a/00")) == wanted[:100]


@pytest.mark.parametrize("key", ["a b#c%25?d:e", "é/ü", "a/x.part", ".hidden", "n" * 200])
def test_odd_but_sound_keys_mean_the_same_in_a_directory_and_in_a_bucket(store, tmp_path, key):
    for each in (store, open_store(str(tmp_path / "store"))):
        each.put(key, b"x")
        assert each.get(key) == b"x"
        assert list(each.list("")) == [key]
        each.delete(key)
        assert not each.exists(key)


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "a/../b", "a\0b", "\ud800"])
def test_unsound_keys_are_refused_alike(store, tmp_path, key):
    for each in (store, open_store(str(tmp_path / "store"))):
        for act in (lambda each=each: each.put(key, b"x"), lambda each=each: each.get(key)):
            with pytest.raises(StoreError):
                act()
    assert list(store.list("")) == []


def test_a_bucket_that_does_not_exist_is_one_line(bucket):
    missing = open_store(f"s3://{bucket}-missing")
    for act in (lambda: missing.put("a", b"x"), lambda: list(missing.list(""))):
        with pytest.raises(StoreError) as error:
            act()
        assert f"s3://{bucket}-missing/" in str(error.value)
        assert "\n" not in str(error.value)


def test_an_endpoint_that_does_not_answer_is_one_line_without_the_secret(store, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    with pytest.raises(StoreError) as error:
        open_store("s3://bucket").put("a", b"x")
    assert "\n" not in str(error.value)
    assert "test-secret" not in str(error.value)


def test_without_credentials_the_mend_is_told(bucket, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(UserError, match="AWS_ACCESS_KEY_ID"):
        open_store(f"s3://{bucket}")
