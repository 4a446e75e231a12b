SELECT pgduet._see_pgvector();
-- Vectors of the last queries, newest first, that the sidecar kept: none unless PGDUET_KEEP_QUERIES tells it to. Asked
-- of the sidecar and not written here, for a search writes nothing and works on a standby. For those who measure the
-- index only: a vector tells much about the text that it was made of.
CREATE OR REPLACE FUNCTION pgduet._recent_queries(most integer) RETURNS TABLE (embedding halfvec, sketch bit)
LANGUAGE plpython3u STABLE STRICT PARALLEL UNSAFE SECURITY DEFINER COST 100000 ROWS 100
SET search_path = pg_catalog, pg_temp AS $$
  backend = GD.get("pgduet") or (plpy.execute("SELECT pgduet._load_backend()") and GD["pgduet"])
  return backend.recent_queries(plpy, most)
$$;
SET LOCAL search_path = pg_catalog, pg_temp;
