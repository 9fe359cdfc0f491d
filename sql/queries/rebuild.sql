-- pending --
-- Shards with a segment that lacks a final outcome in a stage of a chain. A segment needs a stage if it has no outcome
-- there, or one worth retrying, and its outcome of the stage before is the one that the stage takes (the first takes every
-- segment). A conversation about a further workflow needs a text with as many, and one about a further task a world with
-- as many; one whose workflows were not counted may have them.
WITH links AS (
    SELECT * FROM unnest(%(recipe_ids)s::text[], %(takes)s::text[], %(parents)s::text[], %(workflows)s::int[],
                         %(counts)s::text[], %(spared_by)s::text[])
        AS u(recipe_id, takes, parent, workflow, counts, spared_by)
)
SELECT DISTINCT s.shard
FROM live_segments s
CROSS JOIN links c
LEFT JOIN stage_results r
    ON r.partition_key = s.partition_key AND r.segment_id = s.segment_id AND r.recipe_id = c.recipe_id
LEFT JOIN stage_results p
    ON p.partition_key = s.partition_key AND p.segment_id = s.segment_id AND p.recipe_id = c.parent
WHERE s.partition_key = %(partition)s AND c.recipe_id = ANY(%(asked)s)
  AND (r.segment_id IS NULL OR NOT r.final OR r.retry_asked)
  AND (c.parent IS NULL OR p.outcome = c.takes)
  AND NOT EXISTS (SELECT 1 FROM held_segments h
                  WHERE h.partition_key = %(partition)s AND h.segment_id = s.segment_id AND h.recipe_id = c.parent)
  AND NOT EXISTS (SELECT 1 FROM synthesized_texts y
                  WHERE y.partition_key = %(partition)s AND y.segment_id = s.segment_id AND y.recipe_id = c.spared_by)
  AND (c.workflow = 0 OR coalesce((p.measures ->> c.counts)::int > c.workflow, true))
  AND (NOT %(narrowed)s OR s.segment_id IN (SELECT scoped_segments(%(partition)s, %(sources)s::text[], %(limit)s::int)))
ORDER BY s.shard

-- unfinished --
-- Segments of a partition without any outcome in their next stage, by recipe of that stage.
WITH links AS (
    SELECT * FROM unnest(%(recipe_ids)s::text[], %(takes)s::text[], %(parents)s::text[], %(workflows)s::int[],
                         %(counts)s::text[], %(spared_by)s::text[])
        AS u(recipe_id, takes, parent, workflow, counts, spared_by)
)
SELECT c.recipe_id, count(*)::int AS segments
FROM live_segments s
CROSS JOIN links c
LEFT JOIN stage_results r
    ON r.partition_key = s.partition_key AND r.segment_id = s.segment_id AND r.recipe_id = c.recipe_id
LEFT JOIN stage_results p
    ON p.partition_key = s.partition_key AND p.segment_id = s.segment_id AND p.recipe_id = c.parent
WHERE s.partition_key = %(partition)s AND r.segment_id IS NULL AND (c.parent IS NULL OR p.outcome = c.takes)
  AND NOT EXISTS (SELECT 1 FROM held_segments h
                  WHERE h.partition_key = %(partition)s AND h.segment_id = s.segment_id AND h.recipe_id = c.parent)
  AND NOT EXISTS (SELECT 1 FROM synthesized_texts y
                  WHERE y.partition_key = %(partition)s AND y.segment_id = s.segment_id AND y.recipe_id = c.spared_by)
  AND (c.workflow = 0 OR coalesce((p.measures ->> c.counts)::int > c.workflow, true))
GROUP BY c.recipe_id

-- unpublished --
-- Whether something is accepted under one of these recipes, but the partition's current dataset is not from the last
-- one.
SELECT EXISTS (SELECT 1 FROM stage_results
               WHERE partition_key = %(partition)s AND recipe_id = ANY(%(recipe_ids)s::text[]) AND outcome = 'accepted')
   AND NOT EXISTS (SELECT 1 FROM datasets
                   WHERE partition_key = %(partition)s AND superseded_by IS NULL
                     AND %(last)s IN (recipe_id, coalesce(manifest -> 'worlds' ->> 'last', ''))) AS yes

-- shard_state --
-- Progress of a stage over a shard, in one row: its input, and the existing final outcomes.
SELECT count(*)::int AS expected,
       count(*) FILTER (WHERE r.outcome = 'accepted' AND NOT r.retry_asked)::int AS accepted,
       count(*) FILTER (WHERE r.outcome = 'rejected' AND NOT r.retry_asked)::int AS rejected,
       count(*) FILTER (WHERE r.outcome = 'failed' AND NOT r.retry_asked AND r.final)::int AS failed
FROM live_segments s
LEFT JOIN stage_results r
    ON r.partition_key = s.partition_key AND r.segment_id = s.segment_id AND r.recipe_id = %(recipe_id)s
LEFT JOIN stage_results p
    ON p.partition_key = s.partition_key AND p.segment_id = s.segment_id AND p.recipe_id = %(parent_id)s
WHERE s.partition_key = %(partition)s AND s.shard = %(shard)s
  AND (%(parent_id)s::text IS NULL OR p.outcome = %(takes)s)
  AND NOT EXISTS (SELECT 1 FROM held_segments h
                  WHERE h.partition_key = %(partition)s AND h.segment_id = s.segment_id AND h.recipe_id = %(parent_id)s)
  AND NOT EXISTS (SELECT 1 FROM synthesized_texts y
                  WHERE y.partition_key = %(partition)s AND y.segment_id = s.segment_id AND y.recipe_id = %(spared_by)s)
  AND (%(workflow)s = 0 OR coalesce((p.measures ->> %(counts)s)::int > %(workflow)s, true))

-- scoped_segments --
-- Segments of a partition that a narrowed run covers.
SELECT segment_id FROM scoped_segments(%(partition)s, %(sources)s::text[], %(limit)s::int) AS f(segment_id)

-- prompt_texts --
-- Stored versions of a prompt whose hash has this prefix (at most a few).
SELECT text FROM prompts WHERE name = %(name)s AND starts_with(sha256, %(prefix)s) ORDER BY sha256 LIMIT 3
