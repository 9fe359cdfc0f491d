-- What happened to one document? One row per segment and stage; filter by document_id or uri.
CREATE VIEW document_life AS
SELECT d.document_id, d.uri, d.reason AS document_reason, s.segment_id, s.start_char, s.end_char,
       r.stage, r.recipe_id, r.outcome, coalesce(r.reason, r.error_class) AS why, r.detail, r.updated_at,
       t.trajectory_id, t.dataset_version
FROM documents d
LEFT JOIN segments s USING (document_id)
LEFT JOIN stage_results r ON r.partition_key = s.partition_key AND r.segment_id = s.segment_id
LEFT JOIN trajectories t ON t.segment_id = r.segment_id AND t.recipe_id = r.recipe_id;
