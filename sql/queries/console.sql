-- console_recipes --
-- Every recipe with its parent and when it was last at work: few rows, from which chains are put together.
SELECT r.recipe_id, r.stage, r.version, r.prompt_sha256, r.model, r.params, r.parent_id, r.first_seen_at,
       (SELECT max(hour) FROM stage_activity a WHERE a.recipe_id = r.recipe_id) AS last_hour
FROM recipes r ORDER BY r.first_seen_at, r.recipe_id

-- console_sources --
-- Registered sources.
SELECT source_id, uri FROM sources ORDER BY uri LIMIT 500

-- console_ingested --
-- Documents and segments of a range of partitions, by reason for having none.
SELECT reason, sum(documents)::bigint AS documents, sum(segments)::bigint AS segments
FROM ingest_totals
WHERE partition_key >= %(first)s AND partition_key <= %(last)s
  AND (%(source_id)s::int IS NULL OR source_id = %(source_id)s)
GROUP BY reason ORDER BY 2 DESC, 1

-- console_totals --
-- Outcomes of some recipes over a range of partitions.
SELECT recipe_id, outcome, why, sum(segments)::bigint AS segments, sum(calls)::bigint AS calls,
       sum(prompt_tokens + completion_tokens)::bigint AS tokens, sum(latency_ms)::bigint AS latency_ms,
       sum(priced)::bigint AS priced, sum(usd) AS usd
FROM stage_totals
WHERE partition_key >= %(first)s AND partition_key <= %(last)s AND recipe_id = ANY(%(recipe_ids)s)
  AND (%(source_id)s::int IS NULL OR source_id = %(source_id)s)
GROUP BY recipe_id, outcome, why HAVING sum(segments) <> 0 OR sum(calls) <> 0

-- console_published --
-- Published trajectories of a range of partitions.
SELECT coalesce(sum(trajectories), 0)::bigint AS trajectories, count(*)::int AS versions
FROM datasets WHERE superseded_by IS NULL AND partition_key >= %(first)s AND partition_key <= %(last)s

-- console_series --
-- What was done and paid over time, by stage and outcome.
WITH hours AS (
    SELECT hour, recipe_id, outcome, sum(results) AS results, sum(calls) AS calls, sum(usd) AS usd
    FROM stage_activity
    WHERE hour >= %(since)s AND (%(source_id)s::int IS NULL OR source_id = %(source_id)s)
    GROUP BY hour, recipe_id, outcome
)
SELECT date_trunc(%(step)s, h.hour, 'UTC') AS at, r.stage, h.outcome, sum(h.results)::bigint AS results,
       sum(h.calls)::bigint AS calls, sum(h.usd) AS usd
FROM hours h JOIN recipes r USING (recipe_id)
GROUP BY 1, 2, 3 ORDER BY 1

-- console_partitions --
-- The newest partitions.
SELECT partition_key, created_at FROM partitions
WHERE partition_key >= %(first)s AND partition_key <= %(last)s ORDER BY partition_key DESC LIMIT %(limit)s

-- console_partition_stages --
-- Outcomes by partition and recipe, for a few partitions.
SELECT partition_key, recipe_id, outcome, sum(segments)::bigint AS segments, max(updated_at) AS updated_at, sum(usd) AS usd
FROM stage_totals WHERE partition_key = ANY(%(partitions)s)
  AND (%(source_id)s::int IS NULL OR source_id = %(source_id)s)
GROUP BY partition_key, recipe_id, outcome

-- console_partition_ingested --
-- Documents and segments of a few partitions.
SELECT partition_key, sum(documents)::bigint AS documents, sum(segments)::bigint AS segments
FROM ingest_totals WHERE partition_key = ANY(%(partitions)s)
  AND (%(source_id)s::int IS NULL OR source_id = %(source_id)s)
GROUP BY partition_key

-- console_shards --
-- How far each shard of a partition is, and how many results the last two minutes brought.
SELECT recipe_id, shard, count(*) AS done, count(*) FILTER (WHERE outcome = 'accepted') AS accepted,
       count(*) FILTER (WHERE outcome = 'rejected') AS rejected,
       count(*) FILTER (WHERE updated_at > now() - interval '2 minutes') AS recent
FROM stage_results WHERE partition_key = %(partition)s AND recipe_id = ANY(%(recipe_ids)s)
GROUP BY recipe_id, shard

-- console_decisions --
-- The newest gate decisions, of one partition or of all.
SELECT decision_id, partition_key AS partition, stage, recipe_id, action, reason, person, airflow_run_id, decided_at
FROM gate_decisions WHERE %(partition)s::text IS NULL OR partition_key = %(partition)s
ORDER BY decision_id DESC LIMIT %(limit)s

