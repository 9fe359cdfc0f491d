-- register_source --
-- Registers a source; registering again changes only the given settings, and switches nothing on or off. A limit of 0
-- removes the limit.
INSERT INTO sources AS old (uri, kind, license, target_tokens, max_tokens, min_chars, document_limit)
VALUES (%(uri)s, %(kind)s, %(license)s, %(target_tokens)s, %(max_tokens)s, %(min_chars)s, nullif(%(limit)s::int, 0))
ON CONFLICT (uri) DO UPDATE SET
    license = coalesce(excluded.license, old.license),
    target_tokens = coalesce(excluded.target_tokens, old.target_tokens),
    max_tokens = coalesce(excluded.max_tokens, old.max_tokens),
    min_chars = coalesce(excluded.min_chars, old.min_chars),
    document_limit = nullif(coalesce(%(limit)s::int, old.document_limit), 0)
RETURNING source_id, uri, kind, license, target_tokens, max_tokens, min_chars, document_limit AS "limit", enabled,
          scan_position

-- enabled_sources --
-- Sources that the hourly run reads, oldest first.
SELECT uri FROM sources WHERE enabled ORDER BY source_id

-- source_list --
-- All sources with their figures.
SELECT s.source_id, s.uri, s.kind, s.license, s.target_tokens, s.max_tokens, s.min_chars,
       s.document_limit AS "limit", s.enabled, s.registered_at,
       s.scanned_at, s.scan_position <> '' AS interrupted, coalesce(o.objects, 0) AS objects,
       coalesce(o.documents, 0)::bigint AS documents, coalesce(o.missing, 0) AS missing, coalesce(o.gone, 0) AS gone
FROM sources s LEFT JOIN (
    SELECT source_id, count(*) FILTER (WHERE gone_at IS NULL) AS objects,
           sum(documents) FILTER (WHERE gone_at IS NULL) AS documents,
           count(*) FILTER (WHERE missing_since IS NOT NULL AND gone_at IS NULL) AS missing,
           count(*) FILTER (WHERE gone_at IS NOT NULL) AS gone
    FROM source_objects GROUP BY source_id
) o USING (source_id)
ORDER BY s.source_id

-- source_reasons --
-- Number of a source's documents by reason for having no segments; null: they have some.
SELECT d.reason, count(*) AS documents
FROM sources s JOIN source_objects o USING (source_id) JOIN documents d ON d.object_key = o.key
WHERE (s.uri = %(which)s OR s.source_id::text = %(which)s) AND o.gone_at IS NULL AND d.live
GROUP BY d.reason ORDER BY documents DESC, d.reason

-- source_refusals --
-- Documents of a source without segments, with their reasons.
SELECT d.uri, d.reason, d.detail
FROM sources s JOIN source_objects o USING (source_id) JOIN documents d ON d.object_key = o.key
WHERE (s.uri = %(which)s OR s.source_id::text = %(which)s) AND o.gone_at IS NULL AND d.live AND d.reason IS NOT NULL
  AND (%(reason)s::text IS NULL OR d.reason = %(reason)s) AND d.uri > %(after)s
ORDER BY d.uri LIMIT %(most)s

-- partitions_of_source --
-- Partitions with live segments of a source, oldest first.
SELECT DISTINCT g.partition_key FROM live_segments g JOIN documents d USING (document_id) JOIN sources s USING (source_id)
WHERE s.uri = %(uri)s ORDER BY g.partition_key

-- enable_source --
-- Switches a source on or off; returns no row if no source has that name or number.
UPDATE sources SET enabled = %(enabled)s WHERE uri = %(which)s OR source_id::text = %(which)s RETURNING uri

-- limit_source --
-- Sets or removes the limit of a source; returns no row if no source has that name or number.
UPDATE sources SET document_limit = %(limit)s WHERE uri = %(which)s OR source_id::text = %(which)s RETURNING uri

-- compare_objects --
-- Those of these listed objects that are unchanged since they were last read, with their number of documents.
SELECT u.key, CASE WHEN o.gone_at IS NULL THEN o.documents END AS documents, coalesce(o.etag = u.etag AND o.gone_at IS NULL, false) AS same,
       o.missing_since IS NOT NULL AS missing
FROM unnest(%(keys)s::text[], %(etags)s::text[]) AS u(key, etag)
LEFT JOIN source_objects o ON o.source_id = %(source_id)s AND o.key = u.key

-- object_etags --
-- Recorded versions of objects.
SELECT key, etag FROM source_objects WHERE source_id = %(source_id)s AND key = ANY(%(keys)s) AND gone_at IS NULL

-- mark_missing --
-- Marks as missing the objects between two keys that the listing lacks, except below folders that could not be listed.
UPDATE source_objects o SET missing_since = now()
WHERE o.source_id = %(source_id)s AND o.key > %(after)s AND (%(upto)s::text IS NULL OR o.key <= %(upto)s)
  AND o.gone_at IS NULL AND o.missing_since IS NULL
  AND NOT EXISTS (SELECT 1 FROM unnest(%(keys)s::text[]) AS u(key) WHERE u.key = o.key)
  AND NOT EXISTS (SELECT 1 FROM unnest(%(closed)s::text[]) AS c(key) WHERE starts_with(o.key, c.key))

-- found_again --
-- Unmarks missing objects that are back.
UPDATE source_objects SET missing_since = NULL WHERE source_id = %(source_id)s AND key = ANY(%(keys)s)

-- scan_position --
-- Position of a scan; empty: the next one starts anew.
UPDATE sources SET scan_position = %(position)s, scanned_at = CASE WHEN %(position)s = '' THEN now() ELSE scanned_at END
WHERE source_id = %(source_id)s

-- known_objects --
-- Number of objects of a source, of their documents, and of missing objects.
SELECT count(*) AS known, coalesce(sum(documents), 0)::bigint AS documents, count(missing_since) AS missing, min(key) FILTER (WHERE missing_since IS NOT NULL) AS example
FROM source_objects WHERE source_id = %(source_id)s AND gone_at IS NULL

-- retire_missing --
-- Tombstones for the documents of missing objects.
WITH missing AS (
    UPDATE source_objects SET gone_at = now(), missing_since = NULL
    WHERE source_id = %(source_id)s AND missing_since IS NOT NULL AND gone_at IS NULL
    RETURNING key
)
UPDATE documents d SET gone_at = now() FROM missing m WHERE d.object_key = m.key AND d.live
RETURNING d.document_id, d.partition_key, d.content_hash, d.reason

-- last_object --
-- The last known object of a source that still exists; empty if there is none.
SELECT coalesce(max(key), '') AS key FROM source_objects WHERE source_id = %(source_id)s AND gone_at IS NULL

-- upsert_objects --
-- Objects that were read to their end.
INSERT INTO source_objects (source_id, key, etag, size, documents)
SELECT %(source_id)s, u.* FROM unnest(%(key)s::text[], %(etag)s::text[], %(size)s::bigint[], %(documents)s::int[]) AS u
ON CONFLICT (source_id, key) DO UPDATE SET etag = excluded.etag, size = excluded.size, documents = excluded.documents,
    read_at = now(), missing_since = NULL, gone_at = NULL

-- reread_duplicates --
-- Marks for reading the objects with a document that repeats one of these texts, which no other document has now.
UPDATE source_objects o SET etag = ''
FROM documents d
WHERE d.content_hash = ANY(%(hashes)s) AND d.reason = 'duplicate' AND d.live AND o.key = d.object_key
  AND NOT EXISTS (SELECT 1 FROM documents x WHERE x.content_hash = d.content_hash AND x.reason IS NULL AND x.live)
RETURNING o.source_id
