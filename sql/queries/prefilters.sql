-- current_prefilter --
-- The prefilter in use for a recipe of the filter, if any.
SELECT prefilter_id, object_key, sha256, report, trained_at FROM prefilters
WHERE recipe_id = %(recipe_id)s AND retired_at IS NULL

-- prefilter_history --
-- All prefilters of a recipe, newest first, with the effect of each.
SELECT p.prefilter_id, p.trained_at, p.retired_at, p.retired_because, p.retired_detail, p.report,
       coalesce(s.saved_calls, 0)::int AS saved_calls, coalesce(s.share_asked, 0)::int AS share_asked,
       coalesce(s.share_accepted, 0)::int AS share_accepted, coalesce(s.share_missed, 0)::int AS share_missed,
       s.usd_saved
FROM prefilters p LEFT JOIN (
    SELECT prefilter_id, sum(saved_calls) AS saved_calls, sum(share_asked) AS share_asked,
           sum(share_accepted) AS share_accepted, sum(share_missed) AS share_missed, sum(usd_saved) AS usd_saved
    FROM prefilter_savings WHERE recipe_id = %(recipe_id)s GROUP BY prefilter_id
) s USING (prefilter_id)
WHERE p.recipe_id = %(recipe_id)s ORDER BY p.trained_at DESC

-- lock_prefilter --
-- Serialises training and retiring of a recipe's prefilters.
SELECT pg_advisory_xact_lock(hashtextextended('gem-prefilter ' || %(recipe_id)s, 0))

-- insert_prefilter --
-- Puts a new prefilter into use. One learned again from the same verdicts returns into use.
INSERT INTO prefilters (prefilter_id, recipe_id, object_key, sha256, report)
VALUES (%(prefilter_id)s, %(recipe_id)s, %(object_key)s, %(sha256)s, %(report)s)
ON CONFLICT (prefilter_id) DO UPDATE SET
    report = excluded.report, trained_at = now(), retired_at = NULL, retired_because = NULL, retired_detail = ''

-- retire_prefilter --
-- Takes the current prefilter out of use.
UPDATE prefilters SET retired_at = now(), retired_because = %(because)s, retired_detail = %(detail)s
WHERE recipe_id = %(recipe_id)s AND retired_at IS NULL

-- last_drift --
-- When a recipe's prefilter last switched itself off.
SELECT max(retired_at) AS at FROM prefilters WHERE recipe_id = %(recipe_id)s AND retired_because = 'drift'

-- prefilter_share --
-- Among the newest segments that were drawn at random and accepted by the model: the number that the prefilter would
-- have rejected.
SELECT count(*)::int AS accepted, count(*) FILTER (WHERE rejects)::int AS missed
FROM (SELECT measures -> 'prefilter_rejects' = 'true' AS rejects FROM stage_results
      WHERE measures ->> 'prefilter' = %(prefilter_id)s AND measures -> 'prefilter_share' = 'true'
        AND recipe_id = %(recipe_id)s AND outcome = 'accepted'
      ORDER BY updated_at DESC LIMIT %(limit)s) AS newest

-- verdict_counts --
-- Verdicts of the filter's model under a recipe; `unbiased` ones were not influenced by a prefilter.
SELECT outcome = 'accepted' AS accepted, count(*)::int AS verdicts,
       count(*) FILTER (WHERE coalesce((NOT measures ? 'prefilter') OR measures -> 'prefilter_share' = 'true', true)
                        AND (%(since)s::timestamptz IS NULL OR updated_at > %(since)s))::int AS unbiased
FROM stage_results
WHERE recipe_id = %(recipe_id)s AND outcome <> 'failed' AND coalesce(reason, '') NOT IN ('prefilter', 'near_duplicate')
GROUP BY 1

-- newest_verdicts --
-- The newest verdicts of one kind under a recipe, with the places of their texts.
SELECT r.segment_id, s.document_id, r.partition_key AS partition, r.shard,
       coalesce((NOT r.measures ? 'prefilter') OR r.measures -> 'prefilter_share' = 'true', true)
           AND (%(since)s::timestamptz IS NULL OR r.updated_at > %(since)s) AS unbiased
FROM stage_results r JOIN segments s USING (partition_key, segment_id)
WHERE r.recipe_id = %(recipe_id)s AND r.outcome = %(outcome)s
  AND coalesce(r.reason, '') NOT IN ('prefilter', 'near_duplicate')
ORDER BY r.updated_at DESC, r.segment_id LIMIT %(limit)s

-- withdrawn_rejections --
-- Segments rejected by prefilters that later switched themselves off, by partition.
SELECT r.partition_key AS partition, count(*)::int AS segments
FROM stage_results r JOIN prefilters p ON p.prefilter_id = r.measures ->> 'prefilter'
WHERE r.recipe_id = %(recipe_id)s AND r.reason = 'prefilter' AND p.retired_because = 'drift' AND NOT r.retry_asked
GROUP BY r.partition_key ORDER BY r.partition_key

-- ask_withdrawn --
-- Marks these segments so that the next run asks the model.
UPDATE stage_results r SET retry_asked = true FROM prefilters p
WHERE p.prefilter_id = r.measures ->> 'prefilter' AND p.retired_because = 'drift'
  AND r.recipe_id = %(recipe_id)s AND r.reason = 'prefilter' AND NOT r.retry_asked
