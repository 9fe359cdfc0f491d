-- audit_trajectories --
-- What can be drawn of published trajectories: of one version, or of all current ones.
SELECT t.segment_id, t.platform || ', ' || coalesce(t.domains[1], '') AS stratum
FROM trajectories t JOIN datasets d ON d.version = t.dataset_version AND d.superseded_by IS NULL
WHERE t.recipe_id = %(recipe_id)s AND (%(version)s::text IS NULL OR d.version = %(version)s)

-- audit_segments --
-- What can be drawn of segments that have workflows and tools under a recipe of extract.
SELECT r.segment_id, d.source_id::text AS stratum
FROM stage_results r JOIN segments s USING (segment_id) JOIN documents d USING (document_id)
WHERE r.recipe_id = %(recipe_id)s AND r.outcome = 'accepted'

-- insert_audit --
-- A new audit.
INSERT INTO audits (what, version, recipe_id, seed)
VALUES (%(what)s, %(version)s, %(recipe_id)s, %(seed)s) RETURNING audit_id

-- insert_audit_items --
-- Bulk insert, numbered in order.
INSERT INTO audit_items (audit_id, item, segment_id, stratum)
SELECT %(audit_id)s, u.item, u.segment_id, u.stratum
FROM unnest(%(item)s::int[], %(segment_id)s::text[], %(stratum)s::text[]) AS u(item, segment_id, stratum)

-- audit --
-- One audit, or the newest.
SELECT audit_id, what, version, recipe_id, seed,
       (SELECT count(*) FROM audit_items i WHERE i.audit_id = a.audit_id)::int AS items
FROM audits a WHERE %(audit_id)s::bigint IS NULL OR audit_id = %(audit_id)s
ORDER BY audit_id DESC LIMIT 1

-- audit_items --
-- The items of an audit, and where they lie.
SELECT i.item, i.segment_id, i.stratum, s.partition_key AS partition, s.shard, d.uri
FROM audit_items i JOIN segments s USING (segment_id) JOIN documents d USING (document_id)
WHERE i.audit_id = %(audit_id)s ORDER BY i.item

-- audit_ratings --
-- All ratings of an audit.
SELECT item, rater, coherence, relevance, faithfulness, comment FROM audit_ratings
WHERE audit_id = %(audit_id)s ORDER BY item, rater

-- upsert_ratings --
-- Ratings; somebody who rates an item again has changed their mind.
INSERT INTO audit_ratings (audit_id, item, rater, coherence, relevance, faithfulness, comment)
SELECT %(audit_id)s, * FROM unnest(%(item)s::int[], %(rater)s::text[], %(coherence)s::int[], %(relevance)s::int[],
                                   %(faithfulness)s::int[], %(comment)s::text[])
ON CONFLICT (audit_id, item, rater) DO UPDATE SET coherence = excluded.coherence, relevance = excluded.relevance,
    faithfulness = excluded.faithfulness, comment = excluded.comment, rated_at = now()