-- console_documents --
-- Documents before a place in time, the newest first.
SELECT d.document_id, d.uri, d.title, d.license, d.language, d.chars, d.reason, d.partition_key AS partition,
       d.ingested_at, d.ingested_at AS place_at, d.document_id AS place_id
FROM documents d
WHERE (%(at)s::timestamptz IS NULL OR (d.ingested_at, d.document_id) < (%(at)s, %(id)s))
  AND (%(source_id)s::int IS NULL OR d.source_id = %(source_id)s)
  AND (%(reason)s::text IS NULL OR coalesce(d.reason, '') = %(reason)s)
ORDER BY d.ingested_at DESC, d.document_id DESC LIMIT %(limit)s

-- console_newest_found --
-- Of the newest documents those whose title or address has these words: all that one page shows of a frequent word.
WITH newest AS MATERIALIZED (
    SELECT * FROM documents d
    WHERE (%(source_id)s::int IS NULL OR d.source_id = %(source_id)s)
      AND (%(reason)s::text IS NULL OR coalesce(d.reason, '') = %(reason)s)
    ORDER BY d.ingested_at DESC, d.document_id DESC LIMIT %(newest)s
)
SELECT d.document_id, d.uri, d.title, d.license, d.language, d.chars, d.reason, d.partition_key AS partition,
       d.ingested_at, d.ingested_at AS place_at, d.document_id AS place_id
FROM newest d WHERE gem_words(d.uri, d.title) @@ %(words)s::tsquery
ORDER BY d.ingested_at DESC, d.document_id DESC LIMIT %(limit)s

-- console_documents_found --
-- Documents whose title or address has these words; of very many, some.
WITH found AS MATERIALIZED (
    SELECT * FROM documents d WHERE gem_words(d.uri, d.title) @@ %(words)s::tsquery LIMIT %(most)s
)
SELECT d.document_id, d.uri, d.title, d.license, d.language, d.chars, d.reason, d.partition_key AS partition,
       d.ingested_at, d.ingested_at AS place_at, d.document_id AS place_id
FROM found d
WHERE (%(source_id)s::int IS NULL OR d.source_id = %(source_id)s)
  AND (%(reason)s::text IS NULL OR coalesce(d.reason, '') = %(reason)s)
ORDER BY d.ingested_at DESC, d.document_id DESC LIMIT %(limit)s

-- console_documents_of_domain --
-- Documents with published trajectories of a domain, by their newest trajectory.
SELECT d.document_id, d.uri, d.title, d.license, d.language, d.chars, d.reason, d.partition_key AS partition,
       d.ingested_at, t.created_at AS place_at, t.trajectory_id AS place_id
FROM trajectories t JOIN segments s USING (segment_id) JOIN documents d USING (document_id)
WHERE t.domains @> ARRAY[%(domain)s::text] AND (%(source_id)s::int IS NULL OR d.source_id = %(source_id)s)
  AND (%(at)s::timestamptz IS NULL OR (t.created_at, t.trajectory_id) < (%(at)s, %(id)s))
ORDER BY t.created_at DESC, t.trajectory_id DESC LIMIT %(limit)s

-- console_documents_with_failures --
-- Documents with failed segments, by the newest failure.
SELECT d.document_id, d.uri, d.title, d.license, d.language, d.chars, d.reason, d.partition_key AS partition,
       d.ingested_at, r.updated_at AS place_at, r.segment_id AS place_id
FROM stage_results r JOIN segments s USING (segment_id) JOIN documents d USING (document_id)
WHERE r.outcome = 'failed' AND (%(source_id)s::int IS NULL OR d.source_id = %(source_id)s)
  AND (%(at)s::timestamptz IS NULL OR (r.updated_at, r.segment_id) < (%(at)s, %(id)s))
ORDER BY r.updated_at DESC, r.segment_id DESC LIMIT %(limit)s

-- console_states --
-- How far the segments of some documents came, and what became of them.
SELECT s.document_id, count(DISTINCT s.segment_id)::int AS segments, count(DISTINCT t.trajectory_id)::int AS trajectories,
       count(*) FILTER (WHERE r.outcome = 'failed')::int AS failed, sum(r.usd) AS usd,
       sum(r.calls)::int AS calls
FROM segments s LEFT JOIN stage_results r USING (segment_id)
LEFT JOIN trajectories t ON t.segment_id = r.segment_id AND t.recipe_id = r.recipe_id
WHERE s.document_id = ANY(%(ids)s) GROUP BY s.document_id

-- console_versions --
-- Every version of a document's text.
SELECT document_id, partition_key AS partition, content_hash, etag, chars, reason, ingested_at
FROM documents WHERE uri = %(uri)s ORDER BY ingested_at DESC, document_id LIMIT 50

