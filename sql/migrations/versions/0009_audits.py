"""Samples that people rate."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE audits (
    audit_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    what       text NOT NULL CHECK (what IN ('segments', 'trajectories')),
    version    text COLLATE "C" REFERENCES datasets,
    recipe_id  text COLLATE "C" NOT NULL REFERENCES recipes,
    seed       integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE audit_items (
    audit_id   bigint NOT NULL REFERENCES audits,
    item       integer NOT NULL,
    segment_id text COLLATE "C" NOT NULL REFERENCES segments,
    stratum    text NOT NULL,
    PRIMARY KEY (audit_id, item)
);
CREATE TABLE audit_ratings (
    audit_id     bigint NOT NULL,
    item         integer NOT NULL,
    rater        text NOT NULL,
    coherence    smallint NOT NULL CHECK (coherence BETWEEN 1 AND 5),
    relevance    smallint NOT NULL CHECK (relevance BETWEEN 1 AND 5),
    faithfulness smallint NOT NULL CHECK (faithfulness BETWEEN 1 AND 5),
    comment      text NOT NULL DEFAULT '',
    rated_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (audit_id, item, rater),
    FOREIGN KEY (audit_id, item) REFERENCES audit_items
);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute("DROP TABLE audit_ratings, audit_items, audits")
