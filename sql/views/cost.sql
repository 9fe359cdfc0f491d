-- What did each stage cost in calls, tokens, time and money, under which recipe and model?
CREATE VIEW cost AS
SELECT s.stage, s.recipe_id, r.model, s.partition_key, count(*) AS segments, sum(s.calls) AS calls,
       sum(s.prompt_tokens) AS prompt_tokens, sum(s.cached_tokens) AS cached_tokens,
       sum(s.completion_tokens) AS completion_tokens, sum(s.reasoning_tokens) AS reasoning_tokens,
       sum(s.latency_ms) / 1000.0 AS latency_s, sum(s.usd) AS usd
FROM stage_results s JOIN recipes r USING (recipe_id)
GROUP BY s.stage, s.recipe_id, r.model, s.partition_key;