-- console_spans --
-- Where in the segments of a document tools, steps and rules were found.
SELECT r.segment_id, r.measures -> 'spans' AS spans FROM stage_results r JOIN segments s USING (segment_id)
WHERE s.document_id = %(document_id)s AND r.stage IN ('validate', 'revalidate') AND r.measures ? 'spans'

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
FROM stage_results r JOIN segments s USING (segment_id) JOIN documents d USING (document_id)
WHERE r.outcome = 'rejected' AND r.stage = 'validate'
  AND (%(reason)s::text IS NULL OR r.reason = %(reason)s)
  AND (%(at)s::timestamptz IS NULL OR (r.updated_at, r.segment_id) < (%(at)s, %(id)s))
ORDER BY r.updated_at DESC, r.segment_id DESC LIMIT %(limit)s

-- console_trajectory --
-- What a published trajectory was made of.
SELECT t.trajectory_id, t.segment_id, t.recipe_id, t.dataset_version AS version, t.domains, t.platform, t.task_category,
       t.created_at, v.partition_key AS partition, v.superseded_by, v.audited_by
FROM trajectories t JOIN datasets v ON v.version = t.dataset_version
WHERE t.trajectory_id = %(trajectory_id)s

-- console_segment --
-- A segment with its document.
SELECT s.segment_id, s.document_id, s.partition_key AS partition, s.shard, s.start_char, s.end_char, d.uri, d.title,
       d.license, d.language
FROM segments s JOIN documents d USING (document_id) WHERE s.segment_id = %(segment_id)s

-- console_results --
-- Everything that was ever made of a segment.
SELECT r.recipe_id, r.stage, r.outcome, r.reason, r.error_class, r.detail, r.attempts, r.calls, r.prompt_tokens,
       r.completion_tokens, r.latency_ms, r.usd, r.object_key, r.airflow_run_id, r.airflow_task_id, r.airflow_map_index,
       r.airflow_try, r.updated_at, c.model, c.prompt_sha256, c.parent_id, r.measures,
       c.params -> 'opened' AS opened
FROM stage_results r JOIN recipes c USING (recipe_id) WHERE r.segment_id = %(segment_id)s ORDER BY r.updated_at, r.stage

-- console_ratings --
-- What people think of an item.
SELECT audit_id, rater, coherence, tools, faithfulness, comment, rated_at
FROM audit_ratings WHERE item_id = %(item_id)s ORDER BY rated_at DESC LIMIT 20

-- console_prompts --
-- Every prompt text that was used, the newest first.
SELECT sha256, name, length(text) AS chars, first_seen_at FROM prompts ORDER BY name, first_seen_at DESC, sha256

-- console_prompt --
-- A prompt's text.
SELECT sha256, name, text, first_seen_at FROM prompts WHERE sha256 = %(sha256)s

-- console_recipe_totals --
-- What each recipe came to over all partitions.
SELECT recipe_id, sum(segments) FILTER (WHERE outcome = 'accepted')::bigint AS accepted,
       sum(segments) FILTER (WHERE outcome = 'rejected')::bigint AS rejected,
       sum(segments) FILTER (WHERE outcome = 'failed')::bigint AS failed,
       sum(calls)::bigint AS calls, sum(prompt_tokens + completion_tokens)::bigint AS tokens,
       sum(priced)::bigint AS priced, sum(usd) AS usd
FROM stage_totals WHERE recipe_id = ANY(%(recipe_ids)s) GROUP BY recipe_id

-- console_failure_classes --
-- What fails now, by stage and class.
SELECT r.stage, t.why AS error_class, sum(t.segments)::bigint AS segments, sum(t.segments) FILTER
           (WHERE t.recipe_id = ANY(%(recipe_ids)s))::bigint AS retriable, max(t.updated_at) AS last_seen
FROM stage_totals t JOIN recipes r USING (recipe_id)
WHERE t.outcome = 'failed' AND t.partition_key >= %(first)s AND t.partition_key <= %(last)s
  AND (%(source_id)s::int IS NULL OR t.source_id = %(source_id)s)
GROUP BY 1, 2 HAVING sum(t.segments) > 0 ORDER BY 3 DESC, 1, 2

-- console_failure_trend --
-- Failures as they happened, those that were mended since included.
SELECT r.stage, a.why AS error_class, date_trunc(%(step)s, a.hour, 'UTC') AS at, sum(a.results)::bigint AS results
FROM stage_activity a JOIN recipes r USING (recipe_id)
WHERE a.outcome = 'failed' AND a.hour >= %(since)s AND (%(source_id)s::int IS NULL OR a.source_id = %(source_id)s)
GROUP BY 1, 2, 3 ORDER BY 3

