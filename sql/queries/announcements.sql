-- announce --
-- An ingestion run tells the synthesis about a partition. A retry announces it again.
INSERT INTO announcements (run_id, partition_key, options) VALUES (%(run_id)s, %(partition)s, %(options)s)
ON CONFLICT (run_id, partition_key) DO UPDATE
SET options = excluded.options, announced_at = now(), taken_by = NULL, taken_at = NULL

-- last_announcement --
-- The options of the newest announcement of a partition, and the synthesis run that took it up.
SELECT options, taken_by FROM announcements WHERE partition_key = %(partition)s ORDER BY announced_at DESC LIMIT 1

-- take_announcements --
-- A synthesis run takes up what these runs announced; a cleared run takes up its own announcements again.
UPDATE announcements SET taken_by = %(taken_by)s, taken_at = now()
WHERE partition_key = %(partition)s AND run_id = ANY(%(run_ids)s)

-- announcement_taken_by --
-- The synthesis run that took up an announcement; NULL if there is none yet.
SELECT taken_by FROM announcements WHERE run_id = %(run_id)s AND partition_key = %(partition)s
