-- lock_spending --
-- Serialises access to a run's budget.
SELECT pg_advisory_xact_lock(hashtextextended('gem-spending-' || %(run_id)s, 0))

-- spent --
-- Total that a run's tasks have drawn so far.
SELECT coalesce(sum(usd), 0) AS usd FROM spending WHERE run_id = %(run_id)s

-- draw --
-- Draws money from a run's budget, or returns it.
INSERT INTO spending AS old (run_id, recipe_id, partition_key, shard, usd)
VALUES (%(run_id)s, %(recipe_id)s, %(partition)s, %(shard)s, %(usd)s)
ON CONFLICT (run_id, recipe_id, partition_key, shard) DO UPDATE SET usd = old.usd + excluded.usd, updated_at = now()

-- known_answers --
-- Number of answers of a recipe in a partition, and the longest in tokens; a few hundred are enough.
SELECT count(*)::int AS answers, coalesce(max(completion_tokens), 0) AS longest FROM (
    SELECT completion_tokens FROM stage_results
    WHERE partition_key = %(partition)s AND recipe_id = %(recipe_id)s AND calls = 1 AND completion_tokens > 0
    LIMIT 500) AS enough
