-- Which segments does the synthesis have to process? All queries about open work read this view: results of a text that
-- was superseded or is gone do not matter.
CREATE VIEW live_segments AS
SELECT s.segment_id, s.document_id, s.partition_key, s.shard, s.row_no
FROM segments s JOIN documents d USING (document_id)
WHERE d.live;
