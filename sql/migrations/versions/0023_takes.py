"""A version may leave out several conversations of one text: exclusions name the trajectory."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE dataset_exclusions
            ADD COLUMN trajectory_id text COLLATE "C" NOT NULL DEFAULT '',
            DROP CONSTRAINT dataset_exclusions_pkey,
            ADD PRIMARY KEY (version, segment_id, trajectory_id)
    """)


def downgrade() -> None:
    op.execute("""
        DELETE FROM dataset_exclusions a USING dataset_exclusions b
        WHERE a.version = b.version AND a.segment_id = b.segment_id AND a.trajectory_id > b.trajectory_id
    """)
    op.execute("""
        ALTER TABLE dataset_exclusions
            DROP CONSTRAINT dataset_exclusions_pkey,
            ADD PRIMARY KEY (version, segment_id),
            DROP COLUMN trajectory_id
    """)
