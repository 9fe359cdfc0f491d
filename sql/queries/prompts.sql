-- prompt_versions --
-- Every prompt text that a run has used, last used first. The repair prompt, that of the simulated user and
-- the menus of plans are in recipes' parameters.
SELECT p.name, p.sha256, length(p.text) AS chars, p.first_seen_at, max(r.last_used_at) AS last_used_at,
       count(r.recipe_id)::int AS recipes
FROM prompts p
LEFT JOIN recipes r ON r.prompt_sha256 = p.sha256 OR (p.name IN ('repair', 'plans') AND r.params ->> p.name = p.sha256)
                    OR (p.name = 'simulate.user' AND r.params -> 'user' ->> 'prompt' = p.sha256)
GROUP BY p.sha256 ORDER BY p.name, last_used_at DESC NULLS LAST, p.first_seen_at DESC

-- find_prompts --
-- Prompts whose hash has this prefix (at most a few); of one name, or of any.
SELECT name, text, sha256 FROM prompts
WHERE starts_with(sha256, %(prefix)s) AND (%(name)s::text IS NULL OR name = %(name)s) ORDER BY sha256 LIMIT 5

-- run_prompts --
-- The prompts that a run started with.
SELECT p.name, p.text, u.origin FROM run_prompts u JOIN prompts p USING (sha256) WHERE u.run = %(run)s

-- pin_prompts --
-- The first writer decides for the whole run.
INSERT INTO run_prompts (run, name, sha256, origin)
SELECT %(run)s, u.name, u.sha256, u.origin
FROM unnest(%(name)s::text[], %(sha256)s::text[], %(origin)s::text[]) AS u(name, sha256, origin)
WHERE NOT EXISTS (SELECT 1 FROM run_prompts WHERE run = %(run)s)

-- lock_run_prompts --
-- Serialises the decision among a run's tasks.
SELECT pg_advisory_xact_lock(hashtextextended('gem-run-prompts ' || %(run)s, 0))

-- prompts_by_hash --
-- Texts of stored prompts.
SELECT sha256, text FROM prompts WHERE sha256 = ANY(%(hashes)s)

-- run_recipes --
-- The recipes that a run started with.
SELECT r.recipe_id AS known_as, r.stage, r.version, r.prompt_sha256, r.model, r.params, r.parent_id AS parent
FROM run_recipes u JOIN recipes r USING (recipe_id) WHERE u.run = %(run)s

-- pin_recipes --
-- A run that starts anew records its current recipes, instead of all earlier ones.
WITH earlier AS (DELETE FROM run_recipes WHERE run = %(run)s AND stage <> ALL(%(stage)s::text[]))
INSERT INTO run_recipes (run, stage, recipe_id)
SELECT %(run)s, u.stage, u.recipe_id FROM unnest(%(stage)s::text[], %(recipe_id)s::text[]) AS u(stage, recipe_id)
ON CONFLICT (run, stage) DO UPDATE SET recipe_id = excluded.recipe_id, pinned_at = now()

-- find_segments --
-- Segments behind an id: of a segment, a document, or a current trajectory (its first six characters or more).
SELECT s.segment_id, s.partition_key AS partition, s.shard, d.uri FROM segments s JOIN documents d USING (document_id)
WHERE s.segment_id = %(id)s OR s.document_id = %(id)s
   OR (length(%(id)s) >= 6 AND s.segment_id IN
       (SELECT t.segment_id FROM trajectories t WHERE starts_with(t.trajectory_id, %(id)s)))
ORDER BY s.partition_key, s.shard, s.row_no LIMIT %(limit)s

-- result_object --
-- Where what a stage made of a segment under a recipe lies, as long as it was not removed.
SELECT object_key FROM segments s JOIN stage_results r USING (partition_key, segment_id)
WHERE s.segment_id = %(segment_id)s AND recipe_id = %(recipe_id)s AND object_key <> ''
