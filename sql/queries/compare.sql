-- recipes_used --
-- All recipes with the number of their results, newest first.
SELECT c.recipe_id, c.stage, c.version, c.prompt_sha256, c.model, c.params, c.parent_id AS parent, c.first_seen_at,
       coalesce(u.results, 0)::int AS results
FROM recipes c
LEFT JOIN (SELECT recipe_id, count(*) AS results FROM stage_results GROUP BY recipe_id) u USING (recipe_id)
ORDER BY c.first_seen_at DESC, c.stage

-- prompts_named --
-- Texts of prompts by hash.
SELECT sha256, text FROM prompts WHERE sha256 = ANY(%(hashes)s)

-- compared --
-- Two recipes of a stage over the segments with a result of both: counts, and means per segment; sizes over the
-- segments that both accepted, with the spread of the differences.
SELECT count(*)::int AS segments,
       count(*) FILTER (WHERE a.outcome = 'accepted')::int AS accepted_a,
       count(*) FILTER (WHERE b.outcome = 'accepted')::int AS accepted_b,
       count(*) FILTER (WHERE a.outcome = 'accepted' AND b.outcome <> 'accepted')::int AS only_a,
       count(*) FILTER (WHERE b.outcome = 'accepted' AND a.outcome <> 'accepted')::int AS only_b,
       avg(a.calls)::float AS calls_a, avg(b.calls)::float AS calls_b,
       avg(a.prompt_tokens)::float AS prompt_tokens_a, avg(b.prompt_tokens)::float AS prompt_tokens_b,
       avg(a.completion_tokens)::float AS completion_tokens_a, avg(b.completion_tokens)::float AS completion_tokens_b,
       avg(a.usd)::float AS usd_a, avg(b.usd)::float AS usd_b,
       avg(a.latency_ms)::float AS latency_ms_a, avg(b.latency_ms)::float AS latency_ms_b
FROM stage_results a JOIN stage_results b USING (partition_key, segment_id)
WHERE a.recipe_id = %(a)s AND b.recipe_id = %(b)s

-- compared_sizes --
-- Sizes of trajectories that both recipes accepted: messages, tools and calls.
SELECT name, count(*)::int AS pairs, avg(a)::float AS a, avg(b)::float AS b, coalesce(stddev_samp(b - a), 0)::float AS spread
FROM (SELECT m.name, (a.measures ->> m.name)::float AS a, (b.measures ->> m.name)::float AS b
      FROM stage_results a JOIN stage_results b USING (partition_key, segment_id)
      CROSS JOIN (VALUES ('messages'), ('tools'), ('calls')) AS m(name)
      WHERE a.recipe_id = %(a)s AND b.recipe_id = %(b)s AND a.outcome = 'accepted' AND b.outcome = 'accepted') AS sized
WHERE a IS NOT NULL AND b IS NOT NULL
GROUP BY name ORDER BY array_position(ARRAY['messages', 'tools', 'calls'], name)

-- compared_reasons --
-- Rejections by each of two recipes, over the segments with a result of both, by reason or error class; these include
-- checks and the judge's rules.
SELECT why, count(*) FILTER (WHERE side = 'a')::int AS a, count(*) FILTER (WHERE side = 'b')::int AS b
FROM (SELECT u.side, u.why FROM stage_results a JOIN stage_results b USING (partition_key, segment_id)
      CROSS JOIN LATERAL (VALUES ('a', coalesce(a.reason, a.error_class)), ('b', coalesce(b.reason, b.error_class)))
          AS u(side, why)
      WHERE a.recipe_id = %(a)s AND b.recipe_id = %(b)s) AS turned_down
WHERE why IS NOT NULL
GROUP BY why ORDER BY greatest(count(*) FILTER (WHERE side = 'a'), count(*) FILTER (WHERE side = 'b')) DESC, why
