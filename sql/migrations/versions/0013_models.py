"""Sets to train on, which trajectory went into which split of them, and the models that came of it."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE sft_sets (
    set_id     text COLLATE "C" PRIMARY KEY,
    spec       jsonb NOT NULL,
    versions   text[] NOT NULL,
    counts     jsonb NOT NULL,
    left_out   jsonb NOT NULL,
    location   text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE sft_set_items (
    set_id          text COLLATE "C" NOT NULL REFERENCES sft_sets,
    trajectory_id   text COLLATE "C" NOT NULL,
    segment_id      text COLLATE "C" NOT NULL REFERENCES segments,
    dataset_version text COLLATE "C" NOT NULL REFERENCES datasets,
    split           text NOT NULL CHECK (split IN ('train', 'validation', 'test')),
    PRIMARY KEY (set_id, trajectory_id)
);
CREATE INDEX sft_set_items_segment ON sft_set_items (segment_id);
CREATE TABLE models (
    model_id       text COLLATE "C" PRIMARY KEY,
    name           text NOT NULL,
    base           text NOT NULL,
    profile        text NOT NULL,
    profile_sha256 text COLLATE "C" NOT NULL,
    set_id         text COLLATE "C" REFERENCES sft_sets,
    location       text NOT NULL,
    status         text NOT NULL CHECK (status IN ('candidate', 'champion', 'rejected', 'kept')),
    metrics        jsonb NOT NULL DEFAULT '{}',
    airflow_run_id text COLLATE "C",
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX models_champion ON models (name) WHERE status = 'champion';
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute("DROP TABLE models, sft_set_items, sft_sets")
