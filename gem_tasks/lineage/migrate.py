"""Brings the lineage's schema to the newest version: tables by Alembic, views from `sql/views`.

`python -m gem_tasks.lineage.migrate` migrates GEM_POSTGRES_DSN, a database that `gem up` does not own; with a revision
as argument it upgrades or downgrades to it.
"""

import sys

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError

from gem_tasks.errors import UserError
from gem_tasks.lineage.address import CONNECT_LIMIT_S, refuse_malformed, unreachable
from gem_tasks.lineage.views import create_views, drop_views
from gem_tasks.resources import shipped
from gem_tasks.settings import load

VERSION_TABLE = "gem_alembic_version"
"""Not Alembic's default name, which Airflow uses if both share a database."""


def migrate(dsn: str, revision: str = "head") -> None:
    """Upgrades the schema, or downgrades it to `base` (nothing). Two processes may do so at the same time.

    Raises:
        UserError: the database does not answer, or a newer GEM has migrated it.
    """
    refuse_malformed(dsn)
    # The driver reads the DSN itself, because SQLAlchemy and libpq read URLs differently.
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(dsn, connect_timeout=CONNECT_LIMIT_S)
    )
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('gem-migrate', 0))"))
            _migrate(connection, revision)
    except OperationalError as error:
        raise unreachable(dsn, error.orig or error) from None
    except CommandError as error:
        raise UserError(
            f"The lineage database cannot be migrated ({error})", "Use the version of GEM that migrated it."
        ) from error
    finally:
        engine.dispose()


def _migrate(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(shipped("sql") / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    head = ScriptDirectory.from_config(config).get_current_head()
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    if revision != "head" or context.get_current_revision() != head:
        drop_views(connection)  # they depend on columns that a migration may change
        step = command.downgrade if revision == "base" else command.upgrade
        step(config, revision)
    if revision == "head":
        create_views(connection)


if __name__ == "__main__":
    try:
        migrate(load().database, *sys.argv[1:2])
    except UserError as problem:
        sys.stderr.write(f"gem: {problem}\n")
        sys.exit(2)
