"""Failures that are set aside after several runs, and the recipes that a run began with."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE stage_results
            ADD COLUMN failed_runs integer NOT NULL DEFAULT 0,
            ADD COLUMN doubtful boolean NOT NULL DEFAULT false,
            ADD COLUMN set_aside boolean NOT NULL DEFAULT false
    """)
    # Whether no later run asks by itself: in one place, for everything that asks what is left to do.
    op.execute("""
        ALTER TABLE stage_results ADD COLUMN final boolean NOT NULL GENERATED ALWAYS AS (
            set_aside OR NOT (doubtful OR coalesce(
                error_class IN ('rate_limited', 'server_error', 'timeout', 'connection'), false))
        ) STORED
    """)
    op.execute("""
        CREATE TABLE run_recipes (
            run       text COLLATE "C" NOT NULL,
            stage     text NOT NULL,
            recipe_id text COLLATE "C" NOT NULL REFERENCES recipes,
            pinned_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (run, stage)
        )
    """)


def downgrade() -> None:
    op.execute("DROP TABLE run_recipes")
    op.execute("ALTER TABLE stage_results DROP COLUMN final")
    op.execute("ALTER TABLE stage_results DROP COLUMN set_aside, DROP COLUMN doubtful, DROP COLUMN failed_runs")
