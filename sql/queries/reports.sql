-- document_counts --
-- Documents recorded in a partition, by reason for having no segments (null: ingested).
SELECT reason, count(*) AS documents FROM documents WHERE partition_key = %(partition)s GROUP BY reason
ORDER BY documents DESC, reason

-- unreadable_documents --
-- The first objects of a partition that GEM could not, or must not, read, with the cause of each.
SELECT uri, detail FROM documents WHERE partition_key = %(partition)s AND live
  AND reason IN ('unreadable', 'unsupported', 'disallowed', 'moved', 'encrypted', 'image_only')
ORDER BY uri LIMIT 20

-- stage_counts --
-- Outcomes of a stage over a partition, by reason or error class.
SELECT outcome, coalesce(reason, error_class) AS why, count(*) AS segments
FROM stage_results WHERE partition_key = %(partition)s AND recipe_id = ANY(%(recipe_ids)s)
GROUP BY outcome, why ORDER BY segments DESC, outcome, why

-- stage_cost --
-- Calls and tokens of a stage over a partition; with a run id, only those of that run.
SELECT coalesce(sum(calls), 0)::int AS calls, coalesce(sum(prompt_tokens), 0)::bigint AS prompt_tokens,
       coalesce(sum(cached_tokens), 0)::bigint AS cached_tokens,
       coalesce(sum(completion_tokens), 0)::bigint AS completion_tokens, sum(usd) AS usd
FROM stage_results
WHERE partition_key = %(partition)s AND recipe_id = ANY(%(recipe_ids)s)
  AND (%(run_id)s::text IS NULL OR airflow_run_id = %(run_id)s)

-- current_dataset --
-- The partition's current version, and one of its trajectories.
SELECT d.version, d.trajectories, d.manifest,
       (SELECT min(t.trajectory_id) FROM trajectories t WHERE t.dataset_version = d.version) AS example
FROM datasets d WHERE d.partition_key = %(partition)s AND d.superseded_by IS NULL

-- find_document --
-- The document behind an id of any kind or a URI, newest version first; `guessed` if the argument is only the prefix of
-- a trajectory. Each kind of id has its index: one condition with OR would read the whole table.
WITH named AS (
    SELECT d.document_id, false AS guessed FROM documents d WHERE d.document_id = %(id)s
    UNION SELECT d.document_id, false FROM documents d WHERE d.uri = %(id)s
    UNION SELECT s.document_id, false FROM segments s WHERE s.segment_id = %(id)s
    UNION SELECT s.document_id, true FROM segments s JOIN trajectories t USING (segment_id)
          WHERE length(%(id)s) >= 6 AND starts_with(t.trajectory_id, %(id)s)
)
SELECT d.document_id, d.source_id, d.partition_key, d.uri, d.etag, d.content_hash, d.title, d.license, d.language, d.chars,
       d.metadata, d.reason, d.detail, d.ingested_at, d.object_key, d.fingerprint, d.superseded_by, d.gone_at, d.live,
       n.guessed
FROM documents d JOIN named n USING (document_id)
ORDER BY n.guessed, d.ingested_at DESC, d.document_id LIMIT 2

-- document_segments --
-- Segments of a document in order.
SELECT segment_id, partition_key, shard, start_char, end_char, place, tokens FROM segments
WHERE document_id = %(document_id)s ORDER BY start_char

-- document_outcomes --
-- All results for a document's segments, with their recipes.
SELECT r.segment_id, r.stage, r.outcome, r.reason, r.error_class, r.detail, r.attempts, r.calls, r.prompt_tokens,
       r.completion_tokens, r.latency_ms, r.usd, r.faults, r.recipe_id, r.object_key, c.model, c.prompt_sha256, c.version AS stage_version,
       r.airflow_run_id, r.airflow_task_id, r.airflow_map_index, r.airflow_try, r.updated_at,
       coalesce(k.workflow, 0) AS workflow, coalesce(k.rollout, 0) AS rollout
FROM stage_results r JOIN segments s USING (partition_key, segment_id) JOIN recipes c USING (recipe_id)
LEFT JOIN recipe_takes k USING (recipe_id)
WHERE s.document_id = %(document_id)s ORDER BY r.segment_id, r.updated_at, r.stage

-- document_trajectories --
-- Trajectories made from a document.
SELECT t.trajectory_id, t.segment_id, t.recipe_id, t.dataset_version, t.messages, t.tools, t.calls, t.created_at,
       coalesce(k.workflow, 0) AS workflow, coalesce(k.rollout, 0) AS rollout, r.stage
FROM trajectories t JOIN segments s USING (segment_id) JOIN recipes r USING (recipe_id)
LEFT JOIN recipe_takes k USING (recipe_id)
WHERE s.document_id = %(document_id)s ORDER BY workflow, rollout, t.trajectory_id
