"""Roles of the lineage database, each with the minimum privileges that its services need.

| role           | used by                        | rights                                                          |
|----------------|--------------------------------|-----------------------------------------------------------------|
| the owner      | migrations, and this           | all                                                             |
| `gem_pipeline` | workers, `gem`                 | reads and writes rows                                           |
| `gem_console`  | the API server's pages         | reads; marks results for a retry; adds people's changes         |

`python -m gem_tasks.lineage.roles` creates them in GEM_POSTGRES_DSN, whose user is the owner, with the passwords in
GEM_PIPELINE_DB_PASSWORD and GEM_CONSOLE_DB_PASSWORD. Repeating it updates passwords and restores privileges.
"""

import os
import sys
from typing import LiteralString

import psycopg
from psycopg import sql

from gem_tasks.errors import UserError
from gem_tasks.lineage.address import CONNECT_LIMIT_S, refuse_malformed, unreachable
from gem_tasks.lineage.migrate import VERSION_TABLE
from gem_tasks.settings import load

PASSWORDS = {"gem_pipeline": "GEM_PIPELINE_DB_PASSWORD", "gem_console": "GEM_CONSOLE_DB_PASSWORD"}
"""Maps roles to the variables with their passwords."""

_LOGIN: LiteralString = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS LOGIN"
_FOR_ALL: tuple[LiteralString, ...] = (
    "REVOKE ALL ON DATABASE {database} FROM PUBLIC",
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    "GRANT CONNECT ON DATABASE {database} TO gem_pipeline, gem_console",
    "GRANT USAGE ON SCHEMA public TO gem_pipeline, gem_console",
)
_PIPELINE: tuple[LiteralString, ...] = (
    "GRANT TEMPORARY ON DATABASE {database} TO gem_pipeline",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO gem_pipeline",
    "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO gem_pipeline",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO gem_pipeline",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO gem_pipeline",
    "REVOKE INSERT, UPDATE, DELETE ON {version} FROM gem_pipeline",
)
# A mark changes a result, and the triggers that count results update the totals with the privileges of the same role.
_CONSOLE: tuple[LiteralString, ...] = (
    "GRANT SELECT ON ALL TABLES IN SCHEMA public TO gem_console",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO gem_console",
    "GRANT UPDATE (retry_asked, set_aside, failed_runs) ON stage_results TO gem_console",
    "GRANT INSERT ON item_changes TO gem_console",
    "GRANT UPDATE (base) ON trajectories TO gem_console",
    "GRANT UPDATE (changes) ON partitions TO gem_console",
    "GRANT INSERT, UPDATE, DELETE ON stage_totals, stage_activity TO gem_console",
)


def make_roles(dsn: str, passwords: dict[str, str]) -> None:
    """Creates or updates the roles, in one transaction.

    Args:
        dsn: DSN of the migrated lineage database, as its owner, who may create roles.
        passwords: passwords by role.

    Raises:
        UserError: the database does not answer, or this user may not create roles.
    """
    refuse_malformed(dsn)
    try:
        with psycopg.connect(dsn, connect_timeout=CONNECT_LIMIT_S) as connection:
            names = {"database": sql.Identifier(connection.info.dbname), "version": sql.Identifier(VERSION_TABLE)}
            for role, password in passwords.items():
                _login(connection, role, password)
            for statement in (*_FOR_ALL, *_PIPELINE, *_CONSOLE):
                connection.execute(sql.SQL(statement).format(**names))
    except psycopg.errors.InsufficientPrivilege as error:
        what = f"This user may not create or change roles ({error.diag.message_primary})"
        raise UserError(what, "Set GEM_POSTGRES_DSN to the owner of the database, with CREATEROLE.") from None
    except psycopg.OperationalError as error:
        raise unreachable(dsn, error) from None


def _login(connection: psycopg.Connection, role: str, password: str) -> None:
    # If two deployments share a server, the second finds the roles of the first.
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    verb: LiteralString = "ALTER" if known else "CREATE"
    statement = sql.SQL(f"{verb} ROLE {{}} {_LOGIN} PASSWORD {{}}")
    connection.execute(statement.format(sql.Identifier(role), sql.Literal(password)))


def main() -> None:
    """Entry point for `deploy/init.sh`.

    Raises:
        UserError: a password is missing, or as `make_roles`.
    """
    if missing := [name for name in PASSWORDS.values() if not os.environ.get(name)]:
        raise UserError(f"{' and '.join(missing)} must be set", "Set a separate password for each role.")
    make_roles(load().database, {role: os.environ[name] for role, name in PASSWORDS.items()})


if __name__ == "__main__":
    try:
        main()
    except UserError as problem:
        sys.stderr.write(f"gem: {problem}\n")
        sys.exit(2)
