-- Which segments does the synthesis have to deal with? Everything that asks what is left to do reads them here.
CREATE VIEW live_segments AS
SELECT segment_id, document_id, partition_key, shard, row_no FROM segments;
