-- console_recipes --
-- Every recipe with its parent and when it was last at work: few rows, from which chains are put together.
SELECT r.recipe_id, r.stage, r.version, r.prompt_sha256, r.model, r.params, r.parent_id, r.first_seen_at,
       (SELECT max(hour) FROM stage_activity a WHERE a.recipe_id = r.recipe_id) AS last_hour
FROM recipes r ORDER BY r.first_seen_at, r.recipe_id

-- console_prompts --
-- Every prompt text that was used, the newest first.
SELECT sha256, name, length(text) AS chars, first_seen_at FROM prompts ORDER BY name, first_seen_at DESC, sha256

-- console_prompt --
-- A prompt's text.
SELECT text FROM prompts WHERE sha256 = %(sha256)s

-- console_recipe_totals --
-- What each recipe came to over all partitions.
SELECT recipe_id, sum(segments) FILTER (WHERE outcome = 'accepted')::bigint AS accepted,
       sum(segments) FILTER (WHERE outcome = 'rejected')::bigint AS rejected,
       sum(segments) FILTER (WHERE outcome = 'failed')::bigint AS failed,
       sum(calls)::bigint AS calls, sum(prompt_tokens + completion_tokens)::bigint AS tokens,
       sum(priced)::bigint AS priced, sum(usd) AS usd
FROM stage_totals WHERE recipe_id = ANY(%(recipe_ids)s) GROUP BY recipe_id

-- console_stale --
-- Results that stand under other recipes than the present ones, with what such results took on average.
SELECT r.stage, sum(t.segments)::bigint AS segments, sum(t.calls)::bigint AS calls,
       sum(t.priced)::bigint AS priced, sum(t.usd) AS usd,
       min(t.partition_key) AS first, max(t.partition_key) AS last
FROM stage_totals t JOIN recipes r USING (recipe_id)
WHERE t.recipe_id <> ALL(%(recipe_ids)s)
GROUP BY r.stage HAVING sum(t.segments) > 0
