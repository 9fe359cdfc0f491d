"""What the pages in Airflow's UI ask: named queries over a small pool of read-only connections.

A page must never hold up Airflow: connections are few, a query has seconds, plans are made for the values at hand (the
filters of a list are optional, and a plan that fits all of them fits none), and nothing here can write.
"""

from collections.abc import Generator
from contextlib import contextmanager

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from gem_tasks.lineage.address import CONNECT_LIMIT_S, refuse_malformed, unreachable
from gem_tasks.lineage.connection import Connection, Row
from gem_tasks.lineage.evaluations import Evaluations
from gem_tasks.lineage.failures import Failures
from gem_tasks.lineage.reports import Reports

_MOST = 8
"""Connections of one API server process."""
_PATIENCE_S = 10
_OPTIONS = "-c default_transaction_read_only=on -c statement_timeout=15s -c TimeZone=UTC"
_NEWEST = 3000
"""Documents that a search looks through one by one: what a word that is in many of them has there fills a page."""
_FOUND = 500
"""Matches that are looked up otherwise at most, each at another place of the disk."""
# A bitmap of millions of places that does not fit becomes one of pages, whose every row has then to be looked at.
_SEARCH = "SELECT set_config('work_mem', '64MB', true), set_config('enable_seqscan', 'off', true)"


class ConsoleRows(Connection):
    """A connection of the pool, for the time of one question."""

    def __init__(self, pg: psycopg.Connection[Row]) -> None:
        super().__init__("")
        self._pg = pg
        self.reports, self.failures, self.evaluations = Reports(self), Failures(self), Evaluations(self)

    def found_documents(self, limit: int, **values: object) -> list[Row]:
        """Documents whose title or address has some words: a page of the newest, or of all there are."""
        found = self.rows("console_newest_found", newest=_NEWEST, limit=limit, **values)
        if len(found) == limit:
            return found
        with self.transaction():
            self.pg.execute(_SEARCH)
            return self.rows("console_documents_found", most=_FOUND, limit=limit, **values)


def _alive(connection: psycopg.Connection[Row]) -> None:
    """Raises when Postgres has ended the connection, as it does when it restarts: the pool then makes another."""
    connection.execute("SELECT 1")


class ConsolePool:
    """Connects when it is first asked; safe in threads."""

    def __init__(self, dsn: str) -> None:
        refuse_malformed(dsn)
        self._dsn = dsn
        self._pool = ConnectionPool[psycopg.Connection[Row]](
            dsn,
            connection_class=psycopg.Connection[Row],
            min_size=0,
            max_size=_MOST,
            open=False,
            timeout=_PATIENCE_S,
            max_idle=300,
            check=_alive,
            kwargs={
                "autocommit": True,
                "row_factory": dict_row,
                "prepare_threshold": None,
                "application_name": "gem-console",
                "connect_timeout": CONNECT_LIMIT_S,
                "options": _OPTIONS,
            },
        )

    @contextmanager
    def rows(self) -> Generator[ConsoleRows]:
        """A connection to ask.

        Raises:
            UserError: Postgres does not answer, or refuses the login.
        """
        self._pool.open()
        try:
            with self._pool.connection() as connection:
                yield ConsoleRows(connection)
        except (PoolTimeout, psycopg.errors.AdminShutdown, psycopg.errors.ConnectionException) as error:
            raise unreachable(self._dsn, error) from None

    def close(self) -> None:
        """Ends all connections."""
        self._pool.close()
