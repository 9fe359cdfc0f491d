-- Why do stages reject segments, and what do rejections look like?
CREATE VIEW rejections AS
SELECT stage, reason, partition_key, count(*) AS segments, min(detail) AS example
FROM stage_results
WHERE outcome = 'rejected'
GROUP BY stage, reason, partition_key;
