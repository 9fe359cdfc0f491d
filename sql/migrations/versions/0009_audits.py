"""Audits by people: what was drawn, how it was rated, and which dataset versions passed."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE audits (
            audit_id       text COLLATE "C" PRIMARY KEY,
            sample         jsonb NOT NULL,
            population     integer NOT NULL,
            versions       text[] NOT NULL,
            airflow_run_id text COLLATE "C",
            drawn_at       timestamptz NOT NULL DEFAULT now()
        )
    """)
    op.execute("""
        CREATE TABLE audit_items (
            audit_id      text COLLATE "C" NOT NULL REFERENCES audits,
            item_id       text COLLATE "C" NOT NULL,
            position      integer NOT NULL,
            stratum       text NOT NULL,
            partition_key text COLLATE "C" NOT NULL,
            shard         integer NOT NULL,
            recipe_id     text COLLATE "C" NOT NULL REFERENCES recipes,
            version       text COLLATE "C",
            PRIMARY KEY (audit_id, item_id)
        )
    """)
    op.execute("""
        CREATE TABLE audit_ratings (
            audit_id     text COLLATE "C" NOT NULL,
            item_id      text COLLATE "C" NOT NULL,
            rater        text NOT NULL,
            coherence    smallint NOT NULL CHECK (coherence BETWEEN 1 AND 5),
            tools        smallint NOT NULL CHECK (tools BETWEEN 1 AND 5),
            faithfulness smallint NOT NULL CHECK (faithfulness BETWEEN 1 AND 5),
            comment      text NOT NULL DEFAULT '',
            rated_at     timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (audit_id, item_id, rater),
            FOREIGN KEY (audit_id, item_id) REFERENCES audit_items
        )
    """)
    op.execute('ALTER TABLE datasets ADD COLUMN audited_by text COLLATE "C" REFERENCES audits')


def downgrade() -> None:
    op.execute("ALTER TABLE datasets DROP COLUMN audited_by")
    op.execute("DROP TABLE audit_ratings, audit_items, audits")
