-- stale --
-- Segments with work left under the chain, counted by their position in it and by their last results in each stage from
-- there on. `frontier`: the next stage that has to process them (from 1). `again`: it did, and has to retry. `known`:
-- they have a result of that stage under another recipe, so their later path is known too: a row whose `before` is NULL
-- then means that they did not reach stage `ord`. The chain is that of a take: earlier results are those of the same take,
-- and segments without its workflow, or worlds without its task, get no further.
WITH chain AS (
    SELECT recipe_id, stage, ord, spared_by, lead(takes) OVER way AS next_takes, lead(least) OVER way AS next_least,
           lead(counts) OVER way AS next_counts
    FROM unnest(%(recipe_ids)s::text[], %(stages)s::text[], %(takes)s::text[], %(least)s::int[], %(counts)s::text[],
                %(spared_by)s::text[])
        WITH ORDINALITY AS u(recipe_id, stage, takes, least, counts, spared_by, ord)
    WINDOW way AS (ORDER BY ord)
), deepest AS (
    SELECT DISTINCT ON (r.partition_key, r.segment_id) r.partition_key, r.segment_id, c.ord, coalesce(r.outcome = c.next_takes, false)
               AND (c.next_least = 0 OR coalesce((r.measures ->> c.next_counts)::int > c.next_least, true)) AS passed,
           r.retry_asked OR NOT r.final AS again
    FROM stage_results r JOIN chain c USING (recipe_id)
    WHERE (%(first)s::text IS NULL OR r.partition_key >= %(first)s)
      AND (%(last)s::text IS NULL OR r.partition_key <= %(last)s)
    ORDER BY r.partition_key, r.segment_id, c.ord DESC
), waiting AS (
    SELECT s.segment_id, s.partition_key, coalesce(d.again, false) AS again,
           CASE WHEN d.again THEN d.ord ELSE coalesce(d.ord, 0) + 1 END AS frontier
    FROM live_segments s LEFT JOIN deepest d USING (partition_key, segment_id)
    WHERE (%(first)s::text IS NULL OR s.partition_key >= %(first)s)
      AND (%(last)s::text IS NULL OR s.partition_key <= %(last)s)
      AND (d.segment_id IS NULL OR d.again OR d.passed)
      AND NOT EXISTS (SELECT 1 FROM held_segments h JOIN chain c USING (recipe_id)
                      WHERE h.partition_key = s.partition_key AND h.segment_id = s.segment_id AND c.ord = d.ord)
      AND NOT EXISTS (SELECT 1 FROM chain c
                      WHERE c.spared_by IS NOT NULL AND c.ord > coalesce(d.ord, 0)
                        AND (SELECT true FROM synthesized_texts y
                             WHERE y.partition_key = s.partition_key AND y.segment_id = s.segment_id
                               AND y.recipe_id = c.spared_by))
), before AS (
    SELECT DISTINCT ON (r.segment_id, r.stage) r.segment_id, r.stage, r.recipe_id
    FROM stage_results r JOIN waiting w USING (partition_key, segment_id) LEFT JOIN recipe_takes t USING (recipe_id)
    WHERE r.recipe_id <> ALL(%(recipe_ids)s::text[])
      AND (t.recipe_id IS NULL OR t.workflow = %(workflow)s
           AND (t.rollout = %(rollout)s OR r.stage = 'world' OR r.stage = 'task'))
    ORDER BY r.segment_id, r.stage, r.updated_at DESC
)
SELECT w.partition_key AS partition, w.frontier::int, c.ord::int, w.again, k.segment_id IS NOT NULL AS known,
       b.recipe_id AS before, count(*)::int AS segments
FROM waiting w
JOIN chain at ON at.ord = w.frontier
LEFT JOIN before k ON k.segment_id = w.segment_id AND k.stage = at.stage
JOIN chain c ON c.ord >= w.frontier
LEFT JOIN before b ON b.segment_id = w.segment_id AND b.stage = c.stage
GROUP BY w.partition_key, w.frontier, c.ord, w.again, known, b.recipe_id
ORDER BY w.partition_key, w.frontier, c.ord

-- history --
-- Average cost of a stage's results, by model, whatever the outcome.
SELECT r.stage, c.model, count(*)::int AS results, avg((r.outcome = 'accepted')::int)::float AS accepted_share,
       avg((r.outcome = 'rejected')::int)::float AS rejected_share,
       avg(r.calls)::float AS calls, avg(r.prompt_tokens)::float AS prompt_tokens,
       avg(r.completion_tokens)::float AS completion_tokens, avg(r.usd)::float AS usd
FROM stage_results r JOIN recipes c USING (recipe_id)
GROUP BY r.stage, c.model

-- workflow_counts --
-- Texts by the number of workflows that were found in them.
SELECT (measures ->> 'workflows')::int AS workflows, count(*)::int AS texts
FROM stage_results WHERE stage = 'extract' AND measures ? 'workflows' GROUP BY 1

-- pace --
-- Seconds per segment in a stage under Airflow, including waits between tasks: from the end of the preceding stage (or
-- from the plan) to the gate. Only runs that asked no person.
WITH ends AS (
    SELECT airflow_run_id, stage, min(decided_at) AS at, bool_or(person IS NOT NULL OR action <> 'continue') AS held
    FROM gate_decisions WHERE airflow_run_id IS NOT NULL GROUP BY airflow_run_id, stage
), marks AS (
    SELECT airflow_run_id, stage, at, held FROM ends
    UNION ALL
    SELECT taken_by, NULL, max(taken_at), false FROM announcements WHERE taken_by IS NOT NULL GROUP BY taken_by
), spans AS (
    SELECT airflow_run_id, stage, extract(epoch FROM at - lag(at) OVER way) AS seconds,
           held OR bool_or(held) OVER way AS held
    FROM marks WINDOW way AS (PARTITION BY airflow_run_id ORDER BY at)
), counts AS (
    SELECT airflow_run_id, stage, count(*) AS segments FROM stage_results
    WHERE airflow_run_id IS NOT NULL GROUP BY airflow_run_id, stage
)
SELECT stage, (sum(seconds) / sum(segments))::float AS seconds, count(*)::int AS runs
FROM spans JOIN counts USING (airflow_run_id, stage)
WHERE seconds IS NOT NULL AND NOT held
GROUP BY stage

-- recipes_named --
-- Recipes by id.
SELECT recipe_id, stage, version, prompt_sha256, model, params, parent_id AS parent FROM recipes
WHERE recipe_id = ANY(%(recipe_ids)s)

-- partition_keys --
-- All partitions, oldest first.
SELECT partition_key FROM partitions ORDER BY partition_key

-- unpublished_partitions --
-- Partitions with something accepted under one of these recipes, whose current dataset is not from the last one.
SELECT DISTINCT r.partition_key FROM stage_results r
WHERE r.recipe_id = ANY(%(recipe_ids)s::text[]) AND r.outcome = 'accepted'
  AND NOT EXISTS (SELECT 1 FROM datasets d WHERE d.partition_key = r.partition_key
                    AND d.superseded_by IS NULL
                    AND %(last)s IN (d.recipe_id, coalesce(d.manifest -> 'worlds' ->> 'last', '')))
ORDER BY r.partition_key
