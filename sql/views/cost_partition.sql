-- What does an accepted trajectory cost, including everything rejected on the way? Per partition.
CREATE VIEW cost_partition AS
SELECT partition_key, sum(calls) AS calls, sum(usd) AS usd,
       count(*) FILTER (WHERE stage IN ('validate', 'revalidate', 'verify', 'confirm') AND outcome = 'accepted') AS trajectories,
       sum(usd) / nullif(count(*) FILTER (WHERE stage IN ('validate', 'revalidate', 'verify', 'confirm') AND outcome = 'accepted'), 0) AS usd_per_trajectory
FROM stage_results
GROUP BY partition_key;
