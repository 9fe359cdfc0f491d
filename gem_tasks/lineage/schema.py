"""Writes the lineage's tables as SQL for readers, from the catalog of a migrated database, for `sql/schema.sql`."""

from collections import defaultdict

from gem_tasks.lineage.connection import Connection, Part
from gem_tasks.lineage.migrate import VERSION_TABLE

_HEAD = """\
-- The lineage's tables as all migrations together leave them: to read, not to run. Views have their files in sql/views.
-- Made by `python -m gem_tasks.local.schema`; a test of the migrations compares.
"""


class Schema(Part):
    """Queries of the catalog."""

    def text(self) -> str:
        """Each table with its keys, indexes and triggers, then the functions; always in the same order."""
        columns, constraints, indexes = self._lines("columns"), self._lines("constraints"), self._lines("indexes")
        tables = [
            f"CREATE TABLE {name} (\n    "
            + ",\n    ".join([*lines, *constraints[name]])
            + "\n);\n"
            + "".join(f"{line};\n" for line in indexes[name])
            for name, lines in columns.items()
        ]
        functions = [f"{line.strip()};\n" for lines in self._lines("functions").values() for line in lines]
        text = "\n".join([_HEAD, *tables, *functions]).replace("public.", "")
        return "".join(f"{line.rstrip()}\n" for line in text.splitlines())

    def _lines(self, what: str) -> defaultdict[str, list[str]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        values = {"but": VERSION_TABLE} if what == "columns" else {}
        for row in self._db.rows(f"schema_{what}", **values):
            found[row["table"]].append(row["line"])
        return found


def schema_of(dsn: str) -> str:
    """The SQL of a migrated database."""
    with Connection(dsn) as db:
        return Schema(db).text()
