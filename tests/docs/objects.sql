-- functions --
-- What anybody may call: name, arguments, result, who may, and what it says of itself.
SELECT p.proname::text AS name, pg_get_function_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result,
  (SELECT coalesce(array_agg(r.rolname::text ORDER BY r.rolname), '{}') FROM pg_roles r
    WHERE r.rolname = ANY (%(roles)s) AND has_function_privilege(r.oid, p.oid, 'EXECUTE')) AS roles,
  obj_description(p.oid, 'pg_proc') AS comment
FROM pg_proc p
WHERE p.pronamespace = 'pgduet'::regnamespace AND p.proname !~ '^_' AND p.prorettype <> 'trigger'::regtype
ORDER BY 1, 2

-- relations --
-- Tables and views, and who may read and write them; a partition is part of its table.
SELECT c.oid, c.relname::text AS name, c.relkind = 'v' AS is_view,
  (SELECT coalesce(array_agg(r.rolname::text ORDER BY r.rolname), '{}') FROM pg_roles r
    WHERE r.rolname = ANY (%(roles)s) AND has_table_privilege(r.oid, c.oid, 'SELECT')) AS readers,
  (SELECT coalesce(array_agg(r.rolname::text ORDER BY r.rolname), '{}') FROM pg_roles r
    WHERE r.rolname = ANY (%(roles)s) AND has_table_privilege(r.oid, c.oid, 'INSERT, UPDATE, DELETE')) AS writers,
  obj_description(c.oid, 'pg_class') AS comment
FROM pg_class c
WHERE c.relnamespace = 'pgduet'::regnamespace AND c.relname !~ '^_' AND c.relkind IN ('r', 'p', 'v', 'm')
  AND NOT c.relispartition
ORDER BY is_view, 2

-- columns --
SELECT a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type, col_description(a.attrelid, a.attnum) AS comment
FROM pg_attribute a
WHERE a.attrelid = %(relation)s AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum

-- operators --
-- Those of pgduet, and those of pgvector that compare what its tables hold.
SELECT o.oprname::text AS name, o.oprleft::regtype::text AS type, p.proname::text AS function,
  o.oprnamespace = 'pgduet'::regnamespace AS own
FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode
WHERE o.oprleft = o.oprright AND (o.oprnamespace = 'pgduet'::regnamespace
  OR (o.oprresult = 'float8'::regtype AND o.oprleft IN (to_regtype('halfvec'), 'bit'::regtype)))
ORDER BY 2, 1

-- settings --
SELECT key, value, description FROM pgduet._setting ORDER BY key
