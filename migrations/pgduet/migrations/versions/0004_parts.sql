-- Functions that come back from sql/ with one parameter more: beside the old ones every call would be ambiguous.
DO $$
DECLARE
  replaced regprocedure;
  v_dependents text;
BEGIN
  FOR replaced IN SELECT p.oid FROM pg_proc p
    WHERE p.pronamespace = 'pgduet'::regnamespace AND p.proname IN ('embed', 'embed_batch', '_embed_rows')
  LOOP
    EXECUTE format('DROP FUNCTION %s', replaced);
  END LOOP;
EXCEPTION WHEN dependent_objects_still_exist THEN
  GET STACKED DIAGNOSTICS v_dependents = PG_EXCEPTION_DETAIL;
  -- The server's own hint is CASCADE, which would take them along.
  RAISE EXCEPTION 'the function % gets a parameter more, and others are built on it: %', replaced, v_dependents
    USING ERRCODE = '2BP01', HINT = 'Nothing was changed. Save their definitions (pg_get_viewdef), drop them, '
      'migrate, and create them again.';
END $$;
