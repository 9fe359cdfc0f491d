-- What was a model trained on? One row per model, dataset version and recipe behind it, the last stage first.
CREATE VIEW model_lineage AS
WITH RECURSIVE chain AS (
    SELECT v.version, 0 AS depth, r.recipe_id, r.parent_id, r.stage, r.model, r.prompt_sha256
    FROM datasets v JOIN recipes r USING (recipe_id)
    UNION ALL
    SELECT c.version, c.depth + 1, r.recipe_id, r.parent_id, r.stage, r.model, r.prompt_sha256
    FROM chain c JOIN recipes r ON r.recipe_id = c.parent_id
), trained AS (
    SELECT m.model_id, m.set_id, i.dataset_version AS version, count(DISTINCT i.trajectory_id)::int AS trajectories,
           count(DISTINCT s.document_id)::int AS documents
    FROM models m JOIN sft_set_items i USING (set_id) JOIN segments s USING (segment_id)
    WHERE i.split = 'train' GROUP BY m.model_id, m.set_id, i.dataset_version
)
SELECT t.model_id, t.set_id, t.version, t.trajectories, t.documents, c.depth, c.stage, c.recipe_id,
       c.model AS made_by, p.name AS prompt, c.prompt_sha256
FROM trained t JOIN chain c USING (version) LEFT JOIN prompts p ON p.sha256 = c.prompt_sha256
ORDER BY t.model_id, t.version, c.depth;
