-- {segments} segments around whatever is there already: four a document, 5,000 a partition, yields as the paper's filter.
-- Triggers and foreign keys are off for it (session_replication_role); the rollups are counted afterwards.
SET session_replication_role = replica;
SET synchronous_commit = off;
SELECT setseed(0.5);
INSERT INTO sources (uri) SELECT 's3://bench/source-' || n || '/' FROM generate_series(1, 5) n ON CONFLICT DO NOTHING;
CREATE TEMP TABLE parts AS
SELECT n AS p, to_char(now() AT TIME ZONE 'UTC' - make_interval(hours => (n * 11)::int), 'YYYY-MM-DD"T"HH24:00') AS key,
       date_trunc('hour', now()) - make_interval(hours => (n * 11)::int) AS at
FROM generate_series(1, greatest(1, {segments} / 5000)) n;
INSERT INTO partitions (partition_key, created_at) SELECT key, at FROM parts ON CONFLICT DO NOTHING;
INSERT INTO recipes (recipe_id, stage, version, prompt_sha256, model, params, parent_id, first_seen_at)
SELECT 'old' || recipe_id, stage, version, prompt_sha256, 'gpt-old', params,
       CASE WHEN stage IN ('filter', 'segment') THEN parent_id ELSE 'old' || parent_id END, first_seen_at - interval '90 days'
FROM recipes WHERE stage <> 'segment' AND recipe_id NOT LIKE 'old%' ON CONFLICT DO NOTHING;
CREATE TEMP TABLE chain AS
SELECT recipe_id, stage, recipe_id LIKE 'old%' AS old,
       array_position(ARRAY['filter', 'extract', 'generate', 'refine', 'validate'], stage) AS step
FROM recipes WHERE stage <> 'segment'
  AND recipe_id NOT IN (SELECT recipe_id FROM recipe_takes WHERE workflow + rollout > 0);  -- one conversation a text
CREATE TEMP TABLE docs AS
SELECT substr(md5('d' || n), 1, 20) AS id, n, parts.key, parts.at, 1 + n % 5 AS source
FROM generate_series(1, {segments} / 4) n JOIN parts ON parts.p = 1 + (n * 4) / 5000 % greatest(1, {segments} / 5000);
INSERT INTO documents (document_id, source_id, partition_key, uri, etag, content_hash, title, license, language, chars,
                       reason, object_key, ingested_at)
SELECT id, source, key, 's3://bench/source-' || source || '/site-' || n % 977 || '/' || substr(md5('u' || n), 1, 8) || '/page-' || n || '.html',
       'e', md5(id) || md5(id),
       (ARRAY['How to', 'Manual of', 'Policy on', 'Guide to', 'Rules for'])[1 + n % 5] || ' ' ||
       (ARRAY['returning', 'booking', 'renewing', 'installing', 'cancelling', 'shipping'])[1 + n % 6] || ' a ' ||
       (ARRAY['parcel', 'flight', 'passport', 'printer', 'loan', 'lease', 'boiler'])[1 + n % 7] || ' no ' || n,
       CASE WHEN n % 3 = 0 THEN 'CC-BY-4.0' END, 'en', 4800,
       CASE WHEN n % 20 = 0 THEN (ARRAY['duplicate', 'empty', 'binary', 'too_short'])[1 + n / 20 % 4] END,
       'bench/' || id, at + make_interval(secs => n % 3600)
FROM docs;
INSERT INTO segments (segment_id, document_id, partition_key, shard, row_no, start_char, end_char, tokens)
SELECT id || '.' || k * 1200 || '-' || (k + 1) * 1200, id, key, (n * 4 % 5000) / 200, n % 50 * 4 + k, k * 1200,
       (k + 1) * 1200, 300
FROM docs, generate_series(0, 3) k WHERE n % 20 <> 0;
-- How far each segment came: 0 filter rejected, 1 .. 5 stages accepted.
CREATE TEMP TABLE ways AS
SELECT segment_id, s.partition_key, shard, random() AS r, random() AS f, d.at, d.p % 10 > 6 AS old
FROM segments s JOIN (SELECT key, at, p FROM parts) d ON d.key = s.partition_key WHERE s.segment_id LIKE '%.%-%'
  AND NOT EXISTS (SELECT FROM stage_results x WHERE x.segment_id = s.segment_id);
INSERT INTO stage_results (segment_id, recipe_id, stage, outcome, reason, error_class, detail, calls, prompt_tokens,
    cached_tokens, completion_tokens, latency_ms, usd, partition_key, shard, object_key, airflow_run_id, airflow_task_id,
    airflow_map_index, airflow_try, updated_at, measures)