-- console_failures --
-- Failed segments, the newest first.
SELECT r.segment_id, r.recipe_id, r.stage, r.error_class, r.detail, r.calls, r.partition_key AS partition, r.shard,
       r.object_key, r.retry_asked, r.set_aside, r.airflow_run_id, r.airflow_task_id, r.airflow_map_index, r.airflow_try,
       r.updated_at, d.uri, d.document_id, r.updated_at AS place_at, r.segment_id AS place_id
FROM stage_results r JOIN segments s USING (segment_id) JOIN documents d USING (document_id)
WHERE r.outcome = 'failed'
  AND (%(stage)s::text IS NULL OR r.stage = %(stage)s)
  AND (%(error_class)s::text IS NULL OR r.error_class = %(error_class)s)
  AND (%(at)s::timestamptz IS NULL OR (r.updated_at, r.segment_id) < (%(at)s, %(id)s))
ORDER BY r.updated_at DESC, r.segment_id DESC LIMIT %(limit)s

-- console_datasets --
-- Versions before a place, the newest first.
SELECT version, partition_key AS partition, recipe_id, trajectories, superseded_by, audited_by, created_at,
       manifest -> 'teacher' AS teacher, manifest -> 'means' AS means, manifest -> 'contamination' AS contamination,
       manifest -> 'excluded' AS excluded, created_at AS place_at, version AS place_id
FROM datasets
WHERE (%(at)s::timestamptz IS NULL OR (created_at, version) < (%(at)s, %(id)s))
  AND (NOT %(current)s OR superseded_by IS NULL)
ORDER BY created_at DESC, version DESC LIMIT %(limit)s

-- console_dataset --
-- One version with its manifest.
SELECT version, partition_key AS partition, recipe_id, trajectories, superseded_by, audited_by, created_at, manifest
FROM datasets WHERE version = %(version)s

-- console_exclusions --
-- What a version leaves out.
SELECT segment_id, reason, detail FROM dataset_exclusions WHERE version = %(version)s ORDER BY segment_id LIMIT 100

-- console_run --
-- What an Airflow run wrote, by partition and stage.
SELECT partition_key AS partition, stage, recipe_id, outcome, count(*) AS segments, sum(calls)::bigint AS calls,
       sum(usd) AS usd, sum(prompt_tokens + completion_tokens)::bigint AS tokens,
       sum(prompt_tokens)::bigint AS prompt_tokens, sum(cached_tokens)::bigint AS cached_tokens
FROM stage_results WHERE airflow_run_id = %(run_id)s GROUP BY 1, 2, 3, 4

-- console_task --
-- Segments that a task instance wrote.
SELECT r.segment_id, r.recipe_id, r.stage, r.outcome, coalesce(r.reason, r.error_class) AS why, r.detail, r.calls, r.usd,
       r.latency_ms, r.partition_key AS partition, r.shard, r.updated_at, d.uri, d.title, d.document_id
FROM stage_results r JOIN segments s USING (segment_id) JOIN documents d USING (document_id)
WHERE r.airflow_run_id = %(run_id)s AND r.airflow_task_id = %(task_id)s
  AND (%(map_index)s::int IS NULL OR r.airflow_map_index = %(map_index)s)
ORDER BY r.outcome, r.segment_id LIMIT %(limit)s

-- console_audits --
-- Audits with how many of their items were rated.
SELECT a.audit_id, a.population, a.versions, a.drawn_at, a.airflow_run_id,
       (SELECT count(*)::int FROM audit_items i WHERE i.audit_id = a.audit_id) AS items,
       (SELECT count(DISTINCT item_id)::int FROM audit_ratings r WHERE r.audit_id = a.audit_id) AS rated
FROM audits a WHERE %(version)s::text IS NULL OR %(version)s = ANY(a.versions) ORDER BY a.drawn_at DESC LIMIT 20

-- console_models --
-- Trained models, whatever columns they have.
SELECT to_jsonb(m) AS found FROM models m ORDER BY m.created_at DESC LIMIT 200

-- console_promotions --
-- Who became champion, whatever columns there are.
SELECT to_jsonb(p) AS found FROM promotions p ORDER BY p.decided_at DESC LIMIT 100

-- console_stale --
-- Results that stand under other recipes than the present ones, with what such results took on average.
SELECT r.stage, sum(t.segments)::bigint AS segments, sum(t.calls)::bigint AS calls,
       sum(t.priced)::bigint AS priced, sum(t.usd) AS usd,
       min(t.partition_key) AS first, max(t.partition_key) AS last
FROM stage_totals t JOIN recipes r USING (recipe_id)
WHERE t.recipe_id <> ALL(%(recipe_ids)s)
GROUP BY r.stage HAVING sum(t.segments) > 0
