"""An S3-compatible bucket as an object store, through obstore.

Credentials and region come from the usual chain (environment, profile, role) by boto3; `AWS_ENDPOINT_URL` names another
service than AWS. A PUT is atomic on S3, so there is no temporary object.
"""

import os
from collections.abc import Iterator
from typing import Any, cast

import obstore
from obstore.auth.boto3 import Boto3CredentialProvider
from obstore.exceptions import BaseError
from obstore.store import S3Store as Bucket

from gem_tasks.errors import StoreError, UserError


def open_bucket(bucket: str, prefix: str = "") -> Bucket:
    """A client for a bucket.

    Raises:
        UserError: no credentials are to be found.
    """
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    config: dict[str, Any] = {"endpoint": endpoint, "virtual_hosted_style_request": False} if endpoint else {}
    plain = bool(endpoint and endpoint.startswith("http://"))
    try:
        credentials = Boto3CredentialProvider()
    except ValueError as error:
        raise UserError(
            f"No credentials for s3://{bucket} ({error})",
            "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or a profile.",
        ) from error
    region = str(credentials.config.get("region") or os.environ.get("AWS_REGION") or "us-east-1")
    options = cast("Any", {"allow_http": plain})
    return Bucket(
        bucket,
        prefix=prefix or None,
        region=region,
        credential_provider=credentials,
        client_options=options,
        **config,
    )


class S3Store:
    """Objects under `s3://bucket/prefix`; an `ObjectStore`."""

    def __init__(self, bucket: str, prefix: str = "") -> None:
        self._bucket = open_bucket(bucket, prefix)
        self._url = f"s3://{bucket}/{prefix}".rstrip("/")

    def put(self, key: str, data: bytes) -> None:
        """One PUT; multipart for large ones."""
        self._try("written", key, lambda: obstore.put(self._bucket, key, data))

    def get(self, key: str) -> bytes:
        """One GET."""
        return self._try("read", key, lambda: obstore.get(self._bucket, key).bytes().to_bytes())

    def exists(self, key: str) -> bool:
        """One HEAD."""
        try:
            self._try("read", key, lambda: obstore.head(self._bucket, key))
        except KeyError:
            return False
        return True

    def list(self, prefix: str) -> Iterator[str]:
        """Paginated listing."""
        folder = prefix.rpartition("/")[0]
        for page in obstore.list(self._bucket, prefix=folder or None):
            yield from sorted(meta["path"] for meta in page if meta["path"].startswith(prefix))

    def delete(self, key: str) -> None:
        """One DELETE."""
        self._try("deleted", key, lambda: obstore.delete(self._bucket, key))

    def url(self, key: str) -> str:
        """`s3://…`."""
        return f"{self._url}/{key}"

    def _try(self, what: str, key: str, act: Any) -> Any:
        try:
            return act()
        except FileNotFoundError as error:
            if what == "read":
                raise KeyError(key) from None
            if what == "deleted":
                return None
            raise StoreError(f"{self.url(key)} cannot be {what}: is there such a bucket?") from error
        except BaseError as error:
            raise StoreError(f"{self.url(key)} cannot be {what}: {str(error)[:300]}") from error
