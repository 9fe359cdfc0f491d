-- The lineage's tables as all migrations together leave them: to read, not to run. Views have their files in sql/views.
-- Made by `python -m gem_tasks.local.schema`; a test of the migrations compares.

CREATE TABLE announcements (
    run_id text COLLATE "C" NOT NULL,
    partition_key text COLLATE "C" NOT NULL,
    options jsonb DEFAULT '{}'::jsonb NOT NULL,
    announced_at timestamp with time zone DEFAULT now() NOT NULL,
    taken_by text COLLATE "C",
    taken_at timestamp with time zone,
    PRIMARY KEY (run_id, partition_key)
);
CREATE INDEX announcements_taken ON announcements USING btree (taken_by);

CREATE TABLE api_findings (
    segment_id text COLLATE "C" NOT NULL,
    trajectory_id text COLLATE "C" NOT NULL,
    api text NOT NULL,
    sha256 text COLLATE "C" NOT NULL,
    mode text NOT NULL,
    tool text NOT NULL,
    operation text NOT NULL,
    kind text NOT NULL,
    parameter text NOT NULL,
    detail text NOT NULL,
    calls integer NOT NULL,
    found_at timestamp with time zone DEFAULT now() NOT NULL,
    FOREIGN KEY (segment_id) REFERENCES segments(segment_id),
    CHECK ((mode = ANY (ARRAY['dry-run'::text, 'sandbox'::text])))
);
CREATE INDEX api_findings_segment ON api_findings USING btree (segment_id);
CREATE INDEX api_findings_trajectory ON api_findings USING btree (trajectory_id, api);

CREATE TABLE audit_findings (
    item_id text COLLATE "C" NOT NULL,
    recipe_id text COLLATE "C" NOT NULL,
    checks integer NOT NULL,
    kinds text[] NOT NULL,
    judged boolean NOT NULL,
    faults text[] NOT NULL,
    PRIMARY KEY (item_id, recipe_id, checks),
    FOREIGN KEY (recipe_id) REFERENCES recipes(recipe_id)
);

CREATE TABLE audit_items (
    audit_id text COLLATE "C" NOT NULL,
    item_id text COLLATE "C" NOT NULL,
    "position" integer NOT NULL,
    stratum text NOT NULL,
    partition_key text COLLATE "C" NOT NULL,
    shard integer NOT NULL,
    recipe_id text COLLATE "C" NOT NULL,
    version text COLLATE "C",
    PRIMARY KEY (audit_id, item_id),
    FOREIGN KEY (audit_id) REFERENCES audits(audit_id),
    FOREIGN KEY (recipe_id) REFERENCES recipes(recipe_id)
);

CREATE TABLE audit_ratings (
    audit_id text COLLATE "C" NOT NULL,
    item_id text COLLATE "C" NOT NULL,
    rater text NOT NULL,
    coherence smallint NOT NULL,
    tools smallint NOT NULL,
    faithfulness smallint NOT NULL,
    comment text DEFAULT ''::text NOT NULL,
    rated_at timestamp with time zone DEFAULT now() NOT NULL,
    PRIMARY KEY (audit_id, item_id, rater),
    FOREIGN KEY (audit_id, item_id) REFERENCES audit_items(audit_id, item_id),
    CHECK (((coherence >= 1) AND (coherence <= 5))),
    CHECK (((faithfulness >= 1) AND (faithfulness <= 5))),
    CHECK (((tools >= 1) AND (tools <= 5)))
);

CREATE TABLE audits (
    audit_id text COLLATE "C" NOT NULL,
    sample jsonb NOT NULL,
    population integer NOT NULL,
    versions text[] NOT NULL,
    airflow_run_id text COLLATE "C",
    drawn_at timestamp with time zone DEFAULT now() NOT NULL,
    PRIMARY KEY (audit_id)
);

CREATE TABLE batches (
    gem_key text COLLATE "C" NOT NULL,
    batch_id text COLLATE "C",
    state text DEFAULT 'announced'::text NOT NULL,
    recipe_id text COLLATE "C" NOT NULL,
    partition_key text COLLATE "C" NOT NULL,
    shard integer NOT NULL,
    custom_ids text[] NOT NULL,
    faults jsonb DEFAULT '{}'::jsonb NOT NULL,
    usd_reserved double precision DEFAULT 0 NOT NULL,
    airflow_run_id text COLLATE "C",
    announced_at timestamp with time zone DEFAULT now() NOT NULL,
    submitted_at timestamp with time zone,
    ended_at timestamp with time zone,
    PRIMARY KEY (gem_key),
    FOREIGN KEY (recipe_id) REFERENCES recipes(recipe_id),
    CHECK ((state = ANY (ARRAY['announced'::text, 'submitted'::text, 'collected'::text, 'done'::text, 'failed'::text, 'lost'::text])))
);
CREATE INDEX batches_open ON batches USING btree (recipe_id, partition_key, shard) WHERE (state = ANY (ARRAY['announced'::text, 'submitted'::text, 'collected'::text]));

CREATE TABLE considered_changes (
    version text COLLATE "C" NOT NULL,
    change_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (version, change_id),
    FOREIGN KEY (change_id) REFERENCES item_changes(change_id) ON DELETE CASCADE,
    FOREIGN KEY (version) REFERENCES datasets(version)
);

