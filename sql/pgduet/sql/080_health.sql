-- One row per part, for people and monitors; a part that fails is a row, never an error. With its caller's rights: it
-- counts the chunks that they may see.
CREATE OR REPLACE FUNCTION pgduet.health() RETURNS TABLE (component text, status text, detail text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE COST 10000 ROWS 9 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_pending bigint;
BEGIN
  RETURN QUERY SELECT 'postgresql', 'ok', current_setting('server_version');
  RETURN QUERY SELECT 'pgvector', 'ok', x.extversion FROM pg_extension x WHERE x.extname = 'vector';
  BEGIN
    RETURN QUERY SELECT 'backend', 'ok', 'package version ' || pgduet.version();
    RETURN QUERY SELECT * FROM pgduet._sidecar_health();
  EXCEPTION WHEN OTHERS THEN
    RETURN QUERY SELECT 'backend', 'fail', SQLERRM;
  END;
  -- RESTRICTIVE policies are asked beside _chunks_kept, which lets pgduet see all. Its functions run as pgduet_owner, for
  -- whom policies hold under FORCE. One whose conditions are all `true` hides nothing.
  RETURN QUERY SELECT 'row security', CASE WHEN count(*) = 0 THEN 'ok' ELSE 'warn' END,
    coalesce('RESTRICTIVE policies hold for pgduet itself, which takes chunks that they hide for deleted: '
        || string_agg(quote_ident(p.polname), ', ' ORDER BY p.polname)
        || '; ALTER POLICY ... ON pgduet.code_chunks TO the roles that each is for',
      'no policy hides chunks from pgduet itself')
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_roles o ON o.rolname = 'pgduet_owner'
    WHERE c.oid = 'pgduet.code_chunks'::regclass AND c.relrowsecurity AND c.relforcerowsecurity
      AND NOT p.polpermissive AND NOT o.rolbypassrls AND NOT o.rolsuper
      AND EXISTS (SELECT FROM unnest(p.polroles) r (oid) WHERE r.oid = 0 OR pg_has_role(o.oid, r.oid, 'USAGE'))
      AND (pg_get_expr(p.polqual, p.polrelid) <> 'true' OR pg_get_expr(p.polwithcheck, p.polrelid) <> 'true');
  SELECT coalesce(sum(v.pending), 0)::bigint INTO v_pending FROM pgduet.coverage v;
  RETURN QUERY SELECT 'coverage', CASE WHEN v_pending = 0 THEN 'ok' ELSE 'warn' END, v_pending || ' chunks pending';
  RETURN QUERY SELECT 'worker', CASE WHEN count(*) = 0 THEN 'warn' ELSE 'ok' END, count(*) || ' running'
    || coalesce('; ' || max(w.detail), '') FROM pgduet._worker w WHERE w.seen_at > now() - interval '1 minute';
  RETURN QUERY SELECT 'failures', CASE WHEN count(*) = 0 THEN 'ok' ELSE 'warn' END,
    count(*) || ' chunks given up: see pgduet.failures' FROM pgduet._dead_letter d;
  RETURN QUERY SELECT 'index', CASE WHEN count(*) FILTER (WHERE i.status = 'warn') = 0 THEN 'ok' ELSE 'warn' END,
    coalesce(string_agg(i.aspect || ': ' || i.detail, '; ') FILTER (WHERE i.status = 'warn')
        || ': see pgduet.index_health()',
      min(i.detail) FILTER (WHERE i.aspect = 'index'), 'there is no active generation')
    FROM pgduet.index_health() i;
END $$;
