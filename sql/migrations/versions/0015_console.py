"""Rollups and indexes that the pages in Airflow's UI read: no page ever counts a table."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# What is, by partition and recipe; and what was done when. Both in the transaction of the results themselves, so that
# they are never behind and never wrong. Keys have few values: sources, slugs of reasons, classes of errors.
TABLES = """
CREATE TABLE stage_totals (
    partition_key     text COLLATE "C" NOT NULL,
    recipe_id         text COLLATE "C" NOT NULL,
    source_id         integer NOT NULL,
    outcome           text NOT NULL,
    why               text COLLATE "C" NOT NULL,
    segments          bigint NOT NULL,
    calls             bigint NOT NULL,
    prompt_tokens     bigint NOT NULL,
    completion_tokens bigint NOT NULL,
    latency_ms        bigint NOT NULL,
    priced            bigint NOT NULL,
    usd               double precision NOT NULL,
    updated_at        timestamptz NOT NULL,
    PRIMARY KEY (partition_key, recipe_id, source_id, outcome, why)
);
CREATE INDEX stage_totals_recipe ON stage_totals (recipe_id, outcome);
CREATE INDEX stage_totals_failed ON stage_totals (partition_key) WHERE outcome = 'failed';

CREATE TABLE stage_activity (
    hour              timestamptz NOT NULL,
    recipe_id         text COLLATE "C" NOT NULL,
    source_id         integer NOT NULL,
    outcome           text NOT NULL,
    why               text COLLATE "C" NOT NULL,
    results           bigint NOT NULL,
    calls             bigint NOT NULL,
    prompt_tokens     bigint NOT NULL,
    completion_tokens bigint NOT NULL,
    usd               double precision NOT NULL,
    PRIMARY KEY (hour, recipe_id, source_id, outcome, why)
);
CREATE INDEX stage_activity_recipe ON stage_activity (recipe_id, hour);
CREATE INDEX stage_activity_failed ON stage_activity (hour) WHERE outcome = 'failed';

CREATE TABLE ingest_totals (
    partition_key text COLLATE "C" NOT NULL,
    source_id     integer NOT NULL,
    reason        text NOT NULL,
    documents     bigint NOT NULL,
    segments      bigint NOT NULL,
    PRIMARY KEY (partition_key, source_id, reason)
);
"""

# `changes` is what a statement did: rows as they are with n = 1, as they were with n = -1.
_FIELDS = """partition_key, recipe_id, segment_id, outcome, coalesce(reason, error_class, '') AS why,
             calls, prompt_tokens, completion_tokens, latency_ms, usd, updated_at"""
ADD_TOTALS = """
    INSERT INTO stage_totals AS t
    SELECT c.partition_key, c.recipe_id, d.source_id, c.outcome, c.why, sum(n), sum(n * c.calls),
           sum(n * c.prompt_tokens), sum(n * c.completion_tokens), sum(n * c.latency_ms),
           coalesce(sum(n) FILTER (WHERE c.usd IS NOT NULL), 0), coalesce(sum(n * c.usd), 0), max(c.updated_at)
    FROM ({changes}) AS c JOIN segments s USING (segment_id) JOIN documents d USING (document_id)
    GROUP BY 1, 2, 3, 4, 5
    HAVING sum(n) <> 0 OR sum(n * c.calls) <> 0
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (partition_key, recipe_id, source_id, outcome, why) DO UPDATE SET
        segments = t.segments + excluded.segments, calls = t.calls + excluded.calls,
        prompt_tokens = t.prompt_tokens + excluded.prompt_tokens,
        completion_tokens = t.completion_tokens + excluded.completion_tokens,
        latency_ms = t.latency_ms + excluded.latency_ms, priced = t.priced + excluded.priced,
        usd = t.usd + excluded.usd, updated_at = greatest(t.updated_at, excluded.updated_at);
