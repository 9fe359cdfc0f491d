"""Views from `sql/views/*.sql`, a file a view, named after it; created again when a file changed.

They hold no data, so they have no history either: unlike tables they always follow the files. A view's own comment
keeps the hash of the text it was made from; while all are up to date none is touched, because replacing one waits for
everyone who reads it. A view may read those before it in the alphabet.
"""

from hashlib import sha256

from sqlalchemy import Connection, text

from gem_tasks.resources import shipped

_HASHES = text("""
    SELECT relname, obj_description(oid, 'pg_class') FROM pg_class
    WHERE relkind = 'v' AND relnamespace = current_schema()::regnamespace
""")


def create_views(connection: Connection) -> None:
    """Makes the database's views those of the files."""
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
    """Removes them all, so that the tables below can go."""
    for name in reversed(_views()):
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {name}")


def _views() -> dict[str, str]:
    paths = sorted((shipped("sql") / "views").glob("*.sql"))
    return {path.stem: path.read_text(encoding="utf-8") for path in paths}
