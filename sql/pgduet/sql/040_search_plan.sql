-- How a search goes about it: which index there is, how many rows match, and what follows from both. All of it runs
-- before each search, so it is plpgsql, whose plans are kept: a function in SQL is planned anew at each call.

-- The valid index that the keeper built for a generation, if there is one; indexes that others made do not count. After
-- a rebuild two may be valid for a moment: the newer one counts.
CREATE OR REPLACE FUNCTION pgduet._search_index(generation_id integer, OUT index_name name, OUT kind text,
  OUT lists integer, OUT probes integer, OUT ef_search integer, OUT depth integer, OUT rows_at_build bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  SELECT c.relname, b.kind, b.lists, b.probes, b.ef_search, b.depth, b.rows_at_build
  INTO index_name, kind, lists, probes, ef_search, depth, rows_at_build
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pgduet._index_build b ON b.index_name = c.relname
  WHERE i.indrelid = to_regclass('pgduet.code_embeddings_g' || $1) AND i.indisvalid AND b.generation_id = $1
  ORDER BY b.build_id DESC LIMIT 1;
END $$;

-- The rows that a filter and row security leave, as the planner estimates them. Of what a policy leaves it often knows
-- nothing and says half: 64 pages are looked at too, always the same ones. VOLATILE, because EXPLAIN is refused in a
-- STABLE function; it writes nothing and runs on a standby.
CREATE OR REPLACE FUNCTION pgduet._matching_rows(generation_id integer, language text, repo text, path_like text)
RETURNS double precision
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_secured boolean := row_security_active('pgduet.code_chunks');
  v_plan json;
  v_rows double precision;
  v_share double precision;
  v_sampled double precision;
BEGIN
  EXECUTE format('EXPLAIN (FORMAT JSON) SELECT FROM pgduet.code_embeddings e %s WHERE e.generation_id = %s'
      ' AND ($1 IS NULL OR e.language = $1) AND ($2 IS NULL OR e.repo = $2) AND ($3 IS NULL OR e.path LIKE $3)',
    CASE WHEN v_secured THEN 'JOIN pgduet.code_chunks v ON v.chunk_id = e.chunk_id' END, generation_id)
    INTO v_plan USING language, repo, path_like;
  v_rows := (v_plan #>> '{0,Plan,Plan Rows}')::double precision;
  IF NOT v_secured THEN
    RETURN v_rows;
  END IF;
  v_share := least(1, 64 * current_setting('block_size')::double precision
    / greatest(pg_relation_size('pgduet.code_chunks'), 1));
  EXECUTE format('SELECT count(*) FROM pgduet.code_chunks v TABLESAMPLE SYSTEM (%s) REPEATABLE (1)'
      ' WHERE ($1 IS NULL OR v.language = $1) AND ($2 IS NULL OR v.repo = $2) AND ($3 IS NULL OR v.path LIKE $3)',
    100 * v_share) INTO v_sampled USING language, repo, path_like;
  RETURN least(v_rows, v_sampled / v_share);
END $$;

-- What a search does: `way` exact scans the sketches of all rows that match, `way` index looks through `probes` lists
-- (hnsw: `ef_search` elements); `depth` candidates are then measured by cosine. The calibration found probes, ef_search
-- and depth for ten neighbours among all rows; a filter and a larger k need more.
CREATE OR REPLACE FUNCTION pgduet._search_plan(generation_id integer, language text, repo text, path_like text,
  k integer, OUT way text, OUT kind text, OUT probes integer, OUT ef_search integer, OUT depth bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_mode text := coalesce(nullif(current_setting('pgduet.search_mode', true), ''), 'auto');
  -- Up to so many rows the exact scan takes 5 ms more than the index at most, and it misses nothing.
  v_few constant double precision := 10000;
  -- The number of errors grows slower than k.
  v_more double precision := sqrt(greatest($5, 10) / 10.0::double precision);
  v_index record;
  v_rows double precision;
  v_matching double precision;
  v_probes double precision;
  v_depth double precision;
  v_looked_at double precision;
BEGIN
  IF v_mode NOT IN ('auto', 'exact', 'index') THEN
    RAISE EXCEPTION 'unknown search mode: %', v_mode
      USING ERRCODE = '22023', HINT = 'Set pgduet.search_mode to auto, exact or index.';
  END IF;
  -- Measured: at 400 the exact scan has missed none of the ten nearest.
  way := 'exact';
  depth := ceil(greatest(400 * v_more, 3.0::double precision * $5));
  IF v_mode = 'exact' THEN
    RETURN;
  END IF;
  -- As the planner does it: by the size that the table has now. A page holds about 16 rows.
  SELECT pg_relation_size(c.oid) / current_setting('block_size')::double precision
    * CASE WHEN c.reltuples >= 0 AND c.relpages > 0 THEN c.reltuples / c.relpages ELSE 16 END INTO v_rows
  FROM pg_class c WHERE c.oid = to_regclass('pgduet.code_embeddings_g' || $1);
  IF v_mode = 'auto' AND coalesce(v_rows, 0) <= v_few THEN
    RETURN;
  END IF;
  SELECT * INTO v_index FROM pgduet._search_index($1);
  IF v_index.index_name IS NULL THEN
    IF v_mode = 'index' THEN
      RAISE EXCEPTION 'the active generation has no valid index yet' USING ERRCODE = '55000',
        HINT = 'Build it with `pgduet db index`, or SET pgduet.search_mode = auto.';
    END IF;
    RETURN;
  END IF;
  v_rows := greatest(v_rows, 1);
  v_matching := v_rows;
  IF num_nonnulls($2, $3, $4) > 0 OR row_security_active('pgduet.code_chunks') THEN
    v_matching := least(greatest(pgduet._matching_rows($1, $2, $3, $4), 1), v_rows);
  END IF;
  v_depth := greatest(coalesce(v_index.depth, 100) * v_more, 3.0::double precision * $5);
  IF v_index.kind = 'hnsw' THEN
    -- Its iterative scan looks at 20,000 elements: where it needs more than half of them the exact scan is surer.
    v_looked_at := CASE WHEN v_depth * v_rows / v_matching > 10000 THEN v_rows ELSE 0 END;
  ELSE
    -- Where a filter leaves one row of four, four times the lists hold as many candidates. A hundred neighbours lie in
    -- more lists than ten: measured, twice as many give them the same recall.
    v_probes := greatest(coalesce(v_index.probes, 100) * power(greatest($5, 10) / 10.0::double precision, 0.3)
      * v_rows / v_matching, 4 * v_depth * v_index.lists / v_matching);
    v_looked_at := v_rows * v_probes / v_index.lists;
  END IF;
  IF v_index.kind = 'halfvec' THEN
    -- A vector fills a page and costs eight times what a sketch does. The index gives the vectors in their order: what
    -- is more than k stands in for copies of one content.
    v_looked_at := 8 * v_looked_at;
    v_depth := $5 + 40.0::double precision;
  END IF;
  IF v_mode = 'auto' AND v_matching <= greatest(v_few, v_looked_at) THEN
    RETURN;
  END IF;
  way := 'index';
  kind := v_index.kind;
  depth := ceil(v_depth);
  IF kind = 'hnsw' THEN
    ef_search := least(1000, greatest(coalesce(v_index.ef_search, 200) * v_rows / v_matching, v_depth));
  ELSE
    probes := ceil(least(v_probes, v_index.lists));
  END IF;
END $$;
