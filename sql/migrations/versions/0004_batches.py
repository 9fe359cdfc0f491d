"""Batches submitted to an endpoint's Batch API, so that a dead worker's batch is found again."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE batches (
            gem_key        text COLLATE "C" PRIMARY KEY,
            batch_id       text COLLATE "C",
            state          text NOT NULL DEFAULT 'announced' CHECK
                               (state IN ('announced', 'submitted', 'collected', 'done', 'failed', 'lost')),
            recipe_id      text COLLATE "C" NOT NULL REFERENCES recipes,
            partition_key  text COLLATE "C" NOT NULL,
            shard          integer NOT NULL,
            custom_ids     text[] NOT NULL,
            faults         jsonb NOT NULL DEFAULT '{}',
            usd_reserved   double precision NOT NULL DEFAULT 0,
            airflow_run_id text COLLATE "C",
            announced_at   timestamptz NOT NULL DEFAULT now(),
            submitted_at   timestamptz,
            ended_at       timestamptz
        )
    """)
    op.execute("""
        CREATE INDEX batches_open ON batches (recipe_id, partition_key, shard)
        WHERE state IN ('announced', 'submitted', 'collected')
    """)


def downgrade() -> None:
    op.execute("DROP TABLE batches")
