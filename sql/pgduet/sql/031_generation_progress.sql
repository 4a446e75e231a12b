-- How far a generation is, and what stands against searching in it.

-- Chunks that can be embedded and have no current vector in a generation, up to `most` of them; those that were given
-- up are left out.
CREATE OR REPLACE FUNCTION pgduet._lacking(generation_id integer, most bigint DEFAULT NULL) RETURNS SETOF bigint
LANGUAGE sql STABLE ROWS 1000 SET search_path = pg_catalog, pg_temp AS $$
  SELECT c.chunk_id FROM pgduet.code_chunks c
  WHERE c.content_hash IS NOT NULL AND NOT EXISTS (
      SELECT FROM pgduet.code_embeddings e
      WHERE e.chunk_id = c.chunk_id AND e.generation_id = $1 AND e.content_hash = c.content_hash)
    AND NOT EXISTS (SELECT FROM pgduet._dead_letter d
      WHERE d.chunk_id = c.chunk_id AND d.generation_id = $1 AND d.content_hash = c.content_hash)
  LIMIT $2
$$;

-- Why a generation has not the index that a table of its size should have; NULL where it has, or is small.
CREATE OR REPLACE FUNCTION pgduet._index_objection(generation_id integer) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_least bigint := (SELECT s.value::bigint FROM pgduet._setting s WHERE s.key = 'index_min_rows');
  v_growth numeric := (SELECT s.value::numeric FROM pgduet._setting s WHERE s.key = 'index_growth');
  v_rows bigint := (SELECT count(*) FROM pgduet.code_embeddings e WHERE e.generation_id = $1);
  v_index record;
BEGIN
  SELECT * INTO v_index FROM pgduet._search_index($1);
  RETURN CASE WHEN v_rows < v_least THEN NULL
    WHEN v_index.index_name IS NULL THEN format('its %s vectors have no index yet', v_rows)
    WHEN v_rows > v_growth * v_index.rows_at_build THEN
      format('its index was built on %s of its %s vectors', v_index.rows_at_build, v_rows) END;
END $$;

-- What an evaluation said about a generation: NULL where it may be promoted. `metrics` holds
-- {"gate": {"metric": text, "before": number, "after": number, "margin": number, "passed": boolean, "why": text, ...}}.
CREATE OR REPLACE FUNCTION pgduet._gate_objection(metrics jsonb) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN jsonb_typeof(g.gate -> 'passed') IS DISTINCT FROM 'boolean'
      THEN 'nobody has compared it with the active one'
    WHEN NOT (g.gate -> 'passed')::boolean THEN
      concat('it is not better by the margin that was set: ', coalesce(g.gate ->> 'metric', 'score'), ' ',
        coalesce(g.gate ->> 'before', '?'), ' before, ', coalesce(g.gate ->> 'after', '?'), ' after',
        ', margin ' || (g.gate ->> 'margin'), ' (' || (g.gate ->> 'why') || ')') END
  FROM (SELECT $1 -> 'gate' AS gate) g
$$;

-- All that stands against searching in a generation, and what to do about it. Of many chunks that lack a vector `most`
-- are counted.
CREATE OR REPLACE FUNCTION pgduet._objections(generation_id integer, most bigint DEFAULT NULL)
RETURNS TABLE (aspect text, objection text, advice text)
LANGUAGE plpgsql STABLE ROWS 3 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_lacking bigint := (SELECT count(*) FROM pgduet._lacking($1, $2));
  v_generation pgduet.generations;
BEGIN
  SELECT g.* INTO v_generation FROM pgduet.generations g WHERE g.generation_id = $1;
  IF v_lacking > 0 THEN
    RETURN QUERY SELECT 'vectors', format('%s chunk(s) have no vector of it yet', v_lacking),
      format('a worker makes them where the sidecar serves %s: `pgduet generation wait %s`', v_generation.model,
        v_generation.name);
  ELSE
    RETURN QUERY SELECT 'index', i.objection, 'a worker builds the index, or `pgduet db index`'
      FROM pgduet._index_objection($1) i (objection) WHERE i.objection IS NOT NULL;
  END IF;
  RETURN QUERY SELECT 'gate', m.objection, 'evaluate it, or overrule this with force and a reason'
    FROM pgduet._gate_objection(v_generation.metrics) m (objection) WHERE m.objection IS NOT NULL;
END $$;

-- Calls generations ready that lack nothing. Returns the newest one that is filled, so that a worker sees when one was
-- added. SECURITY DEFINER, because a worker has no right on the tables.
CREATE OR REPLACE FUNCTION pgduet._settle_generations() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE pgduet.generations g SET state = 'ready' WHERE g.state = 'building' AND NOT EXISTS (
    SELECT FROM pgduet._objections(g.generation_id, 1) o WHERE o.aspect <> 'gate');
  RETURN (SELECT max(g.generation_id) FROM pgduet._live_generation g);
END $$;