"""
ADD_ACTIVITY = """
    INSERT INTO stage_activity AS a
    SELECT date_trunc('hour', c.updated_at, 'UTC'), c.recipe_id, d.source_id, c.outcome, c.why, count(*),
           sum(c.calls), sum(c.prompt_tokens), sum(c.completion_tokens), coalesce(sum(c.usd), 0)
    FROM ({written}) AS c JOIN segments s USING (segment_id) JOIN documents d USING (document_id)
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (hour, recipe_id, source_id, outcome, why) DO UPDATE SET
        results = a.results + excluded.results, calls = a.calls + excluded.calls,
        prompt_tokens = a.prompt_tokens + excluded.prompt_tokens,
        completion_tokens = a.completion_tokens + excluded.completion_tokens, usd = a.usd + excluded.usd;
"""
# Two writers of one row would wait for each other in the order of the insert trigger and of the update trigger, which
# differ: so they queue here first. The rows of stage_results are locked before, always.
QUEUE = """
    PERFORM pg_advisory_xact_lock(hashtextextended('gem-totals ' || recipe_id, 0))
    FROM (SELECT DISTINCT recipe_id FROM fresh ORDER BY 1) AS queue;
"""


def _now(rows: str) -> str:
    return f"SELECT 1 AS n, {_FIELDS} FROM {rows}"  # noqa: S608


CHANGES = f"{_now('fresh')} UNION ALL SELECT -1, {_FIELDS} FROM stale"  # noqa: S608
# What was only marked for a retry has not been worked on.
WRITTEN = """
    SELECT f.recipe_id, f.segment_id, f.outcome, coalesce(f.reason, f.error_class, '') AS why, f.updated_at,
           f.calls - s.calls AS calls, f.prompt_tokens - s.prompt_tokens AS prompt_tokens,
           f.completion_tokens - s.completion_tokens AS completion_tokens,
           coalesce(f.usd, 0) - coalesce(s.usd, 0) AS usd
    FROM fresh f JOIN stale s USING (segment_id, recipe_id) WHERE f.updated_at <> s.updated_at
"""
INGEST_DOCUMENTS = """
    INSERT INTO ingest_totals AS t
    SELECT partition_key, source_id, coalesce(reason, ''), count(*), 0 FROM {rows} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (partition_key, source_id, reason) DO UPDATE SET documents = t.documents + excluded.documents;
"""
INGEST_SEGMENTS = """
    INSERT INTO ingest_totals AS t
    SELECT s.partition_key, d.source_id, '', 0, count(*) FROM {rows} s JOIN documents d USING (document_id)
    GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (partition_key, source_id, reason) DO UPDATE SET segments = t.segments + excluded.segments;
