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
SELECT coalesce(sum(trajectories), 0)::bigint AS trajectories
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

-- console_spared --
-- Texts of a range of partitions that a synthesizer spares `extract`, and that have no result there, by partition.
SELECT y.partition_key AS partition, count(*)::int AS texts
FROM synthesized_texts y JOIN live_segments s USING (partition_key, segment_id) JOIN documents d USING (document_id)
WHERE y.recipe_id = %(confirm)s AND y.partition_key >= %(first)s AND y.partition_key <= %(last)s
  AND (%(source_id)s::int IS NULL OR d.source_id = %(source_id)s)
  AND NOT EXISTS (SELECT FROM stage_results r
                  WHERE r.partition_key = y.partition_key AND r.segment_id = y.segment_id AND r.recipe_id = %(extract)s)
GROUP BY y.partition_key

-- console_held --
-- Accepted texts of a range of partitions that a quota holds, by partition and the filter's recipe.
SELECT q.partition_key AS partition, q.recipe_id, count(*)::int AS texts
FROM quota_texts q JOIN live_segments s USING (partition_key, segment_id) JOIN documents d USING (document_id)
WHERE q.held_by IS NOT NULL AND q.recipe_id = ANY(%(recipe_ids)s)
  AND q.partition_key >= %(first)s AND q.partition_key <= %(last)s
  AND (%(source_id)s::int IS NULL OR d.source_id = %(source_id)s)
GROUP BY q.partition_key, q.recipe_id
