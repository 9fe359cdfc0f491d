"""A limit given once is kept with its source: after a trial over a few documents, the next hour keeps to them."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE sources ADD COLUMN document_limit integer CHECK (document_limit >= 1)")


def downgrade() -> None:
    op.execute("ALTER TABLE sources DROP COLUMN document_limit")