CREATE TABLE dataset_exclusions (
    version text COLLATE "C" NOT NULL,
    segment_id text COLLATE "C" NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    trajectory_id text COLLATE "C" DEFAULT ''::text NOT NULL,
    PRIMARY KEY (version, segment_id, trajectory_id),
    FOREIGN KEY (segment_id) REFERENCES segments(segment_id),
    FOREIGN KEY (version) REFERENCES datasets(version)
);

CREATE TABLE datasets (
    version text COLLATE "C" NOT NULL,
    partition_key text COLLATE "C" NOT NULL,
    recipe_id text COLLATE "C" NOT NULL,
    trajectories integer NOT NULL,
    manifest jsonb NOT NULL,
    superseded_by text COLLATE "C",
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    audited_by text COLLATE "C",
    superseded_at timestamp with time zone,
    collected_at timestamp with time zone,
    PRIMARY KEY (version),
    FOREIGN KEY (audited_by) REFERENCES audits(audit_id),
    FOREIGN KEY (partition_key) REFERENCES partitions(partition_key),
    FOREIGN KEY (recipe_id) REFERENCES recipes(recipe_id),
    FOREIGN KEY (superseded_by) REFERENCES datasets(version)
);
CREATE UNIQUE INDEX datasets_current ON datasets USING btree (partition_key) WHERE (superseded_by IS NULL);

CREATE TABLE documents (
    document_id text COLLATE "C" NOT NULL,
    source_id integer NOT NULL,
    partition_key text COLLATE "C" NOT NULL,
    uri text COLLATE "C" NOT NULL,
    etag text NOT NULL,
    content_hash text COLLATE "C" NOT NULL,
    title text,
    license text,
    language text,
    chars integer NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    reason text,
    detail text DEFAULT ''::text NOT NULL,
    ingested_at timestamp with time zone DEFAULT now() NOT NULL,
    object_key text COLLATE "C" NOT NULL,
    fingerprint text COLLATE "C",
    superseded_by text COLLATE "C",
    gone_at timestamp with time zone,
    live boolean GENERATED ALWAYS AS (((superseded_by IS NULL) AND (gone_at IS NULL))) STORED NOT NULL,
    PRIMARY KEY (document_id),
    FOREIGN KEY (partition_key) REFERENCES partitions(partition_key),
    FOREIGN KEY (source_id) REFERENCES sources(source_id),
    FOREIGN KEY (superseded_by) REFERENCES documents(document_id)
);
CREATE INDEX documents_content_hash ON documents USING btree (content_hash) WHERE (reason IS NULL);
CREATE INDEX documents_duplicates ON documents USING btree (content_hash) WHERE (reason = 'duplicate'::text);
CREATE INDEX documents_newest ON documents USING btree (ingested_at DESC, document_id DESC);
CREATE INDEX documents_object ON documents USING hash (object_key) WHERE live;
CREATE INDEX documents_partition ON documents USING btree (partition_key);
CREATE INDEX documents_reason ON documents USING btree (COALESCE(reason, ''::text), ingested_at DESC, document_id DESC);
CREATE INDEX documents_source ON documents USING btree (source_id, ingested_at DESC, document_id DESC);
CREATE INDEX documents_superseded ON documents USING btree (superseded_by) WHERE (superseded_by IS NOT NULL);
CREATE INDEX documents_uri ON documents USING hash (uri);
CREATE INDEX documents_words ON documents USING gin (gem_words(uri, title));
CREATE TRIGGER count_documents AFTER INSERT ON documents REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION gem_count_documents();

CREATE TABLE evaluation_cases (
    evaluation_id text COLLATE "C" NOT NULL,
    "position" integer NOT NULL,
    category text NOT NULL,
    case_id text COLLATE "C" NOT NULL,
    epoch smallint NOT NULL,
    score double precision NOT NULL,
    error text,
    PRIMARY KEY (evaluation_id, "position"),
    FOREIGN KEY (evaluation_id) REFERENCES evaluations(evaluation_id)
);

CREATE TABLE evaluations (
    evaluation_id text COLLATE "C" NOT NULL,
    model_id text COLLATE "C",
    model text NOT NULL,
    harness text NOT NULL,
    settings jsonb NOT NULL,
    scores jsonb NOT NULL,
    measures jsonb NOT NULL,
    seconds double precision NOT NULL,
    location text NOT NULL,
    airflow_run_id text COLLATE "C",
    evaluated_at timestamp with time zone DEFAULT now() NOT NULL,
    PRIMARY KEY (evaluation_id)
);
CREATE INDEX evaluations_model ON evaluations USING btree (model_id, harness, evaluated_at DESC);

CREATE TABLE gate_decisions (
    decision_id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    partition_key text COLLATE "C" NOT NULL,
    stage text NOT NULL,
    recipe_id text COLLATE "C" NOT NULL,
    action text NOT NULL,
    reason text NOT NULL,
    metrics jsonb NOT NULL,
    policy jsonb NOT NULL,
    airflow_run_id text,
    decided_at timestamp with time zone DEFAULT now() NOT NULL,
    policy_sha256 text DEFAULT ''::text NOT NULL,
    person text,
    PRIMARY KEY (decision_id),
    FOREIGN KEY (partition_key) REFERENCES partitions(partition_key),
    FOREIGN KEY (recipe_id) REFERENCES recipes(recipe_id)
);
CREATE INDEX gate_decisions_partition ON gate_decisions USING btree (partition_key, recipe_id, decision_id);

