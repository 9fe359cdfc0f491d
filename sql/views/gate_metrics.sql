-- What does a gate see? One row per partition and recipe: the figures that `gates.toml` bounds, NULL where a stage has
-- none. The failure share refers to results for which the model was asked, the accepted share to all but near
-- duplicates, other shares to all outcomes; means and tools refer to accepted results.
CREATE VIEW gate_metrics AS
WITH results AS (
    SELECT partition_key, recipe_id, stage,
           count(*) AS total,
           count(*) FILTER (WHERE outcome = 'accepted') AS accepted,
           count(*) FILTER (WHERE outcome = 'rejected') AS rejected,
           count(*) FILTER (WHERE outcome = 'failed') AS failed,
           avg((measures ->> 'messages')::float) AS mean_messages,
           avg((measures ->> 'tools')::float) AS mean_tools,
           avg((measures ->> 'calls')::float) AS mean_calls,
           count(*) FILTER (WHERE reason IN ('check_grounding', 'judge_r1', 'judge_open_grounding')) AS ungrounded,
           count(*) FILTER (WHERE outcome = 'rejected' AND calls = 0) AS not_asked,
           count(*) FILTER (WHERE reason = 'near_duplicate' AND calls = 0) AS free_duplicates,
           count(*) FILTER (WHERE strpos(reason, 'duplicate') > 0) AS duplicates,
           sum(usd) AS usd
    FROM stage_results
    GROUP BY partition_key, recipe_id, stage
), tools AS (
    SELECT partition_key, recipe_id, tool, count(*) AS used,
           sum(count(*)) OVER (PARTITION BY partition_key, recipe_id) AS uses
    FROM stage_results, jsonb_array_elements_text(measures -> 'called') AS tool
    GROUP BY partition_key, recipe_id, tool
), diversity AS (
    SELECT partition_key, recipe_id, max(used) AS most_used,
           CASE WHEN count(*) > 1 THEN -sum(used / uses * ln(used / uses)) / ln(count(*)) ELSE 0 END AS tool_entropy
    FROM tools
    GROUP BY partition_key, recipe_id
), classes AS (
    SELECT partition_key, recipe_id, jsonb_object_agg(error_class, segments) AS failed_by_class
    FROM (SELECT partition_key, recipe_id, error_class, count(*) AS segments
          FROM stage_results WHERE outcome = 'failed' GROUP BY partition_key, recipe_id, error_class) AS counted
    GROUP BY partition_key, recipe_id
)
SELECT partition_key, recipe_id, stage, total, accepted, rejected, failed, coalesce(failed_by_class, '{}') AS failed_by_class,
       accepted::float / nullif(total - free_duplicates, 0) AS accepted_share,
       failed::float / nullif(total - not_asked, 0) AS failed_share,
       mean_messages, mean_tools, mean_calls,
       CASE WHEN stage IN ('validate', 'revalidate', 'verify', 'confirm') THEN ungrounded::float / total END AS ungrounded_share,
       duplicates::float / total AS duplicate_share,
       most_used::float / nullif(accepted, 0) AS top_tool_share,
       tool_entropy::float AS tool_entropy,
       usd / nullif(accepted, 0) AS usd_per_accepted
FROM results
LEFT JOIN diversity USING (partition_key, recipe_id)
LEFT JOIN classes USING (partition_key, recipe_id);
