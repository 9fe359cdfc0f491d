-- changes_of_segments --
-- All changes to conversations of these segments, each conversation's in order.
SELECT change_id, segment_id, trajectory_id, base, position, kind, author, origin, words, message, messages, kept,
       findings, undoes, created_at
FROM item_changes WHERE segment_id = ANY(%(segments)s::text[]) ORDER BY segment_id, base, position

-- lock_changes --
-- Serialises the changes of one segment's conversations.
SELECT pg_advisory_xact_lock(hashtextextended('gem-change ' || %(segment_id)s, 0))

-- insert_change --
-- Appends a change to those of its conversation.
INSERT INTO item_changes (change_id, segment_id, trajectory_id, base, position, kind, author, origin, words, message,
                          messages, kept, findings, undoes, announced)
SELECT %(change_id)s, %(segment_id)s, %(trajectory_id)s, %(base)s, coalesce(max(position), 0) + 1, %(kind)s, %(author)s,
       %(origin)s, %(words)s, %(message)s, %(messages)s, %(kept)s, %(findings)s, %(undoes)s,
       %(announced)s
FROM item_changes WHERE segment_id = %(segment_id)s AND base = %(base)s
RETURNING position, created_at

-- set_base --
-- Names the content of a trajectory that was published before contents had names.
UPDATE trajectories SET base = %(base)s WHERE trajectory_id = %(trajectory_id)s AND base IS DISTINCT FROM %(base)s

-- change_partition --
-- The partition of the changed segment has something new to publish, unless it was only a comment: the count of the
-- partition's changes with which the change will be published.
UPDATE partitions SET changes = changes + (%(counts)s::boolean)::int
WHERE partition_key = (SELECT partition_key FROM segments WHERE segment_id = %(segment_id)s)
RETURNING changes + 1 - (%(counts)s::boolean)::int AS announced

-- find_items --
-- Trajectories whose id has this prefix, published now or before, current ones first (at most a few).
SELECT t.trajectory_id, t.segment_id, t.recipe_id, t.dataset_version AS version, v.superseded_by IS NULL AS current,
       s.partition_key AS partition, s.shard, d.live, coalesce(c.params -> 'opened', '[]') AS opened
FROM trajectories t JOIN datasets v ON v.version = t.dataset_version
JOIN segments s USING (segment_id) JOIN documents d USING (document_id)
JOIN recipes c ON c.recipe_id = t.recipe_id
WHERE starts_with(t.trajectory_id, %(prefix)s) ORDER BY v.superseded_by IS NULL DESC, t.trajectory_id LIMIT 5

-- find_change --
-- Changes whose id has this prefix (at most a few).
SELECT change_id, segment_id, trajectory_id, base, position, kind, author, origin, words, message, messages, kept,
       findings, undoes, created_at
FROM item_changes WHERE starts_with(change_id, %(prefix)s) ORDER BY change_id LIMIT 2

-- list_changes --
-- Changes of all trajectories or of one, newest first, with what became of each: `published` if the current
-- version found its conversation, `orphaned` if that was published since and did not. Of one: with the changes of the
-- same conversation under another id, and the orphaned ones of its text; not those of the text's other conversations.
SELECT * FROM (
SELECT c.change_id, c.segment_id, c.trajectory_id, c.base, c.position, c.kind, c.author, c.origin, c.words, c.message,
       c.messages, c.kept, c.findings, c.undoes, c.created_at, s.partition_key AS partition, d.uri,
       CASE WHEN NOT d.live THEN 'withdrawn'
            WHEN EXISTS (SELECT 1 FROM item_changes u WHERE u.undoes = c.change_id) THEN 'undone'
            WHEN EXISTS (SELECT 1 FROM considered_changes k WHERE k.change_id = c.change_id AND k.version = v.version)
                THEN 'published'
            WHEN v.created_at > c.created_at OR p.published_changes >= c.announced THEN 'orphaned'
            ELSE 'waiting' END AS state
FROM item_changes c JOIN segments s USING (segment_id) JOIN documents d USING (document_id)
JOIN partitions p ON p.partition_key = s.partition_key
LEFT JOIN datasets v ON v.partition_key = s.partition_key AND v.superseded_by IS NULL
WHERE %(trajectory_id)s::text IS NULL
   OR c.segment_id = (SELECT segment_id FROM trajectories WHERE trajectory_id = %(trajectory_id)s)
) AS listed
WHERE %(trajectory_id)s::text IS NULL OR state = 'orphaned' OR trajectory_id = %(trajectory_id)s
   OR base = (SELECT t.base FROM trajectories t WHERE t.trajectory_id = %(trajectory_id)s)
ORDER BY created_at DESC, change_id DESC LIMIT %(limit)s

-- forget_considered --
-- A version that is published again may have found other changes.
DELETE FROM considered_changes WHERE version = %(version)s

-- consider_changes --
-- Records the changes that a version considered.
INSERT INTO considered_changes (version, change_id)
SELECT %(version)s, change_id FROM unnest(%(changes)s::text[]) AS u(change_id) ON CONFLICT DO NOTHING

-- vetoed_trajectories --
-- Those of these trajectories whose conversation people vetoed.
SELECT t.trajectory_id FROM trajectories t
JOIN item_changes c ON c.segment_id = t.segment_id AND c.base = t.base AND c.kind = 'veto'
WHERE t.trajectory_id = ANY(%(trajectories)s::text[])
  AND NOT EXISTS (SELECT 1 FROM item_changes u WHERE u.undoes = c.change_id)

-- waiting_edits --
-- Number of trajectories in current versions with an edit, or one taken back, that their version did not consider.
SELECT count(DISTINCT t.trajectory_id)::int AS waiting
FROM item_changes c JOIN trajectories t ON t.segment_id = c.segment_id AND t.base = c.base
JOIN datasets v ON v.version = t.dataset_version AND v.superseded_by IS NULL
JOIN segments s ON s.segment_id = t.segment_id JOIN documents d USING (document_id)
WHERE c.kind IN ('edit', 'undo') AND d.live AND (%(partition)s::text IS NULL OR v.partition_key = %(partition)s)
  AND NOT EXISTS (SELECT 1 FROM considered_changes k WHERE k.change_id = c.change_id AND k.version = v.version)

-- expired_changes --
-- Changes of documents that were withdrawn for the given days: they quote texts that no longer exist.
SELECT c.change_id, coalesce(octet_length(c.messages), 0) + octet_length(c.words) AS bytes
FROM item_changes c JOIN segments s USING (segment_id) JOIN documents d USING (document_id)
WHERE NOT d.live AND coalesce(d.gone_at, c.created_at) < now() - make_interval(secs => %(days)s::float * 86400)

-- delete_changes --
-- Removes changes for good.
DELETE FROM item_changes WHERE change_id = ANY(%(changes)s::text[])
