-- console_datasets --
-- Versions before a place, the newest first.
SELECT version, partition_key AS partition, recipe_id, trajectories, superseded_by, audited_by, created_at,
       manifest -> 'teacher' AS teacher, manifest -> 'means' AS means, manifest -> 'contamination' AS contamination,
       manifest -> 'excluded' AS excluded, created_at AS place_at, version AS place_id
FROM datasets
WHERE (%(at)s::timestamptz IS NULL OR (created_at, version) < (%(at)s, %(id)s))
  AND (NOT %(current)s OR superseded_by IS NULL)
ORDER BY created_at DESC, version DESC LIMIT %(limit)s

-- console_dataset --
-- One version with its manifest.
SELECT version, partition_key AS partition, recipe_id, trajectories, superseded_by, audited_by, created_at, manifest
FROM datasets WHERE version = %(version)s

-- console_exclusions --
-- What a version leaves out.
SELECT segment_id, reason, detail FROM dataset_exclusions WHERE version = %(version)s ORDER BY segment_id, trajectory_id
LIMIT 100

-- console_audits --
-- Audits with how many of their items were rated.
SELECT a.audit_id, a.population, a.versions, a.drawn_at, a.airflow_run_id,
       (SELECT count(*)::int FROM audit_items i WHERE i.audit_id = a.audit_id) AS items,
       (SELECT count(DISTINCT item_id)::int FROM audit_ratings r WHERE r.audit_id = a.audit_id) AS rated
FROM audits a WHERE %(version)s::text IS NULL OR %(version)s = ANY(a.versions) ORDER BY a.drawn_at DESC LIMIT 20
