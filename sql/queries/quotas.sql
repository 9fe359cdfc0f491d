-- quota_unknown --
-- Texts that the filter accepted and whose topic is not recorded: of the partition, or worked on by the next stage.
SELECT s.segment_id, s.partition_key AS partition, s.shard
FROM live_segments s
JOIN stage_results r ON r.partition_key = s.partition_key AND r.segment_id = s.segment_id
                    AND r.recipe_id = %(recipe_id)s AND r.outcome = 'accepted'
LEFT JOIN stage_results n
    ON n.partition_key = s.partition_key AND n.segment_id = s.segment_id AND n.recipe_id = %(next_recipe)s
WHERE (s.partition_key = %(partition)s OR n.segment_id IS NOT NULL)
  AND NOT EXISTS (SELECT 1 FROM quota_texts q
                  WHERE q.partition_key = s.partition_key AND q.segment_id = s.segment_id AND q.recipe_id = %(recipe_id)s)
ORDER BY s.partition_key, s.shard, s.segment_id

-- insert_quota_texts --
-- Topics of accepted texts.
INSERT INTO quota_texts (segment_id, recipe_id, partition_key, domains, platform, task)
SELECT u.segment_id, %(recipe_id)s, u.partition, string_to_array(u.domains, ','), u.platform, u.task
FROM unnest(%(segment_id)s::text[], %(partition)s::text[], %(domains)s::text[], %(platform)s::text[], %(task)s::text[])
     AS u(segment_id, partition, domains, platform, task)
ON CONFLICT DO NOTHING

-- quota_passed --
-- Counts of the texts that pass whatever is decided about a partition: those let pass in other ones, or worked on.
WITH passed AS (
    SELECT q.domains, q.platform, q.task
    FROM quota_texts q
    JOIN live_segments s USING (partition_key, segment_id)
    LEFT JOIN stage_results n
        ON n.partition_key = q.partition_key AND n.segment_id = q.segment_id AND n.recipe_id = %(next_recipe)s
    WHERE q.recipe_id = %(recipe_id)s
      AND (n.segment_id IS NOT NULL OR (q.partition_key <> %(partition)s AND q.held_by IS NULL))
)
SELECT 'total' AS kind, '' AS name, count(*)::int AS texts FROM passed
UNION ALL
SELECT 'domain', domain, count(*)::int FROM passed, unnest(domains) AS domain GROUP BY domain
UNION ALL
SELECT 'platform', platform, count(*)::int FROM passed GROUP BY platform
UNION ALL
SELECT 'task', task, count(*)::int FROM passed GROUP BY task

-- quota_waiting --
-- Accepted texts of a partition that the next stage has not worked on. `kept`: an earlier decision let them pass.
SELECT q.segment_id, q.domains, q.platform, q.task, q.decided_at IS NOT NULL AND q.held_by IS NULL AS kept
FROM quota_texts q
JOIN live_segments s USING (partition_key, segment_id)
LEFT JOIN stage_results n
    ON n.partition_key = q.partition_key AND n.segment_id = q.segment_id AND n.recipe_id = %(next_recipe)s
WHERE q.recipe_id = %(recipe_id)s AND q.partition_key = %(partition)s AND n.segment_id IS NULL
ORDER BY q.segment_id

-- decide_quota_texts --
-- Which quota holds each text.
UPDATE quota_texts q SET held_by = u.held_by, decided_at = now()
FROM unnest(%(segment_id)s::text[], %(held_by)s::text[]) AS u(segment_id, held_by)
WHERE q.partition_key = %(partition)s AND q.segment_id = u.segment_id AND q.recipe_id = %(recipe_id)s

-- release_quota_texts --
-- Lets all texts of a partition pass, under every recipe.
UPDATE quota_texts SET held_by = NULL, decided_at = now()
WHERE partition_key = %(partition)s AND held_by IS NOT NULL

-- held_segments_of --
-- Texts of a shard that a quota holds.
SELECT h.segment_id FROM held_segments h JOIN segments s USING (partition_key, segment_id)
WHERE h.recipe_id = %(recipe_id)s AND s.partition_key = %(partition)s AND s.shard = %(shard)s

-- quota_shares --
-- Texts that pass and texts that are held, by kind and name; `total` for all.
WITH texts AS (
    SELECT q.domains, q.platform, q.task, q.held_by IS NOT NULL AS held
    FROM quota_texts q JOIN live_segments s USING (partition_key, segment_id)
    WHERE q.recipe_id = %(recipe_id)s
), named AS (
    SELECT 'total' AS kind, '' AS name, held FROM texts
    UNION ALL SELECT 'domain', domain, held FROM texts, unnest(domains) AS domain
    UNION ALL SELECT 'platform', platform, held FROM texts
    UNION ALL SELECT 'task', task, held FROM texts
)
SELECT kind, name, count(*) FILTER (WHERE NOT held)::int AS passed, count(*) FILTER (WHERE held)::int AS held
FROM named GROUP BY kind, name ORDER BY kind, passed DESC, name

-- quota_held --
-- Held texts by partition and quota.
SELECT q.partition_key AS partition, q.held_by AS quota, count(*)::int AS texts
FROM quota_texts q JOIN live_segments s USING (partition_key, segment_id)
WHERE q.recipe_id = %(recipe_id)s AND q.held_by IS NOT NULL
GROUP BY q.partition_key, q.held_by ORDER BY q.partition_key, q.held_by

-- partition_held --
-- Held texts of a partition under some recipes, by quota.
SELECT q.held_by AS quota, count(*)::int AS texts
FROM quota_texts q JOIN live_segments s USING (partition_key, segment_id)
WHERE q.partition_key = %(partition)s AND q.recipe_id = ANY(%(recipe_ids)s) AND q.held_by IS NOT NULL
GROUP BY q.held_by ORDER BY texts DESC, quota
