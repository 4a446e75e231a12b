-- Model calls. Every function that calls Python is PARALLEL UNSAFE: anything else crashes the server, because a
-- query inside PL/Python opens a subtransaction. SECURITY DEFINER: see _call_context. A high COST keeps the
-- planner from calling a model once per row where it need not.
SELECT pgduet._see_pgvector();

CREATE OR REPLACE FUNCTION pgduet.embed(content text, role text DEFAULT 'document', part text DEFAULT 'both')
RETURNS halfvec
LANGUAGE plpython3u STABLE STRICT PARALLEL UNSAFE SECURITY DEFINER COST 100000
SET search_path = pg_catalog, pg_temp AS $$
  backend = GD.get("pgduet") or (plpy.execute("SELECT pgduet._load_backend()") and GD["pgduet"])
  return backend.embed(plpy, content, role, part)
$$;

-- One call to the sidecar, of `seconds` at most: callers cut long lists to slices of _batch_texts.
CREATE OR REPLACE FUNCTION pgduet._embed_rows(contents text[], role text, seconds double precision,
  part text DEFAULT 'both')
RETURNS TABLE (ordinality integer, embedding halfvec, sketch bit, code_tokens integer, text_tokens integer,
  truncated boolean, failure text, fingerprint text)
LANGUAGE plpython3u STABLE STRICT PARALLEL UNSAFE SECURITY DEFINER COST 1000000 ROWS 64
SET search_path = pg_catalog, pg_temp AS $$
  backend = GD.get("pgduet") or (plpy.execute("SELECT pgduet._load_backend()") and GD["pgduet"])
  return backend.embed_rows(plpy, contents, role, seconds, part)
$$;

CREATE OR REPLACE FUNCTION pgduet.embed_batch(contents text[], role text DEFAULT 'document', part text DEFAULT 'both')
RETURNS TABLE (ordinality integer, embedding halfvec)
LANGUAGE plpgsql STABLE STRICT PARALLEL UNSAFE ROWS 64 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  -- Counted from 1 whatever the caller's array bounds are.
  v_contents text[] := ARRAY(SELECT u.content FROM unnest(contents) WITH ORDINALITY u (content, place) ORDER BY u.place);
  v_slice integer := pgduet._batch_texts();
BEGIN
  FOR v_done IN 0 .. cardinality(v_contents) - 1 BY v_slice LOOP
    RETURN QUERY SELECT v_done + r.ordinality, r.embedding
      FROM pgduet._embed_rows(v_contents[v_done + 1 : v_done + v_slice], role, 'infinity', part) r;
  END LOOP;
END $$;

CREATE OR REPLACE FUNCTION pgduet.chunk_code(content text, language text DEFAULT NULL, path text DEFAULT NULL)
RETURNS TABLE (symbol text, kind text, language text, start_line integer, end_line integer, content text)
LANGUAGE plpython3u STABLE PARALLEL UNSAFE SECURITY DEFINER COST 10000 ROWS 20
SET search_path = pg_catalog, pg_temp AS $$
  backend = GD.get("pgduet") or (plpy.execute("SELECT pgduet._load_backend()") and GD["pgduet"])
  return backend.chunk_code(plpy, content, language, path) if content is not None else []
$$;

CREATE OR REPLACE FUNCTION pgduet.version() RETURNS text
LANGUAGE plpython3u STABLE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  backend = GD.get("pgduet") or (plpy.execute("SELECT pgduet._load_backend()") and GD["pgduet"])
  return backend.package_version()
$$;

CREATE OR REPLACE FUNCTION pgduet._sidecar_health() RETURNS TABLE (component text, status text, detail text)
LANGUAGE plpython3u STABLE PARALLEL UNSAFE SECURITY DEFINER ROWS 2 SET search_path = pg_catalog, pg_temp AS $$
  backend = GD.get("pgduet") or (plpy.execute("SELECT pgduet._load_backend()") and GD["pgduet"])
  return backend.sidecar_health(plpy)
$$;
SET LOCAL search_path = pg_catalog, pg_temp;
