-- schema_columns --
-- Every column of every table as CREATE TABLE would name it.
SELECT c.relname AS "table", format('%%I %%s', a.attname, format_type(a.atttypid, a.atttypmod))
           || coalesce(' COLLATE ' || quote_ident(l.collname), '')
           || CASE WHEN a.attidentity <> '' THEN ' GENERATED ' || CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END
                       || ' AS IDENTITY'
                   WHEN a.attgenerated = 's' THEN ' GENERATED ALWAYS AS (' || pg_get_expr(d.adbin, d.adrelid) || ') STORED'
                   ELSE coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '') END
           || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END AS line
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
LEFT JOIN pg_collation l ON l.oid = a.attcollation AND l.collname <> 'default'
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname <> %(but)s
ORDER BY c.relname, a.attnum

-- schema_constraints --
-- Keys and checks of every table, the primary key first.
SELECT c.relname AS "table", pg_get_constraintdef(o.oid) AS line
FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND o.contype IN ('p', 'u', 'c', 'f', 'x')
ORDER BY c.relname, position(o.contype::text IN 'pufcx'), o.conname

-- schema_indexes --
-- Indexes that no constraint brings along, and triggers.
SELECT c.relname AS "table", pg_get_indexdef(i.indexrelid) AS line
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
  AND NOT EXISTS (SELECT 1 FROM pg_constraint o WHERE o.conindid = i.indexrelid AND o.contype IN ('p', 'u', 'x'))
UNION ALL
SELECT c.relname, pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal
ORDER BY 1, 2

-- schema_functions --
-- Functions, not those of extensions.
SELECT p.proname AS "table", pg_get_functiondef(p.oid) AS line FROM pg_proc p
WHERE p.pronamespace = current_schema()::regnamespace
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
ORDER BY p.proname, p.oid
