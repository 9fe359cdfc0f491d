"""Brings the lineage's schema to the newest version: tables by Alembic, views from `sql/views`.

`python -m gem_tasks.lineage.migrate` migrates GEM_POSTGRES_DSN, a database that `gem up` does not own; with a revision
as argument it upgrades to it, or with `--down` downgrades.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from gem_tasks.errors import UserError, first_line
from gem_tasks.lineage.address import CONNECT_LIMIT_S, refuse_malformed, unreachable
from gem_tasks.lineage.online import LOCK_LIMIT_MS, Online, patiently
from gem_tasks.lineage.views import create_views, drop_views
from gem_tasks.resources import shipped
from gem_tasks.settings import load

VERSION_TABLE = "gem_alembic_version"
"""Not Alembic's default name, which Airflow uses if both share a database."""
_BASE = "base"
_NO_CONNECTION = ("08", "28", "3D", "57P")
"""Beginnings of SQLSTATEs: connection, login, no such database, shutdown."""
_VIEWS_SINCE = "0025"
"""The first revision with all columns that `sql/views` reads."""


def migrate(dsn: str, revision: str = "head", *, down: bool = False) -> None:
    """Upgrades the schema, or if `down` downgrades it, to `base` (nothing) at most. Two processes may do so at once.

    Revisions with `online_upgrade` and `online_downgrade` first do their long part beside readers and writers. If that
    is interrupted, the next call continues it.

    Raises:
        UserError: the database does not answer or ends a statement (disk full, cancelled), or a newer GEM has migrated
            it, or long transactions prevent it, or the revision is in the other direction than `down` says.
    """
    refuse_malformed(dsn)
    connect = partial(psycopg.connect, dsn, connect_timeout=CONNECT_LIMIT_S)
    # The driver reads the DSN itself, because SQLAlchemy and libpq read URLs differently.
    engine = create_engine("postgresql+psycopg://", creator=connect)
    try:
        with connect(autocommit=True) as pg:
            online = Online(pg)
            with online.only_migrator():
                for step in _steps(engine, revision, down=down):
                    if step.online:
                        step.online(online)
                    patiently(partial(_take, engine, step))
    except (OperationalError, psycopg.OperationalError) as error:
        raise _fault(dsn, getattr(error, "orig", None) or error) from None
    except CommandError as error:
        raise UserError(
            f"The lineage database cannot be migrated ({error})", "Use the version of GEM that migrated it."
        ) from error
    finally:
        engine.dispose()


def _fault(dsn: str, error: BaseException) -> UserError:
    state = getattr(error, "sqlstate", None)
    if not state or state.startswith(_NO_CONNECTION):
        return unreachable(dsn, error)
    return UserError(
        f"The lineage database cannot be migrated ({first_line(error)})",
        "Correct the cause, and migrate again. It continues where it stopped.",
    )


class _Step(NamedTuple):
    """One transaction from a revision to another, and what precedes it."""

    end: str
    command: Callable[[Config, str], None] | None = None
    online: Callable[[Online], None] | None = None


def _steps(engine: Engine, wanted: str, *, down: bool) -> list[_Step]:
    """The way from the database's revision to the wanted one. Plain revisions in a row share a transaction."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        current = context.get_current_revision()
    script = ScriptDirectory.from_config(_config())
    line = [_BASE, *(each.revision for each in reversed(list(script.walk_revisions())))]
    ends = [current or _BASE, line[-1] if wanted == "head" else wanted]
    if unknown := [each for each in ends if each not in line]:
        raise CommandError(f"there is no revision {unknown[0]}")
    start, end = (line.index(each) for each in ends)
    back = end < start
    if start != end and back != down:
        raise _wrong_way(line[start], line[end], back=back)
    crossed = range(start, end, -1) if back else range(start + 1, end + 1)
    steps: list[_Step] = []
    for at in crossed:
        module = script.get_revision(line[at]).module
        online = getattr(module, "online_downgrade" if back else "online_upgrade", None)
        if steps and not online and not steps[-1].online:
            steps.pop()
        steps.append(_Step(line[at - back], command.downgrade if back else command.upgrade, online))
    return steps or [_Step(line[end])]


def _wrong_way(now: str, wanted: str, *, back: bool) -> UserError:
    fix = "Leave the revision out to upgrade, or make a backup and add --down, which drops what came later."
    return UserError(
        f"The lineage database is at revision {now}, and {wanted} is {'older' if back else 'newer'}",
        fix if back else "Leave --down out to upgrade.",
    )


def _take(engine: Engine, step: _Step) -> None:
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('gem-migrate', 0))"))
            if step.online:
                connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_LIMIT_MS}"))
            elif step.command:
                drop_views(connection)  # they depend on columns that a migration may change
            if step.command:
                config = _config()
                config.attributes["connection"] = connection
                step.command(config, step.end)
            if step.end != _BASE and step.end >= _VIEWS_SINCE:
                create_views(connection)
    except OperationalError as error:
        raise (error.orig if isinstance(error.orig, psycopg.OperationalError) else error) from None


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(shipped("sql") / "migrations").replace("%", "%%"))
    return config


if __name__ == "__main__":
    parser = ArgumentParser(prog="python -m gem_tasks.lineage.migrate", description="Migrates GEM_POSTGRES_DSN.")
    parser.add_argument("revision", nargs="?", default="head", help="by default the newest")
    parser.add_argument("--down", action="store_true", help="downgrades, and drops what came later")
    arguments = parser.parse_args()
    try:
        migrate(load().database, arguments.revision, down=arguments.down)
    except UserError as problem:
        sys.stderr.write(f"gem: {problem}\n")
        sys.exit(2)
