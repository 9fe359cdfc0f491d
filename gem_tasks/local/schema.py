"""Regenerates `sql/schema.sql` after a new migration: `python -m gem_tasks.local.schema`."""

import socket
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import SecretStr

from gem_tasks.lineage.migrate import migrate
from gem_tasks.lineage.schema import schema_of
from gem_tasks.local.postgres import Postgres
from gem_tasks.resources import shipped


def main() -> None:
    """Creates a database, migrates it, writes its tables to the file, and drops it."""
    with TemporaryDirectory() as folder:
        server = Postgres(Path(folder) / "data", _free_port(), SecretStr("thrown-away"))
        server.start()
        try:
            server.create_database("gem")
            migrate(server.dsn("gem"))
            path = shipped("sql") / "schema.sql"
            path.write_text(schema_of(server.dsn("gem")), encoding="utf-8")
        finally:
            server.stop()
    sys.stdout.write(f"{path}\n")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    main()
