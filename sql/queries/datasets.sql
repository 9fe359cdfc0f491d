-- insert_dataset --
-- A version is named by its content: publishing it again makes it current, under the recipe that stands for its takes now.
INSERT INTO datasets (version, partition_key, recipe_id, trajectories, manifest)
VALUES (%(version)s, %(partition)s, %(recipe_id)s, %(trajectories)s, %(manifest)s)
ON CONFLICT (version) DO UPDATE SET
    recipe_id = excluded.recipe_id, manifest = excluded.manifest,
    superseded_by = NULL, superseded_at = NULL, collected_at = NULL

-- lock_dataset --
-- Serialises publishing of one partition.
SELECT pg_advisory_xact_lock(hashtextextended('gem-publish ' || %(partition)s, 0))

-- retire_datasets --
-- Removes the current mark from the partition's versions; `supersede_datasets` replaces the self-reference.
UPDATE datasets SET superseded_by = version, superseded_at = now() WHERE partition_key = %(partition)s AND superseded_by IS NULL

-- supersede_datasets --
-- Points retired versions at their replacement.
UPDATE datasets SET superseded_by = %(version)s
WHERE partition_key = %(partition)s AND superseded_by = version AND version <> %(version)s

-- upsert_trajectories --
-- Bulk upsert of a version's trajectories.
INSERT INTO trajectories (trajectory_id, segment_id, recipe_id, dataset_version, messages, tools, calls, domains,
                          platform, task_category, called, findings, base)
SELECT u.trajectory_id, u.segment_id, u.recipe_id, %(version)s, u.messages, u.tools, u.calls,
       string_to_array(u.domains, ','), u.platform, u.task_category, string_to_array(u.called, ','),
       string_to_array(u.findings, ','), u.base
FROM unnest(%(trajectory_id)s::text[], %(recipe_id)s::text[], %(segment_id)s::text[], %(messages)s::int[],
            %(tools)s::int[], %(calls)s::int[], %(domains)s::text[], %(platform)s::text[], %(task_category)s::text[],
            %(called)s::text[], %(findings)s::text[], %(base)s::text[])
     AS u(trajectory_id, recipe_id, segment_id, messages, tools, calls, domains, platform, task_category, called,
          findings, base)
ON CONFLICT (trajectory_id) DO UPDATE SET dataset_version = excluded.dataset_version, called = excluded.called,
    findings = excluded.findings, messages = excluded.messages, calls = excluded.calls, base = excluded.base

-- current_datasets --
-- Versions that nothing supersedes, oldest partition first; of one partition, or of all.
SELECT version FROM datasets
WHERE superseded_by IS NULL AND (%(partition)s::text IS NULL OR partition_key = %(partition)s)
ORDER BY partition_key

-- find_trajectories --
-- Current trajectories whose id has this prefix (at most a few).
SELECT trajectory_id, dataset_version FROM trajectories
JOIN datasets ON version = dataset_version AND superseded_by IS NULL
WHERE starts_with(trajectory_id, %(prefix)s) ORDER BY trajectory_id LIMIT 5

-- clear_exclusions --
-- Deletes the exclusions of a version.
DELETE FROM dataset_exclusions WHERE version = %(version)s

-- insert_exclusions --
-- Bulk insert.
INSERT INTO dataset_exclusions (version, segment_id, trajectory_id, reason, detail)
SELECT %(version)s, * FROM unnest(%(segment_id)s::text[], %(trajectory_id)s::text[], %(reason)s::text[],
                                  %(detail)s::text[])

-- dataset_recipes --
-- The chain of recipes behind the newest version of a partition, the root first.
WITH RECURSIVE chain AS (
    SELECT r.*, 0 AS depth FROM recipes r
    WHERE r.recipe_id = (SELECT d.recipe_id FROM datasets d WHERE d.partition_key = %(partition)s
                         ORDER BY d.superseded_by IS NULL DESC, d.created_at DESC LIMIT 1)
    UNION ALL
    SELECT r.*, c.depth + 1 FROM chain c JOIN recipes r ON r.recipe_id = c.parent_id
)
SELECT recipe_id AS known_as, stage, version, prompt_sha256, model, params, parent_id AS parent
FROM chain ORDER BY depth DESC

-- dataset_line_recipes --
-- The same of the last take of its conversations of another line: `worlds` or `synthesizer`.
WITH RECURSIVE chain AS (
    SELECT r.*, 0 AS depth FROM recipes r
    WHERE r.recipe_id = (SELECT d.manifest -> %(line)s ->> 'last' FROM datasets d WHERE d.partition_key = %(partition)s
                         ORDER BY d.superseded_by IS NULL DESC, d.created_at DESC LIMIT 1)
    UNION ALL
    SELECT r.*, c.depth + 1 FROM chain c JOIN recipes r ON r.recipe_id = c.parent_id
)
SELECT recipe_id AS known_as, stage, version, prompt_sha256, model, params, parent_id AS parent
FROM chain ORDER BY depth DESC

-- amend_dataset --
-- What became known about a version after it was made.
UPDATE datasets SET manifest = %(manifest)s WHERE version = %(version)s
