"""One connection to the lineage, opened on first use; runs named queries and nothing else."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from gem_tasks.errors import GemError, UserError
from gem_tasks.lineage.queries import queries

Row = dict[str, Any]


class Connection:
    """A context manager. Every `transaction()` commits as a whole or not at all."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._pg: psycopg.Connection[Row] | None = None

    def __enter__(self) -> Self:
        """Connects.

        Raises:
            UserError: Postgres does not answer or refuses the login; the password is not in the message.
        """
        try:
            self._pg = psycopg.Connection[Row].connect(
                self._dsn, autocommit=True, row_factory=dict_row, application_name="gem"
            )
        except psycopg.OperationalError as error:
            info = conninfo_to_dict(self._dsn)
            where = f"{info.get('host')}:{info.get('port', 5432)}/{info.get('dbname')}"
            reason = str(error).strip().splitlines()[-1][-200:]
            raise UserError(
                f"The lineage database {where} cannot be reached ({reason})",
                "Start it with `gem up`, or correct GEM_POSTGRES_DSN.",
            ) from None
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
        """Executes a named query that returns nothing of interest."""
        self.pg.execute(queries()[query], values)

    def rows(self, query: str, /, **values: Any) -> list[Row]:
        """All rows of a named query."""
        return self.pg.execute(queries()[query], values).fetchall()

    def one(self, query: str, /, **values: Any) -> Row:
        """The only row of a named query."""
        (row,) = self.rows(query, **values)
        return row


def columns(items: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, list[Any]]:
    """Rows turned into one array per column, as `unnest` takes them. NUL, which Postgres cannot store, is replaced."""
    return {name: [_clean(item[name]) for item in items] for name in names}


def _clean(value: Any) -> Any:
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value
