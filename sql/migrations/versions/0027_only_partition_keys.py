"""The old keys and their foreign keys go: code before revision 0026 can only read from here on. See ADR 27."""

from alembic import op

from gem_tasks.lineage.online import Online

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

KEYED = ("stage_results", "quota_texts")


def online_upgrade(online: Online) -> None:
    """Nothing to prepare; the exchange itself is tried until it gets its locks."""


def upgrade() -> None:
    for table in KEYED:
        _exchange_key(table, f"{table}_key")
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_segment_id_fkey")


def online_downgrade(online: Online) -> None:
    for table in KEYED:
        online.index(f"{table}_old_key", f"{table} (segment_id, recipe_id)", unique=True)
        # The one that is there goes with the primary key.
        online.index(f"{table}_key", f"{table} (partition_key, segment_id, recipe_id)", unique=True)
        online.foreign_key(table, f"{table}_segment_id_fkey", "(segment_id) REFERENCES segments (segment_id)")


def downgrade() -> None:
    for table in KEYED:
        _exchange_key(table, f"{table}_old_key")


def _exchange_key(table: str, index: str) -> None:
    """Both are built, so this takes no time under its lock."""
    name = f"{table}_pkey"
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} PRIMARY KEY USING INDEX {index}")
