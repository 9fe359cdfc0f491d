"""Which prompts a run began with, when recipes were last used, learned prefilters, and what `gem gc` has removed."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE recipes ADD COLUMN last_used_at timestamptz NOT NULL DEFAULT now()")
    op.execute("""
        UPDATE recipes r SET last_used_at = coalesce(used.at, r.first_seen_at)
        FROM recipes known
        LEFT JOIN (SELECT recipe_id, max(updated_at) AS at FROM stage_results GROUP BY recipe_id) used USING (recipe_id)
        WHERE known.recipe_id = r.recipe_id
    """)
    op.execute("""
        CREATE TABLE run_prompts (
            run       text COLLATE "C" NOT NULL,
            name      text NOT NULL,
            sha256    text COLLATE "C" NOT NULL REFERENCES prompts,
            origin    text,
            pinned_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (run, name)
        )
    """)
    op.execute("""
        CREATE TABLE prefilters (
            prefilter_id    text COLLATE "C" PRIMARY KEY REFERENCES recipes,
            recipe_id       text COLLATE "C" NOT NULL REFERENCES recipes,
            object_key      text COLLATE "C" NOT NULL,
            sha256          text COLLATE "C" NOT NULL,
            report          jsonb NOT NULL,
            trained_at      timestamptz NOT NULL DEFAULT now(),
            retired_at      timestamptz,
            retired_because text CHECK (retired_because IN ('replaced', 'drift')),
            retired_detail  text NOT NULL DEFAULT '',
            CHECK ((retired_at IS NULL) = (retired_because IS NULL))
        )
    """)
    op.execute("CREATE UNIQUE INDEX prefilters_current ON prefilters (recipe_id) WHERE retired_at IS NULL")
    # One in twenty of what a prefilter has seen: small, and read before every shard.
    op.execute("""
        CREATE INDEX stage_results_prefilter_share ON stage_results ((measures ->> 'prefilter'), updated_at)
        WHERE measures -> 'prefilter_share' = 'true'
    """)
    op.execute("ALTER TABLE datasets ADD COLUMN superseded_at timestamptz, ADD COLUMN collected_at timestamptz")
    op.execute("UPDATE datasets SET superseded_at = now() WHERE superseded_by IS NOT NULL")


def downgrade() -> None:
    op.execute("ALTER TABLE datasets DROP COLUMN superseded_at, DROP COLUMN collected_at")
    op.execute("DROP INDEX stage_results_prefilter_share")
    op.execute("DROP TABLE prefilters, run_prompts")
    op.execute("ALTER TABLE recipes DROP COLUMN last_used_at")
