-- top_totals --
-- What partitions have cost so far, and what failed in them, by stage.
SELECT t.partition_key AS partition, r.stage, t.outcome, t.why, sum(t.segments)::bigint AS segments,
       sum(t.prompt_tokens + t.completion_tokens)::bigint AS tokens, sum(t.usd)::float AS usd,
       sum(t.priced)::bigint AS priced
FROM stage_totals t JOIN recipes r USING (recipe_id)
WHERE t.partition_key = ANY(%(partitions)s)
GROUP BY 1, 2, 3, 4 HAVING sum(t.segments) > 0 ORDER BY 5 DESC, 2, 4

-- top_errors --
-- The newest failures, over all partitions.
SELECT updated_at AS at, stage, coalesce(error_class, '') AS error_class, detail, partition_key AS partition, shard,
       segment_id
FROM stage_results WHERE outcome = 'failed' ORDER BY updated_at DESC, segment_id DESC LIMIT %(limit)s
