"""The interfaces between the pipeline and the outside. The ledger has none: real Postgres is cheap, fakes lie."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from gem_tasks.domain.chat import ChatRequest, Completion


class StoredObject(NamedTuple):
    """An entry of a listing."""

    key: str
    size: int
    """Bytes."""
    modified: datetime
    """Time of the last write, with a time zone."""


class ObjectStore(Protocol):
    """Objects under string keys such as `segments/2026-01-01T00:00/shard-00000.parquet`.

    Every method raises `StoreError` for faults; a key is never half written.
    """

    def put(self, key: str, data: bytes | Path) -> None:
        """Writes durably and atomically, replacing any earlier object; a file is never in memory as a whole."""
        ...

    def create(self, key: str, data: bytes) -> bool:
        """Writes like `put` unless the object exists; of several concurrent writers, one succeeds.

        Returns:
            Whether it wrote.
        """
        ...

    def get(self, key: str) -> bytes:
        """Reads a whole object.

        Raises:
            KeyError: there is no such object.
        """
        ...

    def chunks(self, key: str) -> Iterator[bytes]:
        """Reads an object that may be large, piece by piece; raises as `get` does, once it is iterated over."""
        ...

    def exists(self, key: str) -> bool:
        """Whether there is such an object."""
        ...

    def list(self, prefix: str) -> Iterator[str]:
        """Keys that begin with the prefix, in lexical order."""
        ...

    def scan(self, folder: str) -> Iterator[StoredObject]:
        """Streams everything below a folder, unordered; skips names that are not valid keys."""
        ...

    def stat(self, key: str) -> StoredObject | None:
        """A listing's entry for one object; None if it does not exist."""
        ...

    def delete(self, key: str) -> None:
        """Removes an object; a missing one is not an error."""
        ...

    def url(self, key: str) -> str:
        """The path or `s3://` URL of the object, for people. Never contains a secret."""
        ...


class ChatClient(Protocol):
    """One endpoint. It limits its own concurrency, so callers may send all requests immediately."""

    async def complete(self, request: ChatRequest) -> Completion:
        """Makes the call, with all retries that can help.

        Raises:
            EndpointError: there was no completion; its class states the reason.
        """
        ...
