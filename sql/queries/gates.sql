-- metrics --
-- Counts of a stage over a partition.
SELECT count(*) FILTER (WHERE outcome = 'accepted') AS accepted,
       count(*) FILTER (WHERE outcome = 'rejected') AS rejected,
       count(*) FILTER (WHERE outcome = 'failed') AS failed,
       count(*) FILTER (WHERE outcome = 'rejected' AND calls = 0) AS not_asked,
       count(*) FILTER (WHERE reason = 'near_duplicate' AND calls = 0) AS near_duplicates
FROM stage_results WHERE partition_key = %(partition)s AND recipe_id = %(recipe_id)s

-- gate_metrics --
-- Every figure of a stage over a partition that a gate may bound.
SELECT failed_by_class, accepted_share, failed_share, mean_messages, mean_tools, mean_calls, ungrounded_share,
       duplicate_share, top_tool_share, tool_entropy, usd_per_accepted
FROM gate_metrics WHERE partition_key = %(partition)s AND recipe_id = %(recipe_id)s

-- gate_examples --
-- Results with this outcome, in an order that looks random and is stable.
SELECT r.segment_id, r.shard, d.uri, r.outcome, coalesce(r.reason, r.error_class) AS reason, r.detail
FROM stage_results r JOIN segments s USING (segment_id) JOIN documents d USING (document_id)
WHERE r.partition_key = %(partition)s AND r.recipe_id = %(recipe_id)s AND r.outcome = ANY(%(outcomes)s)
ORDER BY md5(r.segment_id), r.segment_id LIMIT %(limit)s

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
