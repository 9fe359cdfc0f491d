"""Which store an address means."""

import pytest
from pydantic import SecretStr

from gem_tasks.domain.s3_access import S3Access
from gem_tasks.errors import UserError
from gem_tasks.store import open_store
from gem_tasks.store.local import LocalStore


def test_a_path_and_a_file_url_are_the_same_folder(tmp_path):
    open_store(str(tmp_path)).put("a/b", b"x")
    found = open_store(f"file://{tmp_path}")
    assert isinstance(found, LocalStore)
    assert found.get("a/b") == b"x"


def test_a_bucket_has_its_prefix():
    access = S3Access(region="us-east-1", access_key_id="test", secret_access_key=SecretStr("test-secret"))
    assert open_store("s3://bucket/some/prefix/", access).url("a") == "s3://bucket/some/prefix/a"


@pytest.mark.parametrize("url", ["s3://", "https://host/store", "gs://bucket"])
def test_what_is_no_store_says_what_is_one(url):
    with pytest.raises(UserError, match="is not an object store") as caught:
        open_store(url)
    assert "s3://bucket/prefix" in caught.value.fix
