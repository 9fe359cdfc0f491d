-- Where are documents and segments lost over all partitions? Columns as in `funnel`; reads the whole table.
CREATE VIEW funnel_total AS
SELECT step, stage, recipe_id,
       sum(outcomes)::bigint AS outcomes, sum(accepted)::bigint AS accepted,
       sum(rejected)::bigint AS rejected, sum(failed)::bigint AS failed
FROM funnel
GROUP BY step, stage, recipe_id
ORDER BY step, recipe_id;
