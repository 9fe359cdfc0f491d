"""A prefix of a bucket as a source, listed page by page in S3's order.

Listed with boto3, which accepts any key; obstore refuses a whole listing for one key that is not a path, such as
`a//b`. Keys that obstore accepts are read with obstore, which is far cheaper.
"""

import re
import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import IO, TYPE_CHECKING, Any, cast

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection
from botocore.parsers import ResponseParserError

from gem_tasks.corpus.sources.objects import ANOTHER_TRY, SourceObject, hidden, media_type, why
from gem_tasks.corpus.sources.remote import open_remote
from gem_tasks.domain.s3_access import S3Access
from gem_tasks.errors import StoreError, UnavailableError, UserError
from gem_tasks.store.s3 import open_bucket, open_client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectTypeDef

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_IN_MEMORY = 8 << 20
_SERVER_FAULT = 500


def list_bucket(bucket: str, prefix: str, after: str, access: S3Access) -> Iterator[SourceObject]:
    """The readable objects of a folder, or the one object of that name, or those whose keys start with it, after
    `after`.

    Args:
        bucket: name of the bucket.
        prefix: the prefix that the user gave. If a folder or an object has that name, keys that only begin with it are
        excluded.
        after: only objects after this URI.
        access: how to reach the service.

    Raises:
        UserError: it cannot be listed, from the start or part-way; an UnavailableError if a later try may succeed.
    """
    store, client, base = open_bucket(bucket, access=access), open_client(access), f"s3://{bucket}/"
    try:
        start, one = _meant(client, bucket, prefix)
        for found in _objects(client, bucket, start, after.removeprefix(base)):
            key, size = found.get("Key", ""), found.get("Size", 0)
            if one and key != prefix:
                return
            if not hidden(_below(key, start)) and (kind := media_type(key)):
                etag = found.get("ETag") or f"{found.get('LastModified')}-{size}"
                plain = _plain(key)
                opener = partial(open_remote, store, key) if plain else partial(_download, client, bucket, key, etag)
                yield SourceObject(base + key, etag, size, *kind, open=opener, remote=True)
    except (ClientError, BotoCoreError, ResponseParserError, OSError) as error:
        fix = "Check bucket, credentials, region and AWS_ENDPOINT_URL."
        kind = UnavailableError if _may_pass(error) else UserError
        raise kind(f"s3://{bucket}/{prefix} cannot be listed ({why(error)})", fix) from error


def _may_pass(error: Exception) -> bool:
    """Whether the service did not answer, or failed itself (5xx)."""
    if isinstance(error, ClientError):
        return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= _SERVER_FAULT
    return isinstance(error, NoConnection | HTTPClientError | OSError)


def _meant(client: "S3Client", bucket: str, prefix: str) -> tuple[str, bool]:
    """The beginning of the source's keys, and whether it is one object. The same at every call of a scan."""
    if not prefix or prefix.endswith("/"):
        return prefix, False
    if _first(client, bucket, prefix + "/") is not None:
        return prefix + "/", False
    return prefix, _first(client, bucket, prefix) == prefix and media_type(prefix) is not None


def _first(client: "S3Client", bucket: str, prefix: str) -> str | None:
    found = client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1).get("Contents")
    return found[0].get("Key") if found else None


def _objects(client: "S3Client", bucket: str, prefix: str, after: str) -> "Iterator[ObjectTypeDef]":
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, StartAfter=after):
        yield from page.get("Contents", ())


def _below(key: str, start: str) -> str:
    """The names of a key below the source; empty if the source ends inside a name."""
    rest = key.removeprefix(start)
    return rest if start.endswith("/") or not start else rest.partition("/")[2]


def _plain(key: str) -> bool:
    """Whether obstore reads the key unchanged: names between single slashes, without `.` or `..`."""
    return not _CONTROL.search(key) and not {"", ".", ".."} & set(key.split("/"))


def _download(client: "S3Client", bucket: str, key: str, etag: str) -> IO[bytes]:
    """The whole object: in memory while it is small, otherwise in a temporary file.

    It reads only the listed version, so that a service that reads `a/../b` as `b` causes an error, not another object.

    Raises:
        OSError: this object cannot be read.
        StoreError: the service does not answer.
    """
    with ExitStack() as closing, _faults(key):
        body = client.get_object(Bucket=bucket, Key=key, IfMatch=etag)["Body"]
        spool = closing.enter_context(tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY))
        shutil.copyfileobj(cast("Any", body), spool)
        spool.seek(0)
        closing.pop_all()  # the reader closes it
    return cast("IO[bytes]", spool)


@contextmanager
def _faults(key: str) -> Generator[None]:
    try:
        yield
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if 400 <= status < 500 and status not in ANOTHER_TRY:
            raise OSError(f"{why(error)} (key {key!r})") from error
        raise StoreError(f"{key!r} cannot be read: {why(error)}") from error
    except BotoCoreError as error:
        raise StoreError(f"{key!r} cannot be read: {why(error)}") from error