SELECT w.segment_id, c.recipe_id, c.stage, o.outcome,
       CASE WHEN o.outcome = 'rejected' THEN CASE c.stage WHEN 'filter'
            THEN (ARRAY['not_procedural', 'too_few_steps', 'no_system', 'reference_list'])[1 + (w.r * 1e6)::int % 4]
            ELSE (ARRAY['check_grounding', 'check_policy', 'judge_r1', 'judge_r4'])[1 + (w.r * 1e6)::int % 4] END END,
       CASE WHEN o.outcome = 'failed' THEN (ARRAY['malformed', 'truncated', 'timeout', 'refused'])[1 + (w.f * 1e6)::int % 4] END,
       CASE WHEN o.outcome = 'accepted' THEN '' ELSE 'the tool get_loan is called without loan_id' END,
       1, 1500 * c.step, 0, 700 * c.step, 4000 * c.step, 0.0004 * c.step, w.partition_key, w.shard,
       'stages/' || c.stage || '/' || c.recipe_id || '/' || w.partition_key || '/shard-' || lpad(w.shard::text, 5, '0') || '.parquet',
       'asset_triggered__' || w.partition_key, c.stage || '.run', w.shard, 1,
       w.at + make_interval(mins => c.step * 20 + w.shard % 20),
       CASE WHEN c.step >= 3 THEN '{"messages": 46, "tools": 9, "calls": 16, "called": ["get_loan", "renew_loan"]}'::jsonb END
FROM ways w JOIN chain c ON c.old = w.old
CROSS JOIN LATERAL (SELECT CASE WHEN c.step = 1 THEN CASE WHEN w.r < 0.14 THEN 'accepted' ELSE 'rejected' END
    WHEN w.r < 0.14 - c.step * 0.008 THEN 'accepted' WHEN w.f < 0.3 THEN 'failed' ELSE
    CASE WHEN c.stage = 'validate' THEN 'rejected' ELSE 'failed' END END AS outcome) o
WHERE c.step = 1 OR w.r < CASE c.step WHEN 2 THEN 0.14 ELSE 0.14 - (c.step - 1) * 0.008 END;
INSERT INTO datasets (version, partition_key, recipe_id, trajectories, manifest, created_at)
SELECT replace(replace(key, '-', ''), ':', '') || '-' || substr(md5(key), 1, 8), key,
       (SELECT recipe_id FROM chain WHERE step = 5 AND old = (p % 10 > 6)), n,
       (SELECT manifest FROM datasets LIMIT 1), at + interval '3 hours'
FROM parts JOIN (SELECT partition_key, count(*) AS n FROM stage_results WHERE stage = 'validate' AND outcome = 'accepted'
                 GROUP BY 1) made ON made.partition_key = parts.key
WHERE NOT EXISTS (SELECT FROM datasets x WHERE x.partition_key = parts.key);
INSERT INTO trajectories (trajectory_id, segment_id, recipe_id, dataset_version, messages, tools, calls, domains, platform,
                          task_category, created_at, called, findings)
SELECT substr(md5('t' || r.segment_id), 1, 20), r.segment_id, r.recipe_id, v.version, 20 + (random() * 60)::int,
       3 + (random() * 9)::int, 5 + (random() * 20)::int,
       ARRAY[(ARRAY['finance', 'shopping', 'health', 'real_estate', 'games', 'news'])[1 + floor(random() * random() * 6)::int]],
       (ARRAY['operator', 'computer', 'phone', 'machine', 'other'])[1 + floor(random() * 5)::int], 'customer_support',
       v.created_at, ARRAY['tool_' || floor(random() * random() * 3000)::int, 'search_items'],
       CASE WHEN random() < 0.1 THEN ARRAY['numbers: rounding'] WHEN random() < 0.02 THEN ARRAY['fidelity: tool_number'] ELSE '{}' END
FROM stage_results r JOIN datasets v ON v.partition_key = r.partition_key
WHERE r.stage = 'validate' AND r.outcome = 'accepted'
  AND NOT EXISTS (SELECT FROM trajectories x WHERE x.segment_id = r.segment_id AND x.recipe_id = r.recipe_id);
INSERT INTO gate_decisions (partition_key, stage, recipe_id, action, reason, metrics, policy, decided_at)
SELECT p.key, c.stage, c.recipe_id, CASE WHEN random() < 0.05 THEN 'review' ELSE 'continue' END, 'within all bounds', '{}', '[]',
       p.at + make_interval(mins => c.step * 25)
FROM parts p JOIN chain c ON c.old = (p.p % 10 > 6);
SET session_replication_role = DEFAULT;
SELECT gem_recount();
ANALYZE;
