"""Views from `sql/views/*.sql`, one file per view, named after it; recreated when a file changes.

Views have no data and therefore no history: unlike tables they always follow the files. The comment of a view contains
the hash of its text; GEM does not touch up-to-date views, because replacing a view waits for all of its readers. A view
may read those before it in alphabetical order.
"""

from hashlib import sha256

from sqlalchemy import Connection, text

from gem_tasks.resources import shipped

_HASHES = text("""
    SELECT relname, obj_description(oid, 'pg_class') FROM pg_class
    WHERE relkind = 'v' AND relnamespace = current_schema()::regnamespace
""")


def create_views(connection: Connection) -> None:
    """Creates the views of the files, if they differ."""
    views = _views()
    hashes = {name: sha256(statement.encode()).hexdigest() for name, statement in views.items()}
    present = {name: comment for name, comment in connection.execute(_HASHES)}
    if hashes.items() <= present.items():
        return
    drop_views(connection)
    for name, statement in views.items():
        connection.exec_driver_sql(statement)
        connection.exec_driver_sql(f"COMMENT ON VIEW {name} IS '{hashes[name]}'")


def drop_views(connection: Connection) -> None:
    """Drops all views, so that their tables can be changed."""
    for name in reversed(_views()):
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {name}")


def _views() -> dict[str, str]:
    paths = sorted((shipped("sql") / "views").glob("*.sql"))
    return {path.stem: path.read_text(encoding="utf-8") for path in paths}
