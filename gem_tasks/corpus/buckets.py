"""A prefix of a bucket as a source, listed page by page in the order that S3 keeps."""

from collections.abc import Iterator
from functools import partial

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from gem_tasks.connection_faults import of_obstore
from gem_tasks.corpus.objects import SourceObject, hidden, media_type, why
from gem_tasks.corpus.remote import open_remote
from gem_tasks.errors import UserError
from gem_tasks.store.s3 import open_bucket


def list_bucket(bucket: str, prefix: str, after: str) -> Iterator[SourceObject]:
    """The readable objects below a prefix, or the one of that name, from behind `after` on.

    Raises:
        UserError: it cannot be listed, at once or half-way.
    """
    store, base = open_bucket(bucket), f"s3://{bucket}/"
    try:
        for meta in _keys(store, prefix, after.removeprefix(base)):
            key = meta["path"]
            if not hidden(key.removeprefix(prefix)) and (kind := media_type(key)):
                etag = meta["e_tag"] or f"{meta['last_modified']}-{meta['size']}"
                opener = partial(open_remote, store, key)
                yield SourceObject(base + key, etag, meta["size"], *kind, open=opener, remote=True)
    except (BaseError, OSError) as error:
        mend = "Check bucket, credentials, region and AWS_ENDPOINT_URL."
        raise UserError(f"s3://{bucket}/{prefix} cannot be listed ({_why(error)})", mend) from error


def _why(error: Exception) -> str:
    return of_obstore(error) if isinstance(error, BaseError) else why(error)


def _keys(store: S3Store, prefix: str, after: str) -> "Iterator[obstore.ObjectMeta]":
    """What lies below a prefix; if nothing does, the object of that very name."""
    empty = True
    for page in obstore.list(store, prefix=prefix or None, offset=after or None):
        empty = empty and not page
        yield from page
    if empty and not after and media_type(prefix):
        try:
            yield obstore.head(store, prefix)
        except FileNotFoundError:
            return
