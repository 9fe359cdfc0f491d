"""Alembic's entry: gets its connection from `gem_tasks.lineage.migrate`."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table="gem_alembic_version")
with context.begin_transaction():
    context.run_migrations()
