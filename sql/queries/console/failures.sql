-- console_failure_classes --
-- What fails now, by stage and class.
SELECT r.stage, t.why AS error_class, sum(t.segments)::bigint AS segments, sum(t.segments) FILTER
           (WHERE t.recipe_id = ANY(%(recipe_ids)s))::bigint AS retriable, max(t.updated_at) AS last_seen
FROM stage_totals t JOIN recipes r USING (recipe_id)
WHERE t.outcome = 'failed' AND t.partition_key >= %(first)s AND t.partition_key <= %(last)s
  AND (%(source_id)s::int IS NULL OR t.source_id = %(source_id)s)
GROUP BY 1, 2 HAVING sum(t.segments) > 0 ORDER BY 3 DESC, 1, 2

-- console_failure_trend --
-- Failures as they happened, those that a later try has fixed included.
SELECT r.stage, a.why AS error_class, date_trunc(%(step)s, a.hour, 'UTC') AS at, sum(a.results)::bigint AS results
FROM stage_activity a JOIN recipes r USING (recipe_id)
WHERE a.outcome = 'failed' AND a.hour >= %(since)s AND (%(source_id)s::int IS NULL OR a.source_id = %(source_id)s)
GROUP BY 1, 2, 3 ORDER BY 3

-- console_failures --
-- Failed segments, the newest first.
SELECT r.segment_id, r.recipe_id, r.stage, r.error_class, r.detail, r.calls, r.partition_key AS partition, r.shard,
       r.object_key, r.retry_asked, r.set_aside, r.airflow_run_id, r.airflow_task_id, r.airflow_map_index, r.airflow_try,
       r.updated_at, d.uri, d.document_id, r.updated_at AS place_at, r.segment_id AS place_id
FROM stage_results r JOIN segments s USING (partition_key, segment_id) JOIN documents d USING (document_id)
WHERE r.outcome = 'failed'
  AND (%(stage)s::text IS NULL OR r.stage = %(stage)s)
  AND (%(error_class)s::text IS NULL OR r.error_class = %(error_class)s)
  AND (%(at)s::timestamptz IS NULL OR (r.updated_at, r.segment_id) < (%(at)s, %(id)s))
ORDER BY r.updated_at DESC, r.segment_id DESC LIMIT %(limit)s
