-- synthesized_segments --
-- Texts of a shard that a synthesizer's trajectory spares the other stages.
SELECT y.segment_id FROM synthesized_texts y JOIN segments s USING (segment_id)
WHERE y.recipe_id = %(recipe_id)s AND s.partition_key = %(partition)s AND s.shard = %(shard)s

-- both_ways --
-- The newest texts of each group that went both ways to the end, and whether each way made a trajectory. The pipeline's
-- end is an accepted trajectory, or a result after which no stage follows.
WITH asked AS (
    SELECT y.segment_id, y.measures ->> 'group' AS name, coalesce(c.outcome = 'accepted', false) AS synthesizer,
           greatest(y.updated_at, c.updated_at) AS at
    FROM stage_results y
    LEFT JOIN stage_results c ON c.segment_id = y.segment_id AND c.recipe_id = %(confirm)s
    WHERE y.recipe_id = %(synthesize)s AND y.measures ->> 'way' = 'both'
      AND (y.outcome = 'rejected' OR c.final AND NOT c.retry_asked)
), ended AS (
    SELECT a.segment_id, a.name, a.synthesizer, bool_or(r.outcome = 'accepted') AS pipeline,
           greatest(a.at, max(r.updated_at)) AS at
    FROM asked a
    JOIN stage_results r ON r.segment_id = a.segment_id AND r.final AND NOT r.retry_asked
         AND (r.recipe_id = ANY(%(accepting)s::text[]) AND r.outcome = 'accepted'
              OR r.recipe_id = ANY(%(stages)s::text[]) AND r.outcome <> 'accepted'
                 AND NOT (r.recipe_id = %(revised)s AND r.outcome = 'rejected'))
    GROUP BY a.segment_id, a.name, a.synthesizer, a.at
), newest AS (
    SELECT *, row_number() OVER (PARTITION BY name ORDER BY at DESC, segment_id) AS nth FROM ended
)
SELECT name AS "group", count(*)::int AS texts, count(*) FILTER (WHERE synthesizer)::int AS synthesizer,
       count(*) FILTER (WHERE pipeline)::int AS pipeline
FROM newest WHERE nth <= %(window)s
GROUP BY name ORDER BY name

-- synthesizer_decision --
-- The newest decision about the groups under a recipe; of one partition, or of all.
SELECT action, reason, metrics, policy AS held, policy_sha256, person FROM gate_decisions
WHERE recipe_id = %(recipe_id)s AND stage = 'synthesize'
  AND (%(partition)s::text IS NULL OR partition_key = %(partition)s)
ORDER BY decision_id DESC LIMIT 1
