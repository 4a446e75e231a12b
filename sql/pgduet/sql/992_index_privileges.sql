-- Privileges around the managed index.
GRANT EXECUTE ON FUNCTION pgduet.reindex(text) TO pgduet_admin;
GRANT SELECT ON pgduet._index_request TO pgduet_admin, pgduet_worker;
-- index_recall runs with its caller's rights, so that row security holds: readers need its parts too.
GRANT SELECT ON pgduet._recall_sample TO pgduet_reader, pg_monitor;
GRANT EXECUTE ON FUNCTION pgduet.index_health(), pgduet._vector_count(integer) TO pgduet_reader, pg_monitor;
DO $$
DECLARE
  item record;
BEGIN
  -- Their argument types are named by pgvector's schema, which differs between databases.
  FOR item IN SELECT p.oid::regprocedure AS function FROM pg_proc p WHERE p.pronamespace = 'pgduet'::regnamespace
    AND p.proname = ANY (ARRAY['index_recall', '_symbol_words', '_recall_source', '_stored_queries', '_symbol_queries',
      '_recall_queries', '_recall_truth', '_recall_try', '_recall_interval'])
  LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO pgduet_reader', item.function);
  END LOOP;
END $$;
