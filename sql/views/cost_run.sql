-- What did each Airflow run pay for, per stage?
CREATE VIEW cost_run AS
SELECT airflow_run_id, stage, count(*) AS segments, sum(calls) AS calls, sum(prompt_tokens) AS prompt_tokens,
       sum(cached_tokens) AS cached_tokens, sum(completion_tokens) AS completion_tokens, sum(usd) AS usd
FROM stage_results
GROUP BY airflow_run_id, stage;
