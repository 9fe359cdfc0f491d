-- console_trajectories --
-- Published trajectories before a place in time, the newest first.
SELECT t.trajectory_id, t.segment_id, t.recipe_id, t.dataset_version AS version, t.messages, t.tools, t.calls, t.domains,
       t.platform, t.task_category, t.called, t.findings, t.created_at, v.superseded_by IS NULL AS current, v.audited_by,
       t.created_at AS place_at, t.trajectory_id AS place_id
FROM trajectories t JOIN datasets v ON v.version = t.dataset_version
WHERE (%(at)s::timestamptz IS NULL OR (t.created_at, t.trajectory_id) < (%(at)s, %(id)s))
  AND (%(domain)s::text IS NULL OR t.domains @> ARRAY[%(domain)s::text])
  AND (%(tool)s::text IS NULL OR t.called @> ARRAY[%(tool)s::text])
  AND (%(finding)s::text IS NULL OR t.findings @> ARRAY[%(finding)s::text])
  AND (%(platform)s::text IS NULL OR t.platform = %(platform)s)
  AND (%(recipe)s::text IS NULL OR t.recipe_id = %(recipe)s)
  AND (%(version)s::text IS NULL OR t.dataset_version = %(version)s)
  AND (%(least)s::int IS NULL OR t.messages >= %(least)s)
  AND (%(most)s::int IS NULL OR t.messages <= %(most)s)
  AND (%(audited)s::text[] IS NULL OR t.dataset_version = ANY(%(audited)s::text[]))
  AND (NOT %(unaudited)s OR v.audited_by IS NULL)
ORDER BY t.created_at DESC, t.trajectory_id DESC LIMIT %(limit)s

-- console_audited --
-- Versions that are audited; given to the list by name, so that its plan knows how few they are.
SELECT version FROM datasets WHERE audited_by IS NOT NULL

-- console_refused --
-- What the validation refused, the newest first.
SELECT r.segment_id, r.recipe_id, r.reason, r.detail, r.partition_key AS partition, r.updated_at, d.uri, d.title,
       r.updated_at AS place_at, r.segment_id AS place_id
FROM stage_results r JOIN segments s USING (partition_key, segment_id) JOIN documents d USING (document_id)
WHERE r.outcome = 'rejected' AND r.stage IN ('validate', 'simulate', 'verify', 'confirm')
  AND (%(reason)s::text IS NULL OR r.reason = %(reason)s)
  AND (%(at)s::timestamptz IS NULL OR (r.updated_at, r.segment_id) < (%(at)s, %(id)s))
ORDER BY r.updated_at DESC, r.segment_id DESC LIMIT %(limit)s

-- console_trajectory --
-- What a published trajectory was made of.
SELECT t.trajectory_id, t.segment_id, t.recipe_id, t.dataset_version AS version, v.superseded_by, v.audited_by
FROM trajectories t JOIN datasets v ON v.version = t.dataset_version
WHERE t.trajectory_id = %(trajectory_id)s

-- console_segment --
-- A segment with its document.
SELECT s.segment_id, s.document_id, s.partition_key AS partition, s.shard, d.uri, d.title, d.license
FROM segments s JOIN documents d USING (document_id) WHERE s.segment_id = %(segment_id)s

-- console_results --
-- Everything that was ever made of a segment.
SELECT r.recipe_id, r.stage, r.outcome, r.reason, r.error_class, r.detail, r.attempts, r.calls, r.prompt_tokens,
       r.completion_tokens, r.latency_ms, r.usd, r.object_key, r.airflow_run_id, r.airflow_task_id, r.airflow_map_index,
       r.airflow_try, r.updated_at, c.model, c.prompt_sha256, c.parent_id, r.measures,
       c.params -> 'opened' AS opened, coalesce(k.workflow, 0) AS workflow, coalesce(k.rollout, 0) AS rollout
FROM segments s JOIN stage_results r USING (partition_key, segment_id) JOIN recipes c USING (recipe_id)
LEFT JOIN recipe_takes k USING (recipe_id)
WHERE s.segment_id = %(segment_id)s ORDER BY r.updated_at, r.stage

-- console_ratings --
-- What people think of an item.
SELECT audit_id, rater, coherence, tools, faithfulness, comment, rated_at
FROM audit_ratings WHERE item_id = %(item_id)s ORDER BY rated_at DESC LIMIT 20
