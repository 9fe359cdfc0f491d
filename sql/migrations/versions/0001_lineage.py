"""The lineage: documents, segments, recipes, outcomes, gates, datasets."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Ids and keys compare bytewise, whatever the database's locale.
TABLES = """
CREATE TABLE sources (
    source_id     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uri           text COLLATE "C" NOT NULL UNIQUE,
    registered_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE partitions (
    partition_key text COLLATE "C" PRIMARY KEY,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE documents (
    document_id   text COLLATE "C" PRIMARY KEY,
    source_id     integer NOT NULL REFERENCES sources,
    partition_key text COLLATE "C" NOT NULL REFERENCES partitions,
    uri           text COLLATE "C" NOT NULL,
    etag          text NOT NULL,
    content_hash  text COLLATE "C" NOT NULL,
    title         text,
    license       text,
    language      text,
    chars         integer NOT NULL,
    metadata      jsonb NOT NULL DEFAULT '{}',
    reason        text,
    detail        text NOT NULL DEFAULT '',
    ingested_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX documents_uri ON documents (uri);
CREATE INDEX documents_content_hash ON documents (content_hash) WHERE reason IS NULL;
CREATE INDEX documents_partition ON documents (partition_key);

CREATE TABLE segments (
    segment_id    text COLLATE "C" PRIMARY KEY,
    document_id   text COLLATE "C" NOT NULL REFERENCES documents,
    partition_key text COLLATE "C" NOT NULL REFERENCES partitions,
    shard         integer NOT NULL,
    row_no        integer NOT NULL,
    start_char    integer NOT NULL,
    end_char      integer NOT NULL,
    tokens        integer NOT NULL,
    CHECK (start_char < end_char)
);
CREATE INDEX segments_document ON segments (document_id);
CREATE INDEX segments_shard ON segments (partition_key, shard, row_no);

CREATE TABLE prompts (
    sha256        text COLLATE "C" PRIMARY KEY,
    name          text NOT NULL,
    text          text NOT NULL,
    first_seen_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE recipes (
    recipe_id     text COLLATE "C" PRIMARY KEY,
    stage         text NOT NULL,
    version       integer NOT NULL,
    prompt_sha256 text COLLATE "C" REFERENCES prompts,
    model         text,
    params        jsonb NOT NULL,
    parent_id     text COLLATE "C" REFERENCES recipes,
    first_seen_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE stage_results (
    segment_id        text COLLATE "C" NOT NULL REFERENCES segments,
    recipe_id         text COLLATE "C" NOT NULL REFERENCES recipes,
    stage             text NOT NULL,
    outcome           text NOT NULL CHECK (outcome IN ('accepted', 'rejected', 'failed')),
    reason            text,
    error_class       text,
    detail            text NOT NULL DEFAULT '',
    attempts          integer NOT NULL DEFAULT 1,
    calls             integer NOT NULL,
    prompt_tokens     integer NOT NULL,
    cached_tokens     integer NOT NULL,
    completion_tokens integer NOT NULL,
    latency_ms        integer NOT NULL,
    partition_key     text COLLATE "C" NOT NULL,
    shard             integer NOT NULL,
    object_key        text COLLATE "C" NOT NULL,
    airflow_run_id    text,
    airflow_task_id   text,
    airflow_map_index integer,
    airflow_try       integer,
    updated_at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (segment_id, recipe_id),
    CHECK ((outcome = 'rejected') = (reason IS NOT NULL)),
    CHECK ((outcome = 'failed') = (error_class IS NOT NULL))
);
CREATE INDEX stage_results_partition ON stage_results (partition_key, recipe_id, shard);
CREATE INDEX stage_results_failed ON stage_results (error_class, stage) WHERE outcome = 'failed';

CREATE TABLE gate_decisions (
    decision_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partition_key  text COLLATE "C" NOT NULL REFERENCES partitions,
    stage          text NOT NULL,
    recipe_id      text COLLATE "C" NOT NULL REFERENCES recipes,
    action         text NOT NULL,
    reason         text NOT NULL,
    metrics        jsonb NOT NULL,
    policy         jsonb NOT NULL,
    airflow_run_id text,
    decided_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX gate_decisions_partition ON gate_decisions (partition_key, recipe_id, decision_id);

CREATE TABLE datasets (
    version       text COLLATE "C" PRIMARY KEY,
    partition_key text COLLATE "C" NOT NULL REFERENCES partitions,
    recipe_id     text COLLATE "C" NOT NULL REFERENCES recipes,
    trajectories  integer NOT NULL,
    manifest      jsonb NOT NULL,
    superseded_by text COLLATE "C" REFERENCES datasets,
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX datasets_current ON datasets (partition_key) WHERE superseded_by IS NULL;

CREATE TABLE trajectories (
    trajectory_id   text COLLATE "C" PRIMARY KEY,
    segment_id      text COLLATE "C" NOT NULL REFERENCES segments,
    recipe_id       text COLLATE "C" NOT NULL REFERENCES recipes,
    dataset_version text COLLATE "C" NOT NULL REFERENCES datasets,
    messages        integer NOT NULL,
    tools           integer NOT NULL,
    calls           integer NOT NULL,
    domains         text[] NOT NULL,
    platform        text NOT NULL,
    task_category   text NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX trajectories_segment ON trajectories (segment_id);
CREATE INDEX trajectories_dataset ON trajectories (dataset_version);
"""

NAMES = (
    "trajectories datasets gate_decisions stage_results recipes prompts segments documents partitions sources".split()
)


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute(f"DROP TABLE {', '.join(NAMES)}")
