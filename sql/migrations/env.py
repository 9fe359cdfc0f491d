"""Alembic's entry: gets its connection from `gem_tasks.lineage.migrate`."""

from alembic import context

from gem_tasks.lineage.migrate import VERSION_TABLE

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table=VERSION_TABLE)
with context.begin_transaction():
    context.run_migrations()
