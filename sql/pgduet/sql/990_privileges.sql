-- Least privilege, re-applied at every installation: everything belongs to pgduet_owner, PUBLIC may nothing.
DO $$
DECLARE
  item record;
BEGIN
  FOR item IN
    SELECT format('ALTER %s pgduet.%I OWNER TO pgduet_owner', CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END,
      c.relname) AS statement
    FROM pg_class c WHERE c.relnamespace = 'pgduet'::regnamespace AND c.relkind IN ('r', 'p', 'v')
      AND c.relowner <> 'pgduet_owner'::regrole
    UNION ALL
    SELECT format('ALTER FUNCTION %s OWNER TO pgduet_owner', p.oid::regprocedure)
    FROM pg_proc p WHERE p.pronamespace = 'pgduet'::regnamespace AND p.proowner <> 'pgduet_owner'::regrole
  LOOP
    EXECUTE item.statement;
  END LOOP;
END $$;
ALTER SCHEMA pgduet OWNER TO pgduet_owner;

REVOKE ALL ON SCHEMA pgduet FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA pgduet FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA pgduet FROM PUBLIC;
-- Not IN SCHEMA: there they only add to what PUBLIC gets everywhere.
ALTER DEFAULT PRIVILEGES FOR ROLE pgduet_owner REVOKE ALL ON FUNCTIONS FROM PUBLIC;

GRANT USAGE ON SCHEMA pgduet TO pgduet_reader, pgduet_worker, pg_monitor;

-- A search runs with its caller's rights, so that row security holds: readers need its parts too.
GRANT SELECT ON pgduet.code_chunks, pgduet.code_embeddings, pgduet.generations, pgduet._index_build TO pgduet_reader;
GRANT SELECT ON pgduet.coverage, pgduet.generation_status, pgduet.index_status, pgduet.queue_status, pgduet.failures,
  pgduet.chunk_status, pgduet.worker_status TO pgduet_reader;
GRANT SELECT ON pgduet.coverage, pgduet.generation_status, pgduet.index_status, pgduet.queue_status,
  pgduet.worker_status TO pg_monitor;
-- What these views read: ids, times and errors, never code.
GRANT SELECT ON pgduet._pending, pgduet._dead_letter, pgduet._worker TO pgduet_reader, pg_monitor;
-- The views run with their reader's rights: monitors count, and see neither code nor paths.
GRANT SELECT ON pgduet.generations, pgduet._index_build TO pg_monitor;
GRANT SELECT (chunk_id, repo, language, content_hash) ON pgduet.code_chunks TO pg_monitor;
GRANT SELECT (chunk_id, generation_id, content_hash, truncated) ON pgduet.code_embeddings TO pg_monitor;
GRANT EXECUTE ON FUNCTION pgduet.health(), pgduet.version() TO pg_monitor;
GRANT EXECUTE ON FUNCTION pgduet._sidecar_health() TO pgduet_reader, pg_monitor;
GRANT EXECUTE ON FUNCTION
  pgduet.embed(text, text, text), pgduet.embed_batch(text[], text, text), pgduet.chunk_code(text, text, text),
  pgduet.similar_code(text, integer, text, text, text, double precision, boolean, boolean),
  pgduet.similar_to(bigint, integer, text, text, text, double precision, boolean),
  pgduet.health(), pgduet.version(),
  pgduet._batch_texts(), pgduet._embed_rows(text[], text, double precision, text), pgduet._check_k(integer),
  pgduet._check_pattern(text),
  pgduet._search_index(integer), pgduet._matching_rows(integer, text, text, text),
  pgduet._search_plan(integer, text, text, text, integer),
  pgduet._search_statement(integer, text, text, bigint, boolean),
  pgduet._shown(bigint[], double precision[], double precision),
  pgduet._similar_code(text, integer, text, text, text, double precision, boolean, boolean),
  pgduet._similar_to(bigint, integer, text, text, text, double precision, boolean)
TO pgduet_reader;
DO $$
DECLARE
  item record;
BEGIN
  -- Their argument types are named by pgvector's schema, which differs between databases.
  FOR item IN SELECT p.oid::regprocedure AS function FROM pg_proc p WHERE p.pronamespace = 'pgduet'::regnamespace
    AND p.proname = ANY (ARRAY['_scan', '_ranked', '_hybrid'])
  LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO pgduet_reader', item.function);
  END LOOP;
END $$;

GRANT INSERT, UPDATE, DELETE, TRUNCATE ON pgduet.code_chunks TO pgduet_writer;
GRANT SELECT, UPDATE (value, updated_at) ON pgduet._setting TO pgduet_admin;
GRANT SELECT ON pgduet._installation TO pgduet_admin;
GRANT EXECUTE ON FUNCTION pgduet._content_hash(text) TO pgduet_writer;
GRANT EXECUTE ON FUNCTION pgduet.retry_failed(text), pgduet.reconcile() TO pgduet_admin, pgduet_worker;
-- A worker has no right on the tables: these functions are all that it may do to them.
DO $$
DECLARE
  item record;
BEGIN
  FOR item IN SELECT p.oid::regprocedure AS function FROM pg_proc p WHERE p.pronamespace = 'pgduet'::regnamespace
    AND p.proname = ANY (ARRAY['_claim', '_resolve', '_contents', '_unresolved', '_store', '_complete', '_settle', '_finish', '_release',
      '_release_all', '_fail', '_bury', '_next_due', '_reconcile_slice', '_beat', '_leave'])
  LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO pgduet_worker', item.function);
  END LOOP;
END $$;
GRANT SELECT ON pgduet._setting TO pgduet_worker;