CREATE TABLE ingest_totals (
    partition_key text COLLATE "C" NOT NULL,
    source_id integer NOT NULL,
    reason text NOT NULL,
    documents bigint NOT NULL,
    segments bigint NOT NULL,
    PRIMARY KEY (partition_key, source_id, reason)
);

CREATE TABLE item_changes (
    change_id text COLLATE "C" NOT NULL,
    segment_id text COLLATE "C" NOT NULL,
    trajectory_id text COLLATE "C" NOT NULL,
    base text COLLATE "C" NOT NULL,
    "position" integer NOT NULL,
    kind text NOT NULL,
    author text NOT NULL,
    origin text NOT NULL,
    words text DEFAULT ''::text NOT NULL,
    message integer,
    messages text,
    kept text DEFAULT ''::text NOT NULL,
    findings text[] DEFAULT '{}'::text[] NOT NULL,
    undoes text COLLATE "C",
    announced bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    PRIMARY KEY (change_id),
    UNIQUE (segment_id, base, "position"),
    FOREIGN KEY (segment_id) REFERENCES segments(segment_id),
    FOREIGN KEY (undoes) REFERENCES item_changes(change_id),
    CHECK (((kind = 'edit'::text) = (messages IS NOT NULL))),
    CHECK (((kind = 'undo'::text) = (undoes IS NOT NULL))),
    CHECK ((kind = ANY (ARRAY['veto'::text, 'edit'::text, 'comment'::text, 'undo'::text])))
);
CREATE INDEX item_changes_newest ON item_changes USING btree (created_at DESC, change_id DESC);
CREATE INDEX item_changes_trajectory ON item_changes USING btree (trajectory_id);
CREATE INDEX item_changes_undoes ON item_changes USING btree (undoes) WHERE (undoes IS NOT NULL);

CREATE TABLE models (
    model_id text COLLATE "C" NOT NULL,
    name text NOT NULL,
    base text NOT NULL,
    profile text NOT NULL,
    profile_sha256 text COLLATE "C" NOT NULL,
    set_id text COLLATE "C",
    location text NOT NULL,
    status text NOT NULL,
    metrics jsonb DEFAULT '{}'::jsonb NOT NULL,
    airflow_run_id text COLLATE "C",
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    PRIMARY KEY (model_id),
    FOREIGN KEY (set_id) REFERENCES sft_sets(set_id),
    CHECK ((status = ANY (ARRAY['candidate'::text, 'champion'::text, 'rejected'::text, 'kept'::text])))
);
CREATE UNIQUE INDEX models_champion ON models USING btree (name) WHERE (status = 'champion'::text);

CREATE TABLE near_duplicates (
    segment_id text COLLATE "C" NOT NULL,
    of_segment_id text COLLATE "C" NOT NULL,
    similarity real NOT NULL,
    PRIMARY KEY (segment_id),
    FOREIGN KEY (of_segment_id) REFERENCES segments(segment_id),
    FOREIGN KEY (segment_id) REFERENCES segments(segment_id)
);

CREATE TABLE partitions (
    partition_key text COLLATE "C" NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    next_shard integer DEFAULT 0 NOT NULL,
    changes bigint DEFAULT 0 NOT NULL,
    published_changes bigint DEFAULT 0 NOT NULL,
    PRIMARY KEY (partition_key)
);
CREATE INDEX partitions_changed ON partitions USING btree (partition_key) WHERE (changes > published_changes);

CREATE TABLE plan_judgements (
    trajectory_id text COLLATE "C" NOT NULL,
    judge text COLLATE "C" NOT NULL,
    model text NOT NULL,
    prompt_sha256 text COLLATE "C" NOT NULL,
    menus_sha256 text COLLATE "C" NOT NULL,
    found jsonb NOT NULL,
    unreadable jsonb NOT NULL,
    prompt_tokens integer NOT NULL,
    completion_tokens integer NOT NULL,
    usd double precision,
    judged_at timestamp with time zone DEFAULT now() NOT NULL,
    PRIMARY KEY (trajectory_id, judge),
    FOREIGN KEY (menus_sha256) REFERENCES prompts(sha256),
    FOREIGN KEY (prompt_sha256) REFERENCES prompts(sha256)
);

CREATE TABLE prefilters (
    prefilter_id text COLLATE "C" NOT NULL,
    recipe_id text COLLATE "C" NOT NULL,
    object_key text COLLATE "C" NOT NULL,
    sha256 text COLLATE "C" NOT NULL,
    report jsonb NOT NULL,
    trained_at timestamp with time zone DEFAULT now() NOT NULL,
    retired_at timestamp with time zone,
    retired_because text,
    retired_detail text DEFAULT ''::text NOT NULL,
    PRIMARY KEY (prefilter_id),
    FOREIGN KEY (prefilter_id) REFERENCES recipes(recipe_id),
    FOREIGN KEY (recipe_id) REFERENCES recipes(recipe_id),
    CHECK (((retired_at IS NULL) = (retired_because IS NULL))),
    CHECK ((retired_because = ANY (ARRAY['replaced'::text, 'drift'::text])))
);
CREATE UNIQUE INDEX prefilters_current ON prefilters USING btree (recipe_id) WHERE (retired_at IS NULL);

