-- remove_code --
-- What tables need stays: the hash of a content, and what triggers on other tables call. The index on words is an
-- expression over a function that goes; the keeper builds it anew.
DO $$
DECLARE
  doomed text;
BEGIN
  FOR doomed IN SELECT format('DROP TRIGGER %I ON pgduet.code_chunks', t.tgname) FROM pg_trigger t
    WHERE t.tgrelid = to_regclass('pgduet.code_chunks') AND NOT t.tgisinternal
    UNION ALL
    SELECT format('DROP INDEX pgduet.%I', c.relname) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = to_regclass('pgduet.code_chunks') AND pg_get_indexdef(c.oid) LIKE '%pgduet._lexemes(%'
    UNION ALL
    -- In one statement each, so that they may depend on each other, and on nothing of anybody else's.
    SELECT 'DROP VIEW ' || string_agg(format('pgduet.%I', c.relname), ', ') FROM pg_class c
    WHERE c.relnamespace = to_regnamespace('pgduet') AND c.relkind = 'v' HAVING count(*) > 0
    UNION ALL
    SELECT 'DROP FUNCTION ' || string_agg(p.oid::regprocedure::text, ', ') FROM pg_proc p
    WHERE p.pronamespace = to_regnamespace('pgduet') AND p.proname NOT IN ('_content_hash', '_wake')
      AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgfoid = p.oid AND t.tgrelid <> to_regclass('pgduet.code_chunks'))
    HAVING count(*) > 0
  LOOP
    EXECUTE doomed;
  END LOOP;
  IF to_regclass('pgduet._installation') IS NOT NULL THEN
    DELETE FROM pgduet._installation;
  END IF;
END $$;
