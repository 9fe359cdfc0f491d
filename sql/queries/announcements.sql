-- announce --
-- A run of the ingestion tells the synthesis about a partition. A retry announces it anew.
INSERT INTO announcements (run_id, partition_key, options) VALUES (%(run_id)s, %(partition)s, %(options)s)
ON CONFLICT (run_id, partition_key) DO UPDATE
SET options = excluded.options, announced_at = now(), taken_by = NULL, taken_at = NULL

-- last_announcement --
-- What the newest announcement of a partition asked for, and the run of the synthesis that took it up.
SELECT options, taken_by FROM announcements WHERE partition_key = %(partition)s ORDER BY announced_at DESC LIMIT 1

-- take_announcements --
-- A run of the synthesis takes up what these runs announced; one that is cleared takes up its own again.
UPDATE announcements SET taken_by = %(taken_by)s, taken_at = now()
WHERE partition_key = %(partition)s AND run_id = ANY(%(run_ids)s)

-- announcement_taken_by --
-- The run of the synthesis that took up an announcement; none yet.
SELECT taken_by FROM announcements WHERE run_id = %(run_id)s AND partition_key = %(partition)s
