-- What did each document cost, and how many trajectories did it yield?
CREATE VIEW cost_document AS
SELECT g.document_id, sum(r.calls) AS calls, sum(r.prompt_tokens) AS prompt_tokens,
       sum(r.completion_tokens) AS completion_tokens, sum(r.usd) AS usd,
       (SELECT count(*) FROM trajectories t JOIN segments o USING (segment_id)
        WHERE o.document_id = g.document_id) AS trajectories
FROM segments g JOIN stage_results r USING (partition_key, segment_id)
GROUP BY g.document_id;
