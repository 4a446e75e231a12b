-- What the server-side package asks for before each call: settings, active generation, time left. Read with the
-- owner's rights by functions that are SECURITY DEFINER: callers need no right on _setting, and nobody but an admin
-- can change where code is sent. A view, because its plan is kept for the session.
CREATE OR REPLACE VIEW pgduet._call_context AS
SELECT
  (SELECT s.value FROM pgduet._setting s WHERE s.key = 'sidecar_address') AS sidecar_address,
  (SELECT s.value FROM pgduet._setting s WHERE s.key = 'deadline_ms')::integer AS deadline_ms,
  (SELECT s.value FROM pgduet._setting s WHERE s.key = 'batch_deadline_ms')::integer AS batch_deadline_ms,
  g.model,
  g.fingerprint,
  extract(epoch FROM pg_catalog.statement_timestamp())::double precision AS statement,
  CASE WHEN pg_catalog.current_setting('statement_timeout') <> '0' THEN
    extract(epoch FROM pg_catalog.current_setting('statement_timeout')::interval
      - (pg_catalog.clock_timestamp() - pg_catalog.statement_timestamp()))::double precision END AS remaining,
  -- Any role may set it: the worst that it does is to join a call to another trace.
  pg_catalog.current_setting('pgduet.traceparent', true) AS traceparent,
  ARRAY(SELECT s.key || '=' || s.value FROM pgduet._setting s WHERE s.value <> '' AND s.key IN ('sidecar_ca_file',
    'sidecar_certificate_file', 'sidecar_key_file', 'sidecar_token_file', 'sidecar_server_name')) AS sidecar_credentials
FROM (SELECT) one LEFT JOIN pgduet.generations g ON g.state = 'active';

-- A file that is named here is read by the server's own user: changing one takes what PostgreSQL asks for elsewhere to
-- read the server's files. What a file holds reaches the sidecar at sidecar_address, and no message.
CREATE OR REPLACE FUNCTION pgduet._guard_files() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT pg_has_role(current_user, 'pg_read_server_files', 'USAGE') THEN
    RAISE EXCEPTION 'permission denied to change %', new.key USING ERRCODE = '42501',
      DETAIL = 'It names a file that the server reads.',
      HINT = 'Let a superuser or a member of pg_read_server_files change it.';
  END IF;
  RETURN new;
END $$;
CREATE OR REPLACE TRIGGER _guard_files BEFORE UPDATE ON pgduet._setting FOR EACH ROW
  WHEN (new.key LIKE 'sidecar\_%\_file' AND new.value IS DISTINCT FROM old.value)
  EXECUTE FUNCTION pgduet._guard_files();

CREATE OR REPLACE FUNCTION pgduet._batch_texts() RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT s.value::integer FROM pgduet._setting s WHERE s.key = 'batch_texts'
$$;

-- Puts the server-side package where every function of the session finds it, if it is one that knows these functions.
CREATE OR REPLACE FUNCTION pgduet._load_backend() RETURNS boolean
LANGUAGE plpython3u VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  try:
    from pgduet import backend
  except (ImportError, RuntimeError) as reason:
    import sys
    plpy.error(
      f"PostgreSQL's Python {sys.version.split()[0]} cannot import pgduet.backend: {reason}", sqlstate="58000",
      hint="Put the folder that holds the packages pgduet, grpcio and protobuf first in the server's PYTHONPATH, "
      "restart PostgreSQL and open a new session. `pgduet doctor` says more.")
  if getattr(backend, "INTERFACE", None) != 1:
    plpy.error(
      f"PostgreSQL's Python has pgduet {backend.package_version()}, which does not know the functions of this database",
      sqlstate="55000",
      hint="Bring both to the same version: where the package is newer, run `pgduet db migrate`; where it is older, "
      "upgrade it in the server's PYTHONPATH. Then open a new session.")
  GD["pgduet"] = backend
  return True
$$;
