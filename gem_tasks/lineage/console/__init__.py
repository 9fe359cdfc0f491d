"""Queries of the pages in Airflow's UI, over a small pool of read-only connections.

A page must never block Airflow: there are few connections, a query has a time limit of seconds, Postgres plans for the
given values (a plan for all combinations of optional filters suits none), and nothing here can write.
"""

from collections.abc import Generator
from contextlib import contextmanager

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from gem_tasks.lineage.address import CONNECT_LIMIT_S, refuse_malformed, unreachable
from gem_tasks.lineage.changes import Changes
from gem_tasks.lineage.connection import Connection, Row
from gem_tasks.lineage.console.datasets import Datasets
from gem_tasks.lineage.console.documents import Documents
from gem_tasks.lineage.console.failures import Failures
from gem_tasks.lineage.console.models import Models
from gem_tasks.lineage.console.overview import Overview
from gem_tasks.lineage.console.partitions import Partitions
from gem_tasks.lineage.console.prompts import Prompts
from gem_tasks.lineage.console.runs import Runs
from gem_tasks.lineage.console.trajectories import Trajectories
from gem_tasks.lineage.evaluations import Evaluations
from gem_tasks.lineage.reports import Reports
from gem_tasks.lineage.synthesizer import Synthesizer

_MOST = 8
"""Maximum number of connections of one API server process."""
_PATIENCE_S = 10
_OPTIONS = "-c default_transaction_read_only=on -c statement_timeout=15s -c TimeZone=UTC"


class ConsoleRows:
    """A connection of the pool during one query, by page.

    Each page is a class in a module of the same name, with its SQL in `sql/queries/console/` under that name.
    """

    def __init__(self, pg: psycopg.Connection[Row]) -> None:
        db = Connection.over(pg)
        self.changes = Changes(db)
        self.datasets = Datasets(db)
        self.documents = Documents(db)
        self.failures = Failures(db)
        self.models = Models(db)
        self.overview = Overview(db)
        self.partitions = Partitions(db)
        self.prompts = Prompts(db)
        self.runs = Runs(db)
        self.trajectories = Trajectories(db)
        self.evaluations = Evaluations(db)
        self.reports = Reports(db)
        self.synthesizer = Synthesizer(db)


def _alive(connection: psycopg.Connection[Row]) -> None:
    """Raises if Postgres has ended the connection, such as by a restart; the pool then opens another."""
    connection.execute("SELECT 1")


class ConsolePool:
    """Connects at first use; safe in threads."""

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
        """Yields a connection.

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
        """Closes all connections."""
        self._pool.close()
