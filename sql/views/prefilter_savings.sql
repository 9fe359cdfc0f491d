-- What did each trained prefilter save, and what did it miss? Per prefilter and partition: segments rejected without a
-- call, and in the share that always goes to the model, how many it accepted and how many of those would have been
-- missed. Money is the average cost of a verdict of the same recipe.
CREATE VIEW prefilter_savings AS
WITH price AS (
    SELECT recipe_id, avg(usd) AS usd FROM stage_results WHERE stage = 'filter' AND calls > 0 GROUP BY recipe_id
)
SELECT r.measures ->> 'prefilter' AS prefilter_id, r.recipe_id, r.partition_key,
       count(*) FILTER (WHERE r.reason = 'prefilter') AS saved_calls,
       count(*) FILTER (WHERE r.measures -> 'prefilter_share' = 'true') AS share_asked,
       count(*) FILTER (WHERE r.measures -> 'prefilter_share' = 'true' AND r.outcome = 'accepted') AS share_accepted,
       count(*) FILTER (WHERE r.measures -> 'prefilter_share' = 'true' AND r.outcome = 'accepted'
                        AND r.measures -> 'prefilter_rejects' = 'true') AS share_missed,
       count(*) FILTER (WHERE r.reason = 'prefilter') * max(p.usd) AS usd_saved
FROM stage_results r LEFT JOIN price p USING (recipe_id)
WHERE r.stage = 'filter' AND r.measures ? 'prefilter'
GROUP BY r.measures ->> 'prefilter', r.recipe_id, r.partition_key;
