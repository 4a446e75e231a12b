-- Privileges around generations: admins change them, readers see how they stand.
GRANT EXECUTE ON FUNCTION pgduet.add_generation(text, text), pgduet.promote(text, boolean, text), pgduet.rollback(),
  pgduet.retire(text), pgduet._judge(text, jsonb) TO pgduet_admin;
GRANT EXECUTE ON FUNCTION pgduet._settle_generations() TO pgduet_worker, pgduet_admin;
GRANT SELECT ON pgduet._promotion TO pgduet_admin;
-- The view runs with its reader's rights.
GRANT EXECUTE ON FUNCTION pgduet._search_index(integer) TO pg_monitor;
GRANT EXECUTE ON FUNCTION pgduet._generation_counts(integer, boolean) TO pgduet_reader, pg_monitor;
