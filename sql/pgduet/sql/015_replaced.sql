SELECT pgduet._see_pgvector();
-- Functions that an earlier version had with fewer parameters, beside which every call would be ambiguous, or under
-- other names. They go in the transaction in which the new ones come.
DO $$
DECLARE
  v_old text;
  v_dependents text;
BEGIN
  FOREACH v_old IN ARRAY ARRAY['embed(text,text)', 'embed_batch(text[],text)',
    '_embed_rows(text[],text,double precision)',
    'similar_code(text,integer,text,text,text,double precision,boolean)',
    '_similar_code(text,integer,text,text,text,double precision,boolean)',
    '_nearest(halfvec,bit,integer,text,text,text,double precision,boolean,bigint,bytea)',
    '_search_way(integer,text,text,text)', '_search_statement(integer,text,bigint,boolean)', '_sketch_index(integer)',
    '_key_cast(bigint,text)', '_read_statement(integer,oid)', '_key_columns(oid)']
  LOOP
    EXECUTE pg_catalog.format('DROP FUNCTION IF EXISTS pgduet.%s', v_old);
  END LOOP;
EXCEPTION WHEN dependent_objects_still_exist THEN
  GET STACKED DIAGNOSTICS v_dependents = PG_EXCEPTION_DETAIL;
  -- The server's own hint is CASCADE, which would take them along.
  RAISE EXCEPTION 'pgduet.% gets a parameter more, and others are built on it: %', v_old, v_dependents
    USING ERRCODE = '2BP01', HINT = 'Nothing was changed. Save their definitions (pg_get_viewdef), drop them, '
      'migrate, and create them again.';
END $$;
SET LOCAL search_path = pg_catalog, pg_temp;
