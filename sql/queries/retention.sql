-- kept_recipes --
-- Recipes whose objects stay, with their ancestors: the current ones, those used within the given days, and those of
-- current datasets, audits, and running batches.
WITH RECURSIVE kept (recipe_id) AS (
    SELECT recipe_id FROM recipes
    WHERE recipe_id = ANY(%(current)s) OR last_used_at > now() - make_interval(secs => %(days)s::float * 86400)
    UNION SELECT recipe_id FROM datasets WHERE superseded_by IS NULL
    UNION SELECT coalesce(take -> 'recipes' ->> 'revalidate', take -> 'recipes' ->> 'verify', take -> 'recipes' ->> 'confirm')
          FROM datasets, jsonb_array_elements(manifest -> 'takes') AS take WHERE superseded_by IS NULL
    UNION SELECT recipe_id FROM audit_items
    UNION SELECT recipe_id FROM batches WHERE state IN ('announced', 'submitted', 'collected')
), closure AS (
    SELECT recipe_id FROM kept
    UNION SELECT r.parent_id FROM closure c JOIN recipes r USING (recipe_id) WHERE r.parent_id IS NOT NULL
)
SELECT recipe_id FROM closure

-- live_objects --
-- Those of these stage objects that a row refers to.
SELECT u.position::int AS position
FROM unnest(%(recipe_ids)s::text[], %(partitions)s::text[], %(shards)s::int[])
     WITH ORDINALITY AS u(recipe_id, partition_key, shard, position)
WHERE EXISTS (SELECT 1 FROM stage_results r
              WHERE r.partition_key = u.partition_key AND r.recipe_id = u.recipe_id AND r.shard = u.shard
                AND r.object_key <> '')

-- live_shards --
-- Those of these segment objects that a row refers to.
SELECT u.position::int AS position
FROM unnest(%(partitions)s::text[], %(shards)s::int[]) WITH ORDINALITY AS u(partition_key, shard, position)
WHERE EXISTS (SELECT 1 FROM segments s WHERE s.partition_key = u.partition_key AND s.shard = u.shard)

-- forget_objects --
-- Results whose objects are removed stay as history, and count as requested again.
UPDATE stage_results r SET object_key = '', retry_asked = true
FROM unnest(%(recipe_ids)s::text[], %(partitions)s::text[], %(shards)s::int[]) AS u(recipe_id, partition_key, shard)
WHERE r.partition_key = u.partition_key AND r.recipe_id = u.recipe_id AND r.shard = u.shard

-- shard_is_open --
-- Whether a segment of the shard lacks a result under the recipe, or a batch for it is running.
SELECT EXISTS (
    SELECT 1 FROM recipes c
    JOIN segments s ON s.partition_key = %(partition)s AND s.shard = %(shard)s
    LEFT JOIN stage_results r
        ON r.partition_key = s.partition_key AND r.segment_id = s.segment_id AND r.recipe_id = c.recipe_id
    LEFT JOIN recipes parent ON parent.recipe_id = c.parent_id AND parent.stage <> 'segment'
    LEFT JOIN stage_results p
        ON p.partition_key = s.partition_key AND p.segment_id = s.segment_id AND p.recipe_id = parent.recipe_id
    WHERE c.recipe_id = %(recipe_id)s AND (r.segment_id IS NULL OR r.retry_asked)
      AND (parent.recipe_id IS NULL OR p.outcome = coalesce(c.params ->> 'takes', 'accepted'))
) OR EXISTS (
    SELECT 1 FROM batches b
    WHERE b.recipe_id = %(recipe_id)s AND b.partition_key = %(partition)s AND b.shard = %(shard)s
      AND b.state IN ('announced', 'submitted', 'collected')
) AS open

-- dataset_states --
-- The known ones of these versions; `old` if superseded for long enough and never audited.
SELECT version,
       coalesce(superseded_by IS NOT NULL AND audited_by IS NULL
                AND superseded_at < now() - make_interval(secs => %(days)s::float * 86400), false) AS old
FROM datasets WHERE version = ANY(%(versions)s)

-- mark_collected --
-- The files of these versions are removed; their rows stay.
UPDATE datasets SET collected_at = now() WHERE version = ANY(%(versions)s) AND superseded_by IS NOT NULL

-- kept_prefilters --
-- Objects of prefilters in use, and of those retired within the given days.
SELECT object_key FROM prefilters
WHERE retired_at IS NULL OR retired_at > now() - make_interval(secs => %(days)s::float * 86400)
