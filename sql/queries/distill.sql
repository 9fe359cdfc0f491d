-- sft_candidates --
-- Current trajectories that a set may include: published ones, and with `unjudged` those that only the judge refused.
WITH versions AS (
    SELECT version, partition_key, manifest, manifest -> 'recipes' AS recipes, manifest ? 'takes' AS several FROM datasets
    WHERE superseded_by IS NULL
      AND (%(partition)s::text IS NULL OR partition_key = %(partition)s)
      AND (NOT %(audited)s::boolean OR audited_by IS NOT NULL)
), takes AS (
    SELECT version, partition_key, recipes FROM versions WHERE NOT several
    UNION ALL
    SELECT version, partition_key, take -> 'recipes' FROM versions, jsonb_array_elements(manifest -> 'takes') AS take
    WHERE several
), found AS (
    SELECT t.trajectory_id, t.segment_id, v.version, v.recipes, coalesce(t.domains[1], '') AS domain
    FROM trajectories t JOIN versions ON versions.version = t.dataset_version
    JOIN takes v ON v.version = t.dataset_version
                AND (NOT several OR t.recipe_id IN (v.recipes ->> 'validate', v.recipes ->> 'revalidate', v.recipes ->> 'verify',
                                                       v.recipes ->> 'confirm'))
    UNION ALL
    SELECT NULL, r.segment_id, v.version, v.recipes, ''
    FROM takes v JOIN stage_results r ON r.recipe_id = v.recipes ->> 'validate' AND r.partition_key = v.partition_key
    WHERE %(unjudged)s::boolean AND r.outcome = 'rejected' AND starts_with(r.reason, 'judge_')
      AND NOT EXISTS (SELECT 1 FROM stage_results again WHERE again.recipe_id = v.recipes ->> 'revalidate'
                        AND again.partition_key = r.partition_key AND again.segment_id = r.segment_id AND again.outcome = 'accepted')
)
SELECT f.trajectory_id, f.segment_id, f.version, f.recipes, f.domain, s.partition_key AS partition, s.shard,
       d.uri AS document_uri, coalesce(d.metadata ->> 'source', o.uri) AS source, d.metadata ->> 'copy_of' AS copy_of
FROM found f JOIN segments s USING (segment_id) JOIN documents d USING (document_id) JOIN sources o USING (source_id)
ORDER BY s.partition_key, s.shard, s.row_no, f.segment_id, f.recipes ->> 'validate'

-- insert_sft_set --
-- A set is named by its content: building it again changes nothing.
INSERT INTO sft_sets (set_id, spec, versions, counts, left_out, location)
VALUES (%(set_id)s, %(spec)s, %(versions)s, %(counts)s, %(left_out)s, %(location)s) ON CONFLICT DO NOTHING

-- insert_sft_set_items --
-- Bulk insert of a set's rows.
INSERT INTO sft_set_items (set_id, trajectory_id, segment_id, dataset_version, split)
SELECT %(set_id)s, * FROM unnest(%(trajectory_id)s::text[], %(segment_id)s::text[], %(version)s::text[],
                                 %(split)s::text[])
ON CONFLICT DO NOTHING

-- find_sft_sets --
-- Sets whose id has this prefix, newest first.
SELECT set_id, spec, versions, counts, left_out, location FROM sft_sets
WHERE starts_with(set_id, %(prefix)s) ORDER BY created_at DESC, set_id LIMIT %(limit)s

-- upsert_model --
-- A model is named by profile, set and base: training it again replaces its figures, not its status.
INSERT INTO models (model_id, name, base, profile, profile_sha256, set_id, location, status, metrics, airflow_run_id)
VALUES (%(model_id)s, %(name)s, %(base)s, %(profile)s, %(profile_sha256)s, %(set_id)s, %(location)s, %(status)s,
        %(metrics)s, %(run_id)s)
ON CONFLICT (model_id) DO UPDATE SET
    location = excluded.location, metrics = excluded.metrics, airflow_run_id = excluded.airflow_run_id

-- find_models --
-- Models whose id or name has this prefix, newest first.
SELECT model_id, name, base, profile, profile_sha256, set_id, location, status, metrics, created_at FROM models
WHERE starts_with(model_id, %(prefix)s) OR starts_with(name, %(prefix)s)
ORDER BY created_at DESC, model_id LIMIT %(limit)s

-- new_since_model --
-- Current trajectories that no set of a model of this name was drawn from.
SELECT count(*)::int AS fresh FROM trajectories t
JOIN datasets v ON v.version = t.dataset_version AND v.superseded_by IS NULL
WHERE NOT EXISTS (SELECT 1 FROM models m JOIN sft_set_items i USING (set_id)
                  WHERE m.name = %(name)s AND i.trajectory_id = t.trajectory_id)

-- pipeline_cost --
-- Cost of these segments in the stages of the pipeline; USD is NULL if the price of a request is not known.
SELECT stage, count(*)::int AS segments, sum(calls)::int AS calls, sum(prompt_tokens)::bigint AS prompt_tokens,
       sum(completion_tokens)::bigint AS completion_tokens, sum(latency_ms)::bigint AS latency_ms,
       CASE WHEN bool_and(usd IS NOT NULL OR calls = 0) THEN sum(usd) END AS usd,
       count(*) FILTER (WHERE outcome = 'accepted')::int AS accepted
FROM segments s JOIN stage_results r USING (partition_key, segment_id)
WHERE s.segment_id = ANY(%(segments)s) AND recipe_id = ANY(%(recipes)s)
GROUP BY stage ORDER BY min(updated_at)

-- recipes_of_versions --
-- Recipe ids by stage that dataset versions name.
SELECT manifest -> 'recipes' AS recipes FROM datasets WHERE version = ANY(%(versions)s)
