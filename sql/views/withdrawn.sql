-- Which trajectories come from a text that no longer exists? Their document was superseded by a newer version, or is
-- gone; the next version of their partition's dataset leaves them out.
CREATE VIEW withdrawn AS
SELECT t.trajectory_id, t.dataset_version, s.partition_key, d.document_id, d.uri, d.superseded_by, d.gone_at
FROM documents d
JOIN segments s USING (document_id)
JOIN trajectories t USING (segment_id)
WHERE NOT d.live;
