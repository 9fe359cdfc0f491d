"""What results cost in money and in vain calls, and what runs may spend."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE stage_results
            ADD COLUMN reasoning_tokens integer NOT NULL DEFAULT 0,
            ADD COLUMN faults jsonb NOT NULL DEFAULT '{}',
            ADD COLUMN usd double precision
    """)
    op.execute("CREATE INDEX stage_results_run ON stage_results (airflow_run_id)")
    op.execute("""
        CREATE TABLE spending (
            run_id        text COLLATE "C" NOT NULL,
            recipe_id     text COLLATE "C" NOT NULL REFERENCES recipes,
            partition_key text COLLATE "C" NOT NULL,
            shard         integer NOT NULL,
            usd           double precision NOT NULL,
            updated_at    timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (run_id, recipe_id, partition_key, shard)
        )
    """)


def downgrade() -> None:
    op.execute("DROP TABLE spending")
    op.execute("DROP INDEX stage_results_run")
    op.execute("ALTER TABLE stage_results DROP COLUMN reasoning_tokens, DROP COLUMN faults, DROP COLUMN usd")
