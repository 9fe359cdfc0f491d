"""Where a segment of a converted document is in its file: page, slide, sheet, chapter."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE segments ADD COLUMN place text")


def downgrade() -> None:
    op.execute("ALTER TABLE segments DROP COLUMN place")
