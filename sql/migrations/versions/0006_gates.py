"""What outcomes measure, for the gates; who decided, and by which policy."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE stage_results ADD COLUMN measures jsonb")
    op.execute("ALTER TABLE gate_decisions ADD COLUMN policy_sha256 text NOT NULL DEFAULT '', ADD COLUMN person text")


def downgrade() -> None:
    op.execute("ALTER TABLE gate_decisions DROP COLUMN policy_sha256, DROP COLUMN person")
    op.execute("ALTER TABLE stage_results DROP COLUMN measures")
