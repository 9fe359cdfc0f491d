"""Locks in Postgres: each belongs to a connection, and ends with it.

| lock      | held while                                    | so that                                             |
|-----------|-----------------------------------------------|-----------------------------------------------------|
| `source`  | a source is scanned                           | two runs do not read the same objects               |
| `ingest`  | documents are compared and committed          | no text counts as new twice, in any partition       |
| `shard`   | a stage works on a shard under a recipe       | two runs neither pay twice nor overwrite each other |
| `quotas`  | quotas decide about a partition               | two decisions do not both take the same room        |
| `publish` | a partition is read and its version committed | the current version includes the latest changes     |

When a worker dies, Postgres releases its locks: at once if the process ends, within a minute if the machine or the
network fails. GEM always takes them in the order of this table.
"""

import logging
from collections.abc import Generator
from contextlib import contextmanager, suppress

import psycopg

from gem_tasks.errors import StoreError
from gem_tasks.lineage.connection import Part

logger = logging.getLogger(__name__)


class Locks(Part):
    """Each method is a `with` block that waits for the lock."""

    @contextmanager
    def source(self, source_id: int) -> Generator[None]:
        """One scan of a source at a time."""
        with self._lock(f"gem-source {source_id}"):
            yield

    @contextmanager
    def ingest(self) -> Generator[None]:
        """One commit of documents at a time."""
        with self._lock("gem-ingest"):
            yield

    @contextmanager
    def shard(self, recipe_id: str, partition: str, shard: int) -> Generator[None]:
        """One task at a time on a shard of a stage."""
        with self._lock(f"gem-shard {recipe_id} {partition} {shard}"):
            yield

    @contextmanager
    def quotas(self) -> Generator[None]:
        """One decision of the quotas at a time; it takes effect as a whole."""
        with self._lock("gem-quotas"), self._db.transaction():
            yield

    @contextmanager
    def publish(self, partition: str) -> Generator[None]:
        """One publication of a partition at a time, from its first query to its last row."""
        with self._lock(f"gem-publishing {partition}"):
            yield

    def still_locked(self) -> None:
        """Verifies that the connection still holds its locks, before an action that cannot be undone.

        Raises:
            StoreError: the connection is lost, so another run may hold the lock.
        """
        try:
            self._db.run("still_connected")
        except psycopg.OperationalError as error:
            raise StoreError("The connection that held the lock is lost; another run may have continued") from error

    @contextmanager
    def _lock(self, name: str) -> Generator[None]:
        self._db.run("lock_keepalives")
        if not self._db.one("try_lock", name=name)["got"]:
            if not name.startswith("gem-ingest"):  # that lock is held only for moments
                logger.info("waiting for another run: %s", name)
            self._db.run("wait_for_lock", name=name)
        try:
            yield
        finally:
            with suppress(psycopg.OperationalError):  # a lost connection has already released it
                self._db.run("unlock", name=name)