"""


def _function(name: str, body: str, returns: str = "trigger") -> str:
    end = "RETURN NULL;" if returns == "trigger" else ""
    return f"CREATE FUNCTION {name}() RETURNS {returns} LANGUAGE plpgsql AS $$ BEGIN {body} {end} END $$"


FUNCTIONS = (
    _function(
        "gem_count_inserted",
        QUEUE + ADD_TOTALS.format(changes=_now("fresh")) + ADD_ACTIVITY.format(written=_now("fresh")),
    ),
    _function("gem_count_updated", QUEUE + ADD_TOTALS.format(changes=CHANGES) + ADD_ACTIVITY.format(written=WRITTEN)),
    _function("gem_count_documents", INGEST_DOCUMENTS.format(rows="fresh")),
    _function("gem_count_segments", INGEST_SEGMENTS.format(rows="fresh")),
    # All of it from the beginning: at this migration, and after a bulk load that bypassed the triggers.
    _function(
        "gem_recount",
        "LOCK TABLE stage_results, documents, segments IN SHARE MODE;"
        "TRUNCATE stage_totals, stage_activity, ingest_totals;"
        + ADD_TOTALS.format(changes=_now("stage_results"))
        + ADD_ACTIVITY.format(written=_now("stage_results"))
        + INGEST_DOCUMENTS.format(rows="documents")
        + INGEST_SEGMENTS.format(rows="segments"),
        returns="void",
    ),
)
TRIGGERS = """
CREATE TRIGGER count_inserted AFTER INSERT ON stage_results REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION gem_count_inserted();
CREATE TRIGGER count_updated AFTER UPDATE ON stage_results REFERENCING OLD TABLE AS stale NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION gem_count_updated();
CREATE TRIGGER count_documents AFTER INSERT ON documents REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION gem_count_documents();
CREATE TRIGGER count_segments AFTER INSERT ON segments REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION gem_count_segments();
"""
# Words of title and address, for the search. `simple`: titles come in any language.
SEARCH = """
CREATE FUNCTION gem_words(uri text, title text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_tsvector('simple', left(regexp_replace(coalesce(title, '') || ' ' || uri, '(\\W|_)+', ' ', 'g'), 4000))
$$;
CREATE INDEX documents_words ON documents USING gin (gem_words(uri, title));
CREATE INDEX documents_newest ON documents (ingested_at DESC, document_id DESC);
CREATE INDEX documents_reason ON documents (coalesce(reason, ''), ingested_at DESC, document_id DESC);
CREATE INDEX documents_source ON documents (source_id, ingested_at DESC, document_id DESC);
DROP INDEX stage_results_failed;
CREATE INDEX stage_results_failed ON stage_results (stage, error_class, updated_at DESC, segment_id DESC)
    WHERE outcome = 'failed';
CREATE INDEX stage_results_failed_newest ON stage_results (updated_at DESC, segment_id DESC) WHERE outcome = 'failed';
CREATE INDEX stage_results_refused ON stage_results (reason, updated_at DESC, segment_id DESC)
    WHERE outcome = 'rejected' AND stage = 'validate';
CREATE INDEX stage_results_refused_newest ON stage_results (updated_at DESC, segment_id DESC)
    WHERE outcome = 'rejected' AND stage = 'validate';
DROP INDEX stage_results_run;
CREATE INDEX stage_results_run ON stage_results (airflow_run_id, airflow_task_id, airflow_map_index);
ALTER TABLE trajectories ADD COLUMN called text[] NOT NULL DEFAULT '{}',
    ADD COLUMN findings text[] NOT NULL DEFAULT '{}';
CREATE INDEX trajectories_newest ON trajectories (created_at DESC, trajectory_id DESC);
CREATE INDEX trajectories_messages ON trajectories (messages);
CREATE INDEX trajectories_platform ON trajectories (platform, created_at DESC, trajectory_id DESC);
CREATE INDEX trajectories_recipe ON trajectories (recipe_id, created_at DESC, trajectory_id DESC);
CREATE INDEX trajectories_domains ON trajectories USING gin (domains);
CREATE INDEX trajectories_called ON trajectories USING gin (called);
CREATE INDEX trajectories_findings ON trajectories USING gin (findings);
UPDATE trajectories t SET called = ARRAY(SELECT jsonb_array_elements_text(r.measures -> 'called'))
FROM stage_results r WHERE r.segment_id = t.segment_id AND r.recipe_id = t.recipe_id AND r.measures ? 'called';
"""


def upgrade() -> None:
    op.execute(TABLES)
    for function in FUNCTIONS:
        op.execute(function)
    op.execute("SELECT gem_recount()")
    op.execute(TRIGGERS)
    op.execute(SEARCH)


def downgrade() -> None:
    op.execute("""
        DROP TRIGGER count_inserted ON stage_results; DROP TRIGGER count_updated ON stage_results;
        DROP TRIGGER count_documents ON documents; DROP TRIGGER count_segments ON segments;
        DROP FUNCTION gem_count_inserted(), gem_count_updated(), gem_count_documents(), gem_count_segments(),
                      gem_recount();
        DROP INDEX documents_words, documents_newest, documents_reason, documents_source, trajectories_newest,
                   trajectories_messages, trajectories_platform, trajectories_recipe, trajectories_domains,
                   stage_results_failed, stage_results_failed_newest, stage_results_refused,
                   stage_results_refused_newest, stage_results_run;
        DROP FUNCTION gem_words(text, text);
        ALTER TABLE trajectories DROP COLUMN called, DROP COLUMN findings;
        CREATE INDEX stage_results_failed ON stage_results (error_class, stage) WHERE outcome = 'failed';
        CREATE INDEX stage_results_run ON stage_results (airflow_run_id);
        DROP TABLE stage_totals, stage_activity, ingest_totals;
    """)
