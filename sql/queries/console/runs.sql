-- console_run --
-- What an Airflow run wrote, by partition and stage.
SELECT partition_key AS partition, stage, r.recipe_id, t.workflow, t.rollout, outcome, count(*) AS segments, sum(calls)::bigint AS calls,
       sum(usd) AS usd, sum(prompt_tokens + completion_tokens)::bigint AS tokens,
       sum(prompt_tokens)::bigint AS prompt_tokens, sum(cached_tokens)::bigint AS cached_tokens
FROM stage_results r LEFT JOIN recipe_takes t USING (recipe_id)
WHERE airflow_run_id = %(run_id)s GROUP BY 1, 2, 3, 4, 5, 6

-- console_task --
-- Segments that a task instance wrote.
SELECT r.segment_id, r.recipe_id, r.stage, r.outcome, coalesce(r.reason, r.error_class) AS why, r.detail, r.calls, r.usd,
       r.latency_ms, r.partition_key AS partition, r.shard, r.updated_at, d.uri, d.title, d.document_id
FROM stage_results r JOIN segments s USING (partition_key, segment_id) JOIN documents d USING (document_id)
WHERE r.airflow_run_id = %(run_id)s AND r.airflow_task_id = %(task_id)s
  AND (%(map_index)s::int IS NULL OR r.airflow_map_index = %(map_index)s)
ORDER BY r.outcome, r.segment_id LIMIT %(limit)s
