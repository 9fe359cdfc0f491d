"""An S3-compatible bucket as an object store, through obstore.

Credentials and region come from an `S3Access`, or from boto3's usual chain (environment, profile, role);
`AWS_ENDPOINT_URL` names a service other than AWS. A PUT is atomic on S3, so no temporary object is needed.
"""

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import obstore
from obstore.auth.boto3 import Boto3CredentialProvider
from obstore.exceptions import AlreadyExistsError, BaseError, GenericError
from obstore.store import S3Store as Bucket

from gem_tasks.connection_faults import of_obstore
from gem_tasks.domain.s3_access import S3Access
from gem_tasks.errors import StoreError, UserError
from gem_tasks.ports import StoredObject
from gem_tasks.proxies import proxy_for
from gem_tasks.store.keys import checked, checked_prefix

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ANY = S3Access()
_CHUNK = 1 << 20
_STRAIGHT = {"proxy_url": "http://127.0.0.1:9", "proxy_excludes": "0.0.0.0/0,::/0,*"}
"""A proxy that is never used, since all hosts are exceptions: the way to tell obstore to use none."""
_UNKNOWN = "status code: 501"
"""The answer of services without conditional writes; obstore has no exception class for it."""


def open_bucket(bucket: str, prefix: str = "", access: S3Access = _ANY) -> Bucket:
    """A client for a bucket.

    Raises:
        UserError: credentials are missing, or the proxy cannot be used.
    """
    endpoint = _endpoint(access)
    config: dict[str, Any] = {"endpoint": endpoint, "virtual_hosted_style_request": False} if endpoint else {}
    try:
        credentials = Boto3CredentialProvider(_session(access))
    except ValueError as error:
        raise UserError(
            f"No credentials for s3://{bucket} ({error})",
            "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or a profile.",
        ) from error
    region = str(credentials.config.get("region") or os.environ.get("AWS_REGION") or "us-east-1")
    return Bucket(
        bucket,
        prefix=prefix or None,
        region=region,
        credential_provider=credentials,
        client_options=_client_options(endpoint or f"https://{bucket}.s3.{region}.amazonaws.com"),
        **config,
    )


def _session(access: S3Access) -> boto3.Session:
    secret = access.secret_access_key
    return boto3.Session(
        aws_access_key_id=access.access_key_id,
        aws_secret_access_key=secret.get_secret_value() if secret else None,
        region_name=access.region,
    )


def _endpoint(access: S3Access) -> str | None:
    return access.endpoint_url or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")


def _client_options(endpoint: str) -> Any:
    """Options with or without a proxy, by GEM's own rule: obstore would read the environment."""
    proxy = proxy_for(endpoint)
    return {"allow_http": endpoint.startswith("http://"), **({"proxy_url": proxy} if proxy else _STRAIGHT)}


def open_client(access: S3Access = _ANY) -> "S3Client":
    """boto3's client, for foreign keys that obstore refuses; GEM's own keys go through obstore."""
    from botocore.config import Config

    session = _session(access)
    region = session.region_name or os.environ.get("AWS_REGION")
    proxy = proxy_for((endpoint := _endpoint(access)) or f"https://s3.{region or 'us-east-1'}.amazonaws.com")
    # An empty mapping, not None: botocore would read the environment.
    config = Config(proxies={"http": proxy, "https": proxy} if proxy else {})
    return session.client("s3", region_name=region, endpoint_url=endpoint, config=config)


class S3Store:
    """Objects under `s3://bucket/prefix`; an `ObjectStore`."""

    def __init__(self, bucket: str, prefix: str = "", access: S3Access = _ANY) -> None:
        self._bucket = open_bucket(bucket, prefix, access)
        self._url = f"s3://{bucket}/{prefix}".rstrip("/")

    def put(self, key: str, data: bytes | Path) -> None:
        """One PUT; multipart for large ones."""
        with self._faults(key, "written"):
            obstore.put(self._bucket, checked(key), data)

    def create(self, key: str, data: bytes) -> bool:
        """Checks for the object, then sends a PUT with `If-None-Match: *`, which some services reject and some ignore.

        On those, two concurrent writers may both write, so everything created here has to tolerate that.
        """
        if self.exists(key):
            return False
        with self._faults(key, "written"):
            try:
                obstore.put(self._bucket, checked(key), data, mode="create", use_multipart=False)
            except AlreadyExistsError:
                return False
            except GenericError as error:
                if _UNKNOWN not in str(error):
                    raise
                self.put(key, data)
            return True

    def get(self, key: str) -> bytes:
        """One GET."""
        with self._faults(key, "read"):
            try:
                return obstore.get(self._bucket, checked(key)).bytes().to_bytes()
            except FileNotFoundError:
                raise KeyError(key) from None

    def chunks(self, key: str) -> Iterator[bytes]:
        """One GET, read as it arrives."""
        with self._faults(key, "read"):
            try:
                found = obstore.get(self._bucket, checked(key))
                yield from map(bytes, found.stream(min_chunk_size=_CHUNK))
            except FileNotFoundError:
                raise KeyError(key) from None

    def exists(self, key: str) -> bool:
        """One HEAD."""
        with self._faults(key, "read"):
            try:
                obstore.head(self._bucket, checked(key))
            except FileNotFoundError:
                return False
            return True

    def list(self, prefix: str) -> Iterator[str]:
        """Paginated listing, in S3's order."""
        folder = checked_prefix(prefix).rpartition("/")[0]
        with self._faults(prefix, "listed"):
            for page in obstore.list(self._bucket, prefix=folder or None):
                yield from (meta["path"] for meta in page if meta["path"].startswith(prefix))

    def scan(self, folder: str) -> Iterator[StoredObject]:
        """Paginated listing."""
        with self._faults(folder, "listed"):
            for page in obstore.list(self._bucket, prefix=checked_prefix(folder) or None):
                yield from (StoredObject(meta["path"], meta["size"], meta["last_modified"]) for meta in page)

    def stat(self, key: str) -> StoredObject | None:
        """One HEAD."""
        with self._faults(key, "read"):
            try:
                meta = obstore.head(self._bucket, checked(key))
            except FileNotFoundError:
                return None
            return StoredObject(meta["path"], meta["size"], meta["last_modified"])

    def delete(self, key: str) -> None:
        """One DELETE."""
        with self._faults(key, "deleted"), suppress(FileNotFoundError):
            obstore.delete(self._bucket, checked(key))

    def url(self, key: str) -> str:
        """`s3://…`."""
        return f"{self._url}/{checked_prefix(key)}"

    @contextmanager
    def _faults(self, key: str, done: str) -> Generator[None]:
        """Translates obstore's errors into GEM's; the first line of its report states the fault."""
        try:
            yield
        except FileNotFoundError as error:
            raise StoreError(f"{self._url}/{key} cannot be {done}: check that the bucket exists") from error
        except BaseError as error:
            raise StoreError(f"{self._url}/{key} cannot be {done}: {of_obstore(error)}") from error
