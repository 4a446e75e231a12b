SELECT pgduet._see_pgvector();
-- The statement that picks candidates and measures them by cosine. pgvector's operators are named by the extension's
-- schema; every value is a parameter. A function never matches an index, an operator does.
CREATE OR REPLACE FUNCTION pgduet._search_statement(
  generation_id integer, way text, kind text, depth bigint, secured boolean) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_schema name := (SELECT n.nspname FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace
    WHERE x.extname = 'vector');
BEGIN
  RETURN format($sql$
    SELECT count(*), array_agg(s.chunk_id), array_agg(s.content_hash),
      array_agg(s.embedding OPERATOR(%1$I.<=>) $1)
    FROM (SELECT t.* FROM (
      SELECT e.chunk_id, e.content_hash, e.embedding FROM pgduet.code_embeddings e %2$s
      WHERE e.generation_id = %3$s AND ($3 IS NULL OR e.language = $3) AND ($4 IS NULL OR e.repo = $4)
        AND ($5 IS NULL OR e.path LIKE $5) AND ($6 IS NULL OR e.chunk_id <> $6)
        AND ($7 IS NULL OR e.content_hash <> ALL ($7))
      ORDER BY %4$s
    ) t LIMIT %5$s) s$sql$,
    v_schema,
    -- Candidates that the caller may not see would leave too few others: row security filters before the limit.
    CASE WHEN secured THEN
      'JOIN pgduet.code_chunks v ON v.chunk_id = e.chunk_id AND v.content_hash = e.content_hash' END,
    generation_id,
    -- Of rows at equal distance those with the lowest ids are kept: an index gives them in no order, so all of them, up
    -- to as many copies of one content as can be read in a blink.
    format(CASE
      WHEN way = 'cosine' THEN '%I.cosine_distance(e.embedding, $1), e.chunk_id LIMIT %s'
      WHEN way = 'exact' THEN '%I.hamming_distance(e.sketch, $2), e.chunk_id LIMIT %s'
      WHEN kind = 'halfvec' THEN 'e.embedding OPERATOR(%I.<=>) $1 FETCH FIRST %s ROWS WITH TIES'
      ELSE 'e.sketch OPERATOR(%I.<~>) $2 FETCH FIRST %s ROWS WITH TIES' END, v_schema, depth),
    greatest(20000, 2 * depth));
END $$;

-- The ids and cosine distances of the k nearest chunks, found in a given way; the calibration calls it with each that
-- it tries, and `way` cosine measures every row. SECURITY INVOKER, so that row security holds. What it sets ends with
-- it: set_config inside a function whose definition sets the same name is undone on return. An index that somebody else
-- made must not look cheap beside ours: what is not set for our kind of index stays at its dearest.
CREATE OR REPLACE FUNCTION pgduet._scan(generation_id integer, way text, kind text, probes integer, ef_search integer,
  depth bigint, embedding halfvec, sketch bit, k integer, language text, repo text, path_like text,
  distinct_content boolean, except_id bigint, except_hash bytea, OUT ids bigint[], OUT distances double precision[])
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp SET work_mem = '16MB' SET jit = off
SET enable_seqscan = on SET enable_bitmapscan = on SET enable_sort = on SET enable_indexscan = on
SET enable_nestloop = on
SET ivfflat.probes = 32768 SET ivfflat.max_probes = 32768 SET ivfflat.iterative_scan = 'relaxed_order'
SET hnsw.ef_search = 1000 SET hnsw.max_scan_tuples = 20000 SET hnsw.iterative_scan = 'relaxed_order' AS $$
DECLARE
  v_way text := way;
  v_depth bigint := depth;
  v_effort bigint := 1;
  v_secured boolean := row_security_active('pgduet.code_chunks');
  v_seen bytea[] := CASE WHEN except_hash IS NOT NULL THEN ARRAY[except_hash] END;
  v_count bigint;
  v_ids bigint[];
  v_hashes bytea[];
  v_distances double precision[];
