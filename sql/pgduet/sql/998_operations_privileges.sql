-- Privileges around operations: a worker finds out whether it knows the schema before it touches anything, and a
-- monitor shows which version is installed.
GRANT SELECT ON pgduet._migration, pgduet._installation TO pgduet_reader, pg_monitor;
