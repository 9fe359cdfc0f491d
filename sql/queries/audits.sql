-- draw_trajectories --
-- A sample of current trajectories, stratified by source and first domain: sorted by stratum and at random within it,
-- then every (total / size)th from a random start. Each has the same chance, each stratum its share.
WITH population AS (
    SELECT t.trajectory_id AS item_id, s.partition_key AS partition, s.shard, t.recipe_id, c.stage,
           t.dataset_version AS version, o.uri || ' ' || coalesce(t.domains[1], '') AS stratum
    FROM trajectories t JOIN datasets v ON v.version = t.dataset_version AND v.superseded_by IS NULL
    JOIN segments s USING (segment_id) JOIN documents d USING (document_id) JOIN sources o USING (source_id)
    JOIN recipes c ON c.recipe_id = t.recipe_id
    WHERE (%(version)s::text IS NULL OR v.version = %(version)s)
      AND (%(first)s::text IS NULL OR v.partition_key >= %(first)s)
      AND (%(last)s::text IS NULL OR v.partition_key <= %(last)s)
), numbered AS (
    SELECT *, row_number() OVER (ORDER BY stratum, md5(%(seed)s::text || item_id), item_id) - 1 AS place,
           count(*) OVER () AS total
    FROM population
)
SELECT item_id, partition, shard, recipe_id, stage, version, stratum, total,
       (row_number() OVER (ORDER BY md5(%(seed)s::text || '/' || item_id), item_id))::int AS position
FROM generate_series(0, %(size)s::int - 1) AS k
JOIN numbered ON k < total AND place = floor((k + %(start)s::numeric) * total / least(%(size)s::int, total))
ORDER BY position

-- draw_segments --
-- A sample, like `draw_trajectories`, of segments whose workflows were accepted under a recipe, stratified by source.
WITH population AS (
    SELECT r.segment_id AS item_id, s.partition_key AS partition, s.shard, r.recipe_id, r.stage,
           NULL::text AS version, o.uri AS stratum
    FROM stage_results r JOIN segments s USING (partition_key, segment_id)
    JOIN documents d USING (document_id) JOIN sources o USING (source_id)
    WHERE r.recipe_id = %(extract_)s AND r.outcome = 'accepted'
      AND (%(version)s::text IS NULL
           OR s.partition_key = (SELECT partition_key FROM datasets WHERE version = %(version)s))
      AND (%(first)s::text IS NULL OR s.partition_key >= %(first)s)
      AND (%(last)s::text IS NULL OR s.partition_key <= %(last)s)
), numbered AS (
    SELECT *, row_number() OVER (ORDER BY stratum, md5(%(seed)s::text || item_id), item_id) - 1 AS place,
           count(*) OVER () AS total
    FROM population
)
SELECT item_id, partition, shard, recipe_id, stage, version, stratum, total,
       (row_number() OVER (ORDER BY md5(%(seed)s::text || '/' || item_id), item_id))::int AS position
FROM generate_series(0, %(size)s::int - 1) AS k
JOIN numbered ON k < total AND place = floor((k + %(start)s::numeric) * total / least(%(size)s::int, total))
ORDER BY position

-- draw_refused --
-- A sample, like `draw_trajectories`, of conversations that checks or judge finally refused: a revised one counts as
-- revised. Each source and each reason has its share; the reason is left out, because raters must not know it. An item is
-- named by its text, so of several refused conversations of one text a sample has one.
WITH takes AS (
    SELECT * FROM unnest(%(validate)s::text[], %(revise)s::text[], %(revalidate)s::text[])
        AS u(validate, revise, revalidate)
), refused AS (
    SELECT DISTINCT ON (r.segment_id) r.partition_key, r.segment_id, r.recipe_id, r.stage, r.reason
    FROM takes t JOIN stage_results r ON r.recipe_id IN (t.validate, t.revalidate)
    WHERE r.outcome = 'rejected' AND r.object_key <> ''
      AND (r.recipe_id = t.revalidate OR NOT %(revising)s::boolean
           OR EXISTS (SELECT 1 FROM stage_results v WHERE v.partition_key = r.partition_key AND v.segment_id = r.segment_id
                      AND v.recipe_id = t.revise AND v.outcome <> 'accepted'))
    ORDER BY r.segment_id, md5(%(seed)s::text || r.recipe_id), r.recipe_id
), population AS (
    SELECT r.segment_id AS item_id, s.partition_key AS partition, s.shard, r.recipe_id, r.stage,
           NULL::text AS version, o.uri AS stratum, r.reason
    FROM refused r JOIN segments s USING (partition_key, segment_id)
    JOIN documents d USING (document_id) JOIN sources o USING (source_id)
    WHERE (%(version)s::text IS NULL
           OR s.partition_key = (SELECT partition_key FROM datasets WHERE version = %(version)s))
      AND (%(first)s::text IS NULL OR s.partition_key >= %(first)s)
      AND (%(last)s::text IS NULL OR s.partition_key <= %(last)s)
), numbered AS (
    SELECT *, row_number() OVER (ORDER BY stratum, reason, md5(%(seed)s::text || item_id), item_id) - 1 AS place,
           count(*) OVER () AS total
    FROM population
)
SELECT item_id, partition, shard, recipe_id, stage, version, stratum, total,
       (row_number() OVER (ORDER BY md5(%(seed)s::text || '/' || item_id), item_id))::int AS position
FROM generate_series(0, %(size)s::int - 1) AS k
JOIN numbered ON k < total AND place = floor((k + %(start)s::numeric) * total / least(%(size)s::int, total))
ORDER BY position

