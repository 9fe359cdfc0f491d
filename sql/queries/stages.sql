-- insert_prompts --
-- Every prompt text ever used, by its hash.
INSERT INTO prompts (sha256, name, text) VALUES (%(sha256)s, %(name)s, %(text)s) ON CONFLICT DO NOTHING

-- insert_recipes --
-- Recipes by their hash; parents come first. A known one is marked as used, up to once a minute.
INSERT INTO recipes AS known (recipe_id, stage, version, prompt_sha256, model, params, parent_id)
VALUES (%(recipe_id)s, %(stage)s, %(version)s, %(prompt_sha256)s, %(model)s, %(params)s, %(parent)s)
ON CONFLICT (recipe_id) DO UPDATE SET last_used_at = now() WHERE known.last_used_at < now() - interval '1 minute'

-- outcomes --
-- Outcomes of a shard under a recipe, without those that a later run retries; of `extract` and `task`, those with a
-- workflow or task of this index.
SELECT segment_id, outcome, error_class FROM stage_results
WHERE partition_key = %(partition)s AND shard = %(shard)s AND recipe_id = %(recipe_id)s
  AND final AND NOT retry_asked
  AND (%(least)s = 0 OR coalesce((measures ->> %(counts)s)::int > %(least)s, true))

-- uncounted --
-- Texts of a shard whose workflows were extracted by a version of GEM that did not count them.
SELECT segment_id FROM stage_results
WHERE partition_key = %(partition)s AND shard = %(shard)s AND recipe_id = %(recipe_id)s
  AND outcome = 'accepted' AND object_key <> '' AND NOT coalesce(measures ? 'workflows', false)

-- count_workflows --
-- Adds the number of workflows to results of `extract`.
UPDATE stage_results r SET measures = coalesce(r.measures, '{}') || jsonb_build_object('workflows', u.workflows)
FROM unnest(%(segment_id)s::text[], %(workflows)s::int[]) AS u(segment_id, workflows)
WHERE r.partition_key = %(partition)s AND r.segment_id = u.segment_id AND r.recipe_id = %(recipe_id)s

-- upsert_outcomes --
-- Bulk upsert; the cost of earlier attempts stays counted.
INSERT INTO stage_results AS old (segment_id, recipe_id, stage, outcome, reason, error_class, detail, doubtful, calls, faults,
    prompt_tokens, cached_tokens, completion_tokens, reasoning_tokens, latency_ms, usd, measures, partition_key, shard,
    object_key, airflow_run_id, airflow_task_id, airflow_map_index, airflow_try)
SELECT u.segment_id, %(recipe_id)s, %(stage)s, u.outcome, u.reason, u.error_class, u.detail, u.doubtful, u.calls, u.faults,
       u.prompt_tokens, u.cached_tokens, u.completion_tokens, u.reasoning_tokens, u.latency_ms, u.usd, u.measures,
       %(partition)s, %(shard)s, %(object_key)s, %(run_id)s, %(task_id)s, %(map_index)s, %(try_number)s
FROM unnest(%(segment_id)s::text[], %(outcome)s::text[], %(reason)s::text[], %(error_class)s::text[],
            %(detail)s::text[], %(doubtful)s::boolean[], %(calls)s::int[], %(faults)s::jsonb[], %(prompt_tokens)s::int[],
            %(cached_tokens)s::int[], %(completion_tokens)s::int[], %(reasoning_tokens)s::int[],
            %(latency_ms)s::int[], %(usd)s::double precision[], %(measures)s::jsonb[])
     AS u(segment_id, outcome, reason, error_class, detail, doubtful, calls, faults, prompt_tokens, cached_tokens,
          completion_tokens, reasoning_tokens, latency_ms, usd, measures)
ON CONFLICT (partition_key, segment_id, recipe_id) DO UPDATE SET
    outcome = excluded.outcome, reason = excluded.reason, error_class = excluded.error_class, detail = excluded.detail,
    doubtful = excluded.doubtful, set_aside = false,
    failed_runs = CASE WHEN excluded.final THEN 0 ELSE old.failed_runs END,
    attempts = old.attempts + 1, retry_asked = false,
    calls = old.calls + excluded.calls,
    faults = (SELECT coalesce(jsonb_object_agg(key, total), '{}')
              FROM (SELECT key, sum(value::int) AS total
                    FROM (SELECT * FROM jsonb_each_text(old.faults)
                          UNION ALL SELECT * FROM jsonb_each_text(excluded.faults)) AS both_
                    GROUP BY key) AS summed),
    prompt_tokens = old.prompt_tokens + excluded.prompt_tokens,
    cached_tokens = old.cached_tokens + excluded.cached_tokens,
    completion_tokens = old.completion_tokens + excluded.completion_tokens,
    reasoning_tokens = old.reasoning_tokens + excluded.reasoning_tokens,
    latency_ms = old.latency_ms + excluded.latency_ms,
    usd = coalesce(old.usd + excluded.usd, old.usd, excluded.usd),
    measures = excluded.measures, object_key = excluded.object_key,
    airflow_run_id = excluded.airflow_run_id, airflow_task_id = excluded.airflow_task_id,
    airflow_map_index = excluded.airflow_map_index, airflow_try = excluded.airflow_try, updated_at = now()

-- endpoint_state --
-- How an endpoint serves a partition under a recipe: segments with an answer, in total and in this run; segments
-- without an answer, and those of this run that had no such failure in earlier runs.
SELECT count(*) FILTER (WHERE answered)::int AS answered,
       count(*) FILTER (WHERE answered AND airflow_run_id = %(run_id)s)::int AS answered_by_run,
       count(*) FILTER (WHERE NOT final)::int AS unanswered,
       count(*) FILTER (WHERE NOT final AND failed_runs = 0 AND segment_id = ANY(%(segment_ids)s))::int
           AS newly_unanswered
FROM (SELECT segment_id, final, failed_runs, airflow_run_id,
             calls > 0 AND (outcome <> 'failed' OR error_class = ANY(%(unusable)s)) AS answered
      FROM stage_results WHERE partition_key = %(partition)s AND recipe_id = %(recipe_id)s) AS seen

-- recipe_answered --
-- Whether a model has ever answered under a recipe.
SELECT EXISTS (SELECT 1 FROM stage_totals
               WHERE recipe_id = %(recipe_id)s AND calls > 0 AND segments > 0
                 AND (outcome <> 'failed' OR why = ANY(%(unusable)s))) AS yes

-- count_failed_run --
-- Records that a run ended without an answer to these segments; after several such runs the failure is final.
UPDATE stage_results SET failed_runs = failed_runs + 1, set_aside = failed_runs + 1 >= %(set_aside_after)s
WHERE partition_key = %(partition)s AND segment_id = ANY(%(segment_ids)s) AND recipe_id = %(recipe_id)s AND NOT final

-- take_of --
-- Which conversation of a text a recipe makes.
SELECT workflow, rollout FROM recipe_takes WHERE recipe_id = %(recipe_id)s

-- segment_ids --
-- Segments of a shard with live documents.
SELECT s.segment_id FROM segments s JOIN documents d USING (document_id)
WHERE s.partition_key = %(partition)s AND s.shard = %(shard)s AND d.live
