-- Privileges around watched tables. Whoever may watch is an admin and owns the table; the functions say what else.
GRANT SELECT ON pgduet.watch_status, pgduet.watch_failures, pgduet._watch, pgduet._source, pgduet._source_row
TO pgduet_reader;
GRANT SELECT ON pgduet.watch_status, pgduet._watch, pgduet._source, pgduet._source_row TO pg_monitor;
ALTER TYPE pgduet._source_chunk OWNER TO pgduet_owner;
DO $$
DECLARE
  item record;
BEGIN
  FOR item IN SELECT format('GRANT EXECUTE ON FUNCTION %s TO %s', p.oid::regprocedure, g.role) AS statement
    FROM (VALUES
      ('pgduet_admin', ARRAY['watch', 'unwatch', '_check_watchable', '_check_column', '_grant_reading', '_register_watch',
        '_forget_watch', '_key_columns', '_base_type', '_is_readable', '_watched_table']),
      ('pgduet_worker', ARRAY['_claim_sources', '_release_sources', '_fail_source', '_resolve_sources', '_write_source',
        '_rescan_watch'])) g (role, names)
    JOIN pg_proc p ON p.pronamespace = 'pgduet'::regnamespace AND p.proname = ANY (g.names)
  LOOP
    EXECUTE item.statement;
  END LOOP;
  -- The trigger functions of an older version are written anew.
  PERFORM pgduet._make_watch_function(w.watch_id, pgduet._watched_table(w.watch_id))
  FROM pgduet._watch w WHERE EXISTS (
    SELECT FROM pgduet._key_columns(pgduet._watched_table(w.watch_id)));
END $$;
