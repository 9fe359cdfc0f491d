"""Object stores behind the `ObjectStore` port, and the codec of shards."""

from pathlib import Path
from urllib.parse import urlsplit

from gem_tasks.domain.s3_access import S3Access
from gem_tasks.errors import UserError
from gem_tasks.ports import ObjectStore
from gem_tasks.store.local import LocalStore


def open_store(url: str, access: S3Access | None = None) -> ObjectStore:
    """A directory (plain path or `file://`) or a bucket (`s3://bucket/prefix`).

    Raises:
        UserError: the URL is neither.
    """
    parts = urlsplit(url)
    match parts.scheme:
        case "":
            return LocalStore(Path(url))
        case "file":
            return LocalStore(Path(parts.path))
        case "s3" if parts.netloc:
            from gem_tasks.store.s3 import S3Store

            return S3Store(parts.netloc, parts.path.strip("/"), access or S3Access())
        case _:
            raise UserError(f"{url!r} is not an object store", "GEM_STORE_URL takes a directory or s3://bucket/prefix.")
