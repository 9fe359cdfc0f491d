-- announce_batch --
-- A batch that is about to be created; its key goes into the batch's metadata.
INSERT INTO batches (gem_key, recipe_id, partition_key, shard, custom_ids, usd_reserved, airflow_run_id)
VALUES (%(gem_key)s, %(recipe_id)s, %(partition)s, %(shard)s, %(custom_ids)s, %(usd_reserved)s, %(airflow_run_id)s)

-- batch_submitted --
-- The endpoint has accepted the batch.
UPDATE batches SET state = 'submitted', batch_id = %(batch_id)s, submitted_at = now() WHERE gem_key = %(gem_key)s

-- batch_ended --
-- How a batch ended: collected (with the faults of its requests), failed as a whole, or lost.
UPDATE batches SET state = %(state)s, faults = %(faults)s, ended_at = now() WHERE gem_key = %(gem_key)s

-- open_batches --
-- Batches of an unfinished shard, oldest first.
SELECT gem_key, batch_id, state, custom_ids, faults, usd_reserved, airflow_run_id FROM batches
WHERE recipe_id = %(recipe_id)s AND partition_key = %(partition)s AND shard = %(shard)s
  AND state IN ('announced', 'submitted', 'collected')
ORDER BY announced_at, gem_key

-- batches_done --
-- The shard is finished: its collected batches are history.
UPDATE batches SET state = 'done'
WHERE recipe_id = %(recipe_id)s AND partition_key = %(partition)s AND shard = %(shard)s AND state = 'collected'
