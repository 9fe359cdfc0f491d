-- Where do documents and segments stay behind over all partitions? Columns as in `funnel`; reads all of it.
CREATE VIEW funnel_total AS
SELECT step, stage, recipe_id,
       sum(outcomes)::bigint AS outcomes, sum(accepted)::bigint AS accepted,
       sum(rejected)::bigint AS rejected, sum(failed)::bigint AS failed
FROM funnel
GROUP BY step, stage, recipe_id
ORDER BY step, recipe_id;
