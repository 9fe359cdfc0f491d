-- observed --
-- Results of one task attempt in its shard: number, cost, and time of each.
SELECT outcome, count(*)::int AS segments, sum(prompt_tokens)::bigint AS prompt_tokens,
       sum(completion_tokens)::bigint AS completion_tokens, sum(usd)::float AS usd,
       array_agg(latency_ms) FILTER (WHERE calls > 0) AS latencies_ms
FROM stage_results
WHERE partition_key = %(partition)s AND recipe_id = ANY(%(recipe_ids)s) AND shard = %(shard)s
  AND airflow_run_id = %(run_id)s AND airflow_try = %(try_number)s
GROUP BY outcome
