-- candidates --
-- Segments of live documents that share a band with one of the given texts.
SELECT DISTINCT u.number, b.segment_id, s.document_id, d.uri, m.digest
FROM unnest(%(bands)s::bigint[], %(numbers)s::int[]) AS u(band, number)
JOIN segment_bands b ON b.band = u.band
JOIN segment_signatures m ON m.segment_id = b.segment_id
JOIN segments s ON s.segment_id = b.segment_id
JOIN documents d ON d.document_id = s.document_id AND d.live

-- insert_signatures --
-- Bulk insert.
INSERT INTO segment_signatures (segment_id, digest)
SELECT * FROM unnest(%(segment_id)s::text[], %(digest)s::bytea[]) ON CONFLICT DO NOTHING

-- insert_bands --
-- Bulk insert.
INSERT INTO segment_bands (band, segment_id)
SELECT band, segment_id FROM unnest(%(segment_id)s::text[], %(band)s::bigint[]) AS u(segment_id, band)
ON CONFLICT DO NOTHING

-- insert_near_duplicates --
-- Bulk insert.
INSERT INTO near_duplicates (segment_id, of_segment_id, similarity)
SELECT * FROM unnest(%(segment_id)s::text[], %(of)s::text[], %(similarity)s::real[]) ON CONFLICT DO NOTHING
