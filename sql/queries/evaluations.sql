-- insert_evaluation --
-- An evaluation is named by its content: recording it again changes only the model it belongs to.
INSERT INTO evaluations
    (evaluation_id, model_id, model, harness, settings, scores, measures, seconds, location, airflow_run_id)
VALUES (%(evaluation_id)s, %(model_id)s, %(model)s, %(harness)s, %(settings)s, %(scores)s, %(measures)s, %(seconds)s,
        %(location)s, %(run_id)s)
ON CONFLICT (evaluation_id) DO UPDATE SET model_id = coalesce(excluded.model_id, evaluations.model_id)

-- insert_evaluation_cases --
-- Bulk insert of the scores of an evaluation's cases.
INSERT INTO evaluation_cases (evaluation_id, position, category, case_id, epoch, score, error)
SELECT %(evaluation_id)s, * FROM unnest(%(position)s::int[], %(category)s::text[], %(case_id)s::text[],
                                        %(epoch)s::int[], %(score)s::float8[], %(error)s::text[])
ON CONFLICT DO NOTHING

-- find_evaluations --
-- Evaluations by prefix of their id, by model or by harness; newest first.
SELECT evaluation_id, model_id, model, harness, settings, scores, measures, seconds, location, airflow_run_id,
       evaluated_at,
       (SELECT count(*)::int FROM evaluation_cases c WHERE c.evaluation_id = e.evaluation_id) AS tries,
       (SELECT count(*)::int FROM evaluation_cases c WHERE c.evaluation_id = e.evaluation_id AND error IS NOT NULL)
           AS errors
FROM evaluations e
WHERE starts_with(evaluation_id, %(prefix)s)
  AND (%(model_id)s::text IS NULL OR model_id = %(model_id)s)
  AND (%(harness)s::text IS NULL OR harness = %(harness)s)
ORDER BY evaluated_at DESC, evaluation_id LIMIT %(limit)s

-- evaluation_cases --
-- The scores of an evaluation's cases, in the order of its report.
SELECT case_id, category, score, epoch, error FROM evaluation_cases
WHERE evaluation_id = %(evaluation_id)s ORDER BY position

-- latest_evaluations --
-- The newest evaluation of a model in each harness.
SELECT DISTINCT ON (harness) evaluation_id FROM evaluations
WHERE model_id = %(model_id)s ORDER BY harness, evaluated_at DESC, evaluation_id

-- lock_champion --
-- Serialises decisions about models of one name.
SELECT pg_advisory_xact_lock(hashtextextended('gem-champion ' || %(name)s, 0))

-- champion --
-- The champion of a name.
SELECT model_id FROM models WHERE name = %(name)s AND status = 'champion'

-- untrained_base --
-- The untrained model that another was trained from; of several, the one of the same profile, then the newest.
SELECT b.model_id FROM models b JOIN models m ON m.model_id = %(model_id)s
WHERE b.set_id IS NULL AND b.model_id <> m.model_id AND b.name <> m.name AND m.base IN (b.model_id, b.base, b.location)
ORDER BY b.profile_sha256 = m.profile_sha256 DESC, b.created_at DESC LIMIT 1

-- set_model_status --
-- Sets the status of a model.
UPDATE models SET status = %(status)s WHERE model_id = %(model_id)s

-- retire_champion --
-- Changes the status of a name's champion to `kept`.
UPDATE models SET status = 'kept' WHERE name = %(name)s AND status = 'champion' AND model_id <> %(model_id)s

-- insert_promotion --
-- Records a decision; decisions are never changed.
INSERT INTO promotions (model_id, against, outcome, decided_by, why, evidence)
VALUES (%(model_id)s, %(against)s, %(outcome)s, %(decided_by)s, %(why)s, %(evidence)s)

-- promotions --
-- Decisions about a model, newest first.
SELECT model_id, against, outcome, decided_by, why, evidence, decided_at FROM promotions
WHERE model_id = %(model_id)s ORDER BY decided_at DESC, promotion_id DESC

-- model_lineage --
-- The recipes behind a model, with their prompts, by dataset version.
SELECT version, trajectories, documents, stage, recipe_id, made_by, prompt, prompt_sha256
FROM model_lineage WHERE model_id = %(model_id)s ORDER BY version, depth

-- model_documents --
-- The documents behind a model, with the number of its training rows from each.
SELECT d.document_id, d.uri, d.license, count(DISTINCT i.trajectory_id)::int AS trajectories
FROM models m JOIN sft_set_items i USING (set_id) JOIN segments s USING (segment_id) JOIN documents d USING (document_id)
WHERE m.model_id = %(model_id)s AND i.split = 'train'
GROUP BY d.document_id, d.uri, d.license ORDER BY trajectories DESC, d.uri LIMIT %(limit)s

-- held_out_segments --
-- Segments of a set's test split, which no model was trained on, in shard order.
SELECT i.segment_id, s.partition_key AS partition, s.shard
FROM sft_set_items i JOIN segments s USING (segment_id)
WHERE i.set_id = %(set_id)s AND i.split = 'test'
ORDER BY s.partition_key, s.shard, s.row_no

-- held_out_documents --
-- Documents that a set holds out of its training, also as another version or a copy: see `trained_on`.
WITH named AS (
    SELECT d.document_id, d.uri,
           CASE WHEN coalesce(d.metadata ->> 'copy_of', '') = '' THEN d.uri
                WHEN position('://' IN d.metadata ->> 'copy_of') > 0 THEN d.metadata ->> 'copy_of'
                ELSE split_part(d.uri, '#', 1) || '#' || (d.metadata ->> 'copy_of') END AS address
    FROM documents d
), held AS (
    SELECT uri, address FROM sft_set_items i JOIN segments s USING (segment_id) JOIN named USING (document_id)
    WHERE i.split <> 'train'
), places AS (
    SELECT uri AS place FROM held UNION SELECT address FROM held
)
SELECT document_id FROM named
WHERE uri IN (SELECT place FROM places) OR address IN (SELECT place FROM places)

-- trained_on --
-- Those of these documents that a set has outside its test split, also under another version or as a copy: see
-- `distill.sets`, which groups documents alike.
WITH trained AS (
    SELECT DISTINCT s.document_id FROM sft_set_items i JOIN segments s USING (segment_id)
    WHERE i.set_id = %(set_id)s AND i.split <> 'test'
), named AS (
    SELECT d.document_id,
           CASE WHEN coalesce(d.metadata ->> 'copy_of', '') = '' THEN d.uri
                WHEN position('://' IN d.metadata ->> 'copy_of') > 0 THEN d.metadata ->> 'copy_of'
                ELSE split_part(d.uri, '#', 1) || '#' || (d.metadata ->> 'copy_of') END AS address
    FROM documents d
    WHERE d.document_id = ANY(%(documents)s) OR d.document_id IN (SELECT document_id FROM trained)
)
SELECT DISTINCT asked.document_id FROM named asked JOIN named other USING (address)
JOIN trained ON trained.document_id = other.document_id
WHERE asked.document_id = ANY(%(documents)s)

-- segment_places --
-- Places of segments, in shard order.
SELECT segment_id, partition_key AS partition, shard FROM segments
WHERE segment_id = ANY(%(segments)s) ORDER BY partition_key, shard, row_no

-- segment_latencies --
-- Total seconds of the calls for each segment, over these recipes.
SELECT segment_id, sum(latency_ms)::float8 / 1000 AS seconds
FROM segments s JOIN stage_results r USING (partition_key, segment_id)
WHERE s.segment_id = ANY(%(segments)s) AND recipe_id = ANY(%(recipes)s) GROUP BY segment_id
