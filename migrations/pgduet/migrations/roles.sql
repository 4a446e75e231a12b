-- create --
-- Roles belong to the cluster, an advisory lock to one database: only a lock on a catalogue that all databases share
-- makes two that are installed at once wait for each other.
DO $$
DECLARE
  role_name text;
BEGIN
  LOCK TABLE pg_catalog.pg_auth_members IN SHARE ROW EXCLUSIVE MODE;
  FOREACH role_name IN ARRAY ARRAY['pgduet_owner', 'pgduet_reader', 'pgduet_writer', 'pgduet_admin', 'pgduet_worker'] LOOP
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = role_name) THEN
      EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', role_name);
    END IF;
  END LOOP;
  IF NOT pg_catalog.pg_has_role('pgduet_writer', 'pgduet_reader', 'MEMBER') THEN
    GRANT pgduet_reader TO pgduet_writer;
  END IF;
  IF NOT pg_catalog.pg_has_role('pgduet_worker', 'pgduet_reader', 'MEMBER') THEN
    GRANT pgduet_reader TO pgduet_worker;
  END IF;
  IF NOT pg_catalog.pg_has_role('pgduet_admin', 'pgduet_writer', 'MEMBER') THEN
    GRANT pgduet_writer TO pgduet_admin;
  END IF;
END $$;

-- present --
SELECT rolname FROM pg_roles WHERE rolname = ANY (%(roles)s)
