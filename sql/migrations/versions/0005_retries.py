"""Failures that a person wants to be tried again."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE stage_results ADD COLUMN retry_asked boolean NOT NULL DEFAULT false")


def downgrade() -> None:
    op.execute("ALTER TABLE stage_results DROP COLUMN retry_asked")