CREATE TABLE promotions (
    promotion_id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    model_id text COLLATE "C" NOT NULL,
    against text COLLATE "C",
    outcome text NOT NULL,
    decided_by text NOT NULL,
    why text NOT NULL,
    evidence jsonb DEFAULT '{}'::jsonb NOT NULL,
    decided_at timestamp with time zone DEFAULT now() NOT NULL,
    PRIMARY KEY (promotion_id),
    CHECK ((outcome = ANY (ARRAY['promoted'::text, 'kept'::text, 'rejected'::text])))
);
CREATE INDEX promotions_model ON promotions USING btree (model_id, decided_at DESC);

CREATE TABLE prompts (
    sha256 text COLLATE "C" NOT NULL,
    name text NOT NULL,
    text text NOT NULL,
    first_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    PRIMARY KEY (sha256)
);

CREATE TABLE quota_texts (
    segment_id text COLLATE "C" NOT NULL,
    recipe_id text COLLATE "C" NOT NULL,
    partition_key text COLLATE "C" NOT NULL,
    domains text[] NOT NULL,
    platform text NOT NULL,
    task text NOT NULL,
    held_by text,
    decided_at timestamp with time zone,
    PRIMARY KEY (partition_key, segment_id, recipe_id),
    FOREIGN KEY (partition_key) REFERENCES partitions(partition_key),
    FOREIGN KEY (recipe_id) REFERENCES recipes(recipe_id),
    FOREIGN KEY (partition_key, segment_id) REFERENCES segments(partition_key, segment_id)
);
CREATE INDEX quota_texts_partition ON quota_texts USING btree (partition_key, recipe_id);

CREATE TABLE recipes (
    recipe_id text COLLATE "C" NOT NULL,
    stage text NOT NULL,
    version integer NOT NULL,
    prompt_sha256 text COLLATE "C",
    model text,
    params jsonb NOT NULL,
    parent_id text COLLATE "C",
    first_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    last_used_at timestamp with time zone DEFAULT now() NOT NULL,
    PRIMARY KEY (recipe_id),
    FOREIGN KEY (parent_id) REFERENCES recipes(recipe_id),
    FOREIGN KEY (prompt_sha256) REFERENCES prompts(sha256)
);

CREATE TABLE run_prompts (
    run text COLLATE "C" NOT NULL,
    name text NOT NULL,
    sha256 text COLLATE "C" NOT NULL,
    origin text,
    pinned_at timestamp with time zone DEFAULT now() NOT NULL,
    PRIMARY KEY (run, name),
    FOREIGN KEY (sha256) REFERENCES prompts(sha256)
);

CREATE TABLE run_recipes (
    run text COLLATE "C" NOT NULL,
    stage text NOT NULL,
    recipe_id text COLLATE "C" NOT NULL,
    pinned_at timestamp with time zone DEFAULT now() NOT NULL,
    PRIMARY KEY (run, stage),
    FOREIGN KEY (recipe_id) REFERENCES recipes(recipe_id)
);

CREATE TABLE segment_bands (
    band bigint NOT NULL,
    segment_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (band, segment_id)
);

CREATE TABLE segment_signatures (
    segment_id text COLLATE "C" NOT NULL,
    digest bytea NOT NULL,
    PRIMARY KEY (segment_id),
    FOREIGN KEY (segment_id) REFERENCES segments(segment_id)
);

CREATE TABLE segments (
    segment_id text COLLATE "C" NOT NULL,
    document_id text COLLATE "C" NOT NULL,
    partition_key text COLLATE "C" NOT NULL,
    shard integer NOT NULL,
    row_no integer NOT NULL,
    start_char integer NOT NULL,
    end_char integer NOT NULL,
    tokens integer NOT NULL,
    place text,
    PRIMARY KEY (segment_id),
    FOREIGN KEY (document_id) REFERENCES documents(document_id),
    FOREIGN KEY (partition_key) REFERENCES partitions(partition_key),
    CHECK ((start_char < end_char))
);
CREATE INDEX segments_document ON segments USING btree (document_id);
CREATE INDEX segments_shard ON segments USING btree (partition_key, shard, row_no);
CREATE TRIGGER count_segments AFTER INSERT ON segments REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION gem_count_segments();
CREATE UNIQUE INDEX segments_key ON segments USING btree (partition_key, segment_id);

CREATE TABLE sft_set_items (
    set_id text COLLATE "C" NOT NULL,
    trajectory_id text COLLATE "C" NOT NULL,
    segment_id text COLLATE "C" NOT NULL,
    dataset_version text COLLATE "C" NOT NULL,
    split text NOT NULL,
    PRIMARY KEY (set_id, trajectory_id),
    FOREIGN KEY (dataset_version) REFERENCES datasets(version),
    FOREIGN KEY (segment_id) REFERENCES segments(segment_id),
    FOREIGN KEY (set_id) REFERENCES sft_sets(set_id),
    CHECK ((split = ANY (ARRAY['train'::text, 'validation'::text, 'test'::text])))
);
CREATE INDEX sft_set_items_segment ON sft_set_items USING btree (segment_id);

