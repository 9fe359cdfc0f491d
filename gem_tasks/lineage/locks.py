"""Locks that Postgres keeps: who holds one holds a connection, and loses it with the connection.

| lock      | held while                                    | so that                                             |
|-----------|-----------------------------------------------|-----------------------------------------------------|
| `source`  | a source is scanned                           | two runs do not read the same objects               |
| `ingest`  | documents are compared and committed          | no text is taken for new twice, in any partition    |
| `shard`   | a stage works on a shard under a recipe       | two runs neither pay twice nor overwrite each other |
| `publish` | a partition is read and its version committed | the version that is current saw the latest changes  |

A worker that dies gives its locks back as soon as Postgres notices: at once when the process ends, within a minute
when the machine or the network goes. They are always taken in the order of this table.
"""

import logging
from collections.abc import Generator
from contextlib import contextmanager, suppress

import psycopg

from gem_tasks.errors import StoreError
from gem_tasks.lineage.connection import Part

logger = logging.getLogger(__name__)


class Locks(Part):
    """Each is a `with` block that waits for its turn."""

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
    def publish(self, partition: str) -> Generator[None]:
        """One publication of a partition at a time, from its first look to its last row."""
        with self._lock(f"gem-publishing {partition}"):
            yield

    def still_locked(self) -> None:
        """Makes sure that the connection, and what it locked, is still there: before something that cannot be undone.

        Raises:
            StoreError: it is gone; somebody else may be at it.
        """
        try:
            self._db.run("still_connected")
        except psycopg.OperationalError as error:
            raise StoreError("The connection that held the lock is lost; another run may have gone on") from error

    @contextmanager
    def _lock(self, name: str) -> Generator[None]:
        self._db.run("lock_keepalives")
        if not self._db.one("try_lock", name=name)["got"]:
            if not name.startswith("gem-ingest"):  # that one is held for moments only
                logger.info("waiting for another run: %s", name)
            self._db.run("wait_for_lock", name=name)
        try:
            yield
        finally:
            with suppress(psycopg.OperationalError):  # a lost connection has given it back already
                self._db.run("unlock", name=name)
