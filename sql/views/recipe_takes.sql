-- Which conversation of a text does a recipe make? One row per recipe from `generate` on: the indices of workflow and
-- rollout, both 0 for the first one.
CREATE VIEW recipe_takes AS
WITH RECURSIVE takes AS (
    SELECT recipe_id, coalesce((params ->> 'workflow')::int, 0) AS workflow, coalesce((params ->> 'rollout')::int, 0) AS rollout
    FROM recipes WHERE stage = 'generate'
    UNION ALL
    SELECT r.recipe_id, t.workflow, t.rollout FROM takes t JOIN recipes r ON r.parent_id = t.recipe_id
)
SELECT recipe_id, workflow, rollout FROM takes;
