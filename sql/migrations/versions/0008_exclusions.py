"""Accepted trajectories that a dataset version leaves out, and why."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE dataset_exclusions (
            version    text COLLATE "C" NOT NULL REFERENCES datasets,
            segment_id text COLLATE "C" NOT NULL REFERENCES segments,
            reason     text NOT NULL,
            detail     text NOT NULL,
            PRIMARY KEY (version, segment_id)
        )
    """)


def downgrade() -> None:
    op.execute("DROP TABLE dataset_exclusions")
