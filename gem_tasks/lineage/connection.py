"""One connection to the lineage, opened on first use; runs named queries and nothing else.

Every value passes through `storable` here, which replaces what Postgres cannot store.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

import psycopg
from psycopg.rows import dict_row

from gem_tasks.errors import GemError, UserError
from gem_tasks.lineage.address import CONNECT_LIMIT_S, refuse_malformed, unreachable
from gem_tasks.lineage.queries import queries
from gem_tasks.lineage.text import storable

Row = dict[str, Any]
T = TypeVar("T")


class Connection:
    """A context manager. Every `transaction()` commits as a whole or not at all."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._pg: psycopg.Connection[Row] | None = None

    @classmethod
    def over(cls, pg: psycopg.Connection[Row]) -> Self:
        """Wraps a driver's connection that the caller opens and closes."""
        made = cls("")
        made._pg = pg
        return made

    def __enter__(self) -> Self:
        """Connects.

        Raises:
            UserError: Postgres does not answer or refuses the login; the password is not in the message.
        """
        refuse_malformed(self._dsn)
        try:
            self._pg = psycopg.Connection[Row].connect(
                self._dsn,
                autocommit=True,
                row_factory=dict_row,
                application_name="gem",
                connect_timeout=CONNECT_LIMIT_S,
            )
        except psycopg.OperationalError as error:
            raise unreachable(self._dsn, error) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the connection; an open transaction is rolled back."""
        self.pg.close()

    @property
    def pg(self) -> psycopg.Connection[Row]:
        """The driver's connection.

        Raises:
            GemError: used outside `with`.
        """
        if self._pg is None:
            raise GemError("the ledger is used outside its `with` block")
        return self._pg

    @contextmanager
    def transaction(self) -> Generator[None]:
        """All statements inside take effect together."""
        with self.pg.transaction():
            yield

    def run(self, query: str, /, **values: Any) -> None:
        """Executes a named query that returns nothing of interest.

        Raises:
            UserError: the database lacks a table or a column, because it was not migrated.
        """
        self._execute(query, values)

    def rows(self, query: str, /, **values: Any) -> list[Row]:
        """All rows of a named query; raises like `run`."""
        return self._execute(query, values).fetchall()

    def one(self, query: str, /, **values: Any) -> Row:
        """The only row of a named query; raises like `run`."""
        (row,) = self.rows(query, **values)
        return row

    def all(self, kind: Callable[..., T], query: str, /, **values: Any) -> list[T]:
        """All rows of a named query, as values of a class that has its columns as fields; raises like `run`."""
        return [kind(**row) for row in self.rows(query, **values)]

    def first(self, kind: Callable[..., T], query: str, /, **values: Any) -> T | None:
        """The first row, converted like `all`; None if there is none."""
        return next(iter(self.all(kind, query, **values)), None)

    def only(self, kind: Callable[..., T], query: str, /, **values: Any) -> T:
        """The only row, converted like `all`."""
        return kind(**self.one(query, **values))

    def _execute(self, query: str, values: Mapping[str, Any]) -> psycopg.Cursor[Row]:
        try:
            return self.pg.execute(queries()[query], {name: storable(value) for name, value in values.items()})
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
            reason = str(error.diag.message_primary)
            raise UserError(
                f"The lineage database is not up to date ({reason})",
                "Run `gem up`, or `python -m gem_tasks.lineage.migrate` for your own database.",
            ) from None


class Part:
    """One subject of the lineage, on the connection that it shares with the others."""

    def __init__(self, db: Connection) -> None:
        self._db = db


def columns(items: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, list[Any]]:
    """Converts rows to one array per column, for `unnest`."""
    return {name: [item[name] for item in items] for name in names}
