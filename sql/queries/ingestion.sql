-- known_documents --
-- Which of these document ids are recorded, and which of those as duplicates.
SELECT document_id, coalesce(reason = 'duplicate', false) AS duplicate FROM documents WHERE document_id = ANY(%(ids)s)

-- first_with_hash --
-- The first live document with segments for each of these content hashes.
SELECT DISTINCT ON (content_hash) content_hash, document_id
FROM documents
WHERE content_hash = ANY(%(hashes)s) AND reason IS NULL AND live
ORDER BY content_hash, ingested_at, document_id

-- reserve_shards --
-- Reserves a number of shards; returns the first. No shard number is ever reused.
INSERT INTO partitions AS p (partition_key, next_shard) VALUES (%(partition)s, %(count)s)
ON CONFLICT (partition_key) DO UPDATE SET updated_at = now(), next_shard = %(count)s + greatest(
    p.next_shard, (SELECT coalesce(max(shard) + 1, 0) FROM segments WHERE partition_key = %(partition)s))
RETURNING next_shard - %(count)s AS first

-- touch_partition --
-- Creates the partition unless it exists.
INSERT INTO partitions (partition_key) VALUES (%(partition)s)
ON CONFLICT (partition_key) DO UPDATE SET updated_at = now()

-- insert_documents --
-- Bulk insert; an existing document stays unchanged, unless it was a duplicate and no longer is one.
INSERT INTO documents AS old (document_id, source_id, partition_key, object_key, fingerprint, uri, etag, content_hash,
                              title, license, language, chars, metadata, reason, detail)
SELECT u.document_id, %(source_id)s, %(partition)s, u.object_key, u.fingerprint, u.uri, u.etag, u.content_hash,
       u.title, u.license, u.language, u.chars, u.metadata::jsonb, u.reason, u.detail
FROM unnest(%(document_id)s::text[], %(object_key)s::text[], %(fingerprint)s::text[], %(uri)s::text[],
            %(etag)s::text[], %(content_hash)s::text[], %(title)s::text[], %(license)s::text[], %(language)s::text[],
            %(chars)s::int[], %(metadata)s::text[], %(reason)s::text[], %(detail)s::text[])
     AS u(document_id, object_key, fingerprint, uri, etag, content_hash, title, license, language, chars, metadata,
          reason, detail)
ON CONFLICT (document_id) DO UPDATE SET partition_key = excluded.partition_key, reason = NULL, detail = ''
WHERE old.reason = 'duplicate' AND excluded.reason IS NULL

-- insert_segments --
-- Bulk insert; an existing segment stays in its shard.
INSERT INTO segments (segment_id, document_id, partition_key, shard, row_no, start_char, end_char, tokens, place)
SELECT u.segment_id, u.document_id, %(partition)s, u.shard, u.row_no, u.start_char, u.end_char, u.tokens, u.place
FROM unnest(%(segment_id)s::text[], %(document_id)s::text[], %(shard)s::int[], %(row_no)s::int[],
            %(start_char)s::int[], %(end_char)s::int[], %(tokens)s::int[], %(place)s::text[])
     AS u(segment_id, document_id, shard, row_no, start_char, end_char, tokens, place)
ON CONFLICT (segment_id) DO NOTHING

-- shards --
-- Shards of a partition with their number of segments.
SELECT shard, count(*) AS segments FROM segments WHERE partition_key = %(partition)s GROUP BY shard ORDER BY shard
