-- How a search finds its candidates: by an exact scan of the sketches or through the index. Up to about 20,000
-- rows the exact scan is as fast; where a filter leaves few rows the index would miss some of them.
CREATE OR REPLACE FUNCTION pgduet._search_way(
  generation_id integer, language text, repo text, path_like text, OUT way text, OUT lists integer)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_mode text := coalesce(nullif(current_setting('pgduet.search_mode', true), ''), 'auto');
  v_rows real;
BEGIN
  IF v_mode NOT IN ('auto', 'exact', 'index') THEN
    RAISE EXCEPTION 'unknown search mode: %', v_mode
      USING ERRCODE = '22023', HINT = 'Set pgduet.search_mode to auto, exact or index.';
  END IF;
  SELECT i.lists INTO lists FROM pgduet._sketch_index($1) i;
  IF v_mode = 'index' AND lists IS NULL THEN
    RAISE EXCEPTION 'the active generation has no valid index yet' USING ERRCODE = '55000',
      HINT = 'Build it with `pgduet db index`, or SET pgduet.search_mode = auto.';
  END IF;
  SELECT c.reltuples INTO v_rows FROM pg_class c WHERE c.oid = to_regclass('pgduet.code_embeddings_g' || $1);
  way := CASE WHEN v_mode <> 'auto' THEN v_mode WHEN lists IS NULL OR v_rows < 20000 THEN 'exact' ELSE 'index' END;
  IF v_mode = 'auto' AND way = 'index' AND num_nonnulls($2, $3, $4) > 0 AND
    (SELECT count(*) FROM (SELECT FROM pgduet.code_embeddings e
      WHERE e.generation_id = $1 AND ($2 IS NULL OR e.language = $2) AND ($3 IS NULL OR e.repo = $3)
        AND ($4 IS NULL OR e.path LIKE $4) LIMIT 30000) s) < 30000
  THEN
    way := 'exact';
  END IF;
END $$;

-- The statement that picks candidates by Hamming distance, measures them by cosine and keeps the best.
-- pgvector's operators are named by the extension's schema; every value is a parameter.
CREATE OR REPLACE FUNCTION pgduet._search_statement(
  generation_id integer, way text, depth bigint, distinct_content boolean) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_schema name := (SELECT n.nspname FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace
    WHERE x.extname = 'vector');
BEGIN
  RETURN format($sql$
    WITH candidate AS MATERIALIZED (
      SELECT s.chunk_id, s.content_hash, s.embedding OPERATOR(%1$I.<=>) $1 AS distance
      FROM (
        SELECT e.chunk_id, e.content_hash, e.embedding FROM pgduet.code_embeddings e %2$s
        WHERE e.generation_id = %3$s AND ($3 IS NULL OR e.language = $3) AND ($4 IS NULL OR e.repo = $4)
          AND ($5 IS NULL OR e.path LIKE $5) AND ($6 IS NULL OR e.chunk_id <> $6)
          AND ($7 IS NULL OR e.content_hash <> $7)
        ORDER BY %4$s LIMIT %5$s
      ) s
    ), hit AS (
      SELECT c.chunk_id, d.distance,
        row_number() OVER (PARTITION BY %6$s ORDER BY d.distance, c.chunk_id) AS place
      FROM candidate d
      JOIN pgduet.code_chunks c ON c.chunk_id = d.chunk_id AND c.content_hash = d.content_hash
    ), best AS (
      SELECT h.chunk_id, h.distance FROM hit h WHERE h.place = 1 ORDER BY h.distance, h.chunk_id LIMIT $8
    )
    SELECT (SELECT count(*) FROM candidate), array_agg(b.chunk_id ORDER BY b.distance, b.chunk_id),
      array_agg(b.distance ORDER BY b.distance, b.chunk_id)
    FROM best b$sql$,
    v_schema,
    -- Candidates that the caller may not see would leave too few others: row security filters before the limit.
    CASE WHEN row_security_active('pgduet.code_chunks') THEN
      'JOIN pgduet.code_chunks v ON v.chunk_id = e.chunk_id AND v.content_hash = e.content_hash' ELSE '' END,
    generation_id,
    -- The function never matches an index, the operator does.
    format(CASE WHEN way = 'index' THEN 'e.sketch OPERATOR(%I.<~>) $2' ELSE '%I.hamming_distance(e.sketch, $2)' END,
      v_schema),
    depth,
    CASE WHEN distinct_content THEN 'c.content_hash' ELSE 'c.chunk_id' END);
