-- forget_api_findings --
-- Removes what is recorded about conversations and a description; what a new run finds takes its place. Earlier
-- findings with MCP servers have no hash: for them, the name counts.
DELETE FROM api_findings
WHERE trajectory_id = ANY(%(trajectory_ids)s) AND (sha256 = %(sha256)s OR sha256 = '' AND api = %(api)s)

-- insert_api_findings --
-- Findings about texts that are known.
INSERT INTO api_findings (segment_id, trajectory_id, api, sha256, mode, tool, operation, kind, parameter, detail, calls)
SELECT u.* FROM unnest(%(segment_id)s::text[], %(trajectory_id)s::text[], %(api)s::text[], %(sha256)s::text[],
    %(mode)s::text[], %(tool)s::text[], %(operation)s::text[], %(kind)s::text[], %(parameter)s::text[],
    %(detail)s::text[], %(calls)s::int[])
    AS u(segment_id, trajectory_id, api, sha256, mode, tool, operation, kind, parameter, detail, calls)
JOIN segments USING (segment_id)

-- trajectory_api_findings --
-- What live APIs want from a conversation's tools.
SELECT segment_id, trajectory_id, api, sha256, mode, tool, operation, kind, parameter, detail, calls, found_at
FROM api_findings WHERE trajectory_id = %(trajectory_id)s ORDER BY api, calls DESC, tool, kind, parameter

-- document_api_findings --
-- What live APIs want from the tools of a document's conversations.
SELECT f.segment_id, f.trajectory_id, f.api, f.sha256, f.mode, f.tool, f.operation, f.kind, f.parameter, f.detail,
       f.calls, f.found_at
FROM api_findings f JOIN segments s USING (segment_id)
WHERE s.document_id = %(document_id)s ORDER BY f.api, f.calls DESC, f.trajectory_id, f.tool, f.kind, f.parameter