CREATE TABLE sft_sets (
    set_id text COLLATE "C" NOT NULL,
    spec jsonb NOT NULL,
    versions text[] NOT NULL,
    counts jsonb NOT NULL,
    left_out jsonb NOT NULL,
    location text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    PRIMARY KEY (set_id)
);

CREATE TABLE source_objects (
    source_id integer NOT NULL,
    key text COLLATE "C" NOT NULL,
    etag text NOT NULL,
    size bigint NOT NULL,
    documents integer NOT NULL,
    read_at timestamp with time zone DEFAULT now() NOT NULL,
    missing_since timestamp with time zone,
    gone_at timestamp with time zone,
    PRIMARY KEY (source_id, key),
    FOREIGN KEY (source_id) REFERENCES sources(source_id)
);
CREATE INDEX source_objects_key ON source_objects USING hash (key);
CREATE INDEX source_objects_missing ON source_objects USING btree (source_id) WHERE (missing_since IS NOT NULL);

CREATE TABLE sources (
    source_id integer GENERATED ALWAYS AS IDENTITY NOT NULL,
    uri text COLLATE "C" NOT NULL,
    registered_at timestamp with time zone DEFAULT now() NOT NULL,
    kind text DEFAULT 'files'::text NOT NULL,
    license text,
    target_tokens integer,
    max_tokens integer,
    min_chars integer,
    enabled boolean DEFAULT true NOT NULL,
    scan_position text COLLATE "C" DEFAULT ''::text NOT NULL,
    scanned_at timestamp with time zone,
    document_limit integer,
    PRIMARY KEY (source_id),
    UNIQUE (uri),
    CHECK ((document_limit >= 1)),
    CHECK ((kind = ANY (ARRAY['files'::text, 's3'::text, 'hf'::text, 'web'::text]))),
    CHECK ((max_tokens >= 100)),
    CHECK ((min_chars >= 0)),
    CHECK ((target_tokens >= 50))
);

CREATE TABLE spending (
    run_id text COLLATE "C" NOT NULL,
    recipe_id text COLLATE "C" NOT NULL,
    partition_key text COLLATE "C" NOT NULL,
    shard integer NOT NULL,
    usd double precision NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    PRIMARY KEY (run_id, recipe_id, partition_key, shard),
    FOREIGN KEY (recipe_id) REFERENCES recipes(recipe_id)
);

CREATE TABLE stage_activity (
    hour timestamp with time zone NOT NULL,
    recipe_id text COLLATE "C" NOT NULL,
    source_id integer NOT NULL,
    outcome text NOT NULL,
    why text COLLATE "C" NOT NULL,
    results bigint NOT NULL,
    calls bigint NOT NULL,
    prompt_tokens bigint NOT NULL,
    completion_tokens bigint NOT NULL,
    usd double precision NOT NULL,
    PRIMARY KEY (hour, recipe_id, source_id, outcome, why)
);
CREATE INDEX stage_activity_failed ON stage_activity USING btree (hour) WHERE (outcome = 'failed'::text);
CREATE INDEX stage_activity_recipe ON stage_activity USING btree (recipe_id, hour);

