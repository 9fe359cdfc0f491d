"""Generates the page of tables and views from a freshly migrated database."""

import secrets
import shutil
import socket
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import LiteralString

import psycopg
from pydantic import SecretStr

from gem_tasks.lineage.migrate import migrate
from gem_tasks.local.home import away
from gem_tasks.local.postgres import Postgres
from gem_tasks.resources import shipped
from tools.docs.markdown import code, prose, table

_HEAD = """# Tables and views

The tables and views of the lineage in Postgres, for people who query it. All of GEM's reports read from here; the
views answer frequent questions in plain SQL.

"""
_COLUMNS: LiteralString = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       coalesce(pg_get_expr(d.adbin, d.adrelid), ''),
       coalesce((
           SELECT string_agg(
               CASE contype WHEN 'p' THEN 'primary key' ELSE 'references ' || confrelid::regclass END, ', ')
           FROM pg_constraint WHERE conrelid = c.oid AND a.attnum = ANY (conkey) AND contype IN ('p', 'f')), '')
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = %(kind)s AND c.relname <> 'gem_alembic_version'
ORDER BY c.relname, a.attnum"""


@cache
def page() -> str:
    """All tables and views; starts a database server for a moment."""
    with _lineage() as dsn, psycopg.connect(dsn) as connection:
        tables = connection.execute(_COLUMNS, {"kind": "r"}).fetchall()
        views = connection.execute(_COLUMNS, {"kind": "v"}).fetchall()
    parts = [_HEAD, "## Tables\n\n"]
    for name, columns in groupby(tables, key=lambda row: row[0]):
        rows = [
            (code(column), kind, "" if needed else "may be", code(default), words)
            for _, column, kind, needed, default, words in columns
        ]
        parts.append(f"### {name}\n\n{table(('column', 'type', 'null', 'default', 'key'), rows)}\n")
    parts.append("## Views\n\n")
    for name, columns in groupby(views, key=lambda row: row[0]):
        names = ", ".join(code(column[1]) for column in columns)
        parts.append(f"### {name}\n\n{_question(name)}\n\nColumns: {names}\n\n")
    return "".join(parts)


def _question(view: str) -> str:
    """The comment above a view."""
    path = shipped("sql") / "views" / f"{view}.sql"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    words = [line.removeprefix("--").strip() for line in lines if line.startswith("--")]
    return prose(" ".join(words))


@contextmanager
def _lineage() -> Generator[str]:
    """Yields the DSN of a temporary, migrated database."""
    folder = Path(tempfile.mkdtemp(prefix="gem-docs-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Postgres(folder / "data", port, SecretStr(secrets.token_urlsafe()))
    try:
        server.start()
        server.create_database("lineage")
        migrate(server.dsn("lineage"))
        yield server.dsn("lineage")
    finally:
        server.stop()
        for path in (folder, away(folder / "data")):  # as root it may have had to live elsewhere
            shutil.rmtree(path, ignore_errors=True)
