"""Steps of a migration beside working readers and writers.

Indexes are built concurrently and foreign keys are validated later, outside a transaction: an interrupted step leaves
at most an invalid index, which the next run replaces. What needs exclusive locks waits only a moment for each, because
readers and writers wait behind it, and then tries again. So does what ends in a deadlock.
"""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import LiteralString, TypeVar

import psycopg
from psycopg import sql
from psycopg.errors import DeadlockDetected, ForeignKeyViolation, LockNotAvailable

from gem_tasks.errors import UserError

T = TypeVar("T")

LOCK_LIMIT_MS = 1000
"""Longest wait for each exclusive lock, and so the longest that others wait behind one."""
_PAUSE_S = 2.0
_PATIENCE_S = 1800.0
_ASK_EVERY_S = 0.2
_ONLY_MIGRATOR = "gem-migrate-online"
_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"
_VALIDATED = "SELECT convalidated FROM pg_constraint WHERE conrelid = to_regclass(%s) AND conname = %s"


class Online:
    """Repeatable steps on an autocommit connection."""

    def __init__(self, pg: psycopg.Connection) -> None:
        self._pg = pg

    @contextmanager
    def only_migrator(self) -> Generator[None]:
        """Makes other migrators wait. They ask repeatedly: building an index waits for every statement that waits."""
        while not self._value("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", _ONLY_MIGRATOR):
            time.sleep(_ASK_EVERY_S)
        self._pg.execute("SET statement_timeout = 0; SET lock_timeout = 0")
        try:
            yield
        finally:
            if not self._pg.closed:
                self._value("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", _ONLY_MIGRATOR)

    def index(self, name: LiteralString, on: LiteralString, *, unique: bool = False) -> None:
        """Builds an index unless it is there; `on` is the table with columns and condition."""
        kind = sql.SQL("UNIQUE INDEX" if unique else "INDEX")
        create = sql.SQL("CREATE {} CONCURRENTLY {} ON ").format(kind, sql.Identifier(name)) + sql.SQL(on)

        def once() -> None:
            valid = self._value(_VALID, name)
            if valid is False:
                self.drop_index(name)
            if not valid:
                self._pg.execute(create)

        patiently(once)

    def drop_index(self, name: LiteralString) -> None:
        """Drops an index that belongs to no constraint, if it is there."""
        drop = sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier(name))
        patiently(partial(self._pg.execute, drop))

    def foreign_key(self, table: LiteralString, name: LiteralString, key: LiteralString) -> None:
        """Adds a foreign key for new rows, then compares the old ones.

        Raises:
            UserError: rows refer to nothing.
        """
        at = sql.Identifier(table), sql.Identifier(name)
        validated = self._value(_VALIDATED, table, name)
        if validated is None:
            add = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} FOREIGN KEY ").format(*at) + sql.SQL(f"{key} NOT VALID")
            self.briefly(add)
        if not validated:
            try:
                patiently(partial(self._pg.execute, sql.SQL("ALTER TABLE {} VALIDATE CONSTRAINT {}").format(*at)))
            except ForeignKeyViolation as error:
                raise UserError(
                    f"The lineage database cannot be migrated: rows of {table} name the wrong partition"
                    f" ({error.diag.message_detail})",
                    "Correct them, and migrate again.",
                ) from None

    def briefly(self, *statements: sql.Composed) -> None:
        """Runs statements under an exclusive lock in one transaction; see `patiently`."""

        def once() -> None:
            with self._pg.transaction():
                self._pg.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(LOCK_LIMIT_MS))
                for statement in statements:
                    self._pg.execute(statement)

        patiently(once)

    def _value(self, statement: LiteralString, *values: str) -> object:
        row = self._pg.execute(statement, values).fetchone()
        return row[0] if row else None


def patiently(once: Callable[[], T]) -> T:
    """Repeats a transaction or a statement until it gets its locks, without a deadlock.

    Raises:
        UserError: other transactions held them for half an hour.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return once()
        except (LockNotAvailable, DeadlockDetected) as error:
            if time.monotonic() > deadline:
                raise UserError(
                    f"The lineage database cannot be migrated: long transactions use its tables ({error})",
                    "End them (see pg_stat_activity), and migrate again. It continues where it stopped.",
                ) from None
        time.sleep(_PAUSE_S)
