-- make_seen --
-- Documents found in the objects being read; a temporary table of this connection.
CREATE TEMP TABLE IF NOT EXISTS seen (
    document_id text COLLATE "C" PRIMARY KEY,
    object_key  text COLLATE "C" NOT NULL,
    uri         text COLLATE "C" NOT NULL
)

-- insert_seen --
-- Bulk insert.
INSERT INTO seen SELECT * FROM unnest(%(document_id)s::text[], %(object_key)s::text[], %(uri)s::text[])
ON CONFLICT DO NOTHING

-- forget_seen --
-- Run once an object is settled.
DELETE FROM seen WHERE object_key = ANY(%(keys)s)

-- same_records --
-- Those of these records that were read before with the same content; a duplicate is read again, because its original
-- may be gone.
SELECT u.number, d.document_id
FROM unnest(%(uris)s::text[], %(fingerprints)s::text[]) WITH ORDINALITY AS u(uri, fingerprint, number)
JOIN documents d ON d.uri = u.uri AND d.fingerprint = u.fingerprint AND d.reason IS DISTINCT FROM 'duplicate'

-- restore_documents --
-- Restores versions that are back.
UPDATE documents d SET superseded_by = NULL, gone_at = NULL
FROM seen s WHERE s.object_key = ANY(%(keys)s) AND d.document_id = s.document_id AND NOT d.live
RETURNING d.document_id, d.partition_key, d.content_hash, d.reason

-- retire_documents --
-- Versions missing from their objects, which were read to the end: superseded by one with the same URI, or gone.
UPDATE documents d SET superseded_by = o.by, gone_at = CASE WHEN o.by IS NULL THEN now() END
FROM (
    SELECT v.document_id, (SELECT min(s.document_id) FROM seen s WHERE s.object_key = v.object_key AND s.uri = v.uri) AS by
    FROM documents v
    WHERE v.object_key = ANY(%(keys)s) AND v.live
      AND NOT EXISTS (SELECT 1 FROM seen x WHERE x.document_id = v.document_id)
) o
WHERE d.document_id = o.document_id
RETURNING d.document_id, d.partition_key, d.content_hash, d.reason, d.superseded_by

-- count_changes --
-- Marks partitions that have something new to publish.
UPDATE partitions SET changes = changes + 1 WHERE partition_key = ANY(%(partitions)s)

-- changed_partitions --
-- Partitions with a dataset whose documents have changed since publication.
SELECT p.partition_key FROM partitions p
WHERE p.changes > p.published_changes
  AND EXISTS (SELECT 1 FROM datasets d WHERE d.partition_key = p.partition_key)
ORDER BY p.partition_key

-- changes --
-- Number of changes to the documents of a partition.
SELECT coalesce(max(changes), 0) AS changes FROM partitions WHERE partition_key = %(partition)s

-- changes_published --
-- A version with all changes up to this one is published.
UPDATE partitions SET published_changes = greatest(published_changes, %(changes)s) WHERE partition_key = %(partition)s

-- withdrawn_segments --
-- Segments of a shard whose document was superseded or is gone.
SELECT s.segment_id FROM segments s JOIN documents d USING (document_id)
WHERE s.partition_key = %(partition)s AND s.shard = %(shard)s AND NOT d.live

-- withdrawn_trajectories --
-- Trajectories of a dataset version whose document was superseded or is gone, or that people vetoed since.
SELECT t.trajectory_id FROM trajectories t JOIN segments s USING (segment_id) JOIN documents d USING (document_id)
WHERE t.dataset_version = %(version)s AND NOT d.live
UNION
SELECT t.trajectory_id FROM item_changes c JOIN trajectories t ON t.segment_id = c.segment_id AND t.base = c.base
WHERE t.dataset_version = %(version)s AND c.kind = 'veto'
  AND NOT EXISTS (SELECT 1 FROM item_changes u WHERE u.undoes = c.change_id)
