-- The map of chunks. A worker finds directions and centres in a sample; points are computed here, where the vectors are.
-- All are SECURITY DEFINER: a worker has no right on the tables.

-- Generations that searches use or may soon use, where points are lacking. map_id is NULL where a new map is needed:
-- there is none, or the table has twice or half the rows that it was made for.
CREATE OR REPLACE FUNCTION pgduet._map_due()
RETURNS TABLE (generation_id integer, map_id bigint, newest bigint, rows bigint, changes bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT g.generation_id, CASE WHEN c.rows BETWEEN m.rows_at_fit / 2 AND m.rows_at_fit * 2 THEN m.map_id END, m.map_id,
    c.rows, n.changes
  FROM pgduet.generations g
  CROSS JOIN LATERAL pgduet._vector_count(g.generation_id) n
  CROSS JOIN LATERAL (SELECT count(*) AS rows FROM pgduet.code_embeddings e WHERE e.generation_id = g.generation_id) c
  LEFT JOIN LATERAL (SELECT l.* FROM pgduet._map l WHERE l.generation_id = g.generation_id
    ORDER BY l.map_id DESC LIMIT 1) m ON true
  WHERE g.state IN ('active', 'ready') AND c.rows >= 3
    AND (m.ready_at IS NULL OR (m.rows_seen, m.changes_seen) IS DISTINCT FROM (c.rows, n.changes))
  ORDER BY g.state, g.generation_id
$$;

-- Vectors drawn from a generation, about `most` of `rows`, in pgvector's binary form.
CREATE OR REPLACE FUNCTION pgduet._map_sample(generation_id integer, most integer, rows bigint) RETURNS SETOF bytea
LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 5000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY EXECUTE format('SELECT %I.halfvec_send(e.embedding) FROM pgduet.code_embeddings e'
      ' TABLESAMPLE bernoulli (%s) REPEATABLE (1) WHERE e.generation_id = $1',
    (SELECT n.nspname FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace WHERE x.extname = 'vector'),
    least(100, 100.0 * $2 / greatest($3, 1))) USING $1;
END $$;

-- Keeps a new map, whose points are still to come; NULL where another session refreshes or there is a newer one.
CREATE OR REPLACE FUNCTION pgduet._begin_map(generation_id integer, before bigint, x_axis real[], y_axis real[],
  x_mean double precision, y_mean double precision, shown double precision, rows bigint, centres jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_id bigint;
BEGIN
  IF NOT pgduet._lock_snapshots() OR (SELECT max(m.map_id) FROM pgduet._map m WHERE m.generation_id = $1)
      IS DISTINCT FROM $2 THEN
    RETURN NULL;
  END IF;
  INSERT INTO pgduet._map AS m (generation_id, x_axis, y_axis, x_mean, y_mean, shown, rows_at_fit)
  VALUES ($1, $3, $4, $5, $6, $7, $8) RETURNING m.map_id INTO v_id;
  INSERT INTO pgduet._map_centre (map_id, cluster, centre)
  SELECT v_id, c.cluster, ARRAY(SELECT n.value::real FROM jsonb_array_elements_text(c.centre) WITH ORDINALITY n (value,
    place) ORDER BY n.place)
  FROM jsonb_array_elements($9) WITH ORDINALITY c (centre, cluster);
  RETURN v_id;
END $$;

-- Puts the vectors with ids after `after`, `slice` of them at most, on the map where they are not on it yet, and takes
-- off what is gone; `upto` is where to go on, NULL at the end. `busy` where another session refreshes.
CREATE OR REPLACE FUNCTION pgduet._map_slice(map_id bigint, after bigint, slice integer,
  OUT upto bigint, OUT busy boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
SET jit = off AS $$
DECLARE
  v_vector name := (SELECT n.nspname FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace
    WHERE x.extname = 'vector');
  v_map pgduet._map;
  v_last bigint;
BEGIN
  SELECT m.* INTO v_map FROM pgduet._map m WHERE m.map_id = $1;
  busy := NOT pgduet._lock_snapshots() OR v_map.map_id IS NULL;
  IF busy THEN
    RETURN;
  END IF;
  SELECT e.chunk_id INTO upto FROM pgduet.code_embeddings e
  WHERE e.generation_id = v_map.generation_id AND e.chunk_id > $2 ORDER BY e.chunk_id OFFSET $3 - 1 LIMIT 1;
  v_last := coalesce(upto, 9223372036854775807);
  -- The range is named on both sides: a plan without it would read all points for every slice.
  DELETE FROM pgduet._map_point p WHERE p.map_id = $1 AND p.chunk_id > $2 AND p.chunk_id <= v_last
    AND NOT EXISTS (SELECT FROM pgduet.code_embeddings e WHERE e.chunk_id = p.chunk_id
      AND e.chunk_id > $2 AND e.chunk_id <= v_last AND e.generation_id = v_map.generation_id);
  -- subvector copies the vector into memory: the stored one would be fetched anew for every product.
  EXECUTE format($sql$
    WITH lacking AS MATERIALIZED (
      SELECT e.chunk_id, e.content_hash, %1$I.subvector(e.embedding, 1, 2560) AS embedding
      FROM pgduet.code_embeddings e
      WHERE e.generation_id = $2 AND e.chunk_id > $3 AND e.chunk_id <= $4 AND NOT EXISTS (
        SELECT FROM pgduet._map_point p
        WHERE p.map_id = $1 AND p.chunk_id = e.chunk_id AND p.chunk_id > $3 AND p.chunk_id <= $4
          AND p.content_hash = e.content_hash)
    ), centres AS MATERIALIZED (
      SELECT c.cluster, c.centre::%1$I.halfvec AS centre FROM pgduet._map_centre c WHERE c.map_id = $1
    )
    INSERT INTO pgduet._map_point AS p (map_id, chunk_id, content_hash, x, y, cluster, computed_at)
    SELECT $1, l.chunk_id, l.content_hash, %1$I.inner_product(l.embedding, $5::%1$I.halfvec) - $7,
      %1$I.inner_product(l.embedding, $6::%1$I.halfvec) - $8, n.cluster, clock_timestamp()
    FROM lacking l CROSS JOIN LATERAL (SELECT c.cluster FROM centres c
      ORDER BY %1$I.inner_product(l.embedding, c.centre) DESC, c.cluster LIMIT 1) n
    ON CONFLICT (chunk_id, map_id) DO UPDATE SET content_hash = excluded.content_hash, x = excluded.x, y = excluded.y,
      cluster = excluded.cluster, computed_at = excluded.computed_at$sql$, v_vector)
  USING $1, v_map.generation_id, $2, v_last, v_map.x_axis, v_map.y_axis, v_map.x_mean, v_map.y_mean;
END $$;

-- The map's points are complete: it is shown from now on, and what it replaces goes, as do the maps of generations that
-- are not searched any more. `changes` is what the statistics had counted before its points were looked at.
CREATE OR REPLACE FUNCTION pgduet._finish_map(map_id bigint, rows bigint, changes bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT pgduet._lock_snapshots() THEN
    RETURN false;
  END IF;
  UPDATE pgduet._map m SET ready_at = coalesce(m.ready_at, clock_timestamp()), rows_seen = $2, changes_seen = $3
  WHERE m.map_id = $1;
  DELETE FROM pgduet._map m USING pgduet.generations g WHERE g.generation_id = m.generation_id
    AND (g.state IN ('retired', 'dropped') OR m.map_id < $1
      AND m.generation_id = (SELECT n.generation_id FROM pgduet._map n WHERE n.map_id = $1));
  DELETE FROM pgduet._map_centre c WHERE NOT EXISTS (SELECT FROM pgduet._map m WHERE m.map_id = c.map_id);
  DELETE FROM pgduet._map_point p WHERE NOT EXISTS (SELECT FROM pgduet._map m WHERE m.map_id = p.map_id);
  RETURN true;
END $$;