CREATE TABLE stage_results (
    segment_id text COLLATE "C" NOT NULL,
    recipe_id text COLLATE "C" NOT NULL,
    stage text NOT NULL,
    outcome text NOT NULL,
    reason text,
    error_class text,
    detail text DEFAULT ''::text NOT NULL,
    attempts integer DEFAULT 1 NOT NULL,
    calls integer NOT NULL,
    prompt_tokens integer NOT NULL,
    cached_tokens integer NOT NULL,
    completion_tokens integer NOT NULL,
    latency_ms integer NOT NULL,
    partition_key text COLLATE "C" NOT NULL,
    shard integer NOT NULL,
    object_key text COLLATE "C" NOT NULL,
    airflow_run_id text,
    airflow_task_id text,
    airflow_map_index integer,
    airflow_try integer,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    reasoning_tokens integer DEFAULT 0 NOT NULL,
    faults jsonb DEFAULT '{}'::jsonb NOT NULL,
    usd double precision,
    retry_asked boolean DEFAULT false NOT NULL,
    measures jsonb,
    failed_runs integer DEFAULT 0 NOT NULL,
    doubtful boolean DEFAULT false NOT NULL,
    set_aside boolean DEFAULT false NOT NULL,
    final boolean GENERATED ALWAYS AS ((set_aside OR (NOT (doubtful OR COALESCE((error_class = ANY (ARRAY['rate_limited'::text, 'server_error'::text, 'timeout'::text, 'connection'::text])), false))))) STORED NOT NULL,
    PRIMARY KEY (partition_key, segment_id, recipe_id),
    FOREIGN KEY (recipe_id) REFERENCES recipes(recipe_id),
    FOREIGN KEY (partition_key, segment_id) REFERENCES segments(partition_key, segment_id),
    CHECK (((outcome = 'rejected'::text) = (reason IS NOT NULL))),
    CHECK (((outcome = 'failed'::text) = (error_class IS NOT NULL))),
    CHECK ((outcome = ANY (ARRAY['accepted'::text, 'rejected'::text, 'failed'::text])))
);
CREATE INDEX stage_results_failed ON stage_results USING btree (stage, error_class, updated_at DESC, segment_id DESC) WHERE (outcome = 'failed'::text);
CREATE INDEX stage_results_failed_newest ON stage_results USING btree (updated_at DESC, segment_id DESC) WHERE (outcome = 'failed'::text);
CREATE INDEX stage_results_partition ON stage_results USING btree (partition_key, recipe_id, shard);
CREATE INDEX stage_results_prefilter_share ON stage_results USING btree (((measures ->> 'prefilter'::text)), updated_at) WHERE ((measures -> 'prefilter_share'::text) = 'true'::jsonb);
CREATE INDEX stage_results_refused ON stage_results USING btree (reason, updated_at DESC, segment_id DESC) WHERE ((outcome = 'rejected'::text) AND (stage = ANY (ARRAY['validate'::text, 'simulate'::text, 'verify'::text, 'confirm'::text])));
CREATE INDEX stage_results_refused_newest ON stage_results USING btree (updated_at DESC, segment_id DESC) WHERE ((outcome = 'rejected'::text) AND (stage = ANY (ARRAY['validate'::text, 'simulate'::text, 'verify'::text, 'confirm'::text])));
CREATE INDEX stage_results_run ON stage_results USING btree (airflow_run_id, airflow_task_id, airflow_map_index);
CREATE INDEX stage_results_way ON stage_results USING btree (recipe_id, ((measures ->> 'way'::text)), partition_key) WHERE ((measures ->> 'way'::text) IS NOT NULL);
CREATE TRIGGER count_inserted AFTER INSERT ON stage_results REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION gem_count_inserted();
CREATE TRIGGER count_updated AFTER UPDATE ON stage_results REFERENCING OLD TABLE AS stale NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION gem_count_updated();

CREATE TABLE stage_totals (
    partition_key text COLLATE "C" NOT NULL,
    recipe_id text COLLATE "C" NOT NULL,
    source_id integer NOT NULL,
    outcome text NOT NULL,
    why text COLLATE "C" NOT NULL,
    segments bigint NOT NULL,
    calls bigint NOT NULL,
    prompt_tokens bigint NOT NULL,
    completion_tokens bigint NOT NULL,
    latency_ms bigint NOT NULL,
    priced bigint NOT NULL,
    usd double precision NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    PRIMARY KEY (partition_key, recipe_id, source_id, outcome, why)
);
CREATE INDEX stage_totals_failed ON stage_totals USING btree (partition_key) WHERE (outcome = 'failed'::text);
CREATE INDEX stage_totals_recipe ON stage_totals USING btree (recipe_id, outcome);

CREATE TABLE trajectories (
    trajectory_id text COLLATE "C" NOT NULL,
    segment_id text COLLATE "C" NOT NULL,
    recipe_id text COLLATE "C" NOT NULL,
    dataset_version text COLLATE "C" NOT NULL,
    messages integer NOT NULL,
    tools integer NOT NULL,
    calls integer NOT NULL,
    domains text[] NOT NULL,
    platform text NOT NULL,
    task_category text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    called text[] DEFAULT '{}'::text[] NOT NULL,
    findings text[] DEFAULT '{}'::text[] NOT NULL,
    base text COLLATE "C",
    PRIMARY KEY (trajectory_id),
    FOREIGN KEY (dataset_version) REFERENCES datasets(version),
    FOREIGN KEY (recipe_id) REFERENCES recipes(recipe_id),
    FOREIGN KEY (segment_id) REFERENCES segments(segment_id)
);
CREATE INDEX trajectories_base ON trajectories USING btree (segment_id, base) WHERE (base IS NOT NULL);
CREATE INDEX trajectories_called ON trajectories USING gin (called);
CREATE INDEX trajectories_dataset ON trajectories USING btree (dataset_version);
CREATE INDEX trajectories_domains ON trajectories USING gin (domains);
CREATE INDEX trajectories_findings ON trajectories USING gin (findings);
CREATE INDEX trajectories_messages ON trajectories USING btree (messages);
CREATE INDEX trajectories_newest ON trajectories USING btree (created_at DESC, trajectory_id DESC);
CREATE INDEX trajectories_platform ON trajectories USING btree (platform, created_at DESC, trajectory_id DESC);
CREATE INDEX trajectories_recipe ON trajectories USING btree (recipe_id, created_at DESC, trajectory_id DESC);
CREATE INDEX trajectories_segment ON trajectories USING btree (segment_id);

CREATE OR REPLACE FUNCTION gem_count_documents()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ BEGIN
    INSERT INTO ingest_totals AS t
    SELECT partition_key, source_id, coalesce(reason, ''), count(*), 0 FROM fresh GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (partition_key, source_id, reason) DO UPDATE SET documents = t.documents + excluded.documents;
 RETURN NULL; END $function$;

