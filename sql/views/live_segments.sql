-- Which segments does the synthesis have to deal with? Everything that asks what is left to do reads them here: what
-- became of a text that was superseded or is gone is nobody's concern.
CREATE VIEW live_segments AS
SELECT s.segment_id, s.document_id, s.partition_key, s.shard, s.row_no
FROM segments s JOIN documents d USING (document_id)
WHERE d.live;
