-- Which calls brought no usable answer? `calls` of a stage = usable answers + the sum over its classes here.
CREATE VIEW wasted_calls AS
SELECT r.partition_key, r.stage, f.key AS error_class, sum(f.value::int) AS calls
FROM stage_results r CROSS JOIN jsonb_each_text(r.faults) f
GROUP BY r.partition_key, r.stage, f.key;