END $$;

-- The k nearest chunks to a vector. SECURITY INVOKER, so that row security holds. What it sets ends with it:
-- set_config inside a function whose definition sets the same name is undone on return.
CREATE OR REPLACE FUNCTION pgduet._nearest(
  embedding halfvec, sketch bit, k integer, only_language text, only_repo text, path_like text,
  min_similarity double precision, distinct_content boolean, except_id bigint, except_hash bytea)
RETURNS TABLE (chunk_id bigint, repo text, path text, symbol text, kind text, language text, start_line integer,
  end_line integer, content text, similarity double precision, source text, source_key text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 10
SET search_path = pg_catalog, pg_temp SET work_mem = '16MB'
SET enable_seqscan = on SET enable_bitmapscan = on SET enable_sort = on
SET ivfflat.probes = 1 SET ivfflat.iterative_scan = 'relaxed_order' AS $$
DECLARE
  v_generation integer := (SELECT g.generation_id FROM pgduet.generations g WHERE g.state = 'active');
  v_way text;
  v_lists integer;
  v_depth bigint;
  v_candidates bigint;
  v_ids bigint[];
  v_distances double precision[];
BEGIN
  SELECT w.way, w.lists INTO v_way, v_lists FROM pgduet._search_way(v_generation, $4, $5, $6) w;
  -- Measuring 1,000 rows exactly takes a few milliseconds, and leaves a scan next to nothing to miss.
  v_depth := CASE v_way WHEN 'index' THEN greatest(100, 5 * $3::bigint) ELSE greatest(1000, 10 * $3::bigint) END;
  IF v_way = 'index' THEN
    -- Only the index gives rows in order of distance; without statistics the planner may prefer a scan and a sort.
    PERFORM set_config('ivfflat.probes', least(v_lists, 100)::text, true), set_config('enable_seqscan', 'off', true),
      set_config('enable_bitmapscan', 'off', true), set_config('enable_sort', 'off', true);
  END IF;
  LOOP
    EXECUTE pgduet._search_statement(v_generation, v_way, v_depth, $8)
      INTO v_candidates, v_ids, v_distances USING $1, $2, $4, $5, $6, $9, $10, $3;
    -- Copies of one content may fill the candidates: look deeper until there are k different ones or no more rows.
    EXIT WHEN v_candidates < v_depth OR cardinality(v_ids) >= $3;
    v_depth := v_depth * 4;
  END LOOP;
  RETURN QUERY SELECT c.chunk_id, c.repo, c.path, c.symbol, c.kind, c.language, c.start_line, c.end_line, c.content,
      1 - u.distance, c.source,
      -- Of a watched row that was cut into several chunks all have its key; their own ends in a number.
      CASE WHEN c.source_key IS NOT NULL THEN split_part(c.source_key, E'\x1f', 1) END
    FROM unnest(v_ids, v_distances) WITH ORDINALITY u (id, distance, place)
    JOIN pgduet.code_chunks c ON c.chunk_id = u.id
    WHERE $7 IS NULL OR 1 - u.distance >= $7 ORDER BY u.place;
END $$;

CREATE OR REPLACE FUNCTION pgduet._check_k(k integer) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF k IS NULL OR k < 0 THEN
    RAISE EXCEPTION 'k must be a number of rows, not %', coalesce(k::text, 'NULL')
      USING ERRCODE = '22023', HINT = 'Ask for 10 or so; leave k out for 10.';
  END IF;
END $$;

CREATE OR REPLACE FUNCTION pgduet._similar_code(query text, k integer, only_language text, only_repo text,
  path_like text, min_similarity double precision, distinct_content boolean)
RETURNS TABLE (chunk_id bigint, repo text, path text, symbol text, kind text, language text, start_line integer,
  end_line integer, content text, similarity double precision, source text, source_key text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_query record;
BEGIN
  PERFORM pgduet._check_k(k);
  IF k = 0 OR query IS NULL THEN
    RETURN;
  END IF;
  SELECT r.embedding, r.sketch, r.failure INTO v_query FROM pgduet._embed_rows(ARRAY[query], 'query', 'infinity') r;
  IF v_query.failure IS NOT NULL THEN
    RAISE EXCEPTION 'the query cannot be embedded: %', v_query.failure
      USING ERRCODE = '22023', HINT = 'A query needs at least one visible character.';
  END IF;
  RETURN QUERY SELECT * FROM pgduet._nearest(v_query.embedding, v_query.sketch, k, only_language, only_repo, path_like,
    min_similarity, coalesce(distinct_content, true), NULL, NULL);
END $$;

CREATE OR REPLACE FUNCTION pgduet._similar_to(from_chunk bigint, k integer, only_language text, only_repo text,
  path_like text, min_similarity double precision, distinct_content boolean)
RETURNS TABLE (chunk_id bigint, repo text, path text, symbol text, kind text, language text, start_line integer,
  end_line integer, content text, similarity double precision, source text, source_key text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_chunk record;
BEGIN
  PERFORM pgduet._check_k(k);
  IF k = 0 OR from_chunk IS NULL THEN
    RETURN;
  END IF;
  SELECT e.embedding, e.sketch, e.content_hash INTO v_chunk
  FROM pgduet.code_embeddings e JOIN pgduet.generations g ON g.generation_id = e.generation_id AND g.state = 'active'
  WHERE e.chunk_id = $1 AND EXISTS (SELECT FROM pgduet.code_chunks c WHERE c.chunk_id = $1);
  IF NOT FOUND THEN
    RAISE EXCEPTION 'chunk % has no vector', from_chunk USING ERRCODE = '22023',
      HINT = 'See pgduet.coverage: the chunk may not exist, be blank, or still be pending.';
  END IF;
  RETURN QUERY SELECT * FROM pgduet._nearest(v_chunk.embedding, v_chunk.sketch, k, only_language, only_repo, path_like,
    min_similarity, coalesce(distinct_content, true), $1,
    CASE WHEN coalesce(distinct_content, true) THEN v_chunk.content_hash END);
END $$;

CREATE OR REPLACE FUNCTION pgduet.similar_code(query text, k integer DEFAULT 10, language text DEFAULT NULL,
  repo text DEFAULT NULL, path_like text DEFAULT NULL, min_similarity double precision DEFAULT NULL,
  distinct_content boolean DEFAULT true)
RETURNS TABLE (chunk_id bigint, repo text, path text, symbol text, kind text, language text, start_line integer,
  end_line integer, content text, similarity double precision, source text, source_key text)
LANGUAGE sql STABLE PARALLEL UNSAFE COST 1000000 ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
  SELECT * FROM pgduet._similar_code($1, $2, $3, $4, $5, $6, $7)
$$;

CREATE OR REPLACE FUNCTION pgduet.similar_to(chunk_id bigint, k integer DEFAULT 10, language text DEFAULT NULL,
  repo text DEFAULT NULL, path_like text DEFAULT NULL, min_similarity double precision DEFAULT NULL,
  distinct_content boolean DEFAULT true)
RETURNS TABLE (chunk_id bigint, repo text, path text, symbol text, kind text, language text, start_line integer,
  end_line integer, content text, similarity double precision, source text, source_key text)
LANGUAGE sql STABLE PARALLEL UNSAFE COST 10000 ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
  SELECT * FROM pgduet._similar_to($1, $2, $3, $4, $5, $6, $7)
$$;
