"""What accepted texts are about and which a quota holds; what conversations are, judged beside their plans."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE quota_texts (
            segment_id    text COLLATE "C" NOT NULL REFERENCES segments,
            recipe_id     text COLLATE "C" NOT NULL REFERENCES recipes,
            partition_key text COLLATE "C" NOT NULL REFERENCES partitions,
            domains       text[] NOT NULL,
            platform      text NOT NULL,
            task          text NOT NULL,
            held_by       text,
            decided_at    timestamptz,
            PRIMARY KEY (segment_id, recipe_id)
        )
    """)
    op.execute("CREATE INDEX quota_texts_partition ON quota_texts (partition_key, recipe_id)")
    op.execute("""
        CREATE TABLE plan_judgements (
            trajectory_id     text COLLATE "C" NOT NULL,
            judge             text COLLATE "C" NOT NULL,
            model             text NOT NULL,
            prompt_sha256     text COLLATE "C" NOT NULL REFERENCES prompts,
            menus_sha256      text COLLATE "C" NOT NULL REFERENCES prompts,
            found             jsonb NOT NULL,
            unreadable        jsonb NOT NULL,
            prompt_tokens     integer NOT NULL,
            completion_tokens integer NOT NULL,
            usd               double precision,
            judged_at         timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (trajectory_id, judge)
        )
    """)


def downgrade() -> None:
    op.execute("DROP TABLE plan_judgements")
    op.execute("DROP TABLE quota_texts")
