-- What the server-side package asks for before each call: settings, active generation, time left.
-- SECURITY DEFINER: callers need no right on _setting, and nobody but an admin can change where code is sent.
CREATE OR REPLACE FUNCTION pgduet._call_context(
  OUT sidecar_address text, OUT deadline_ms integer, OUT batch_deadline_ms integer,
  OUT model text, OUT fingerprint text, OUT statement double precision, OUT remaining double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT
    max(s.value) FILTER (WHERE s.key = 'sidecar_address'),
    max(s.value) FILTER (WHERE s.key = 'deadline_ms')::integer,
    max(s.value) FILTER (WHERE s.key = 'batch_deadline_ms')::integer,
    (SELECT g.model FROM pgduet.generations g WHERE g.state = 'active'),
    (SELECT g.fingerprint FROM pgduet.generations g WHERE g.state = 'active'),
    extract(epoch FROM statement_timestamp())::double precision,
    CASE WHEN current_setting('statement_timeout') <> '0' THEN
      extract(epoch FROM current_setting('statement_timeout')::interval
        - (clock_timestamp() - statement_timestamp()))::double precision END
  FROM pgduet._setting s
$$;

CREATE OR REPLACE FUNCTION pgduet._batch_texts() RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT s.value::integer FROM pgduet._setting s WHERE s.key = 'batch_texts'
$$;

-- Puts the server-side package where every function of the session finds it.
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
  GD["pgduet"] = backend
  return True
$$;
