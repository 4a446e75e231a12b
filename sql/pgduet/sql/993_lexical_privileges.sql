-- A search runs with its caller's rights, and so does an index on words while a row is written.
GRANT EXECUTE ON FUNCTION pgduet._lexemes(text, text), pgduet._query_words(text),
  pgduet._word_rows(text[], text, text, text), pgduet._lexical_statement(integer, boolean) TO pgduet_reader;
GRANT EXECUTE ON FUNCTION pgduet._recent_queries(integer) TO pgduet_worker, pgduet_admin;
DO $$
DECLARE
  item record;
BEGIN
  -- Its argument types are named by pgvector's schema, which differs between databases.
  FOR item IN SELECT p.oid::regprocedure AS function FROM pg_proc p
    WHERE p.pronamespace = 'pgduet'::regnamespace AND p.proname = '_lexical'
  LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO pgduet_reader', item.function);
  END LOOP;
END $$;
