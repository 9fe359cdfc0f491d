-- Why do stages turn segments down, and what does it look like?
CREATE VIEW rejections AS
SELECT stage, reason, partition_key, count(*) AS segments, min(detail) AS example
FROM stage_results
WHERE outcome = 'rejected'
GROUP BY stage, reason, partition_key;
