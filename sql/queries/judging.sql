-- judged_counts --
-- Number of trajectories by their result in the validation under this recipe, by reason; NULL is accepted.
SELECT reason, count(*)::int AS segments
FROM stage_results
WHERE recipe_id = %(recipe_id)s AND outcome <> 'failed'
GROUP BY reason

-- settled_values --
-- Number of argument values in accepted trajectories under this recipe, and of those that only a judge could settle.
SELECT coalesce(sum((measures->>'values')::int), 0)::int AS total,
       coalesce(sum((measures->>'open_values')::int), 0)::int AS open
FROM stage_results
WHERE recipe_id = %(recipe_id)s AND outcome = 'accepted'

-- refused_by_checks --
-- A sample, the same for the same seed, of trajectories that the checks refused before the judge saw them.
SELECT segment_id, partition_key AS partition, shard, reason
FROM stage_results
WHERE recipe_id = %(recipe_id)s AND outcome = 'rejected' AND reason LIKE 'check\_%%'
ORDER BY md5(segment_id || %(seed)s::text), segment_id LIMIT %(limit)s
