-- Which audits passed? An item counts as coherent when its mean rating is 4 or better; a version may be called audited
-- when all items are rated and more than four fifths of them are coherent, the paper's bar.
CREATE VIEW audited AS
WITH rated AS (
    SELECT audit_id, item, avg(coherence) AS coherence FROM audit_ratings GROUP BY audit_id, item
)
SELECT a.audit_id, a.what, a.version, a.created_at, count(*) AS items, count(r.item) AS rated,
       count(*) FILTER (WHERE r.coherence >= 4) AS coherent,
       count(r.item) = count(*) AND count(*) FILTER (WHERE r.coherence >= 4) > 0.8 * count(*) AS passed
FROM audits a JOIN audit_items i USING (audit_id) LEFT JOIN rated r USING (audit_id, item)
GROUP BY a.audit_id;
