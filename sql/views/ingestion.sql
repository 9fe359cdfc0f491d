-- Why do documents yield no segments? Documents per partition and reason; without a reason they were cut into segments.
CREATE VIEW ingestion AS
SELECT partition_key, reason, count(*) AS documents, sum(chars) AS chars, min(uri) AS example
FROM documents
GROUP BY partition_key, reason;
