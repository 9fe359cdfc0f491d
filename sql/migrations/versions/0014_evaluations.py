"""Evaluations of models case by case, and who became champion when and why.

`model_id` is that of `models`, without a foreign key: an endpoint of somebody else's can be evaluated too.
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE evaluations (
    evaluation_id  text COLLATE "C" PRIMARY KEY,
    model_id       text COLLATE "C",
    model          text NOT NULL,
    harness        text NOT NULL,
    settings       jsonb NOT NULL,
    scores         jsonb NOT NULL,
    measures       jsonb NOT NULL,
    seconds        double precision NOT NULL,
    location       text NOT NULL,
    airflow_run_id text COLLATE "C",
    evaluated_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX evaluations_model ON evaluations (model_id, harness, evaluated_at DESC);
CREATE TABLE evaluation_cases (
    evaluation_id text COLLATE "C" NOT NULL REFERENCES evaluations,
    position      integer NOT NULL,
    category      text NOT NULL,
    case_id       text COLLATE "C" NOT NULL,
    epoch         smallint NOT NULL,
    score         double precision NOT NULL,
    error         text,
    PRIMARY KEY (evaluation_id, position)
);
CREATE TABLE promotions (
    promotion_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model_id     text COLLATE "C" NOT NULL,
    against      text COLLATE "C",
    outcome      text NOT NULL CHECK (outcome IN ('promoted', 'kept', 'rejected')),
    decided_by   text NOT NULL,
    why          text NOT NULL,
    evidence     jsonb NOT NULL DEFAULT '{}',
    decided_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX promotions_model ON promotions (model_id, decided_at DESC);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute("DROP TABLE promotions, evaluation_cases, evaluations")
