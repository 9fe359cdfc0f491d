-- Where are documents and segments of a partition lost? Rows in pipeline order: documents read, segments cut, then each
-- stage under each recipe; `accepted` ones continue to the next step.
CREATE VIEW funnel AS
WITH RECURSIVE steps (recipe_id, step) AS (
    SELECT recipe_id, 1 FROM recipes WHERE parent_id IS NULL
    UNION ALL
    SELECT r.recipe_id, s.step + 1 FROM recipes r JOIN steps s ON r.parent_id = s.recipe_id
)
SELECT partition_key, 0 AS step, 'documents' AS stage, NULL AS recipe_id,
       count(*) AS outcomes,
       count(*) FILTER (WHERE reason IS NULL) AS accepted,
       count(*) FILTER (WHERE reason IS NOT NULL) AS rejected,
       0::bigint AS failed
FROM documents
GROUP BY partition_key
UNION ALL
SELECT partition_key, 1, 'segments', NULL, count(*), count(*), 0, 0
FROM segments
GROUP BY partition_key
UNION ALL
SELECT r.partition_key, s.step, r.stage, r.recipe_id,
       count(*),
       count(*) FILTER (WHERE r.outcome = 'accepted'),
       count(*) FILTER (WHERE r.outcome = 'rejected'),
       count(*) FILTER (WHERE r.outcome = 'failed')
FROM stage_results r JOIN steps s USING (recipe_id)
GROUP BY r.partition_key, s.step, r.stage, r.recipe_id;
