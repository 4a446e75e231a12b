-- One line for the rights that roles have on a thing of pgduet's, for each thing that is not pgduet_owner's, for each
-- table under row security and for each role. Rights of owners on what is their own are left out.
WITH ours (kind, name, owner, acl) AS (
  SELECT 'schema', n.nspname::text, n.nspowner, n.nspacl FROM pg_namespace n WHERE n.nspname = 'pgduet'
  UNION ALL
  SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'S' THEN 'sequence' ELSE 'table' END, c.relname, c.relowner,
    coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))
  FROM pg_class c WHERE c.relnamespace = 'pgduet'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
  UNION ALL
  SELECT 'column', c.relname || '.' || a.attname, c.relowner, a.attacl
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  WHERE c.relnamespace = 'pgduet'::regnamespace AND a.attacl IS NOT NULL
  UNION ALL
  SELECT 'function', p.oid::regprocedure::text, p.proowner, coalesce(p.proacl, acldefault('f', p.proowner))
  FROM pg_proc p WHERE p.pronamespace = 'pgduet'::regnamespace
  UNION ALL
  SELECT 'type', t.typname, t.typowner, t.typacl
  FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
  WHERE t.typnamespace = 'pgduet'::regnamespace AND t.typcategory <> 'A' AND coalesce(c.relkind, 'c') = 'c'
  UNION ALL
  SELECT 'default', d.defaclobjtype::text, d.defaclrole, d.defaclacl
  FROM pg_default_acl d WHERE d.defaclnamespace = 'pgduet'::regnamespace OR d.defaclrole = 'pgduet_owner'::regrole
)
SELECT r.line FROM (
SELECT concat_ws(' ', o.kind, o.name, 'owned by', o.owner::regrole) AS line FROM ours o
WHERE o.kind NOT IN ('column', 'default') AND o.owner <> 'pgduet_owner'::regrole
UNION ALL
SELECT concat_ws(' ', a.kind, a.name || ':', a.rights, 'to', string_agg(a.grantee, ', ' ORDER BY a.grantee))
FROM (
  SELECT o.kind, o.name, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS grantee,
    string_agg(a.privilege_type || CASE WHEN a.is_grantable THEN ' (may pass it on)' ELSE '' END, ', '
      ORDER BY a.privilege_type) AS rights
  FROM ours o CROSS JOIN LATERAL aclexplode(o.acl) a
  WHERE a.grantee <> o.owner OR o.kind = 'default'
  GROUP BY o.kind, o.name, a.grantee) a
GROUP BY a.kind, a.name, a.rights
UNION ALL
SELECT concat_ws(' ', 'table', c.relname, 'row security', CASE WHEN c.relforcerowsecurity THEN 'forced' ELSE 'enabled' END)
FROM pg_class c WHERE c.relnamespace = 'pgduet'::regnamespace AND c.relrowsecurity
UNION ALL
SELECT concat_ws(' ', 'role', r.rolname, CASE WHEN r.rolsuper THEN 'superuser' END,
  CASE WHEN r.rolcanlogin THEN 'login' END, CASE WHEN r.rolbypassrls THEN 'bypassrls' END,
  CASE WHEN r.rolcreaterole OR r.rolcreatedb OR r.rolreplication THEN 'creates' END,
  'in', coalesce((SELECT string_agg(m.roleid::regrole::text, ',' ORDER BY m.roleid::regrole::text)
    FROM pg_auth_members m WHERE m.member = r.oid), 'none'))
FROM pg_roles r
WHERE r.rolname IN ('pgduet_owner', 'pgduet_reader', 'pgduet_writer', 'pgduet_admin', 'pgduet_worker')
) r ORDER BY r.line COLLATE "C"
