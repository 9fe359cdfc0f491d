-- Which conversation of a text does a recipe make? One row per recipe from `generate` or `world` on: the indices of
-- workflow and rollout, both 0 for the first one. All conversations in a world share it, so the rollout begins at `simulate`.
CREATE VIEW recipe_takes AS
WITH RECURSIVE takes AS (
    SELECT recipe_id, coalesce((params ->> 'workflow')::int, 0) AS workflow, coalesce((params ->> 'rollout')::int, 0) AS rollout
    FROM recipes WHERE stage = 'generate' OR stage = 'world'
    UNION ALL
    SELECT r.recipe_id, coalesce((r.params ->> 'workflow')::int, t.workflow), coalesce((r.params ->> 'rollout')::int, t.rollout)
    FROM takes t JOIN recipes r ON r.parent_id = t.recipe_id
)
SELECT recipe_id, workflow, rollout FROM takes;