BEGIN
  IF way = 'index' THEN
    -- Only the index gives rows in order of distance; without statistics the planner may prefer a scan and a sort. A
    -- policy may have to scan a table: the dearest of all scans, for each row, would make all plans seem alike.
    PERFORM set_config('enable_seqscan', CASE WHEN v_secured THEN 'on' ELSE 'off' END, true),
      set_config('enable_bitmapscan', 'off', true), set_config('enable_sort', 'off', true);
  END IF;
  LOOP
    IF v_way = 'index' AND kind = 'hnsw' THEN
      PERFORM set_config('hnsw.ef_search', least(ef_search * v_effort, 1000)::text, true);
    ELSIF v_way = 'index' THEN
      PERFORM set_config('ivfflat.probes', least(probes * v_effort, 32768)::text, true);
    END IF;
    EXECUTE pgduet._search_statement($1, v_way, $3, v_depth, v_secured)
      INTO v_count, v_ids, v_hashes, v_distances USING $7, $8, $10, $11, $12, $14, v_seen;
    IF v_count < v_depth AND v_way = 'index' AND $3 = 'hnsw' THEN
      -- Its iterative scan gives up after so many tuples: what a filter left may lie beyond them.
      v_way := 'exact';
      v_depth := v_depth * 4;
      PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_bitmapscan', 'on', true),
        set_config('enable_sort', 'on', true);
      CONTINUE;
    END IF;
    IF NOT $13 THEN
      SELECT array_agg(b.id), array_agg(b.distance) INTO ids, distances
      FROM (SELECT d.id, d.distance FROM unnest(v_ids, v_hashes, v_distances) d (id, hash, distance)
        JOIN pgduet.code_chunks c ON c.chunk_id = d.id AND c.content_hash = d.hash
        ORDER BY d.distance, d.id LIMIT $9) b;
    ELSE
      SELECT array_agg(b.id), array_agg(b.hash), array_agg(b.distance) INTO v_ids, v_hashes, v_distances
      FROM (SELECT o.id, o.hash, o.distance
        FROM (SELECT DISTINCT ON (d.hash) d.id, d.hash, d.distance
          FROM unnest(v_ids, v_hashes, v_distances) d (id, hash, distance)
          JOIN pgduet.code_chunks c ON c.chunk_id = d.id AND c.content_hash = d.hash
          ORDER BY d.hash, d.distance, d.id) o
        ORDER BY o.distance, o.id LIMIT $9) b;
      ids := ids || v_ids;
      distances := distances || v_distances;
    END IF;
    EXIT WHEN v_count < v_depth OR cardinality(ids) >= $9;
    -- Copies of one content may fill the candidates: look again without the contents that are found, and deeper. They
    -- fill lists too, which then hold few others.
    IF $13 THEN
      v_seen := v_seen || v_hashes;
    END IF;
    v_depth := v_depth * 2;
    v_effort := v_effort * 4;
  END LOOP;
  IF $13 AND cardinality(ids) > coalesce(cardinality(v_ids), 0) THEN
    SELECT array_agg(b.id), array_agg(b.distance) INTO ids, distances
    FROM (SELECT u.id, u.distance FROM unnest(ids, distances) u (id, distance) ORDER BY 2, 1 LIMIT $9) b;
  END IF;
END $$;

-- The same in the way that suits the table, the filter and k.
CREATE OR REPLACE FUNCTION pgduet._ranked(embedding halfvec, sketch bit, k integer, language text, repo text,
  path_like text, distinct_content boolean, except_id bigint, except_hash bytea,
  OUT ids bigint[], OUT distances double precision[])
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_generation integer := (SELECT g.generation_id FROM pgduet.generations g WHERE g.state = 'active');
  v_plan record;
BEGIN
  IF v_generation IS NULL THEN
    RETURN;
  END IF;
  SELECT * INTO v_plan FROM pgduet._search_plan(v_generation, $4, $5, $6, $3);
  SELECT s.ids, s.distances INTO ids, distances
  FROM pgduet._scan(v_generation, v_plan.way, v_plan.kind, v_plan.probes, v_plan.ef_search, v_plan.depth, $1, $2, $3,
    $4, $5, $6, $7, $8, $9) s;
END $$;

-- What people see of chunks, in the order of `ids`.
CREATE OR REPLACE FUNCTION pgduet._shown(ids bigint[], distances double precision[], min_similarity double precision)
RETURNS TABLE (chunk_id bigint, repo text, path text, symbol text, kind text, language text, start_line integer,
  end_line integer, content text, similarity double precision, source text, source_key text)
LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY SELECT c.chunk_id, c.repo, c.path, c.symbol, c.kind, c.language, c.start_line, c.end_line, c.content,
    1 - u.distance, c.source,
    -- Of a watched row that was cut into several chunks all have its key; their own ends in a number.
    CASE WHEN c.source_key IS NOT NULL THEN split_part(c.source_key, E'\x1f', 1) END
  FROM unnest($1, $2) WITH ORDINALITY u (id, distance, place)
  JOIN pgduet.code_chunks c ON c.chunk_id = u.id
  WHERE $3 IS NULL OR 1 - u.distance >= $3 ORDER BY u.place;
END $$;
SET LOCAL search_path = pg_catalog, pg_temp;
