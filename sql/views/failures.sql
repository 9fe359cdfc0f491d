-- What fails, how often, and with which message?
CREATE VIEW failures AS
SELECT stage, error_class, partition_key, count(*) AS segments, max(updated_at) AS last_seen, min(detail) AS example
FROM stage_results
WHERE outcome = 'failed'
GROUP BY stage, error_class, partition_key;