-- versions_drawn_from --
-- Current versions that a sample of trajectories represents.
SELECT version FROM datasets
WHERE superseded_by IS NULL
  AND (%(version)s::text IS NULL OR version = %(version)s)
  AND (%(first)s::text IS NULL OR partition_key >= %(first)s)
  AND (%(last)s::text IS NULL OR partition_key <= %(last)s)
ORDER BY version

-- insert_audit --
-- An audit is named by its items: drawing the same sample again finds it.
INSERT INTO audits (audit_id, sample, population, versions, airflow_run_id)
VALUES (%(audit_id)s, %(sample)s, %(population)s, %(versions)s, %(run_id)s) ON CONFLICT DO NOTHING

-- insert_audit_items --
-- Bulk insert of the drawn items.
INSERT INTO audit_items (audit_id, item_id, position, stratum, partition_key, shard, recipe_id, version)
SELECT %(audit_id)s, * FROM unnest(%(item_id)s::text[], %(position)s::int[], %(stratum)s::text[], %(partition)s::text[],
                                   %(shard)s::int[], %(recipe_id)s::text[], %(version)s::text[])
ON CONFLICT DO NOTHING

-- find_audits --
-- Audits whose id has this prefix, newest first.
SELECT audit_id, sample, population, versions, drawn_at,
       (SELECT count(*)::int FROM audit_items i WHERE i.audit_id = a.audit_id) AS items
FROM audits a WHERE starts_with(audit_id, %(prefix)s) ORDER BY drawn_at DESC, audit_id LIMIT %(limit)s

-- audit_items --
-- The items of an audit, in the order of rating.
SELECT item_id, position, stratum, partition_key AS partition, shard, recipe_id, stage, i.version
FROM audit_items i JOIN recipes r USING (recipe_id) WHERE audit_id = %(audit_id)s ORDER BY position

-- rated_conversations --
-- Conversations that people rated, published or refused, with the verdicts of the current checks and the judge if
-- known.
SELECT a.audit_id, a.sample ->> 'what' AS sample, a.population, i.item_id, i.partition_key AS partition, i.shard,
       i.recipe_id, coalesce(t.segment_id, i.item_id) AS segment_id, g.raters, g.keepers,
       f.item_id IS NOT NULL AS known, f.kinds, f.judged, f.faults
FROM audits a JOIN audit_items i USING (audit_id)
JOIN LATERAL (
    SELECT count(*)::int AS raters,
           (count(*) FILTER (WHERE least(coherence, tools, faithfulness) >= %(good)s))::int AS keepers
    FROM audit_ratings g WHERE g.audit_id = i.audit_id AND g.item_id = i.item_id
) g ON g.raters > 0
LEFT JOIN trajectories t ON t.trajectory_id = i.item_id AND a.sample ->> 'what' = 'trajectories'
LEFT JOIN audit_findings f ON f.item_id = i.item_id AND f.recipe_id = i.recipe_id AND f.checks = %(checks)s
WHERE a.sample ->> 'what' IN ('trajectories', 'refused')
ORDER BY a.audit_id, i.position

-- insert_audit_findings --
-- Bulk insert of the verdicts of a version of the checks, and of the judge, on conversations.
INSERT INTO audit_findings (item_id, recipe_id, checks, kinds, judged, faults)
SELECT item_id, recipe_id, %(checks)s, string_to_array(kinds, ' '), judged, string_to_array(faults, ' ')
FROM unnest(%(item_id)s::text[], %(recipe_id)s::text[], %(kinds)s::text[], %(judged)s::boolean[], %(faults)s::text[])
     AS u(item_id, recipe_id, kinds, judged, faults)
ON CONFLICT DO NOTHING

-- recipe_line --
-- A recipe and its ancestors, by stage.
WITH RECURSIVE line AS (
    SELECT recipe_id, stage, parent_id FROM recipes WHERE recipe_id = %(recipe_id)s
    UNION ALL SELECT r.recipe_id, r.stage, r.parent_id FROM line l JOIN recipes r ON r.recipe_id = l.parent_id
)
SELECT stage, recipe_id FROM line

-- upsert_ratings --
-- Bulk upsert: a second rating of an item by the same rater replaces the first.
INSERT INTO audit_ratings AS old (audit_id, item_id, rater, coherence, tools, faithfulness, comment)
SELECT %(audit_id)s, * FROM unnest(%(item_id)s::text[], %(rater)s::text[], %(coherence)s::int[], %(tools)s::int[],
                                   %(faithfulness)s::int[], %(comment)s::text[])
ON CONFLICT (audit_id, item_id, rater) DO UPDATE SET
    coherence = excluded.coherence, tools = excluded.tools, faithfulness = excluded.faithfulness,
    comment = excluded.comment, rated_at = now()

-- ratings --
-- All ratings of an audit.
SELECT item_id, rater, coherence, tools, faithfulness, comment
FROM audit_ratings WHERE audit_id = %(audit_id)s ORDER BY item_id, rater

-- lock_audit --
-- Serialises the rating of one audit, so that its verdict covers all ratings.
SELECT pg_advisory_xact_lock(hashtextextended('gem-audit ' || %(audit_id)s, 0))

-- mark_audited --
-- Marks these versions as audited.
UPDATE datasets SET audited_by = %(audit_id)s WHERE version = ANY(%(versions)s)

-- mark_not_audited --
-- Removes the mark from these versions: from all, or from those that got it from this audit.
UPDATE datasets SET audited_by = NULL
WHERE version = ANY(%(versions)s) AND (%(audit_id)s::text IS NULL OR audited_by = %(audit_id)s)