CREATE OR REPLACE FUNCTION gem_count_inserted()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('gem-totals ' || recipe_id, 0))
    FROM (SELECT DISTINCT recipe_id FROM fresh ORDER BY 1) AS queue;

    INSERT INTO stage_totals AS t
    SELECT c.partition_key, c.recipe_id, d.source_id, c.outcome, c.why, sum(n), sum(n * c.calls),
           sum(n * c.prompt_tokens), sum(n * c.completion_tokens), sum(n * c.latency_ms),
           coalesce(sum(n) FILTER (WHERE c.usd IS NOT NULL), 0), coalesce(sum(n * c.usd), 0), max(c.updated_at)
    FROM (SELECT 1 AS n, partition_key, recipe_id, segment_id, outcome, coalesce(reason, error_class, '') AS why,
             calls, prompt_tokens, completion_tokens, latency_ms, usd, updated_at FROM fresh) AS c JOIN segments s USING (partition_key, segment_id) JOIN documents d USING (document_id)
    GROUP BY 1, 2, 3, 4, 5
    HAVING count(n) > 0
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (partition_key, recipe_id, source_id, outcome, why) DO UPDATE SET
        segments = t.segments + excluded.segments, calls = t.calls + excluded.calls,
        prompt_tokens = t.prompt_tokens + excluded.prompt_tokens,
        completion_tokens = t.completion_tokens + excluded.completion_tokens,
        latency_ms = t.latency_ms + excluded.latency_ms, priced = t.priced + excluded.priced,
        usd = t.usd + excluded.usd, updated_at = greatest(t.updated_at, excluded.updated_at);

    INSERT INTO stage_activity AS a
    SELECT date_trunc('hour', c.updated_at, 'UTC'), c.recipe_id, d.source_id, c.outcome, c.why, count(*),
           sum(c.calls), sum(c.prompt_tokens), sum(c.completion_tokens), coalesce(sum(c.usd), 0)
    FROM (SELECT 1 AS n, partition_key, recipe_id, segment_id, outcome, coalesce(reason, error_class, '') AS why,
             calls, prompt_tokens, completion_tokens, latency_ms, usd, updated_at FROM fresh) AS c JOIN segments s USING (partition_key, segment_id) JOIN documents d USING (document_id)
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (hour, recipe_id, source_id, outcome, why) DO UPDATE SET
        results = a.results + excluded.results, calls = a.calls + excluded.calls,
        prompt_tokens = a.prompt_tokens + excluded.prompt_tokens,
        completion_tokens = a.completion_tokens + excluded.completion_tokens, usd = a.usd + excluded.usd;
 RETURN NULL; END $function$;

CREATE OR REPLACE FUNCTION gem_count_segments()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ BEGIN
    INSERT INTO ingest_totals AS t
    SELECT s.partition_key, d.source_id, '', 0, count(*) FROM fresh s JOIN documents d USING (document_id)
    GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (partition_key, source_id, reason) DO UPDATE SET segments = t.segments + excluded.segments;
 RETURN NULL; END $function$;

CREATE OR REPLACE FUNCTION gem_count_updated()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('gem-totals ' || recipe_id, 0))
    FROM (SELECT DISTINCT recipe_id FROM fresh ORDER BY 1) AS queue;

    INSERT INTO stage_totals AS t
    SELECT c.partition_key, c.recipe_id, d.source_id, c.outcome, c.why, sum(n), sum(n * c.calls),
           sum(n * c.prompt_tokens), sum(n * c.completion_tokens), sum(n * c.latency_ms),
           coalesce(sum(n) FILTER (WHERE c.usd IS NOT NULL), 0), coalesce(sum(n * c.usd), 0), max(c.updated_at)
    FROM (SELECT 1 AS n, partition_key, recipe_id, segment_id, outcome, coalesce(reason, error_class, '') AS why,
             calls, prompt_tokens, completion_tokens, latency_ms, usd, updated_at FROM fresh UNION ALL SELECT -1, partition_key, recipe_id, segment_id, outcome, coalesce(reason, error_class, '') AS why,
             calls, prompt_tokens, completion_tokens, latency_ms, usd, updated_at FROM stale) AS c JOIN segments s USING (partition_key, segment_id) JOIN documents d USING (document_id)
    GROUP BY 1, 2, 3, 4, 5
    HAVING count(n) > 0
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (partition_key, recipe_id, source_id, outcome, why) DO UPDATE SET
        segments = t.segments + excluded.segments, calls = t.calls + excluded.calls,
        prompt_tokens = t.prompt_tokens + excluded.prompt_tokens,
        completion_tokens = t.completion_tokens + excluded.completion_tokens,
        latency_ms = t.latency_ms + excluded.latency_ms, priced = t.priced + excluded.priced,
        usd = t.usd + excluded.usd, updated_at = greatest(t.updated_at, excluded.updated_at);

    INSERT INTO stage_activity AS a
    SELECT date_trunc('hour', c.updated_at, 'UTC'), c.recipe_id, d.source_id, c.outcome, c.why, count(*),
           sum(c.calls), sum(c.prompt_tokens), sum(c.completion_tokens), coalesce(sum(c.usd), 0)
    FROM (
    SELECT partition_key, f.recipe_id, f.segment_id, f.outcome, coalesce(f.reason, f.error_class, '') AS why, f.updated_at,
           f.calls - s.calls AS calls, f.prompt_tokens - s.prompt_tokens AS prompt_tokens,
           f.completion_tokens - s.completion_tokens AS completion_tokens,
           coalesce(f.usd, 0) - coalesce(s.usd, 0) AS usd
    FROM fresh f JOIN stale s USING (partition_key, segment_id, recipe_id) WHERE f.updated_at <> s.updated_at
) AS c JOIN segments s USING (partition_key, segment_id) JOIN documents d USING (document_id)
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (hour, recipe_id, source_id, outcome, why) DO UPDATE SET
        results = a.results + excluded.results, calls = a.calls + excluded.calls,
        prompt_tokens = a.prompt_tokens + excluded.prompt_tokens,
        completion_tokens = a.completion_tokens + excluded.completion_tokens, usd = a.usd + excluded.usd;
 RETURN NULL; END $function$;

