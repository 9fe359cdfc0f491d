-- metrics --
-- Counts of a stage over a partition, over the recipes of all takes.
SELECT count(*) FILTER (WHERE outcome = 'accepted') AS accepted,
       count(*) FILTER (WHERE outcome = 'rejected') AS rejected,
       count(*) FILTER (WHERE outcome = 'failed') AS failed,
       count(*) FILTER (WHERE outcome = 'rejected' AND calls = 0) AS not_asked,
       count(*) FILTER (WHERE reason = 'near_duplicate' AND calls = 0) AS near_duplicates
FROM stage_results WHERE partition_key = %(partition)s AND recipe_id = ANY(%(recipe_ids)s)

-- gate_metrics --
-- Every figure of a stage over a partition that a gate may bound, over the recipes of all takes; no row without a result.
-- Means the same as the view `gate_metrics`, which has a row a recipe.
WITH found AS MATERIALIZED (
    SELECT * FROM stage_results WHERE partition_key = %(partition)s AND recipe_id = ANY(%(recipe_ids)s)
), results AS (
    SELECT min(stage) AS stage, count(*) AS total,
           count(*) FILTER (WHERE outcome = 'accepted') AS accepted,
           count(*) FILTER (WHERE outcome = 'failed') AS failed,
           avg((measures ->> 'messages')::float) AS mean_messages,
           avg((measures ->> 'tools')::float) AS mean_tools,
           avg((measures ->> 'calls')::float) AS mean_calls,
           count(*) FILTER (WHERE reason IN ('check_grounding', 'judge_r1', 'judge_open_grounding')) AS ungrounded,
           count(*) FILTER (WHERE outcome = 'rejected' AND calls = 0) AS not_asked,
           count(*) FILTER (WHERE reason = 'near_duplicate' AND calls = 0) AS free_duplicates,
           count(*) FILTER (WHERE strpos(reason, 'duplicate') > 0) AS duplicates,
           sum(usd) AS usd
    FROM found
), tools AS (
    SELECT count(*) AS used, sum(count(*)) OVER () AS uses
    FROM found, jsonb_array_elements_text(measures -> 'called') AS tool GROUP BY tool
), diversity AS (
    SELECT max(used) AS most_used,
           CASE WHEN count(*) > 1 THEN -sum(used / uses * ln(used / uses)) / ln(count(*)) WHEN count(*) = 1 THEN 0 END
               AS tool_entropy
    FROM tools
), classes AS (
    SELECT jsonb_object_agg(error_class, segments) AS failed_by_class
    FROM (SELECT error_class, count(*) AS segments FROM found WHERE outcome = 'failed' GROUP BY error_class) AS counted
)
SELECT coalesce(failed_by_class, '{}') AS failed_by_class,
       accepted::float / nullif(total - free_duplicates, 0) AS accepted_share,
       failed::float / nullif(total - not_asked, 0) AS failed_share,
       mean_messages, mean_tools, mean_calls,
       CASE WHEN stage IN ('validate', 'revalidate', 'verify', 'confirm') THEN ungrounded::float / total END AS ungrounded_share,
       duplicates::float / total AS duplicate_share,
       most_used::float / nullif(accepted, 0) AS top_tool_share,
       tool_entropy::float AS tool_entropy,
       usd / nullif(accepted, 0) AS usd_per_accepted
FROM results, diversity, classes WHERE total > 0

-- gate_examples --
-- Results with this outcome, in an order that looks random and is stable.
SELECT r.segment_id, r.shard, d.uri, r.outcome, coalesce(r.reason, r.error_class) AS reason, r.detail
FROM stage_results r JOIN segments s USING (partition_key, segment_id) JOIN documents d USING (document_id)
WHERE r.partition_key = %(partition)s AND r.recipe_id = ANY(%(recipe_ids)s) AND r.outcome = ANY(%(outcomes)s)
ORDER BY md5(r.segment_id), r.segment_id, r.recipe_id LIMIT %(limit)s

-- record_decision --
-- Records a gate's decision with its figures.
INSERT INTO gate_decisions
    (partition_key, stage, recipe_id, action, reason, metrics, policy, policy_sha256, person, airflow_run_id)
VALUES (%(partition)s, %(stage)s, %(recipe_id)s, %(action)s, %(reason)s, %(metrics)s, %(policy)s, %(policy_sha256)s,
        %(person)s, %(run_id)s)

-- decisions --
-- The newest decisions of all gates.
SELECT decided_at, partition_key AS partition, stage, action, person, reason, policy_sha256
FROM gate_decisions ORDER BY decision_id DESC LIMIT %(limit)s

-- last_decision --
-- The latest decision of the gate after a stage.
SELECT action, reason, metrics, policy AS held, policy_sha256, person FROM gate_decisions
WHERE partition_key = %(partition)s AND recipe_id = %(recipe_id)s AND stage = %(stage)s
ORDER BY decision_id DESC LIMIT 1
