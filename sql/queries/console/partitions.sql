-- console_partitions --
-- The newest partitions.
SELECT partition_key FROM partitions
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

-- console_held_shards --
-- Accepted texts of a partition that a quota holds, by shard and the filter's recipe.
SELECT h.recipe_id, s.shard, count(*)::int AS texts
FROM held_segments h JOIN live_segments s USING (partition_key, segment_id)
WHERE s.partition_key = %(partition)s AND h.recipe_id = ANY(%(recipe_ids)s) GROUP BY h.recipe_id, s.shard

-- console_spared_shards --
-- Texts of a partition that a synthesizer spares `extract`, and that have no result there, by shard.
SELECT s.shard, count(*)::int AS texts
FROM synthesized_texts y JOIN live_segments s USING (partition_key, segment_id)
WHERE y.partition_key = %(partition)s AND y.recipe_id = %(confirm)s
  AND NOT EXISTS (SELECT FROM stage_results r
                  WHERE r.partition_key = y.partition_key AND r.segment_id = y.segment_id AND r.recipe_id = %(extract)s)
GROUP BY s.shard

-- console_decisions --
-- The newest gate decisions, of one partition or of all.
SELECT decision_id, partition_key AS partition, stage, recipe_id, action, reason, person, airflow_run_id, decided_at
FROM gate_decisions WHERE %(partition)s::text IS NULL OR partition_key = %(partition)s
ORDER BY decision_id DESC LIMIT %(limit)s