CREATE OR REPLACE FUNCTION gem_recount()
 RETURNS void
 LANGUAGE plpgsql
AS $function$ BEGIN LOCK TABLE stage_results, documents, segments IN SHARE MODE;TRUNCATE stage_totals, stage_activity, ingest_totals;
    INSERT INTO stage_totals AS t
    SELECT c.partition_key, c.recipe_id, d.source_id, c.outcome, c.why, sum(n), sum(n * c.calls),
           sum(n * c.prompt_tokens), sum(n * c.completion_tokens), sum(n * c.latency_ms),
           coalesce(sum(n) FILTER (WHERE c.usd IS NOT NULL), 0), coalesce(sum(n * c.usd), 0), max(c.updated_at)
    FROM (SELECT 1 AS n, partition_key, recipe_id, segment_id, outcome, coalesce(reason, error_class, '') AS why,
             calls, prompt_tokens, completion_tokens, latency_ms, usd, updated_at FROM stage_results) AS c JOIN segments s USING (partition_key, segment_id) JOIN documents d USING (document_id)
    GROUP BY 1, 2, 3, 4, 5
    HAVING count(n) > 0
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (partition_key, recipe_id, source_id, outcome, why) DO UPDATE SET
        segments = t.segments + excluded.segments, calls = t.calls + excluded.calls,
        prompt_tokens = t.prompt_tokens + excluded.prompt_tokens,
        completion_tokens = t.completion_tokens + excluded.completion_tokens,
        latency_ms = t.latency_ms + excluded.latency_ms, priced = t.priced + excluded.priced,
        usd = t.usd + excluded.usd, updated_at = greatest(t.updated_at, excluded.updated_at);

    INSERT INTO stage_activity AS a
    SELECT date_trunc('hour', c.updated_at, 'UTC'), c.recipe_id, d.source_id, c.outcome, c.why, count(*),
           sum(c.calls), sum(c.prompt_tokens), sum(c.completion_tokens), coalesce(sum(c.usd), 0)
    FROM (SELECT 1 AS n, partition_key, recipe_id, segment_id, outcome, coalesce(reason, error_class, '') AS why,
             calls, prompt_tokens, completion_tokens, latency_ms, usd, updated_at FROM stage_results) AS c JOIN segments s USING (partition_key, segment_id) JOIN documents d USING (document_id)
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (hour, recipe_id, source_id, outcome, why) DO UPDATE SET
        results = a.results + excluded.results, calls = a.calls + excluded.calls,
        prompt_tokens = a.prompt_tokens + excluded.prompt_tokens,
        completion_tokens = a.completion_tokens + excluded.completion_tokens, usd = a.usd + excluded.usd;

    INSERT INTO ingest_totals AS t
    SELECT partition_key, source_id, coalesce(reason, ''), count(*), 0 FROM documents GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (partition_key, source_id, reason) DO UPDATE SET documents = t.documents + excluded.documents;

    INSERT INTO ingest_totals AS t
    SELECT s.partition_key, d.source_id, '', 0, count(*) FROM segments s JOIN documents d USING (document_id)
    GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (partition_key, source_id, reason) DO UPDATE SET segments = t.segments + excluded.segments;
  END $function$;

CREATE OR REPLACE FUNCTION gem_words(uri text, title text)
 RETURNS tsvector
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
    SELECT to_tsvector('simple', left(regexp_replace(coalesce(title, '') || ' ' || uri, '(\W|_)+', ' ', 'g'), 4000))
$function$;

CREATE OR REPLACE FUNCTION scoped_segments(partition_ text, sources_ text[], documents_ integer)
 RETURNS SETOF text
 LANGUAGE sql
 STABLE
AS $function$
            SELECT s.segment_id FROM segments s
            WHERE s.partition_key = partition_ AND s.document_id IN (
                SELECT g.document_id
                FROM segments g JOIN documents d USING (document_id) JOIN sources o USING (source_id)
                WHERE g.partition_key = partition_ AND (cardinality(sources_) = 0 OR o.uri = ANY (sources_))
                GROUP BY g.document_id ORDER BY min(ARRAY[g.shard, g.row_no]) LIMIT documents_)
        $function$;
