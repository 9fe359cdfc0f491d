-- synthesized_segments --
-- Texts of a shard that a synthesizer's trajectory spares the other stages.
SELECT y.segment_id FROM synthesized_texts y JOIN segments s USING (partition_key, segment_id)
WHERE y.recipe_id = %(recipe_id)s AND s.partition_key = %(partition)s AND s.shard = %(shard)s

-- both_ways --
-- The newest texts of each group that went both ways to the end, and whether each way made a trajectory. The pipeline's
-- end is an accepted trajectory, or a result after which no stage follows.
WITH asked AS (
    SELECT y.partition_key, y.segment_id, y.measures ->> 'group' AS name, coalesce(c.outcome = 'accepted', false) AS synthesizer,
           greatest(y.updated_at, c.updated_at) AS at
    FROM stage_results y
    LEFT JOIN stage_results c
        ON c.partition_key = y.partition_key AND c.segment_id = y.segment_id AND c.recipe_id = %(confirm)s
    WHERE y.recipe_id = %(synthesize)s AND y.measures ->> 'way' = 'both'
      AND (y.outcome = 'rejected' OR c.final AND NOT c.retry_asked)
), ended AS (
    SELECT a.segment_id, a.name, a.synthesizer, bool_or(r.outcome = 'accepted') AS pipeline,
           greatest(a.at, max(r.updated_at)) AS at
    FROM asked a
    JOIN stage_results r
      ON r.partition_key = a.partition_key AND r.segment_id = a.segment_id AND r.final AND NOT r.retry_asked
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

-- both_ways_cost --
-- What each way made of the texts that went both ways to the end, and what it cost, by group. Seconds are those of all
-- requests; USD is NULL if the price of a request is not known.
WITH asked AS (
    SELECT y.partition_key, y.segment_id, y.measures ->> 'group' AS name, coalesce(c.outcome = 'accepted', false) AS accepted,
           y.calls + coalesce(c.calls, 0) AS calls,
           y.prompt_tokens + y.completion_tokens + coalesce(c.prompt_tokens + c.completion_tokens, 0) AS tokens,
           y.latency_ms + coalesce(c.latency_ms, 0) AS latency_ms,
           CASE y.calls WHEN 0 THEN 0 ELSE y.usd END + CASE coalesce(c.calls, 0) WHEN 0 THEN 0 ELSE c.usd END AS usd
    FROM stage_results y
    LEFT JOIN stage_results c
        ON c.partition_key = y.partition_key AND c.segment_id = y.segment_id AND c.recipe_id = %(confirm)s
    WHERE y.recipe_id = %(synthesize)s AND y.measures ->> 'way' = 'both'
      AND (y.outcome = 'rejected' OR c.final AND NOT c.retry_asked)
), other AS (
    SELECT a.partition_key, a.segment_id, bool_or(r.recipe_id = ANY(%(accepting)s::text[]) AND r.outcome = 'accepted') AS accepted,
           sum(r.calls) AS calls, sum(r.prompt_tokens + r.completion_tokens) AS tokens, sum(r.latency_ms) AS latency_ms,
           CASE WHEN bool_and(r.usd IS NOT NULL OR r.calls = 0) THEN sum(coalesce(r.usd, 0)) END AS usd
    FROM asked a JOIN stage_results r USING (partition_key, segment_id)
    WHERE r.recipe_id = ANY(%(stages)s::text[])
    GROUP BY a.partition_key, a.segment_id
    HAVING bool_or(r.final AND NOT r.retry_asked
                   AND (r.recipe_id = ANY(%(accepting)s::text[]) AND r.outcome = 'accepted'
                        OR r.outcome <> 'accepted' AND NOT (r.recipe_id = %(revised)s AND r.outcome = 'rejected')))
)
SELECT a.name AS "group", w.way, count(*)::int AS texts,
       count(*) FILTER (WHERE CASE w.way WHEN 'synthesizer' THEN a.accepted ELSE o.accepted END)::int AS accepted,
       sum(CASE w.way WHEN 'synthesizer' THEN a.calls ELSE o.calls END)::int AS calls,
       sum(CASE w.way WHEN 'synthesizer' THEN a.tokens ELSE o.tokens END)::bigint AS tokens,
       (sum(CASE w.way WHEN 'synthesizer' THEN a.latency_ms ELSE o.latency_ms END) / 1000)::float AS seconds,
       CASE WHEN bool_and(CASE w.way WHEN 'synthesizer' THEN a.usd ELSE o.usd END IS NOT NULL)
            THEN sum(CASE w.way WHEN 'synthesizer' THEN a.usd ELSE o.usd END) END AS usd
FROM asked a JOIN other o USING (partition_key, segment_id) CROSS JOIN (VALUES ('synthesizer'), ('pipeline')) AS w(way)
GROUP BY a.name, w.way ORDER BY a.name, w.way DESC

-- synthesizer_alone --
-- What the synthesizer made of the texts that it had alone, by group.
SELECT y.measures ->> 'group' AS "group", 'synthesizer' AS way, count(*)::int AS texts,
       count(*) FILTER (WHERE c.outcome = 'accepted')::int AS accepted,
       sum(y.calls + coalesce(c.calls, 0))::int AS calls,
       sum(y.prompt_tokens + y.completion_tokens + coalesce(c.prompt_tokens + c.completion_tokens, 0))::bigint AS tokens,
       (sum(y.latency_ms + coalesce(c.latency_ms, 0)) / 1000.0)::float AS seconds,
       CASE WHEN bool_and((y.usd IS NOT NULL OR y.calls = 0) AND (c.usd IS NOT NULL OR coalesce(c.calls, 0) = 0))
            THEN sum(coalesce(y.usd, 0) + coalesce(c.usd, 0)) END AS usd
FROM stage_results y
LEFT JOIN stage_results c
    ON c.partition_key = y.partition_key AND c.segment_id = y.segment_id AND c.recipe_id = %(confirm)s
WHERE y.recipe_id = %(synthesize)s AND y.measures ->> 'way' = 'synthesizer'
GROUP BY 1 ORDER BY 1

-- synthesizer_reasons --
-- Why texts have no synthesized trajectory, most frequent first.
SELECT stage, coalesce(reason, error_class) AS reason, count(*)::int AS texts FROM stage_results
WHERE recipe_id IN (%(synthesize)s, %(confirm)s) AND outcome <> 'accepted'
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
