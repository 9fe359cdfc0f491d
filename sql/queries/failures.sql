-- failed --
-- Failed segments under these recipes, newest first.
SELECT r.segment_id, d.uri, r.stage, r.recipe_id, r.partition_key AS partition, r.shard, r.error_class, r.detail,
       r.calls, r.object_key, r.set_aside
FROM stage_results r JOIN segments s USING (partition_key, segment_id) JOIN documents d USING (document_id)
WHERE r.outcome = 'failed' AND r.recipe_id = ANY(%(recipe_ids)s)
  AND (%(error_class)s::text IS NULL OR r.error_class = %(error_class)s)
  AND (%(stage)s::text IS NULL OR r.stage = %(stage)s)
  AND (%(partition)s::text IS NULL OR r.partition_key = %(partition)s)
ORDER BY r.updated_at DESC, r.segment_id LIMIT %(limit)s

-- failed_counts --
-- Number of failures by stage, class and partition, the number set aside, and the detail of one of them.
SELECT stage, error_class, partition_key AS partition, count(*)::int AS segments,
       count(*) FILTER (WHERE set_aside)::int AS set_aside, min(detail) AS example
FROM stage_results
WHERE outcome = 'failed' AND recipe_id = ANY(%(recipe_ids)s)
  AND (%(error_class)s::text IS NULL OR error_class = %(error_class)s)
  AND (%(stage)s::text IS NULL OR stage = %(stage)s)
  AND (%(partition)s::text IS NULL OR partition_key = %(partition)s)
GROUP BY stage, error_class, partition_key

-- mark_failed --
-- Marks failures for another attempt, and resets their failed runs. Their cost so far stays counted.
UPDATE stage_results SET retry_asked = true, set_aside = false, failed_runs = 0
WHERE outcome = 'failed' AND recipe_id = ANY(%(recipe_ids)s)
  AND (%(error_class)s::text IS NULL OR error_class = %(error_class)s)
  AND (%(stage)s::text IS NULL OR stage = %(stage)s)
  AND (%(partition)s::text IS NULL OR partition_key = %(partition)s)
