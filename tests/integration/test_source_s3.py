"""A bucket is a source like a folder is, over HTTP."""

import gzip

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gem_tasks.corpus.readers import read
from gem_tasks.corpus.sources import list_objects
from gem_tasks.domain.corpus import IngestReason
from gem_tasks.errors import UserError


@pytest.fixture
def put(bucket):
    client = boto3.client("s3")

    def put_object(key, data):
        client.put_object(Bucket=bucket, Key=key, Body=data)
        return client

    return put_object


def keys(bucket, prefix):
    return [found.uri.removeprefix(f"s3://{bucket}/") for found in list_objects(f"s3://{bucket}/{prefix}")]


def test_a_prefix_is_a_folder_and_a_key_an_object(bucket, put):
    for key in ("d/b.md", "d/a/c.txt.gz", "d/.hidden.md", "d/.git/x.md", "d/image.png", "d#?/e f.txt", "d2/g.md"):
        put(key, b"x")
    assert keys(bucket, "d") == keys(bucket, "d/") == ["d/a/c.txt.gz", "d/b.md"]
    assert keys(bucket, "d/b.md") == ["d/b.md"]
    assert keys(bucket, "d#?/e f.txt") == ["d#?/e f.txt"]
    for missing in ("nothing/", "d/c.md"):
        with pytest.raises(UserError, match="holds nothing"):
            keys(bucket, missing)


def test_a_bucket_that_is_none_is_one_clear_line(bucket):
    with pytest.raises(UserError, match="cannot be listed") as error:
        keys(f"{bucket}-missing", "d")
    assert "\n" not in str(error.value)


def test_objects_are_read_in_ranges(bucket, put, tmp_path):
    pq.write_table(pa.table({"text": ["one", "two"]}), tmp_path / "a.parquet")
    put("r/a.parquet", (tmp_path / "a.parquet").read_bytes())
    put("r/b.jsonl.gz", gzip.compress(b'{"text": "three"}\n'))
    put("r/c.txt", b"x" * 3_000_000)
    raws = [raw for found in list_objects(f"s3://{bucket}/r") for raw in read(found, 5_000_000)]
    assert [raw.text for raw in raws] == ["one", "two", "three", "x" * 3_000_000]


def test_an_object_that_is_gone_meanwhile_is_unreadable(bucket, put):
    client = put("g/a.txt", b"x")
    (found,) = list_objects(f"s3://{bucket}/g")
    client.delete_object(Bucket=bucket, Key="g/a.txt")
    (raw,) = read(found, 100)
    assert raw.reason is IngestReason.UNREADABLE
    assert "\n" not in raw.detail
