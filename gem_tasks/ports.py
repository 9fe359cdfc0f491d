"""The few interfaces between the pipeline and the world. The ledger has none: real Postgres is cheap, fakes lie."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from gem_tasks.domain.chat import ChatRequest, Completion


class StoredObject(NamedTuple):
    """What a listing says of an object."""

    key: str
    size: int
    """Bytes."""
    modified: datetime
    """When it was written last, with a time zone."""


class ObjectStore(Protocol):
    """Objects under string keys such as `segments/2026-01-01T00:00/shard-00000.parquet`.

    Every method raises `StoreError` for faults; a key is never half written.
    """

    def put(self, key: str, data: bytes | Path) -> None:
        """Writes durably and atomically, replacing what was there; a file's content never is in memory as a whole."""
        ...

    def create(self, key: str, data: bytes) -> bool:
        """Writes like `put` unless there is such an object; of several writers at once one does.

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
        """Everything below a folder as the listing streams in, in no order; whatever is no key is left out."""
        ...

    def stat(self, key: str) -> StoredObject | None:
        """What a listing would say of one object; None if there is none."""
        ...

    def delete(self, key: str) -> None:
        """Removes an object; deleting nothing is fine."""
        ...

    def url(self, key: str) -> str:
        """Where a person finds the object: a path or an `s3://` URL. Never holds a secret."""
        ...


class ChatClient(Protocol):
    """One endpoint. Bounds its own concurrency, so callers may ask for everything at once."""

    async def complete(self, request: ChatRequest) -> Completion:
        """Makes the call, retrying what retrying can help.

        Raises:
            EndpointError: no completion was to be had; its class says why.
        """
        ...
