-- console_sources --
-- Registered sources.
SELECT source_id, uri FROM sources ORDER BY uri LIMIT 500

-- console_documents --
-- Documents before a place in time, the newest first.
SELECT d.document_id, d.uri, d.title, d.license, d.language, d.chars, d.reason, d.partition_key AS partition,
       d.ingested_at, d.ingested_at AS place_at, d.document_id AS place_id
FROM documents d
WHERE (%(at)s::timestamptz IS NULL OR (d.ingested_at, d.document_id) < (%(at)s, %(id)s))
  AND (%(source_id)s::int IS NULL OR d.source_id = %(source_id)s)
  AND (%(reason)s::text IS NULL OR coalesce(d.reason, '') = %(reason)s)
ORDER BY d.ingested_at DESC, d.document_id DESC LIMIT %(limit)s

-- console_newest_found --
-- Of the newest documents those whose title or address has these words: all that one page shows of a frequent word.
WITH newest AS MATERIALIZED (
    SELECT * FROM documents d
    WHERE (%(source_id)s::int IS NULL OR d.source_id = %(source_id)s)
      AND (%(reason)s::text IS NULL OR coalesce(d.reason, '') = %(reason)s)
    ORDER BY d.ingested_at DESC, d.document_id DESC LIMIT %(newest)s
)
SELECT d.document_id, d.uri, d.title, d.license, d.language, d.chars, d.reason, d.partition_key AS partition,
       d.ingested_at, d.ingested_at AS place_at, d.document_id AS place_id
FROM newest d WHERE gem_words(d.uri, d.title) @@ %(words)s::tsquery
ORDER BY d.ingested_at DESC, d.document_id DESC LIMIT %(limit)s

-- console_search_plan --
-- For a search of all documents, until the transaction ends: a bitmap of millions of places that does not fit would become
-- one of pages, whose every row has then to be looked at.
SELECT set_config('work_mem', '64MB', true), set_config('enable_seqscan', 'off', true)

-- console_documents_found --
-- Documents whose title or address has these words; of very many, some.
WITH found AS MATERIALIZED (
    SELECT * FROM documents d WHERE gem_words(d.uri, d.title) @@ %(words)s::tsquery LIMIT %(most)s
)
SELECT d.document_id, d.uri, d.title, d.license, d.language, d.chars, d.reason, d.partition_key AS partition,
       d.ingested_at, d.ingested_at AS place_at, d.document_id AS place_id
FROM found d
WHERE (%(source_id)s::int IS NULL OR d.source_id = %(source_id)s)
  AND (%(reason)s::text IS NULL OR coalesce(d.reason, '') = %(reason)s)
ORDER BY d.ingested_at DESC, d.document_id DESC LIMIT %(limit)s

-- console_documents_of_domain --
-- Documents with published trajectories of a domain, by their newest trajectory.
SELECT d.document_id, d.uri, d.title, d.license, d.language, d.chars, d.reason, d.partition_key AS partition,
       d.ingested_at, t.created_at AS place_at, t.trajectory_id AS place_id
FROM trajectories t JOIN segments s USING (segment_id) JOIN documents d USING (document_id)
WHERE t.domains @> ARRAY[%(domain)s::text] AND (%(source_id)s::int IS NULL OR d.source_id = %(source_id)s)
  AND (%(at)s::timestamptz IS NULL OR (t.created_at, t.trajectory_id) < (%(at)s, %(id)s))
ORDER BY t.created_at DESC, t.trajectory_id DESC LIMIT %(limit)s

-- console_documents_with_failures --
-- Documents with failed segments, by the newest failure.
SELECT d.document_id, d.uri, d.title, d.license, d.language, d.chars, d.reason, d.partition_key AS partition,
       d.ingested_at, r.updated_at AS place_at, r.segment_id AS place_id
FROM stage_results r JOIN segments s USING (partition_key, segment_id) JOIN documents d USING (document_id)
WHERE r.outcome = 'failed' AND (%(source_id)s::int IS NULL OR d.source_id = %(source_id)s)
  AND (%(at)s::timestamptz IS NULL OR (r.updated_at, r.segment_id) < (%(at)s, %(id)s))
ORDER BY r.updated_at DESC, r.segment_id DESC LIMIT %(limit)s

-- console_states --
-- How far the segments of some documents came, and what became of them.
SELECT s.document_id, count(DISTINCT s.segment_id)::int AS segments, count(DISTINCT t.trajectory_id)::int AS trajectories,
       count(*) FILTER (WHERE r.outcome = 'failed')::int AS failed, sum(r.usd) AS usd,
       sum(r.calls)::int AS calls
FROM segments s LEFT JOIN stage_results r USING (partition_key, segment_id)
LEFT JOIN trajectories t ON t.segment_id = r.segment_id AND t.recipe_id = r.recipe_id
WHERE s.document_id = ANY(%(ids)s) GROUP BY s.document_id

-- console_versions --
-- Every version of a document's text.
SELECT document_id, partition_key AS partition, content_hash, etag, chars, reason, ingested_at
FROM documents WHERE uri = %(uri)s ORDER BY ingested_at DESC, document_id LIMIT 50

-- console_spans --
-- Where in the segments of a document tools, steps and rules were found.
SELECT r.segment_id, r.measures -> 'spans' AS spans FROM stage_results r JOIN segments s USING (partition_key, segment_id)
WHERE s.document_id = %(document_id)s AND r.stage IN ('validate', 'revalidate', 'verify', 'confirm') AND r.measures ? 'spans'
