-- How many of the nearest chunks a search finds: measured on queries like those that people ask, against exact answers.
SELECT pgduet._see_pgvector();

-- A generation's vectors, and the rows inserted, updated and deleted since long before, as the statistics know them.
CREATE OR REPLACE FUNCTION pgduet._vector_count(generation_id integer, OUT rows bigint, OUT changes bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  -- The statistics forget at a crash and are behind at times: then the planner's count, for the pages of today.
  SELECT greatest(pg_stat_get_live_tuples(c.oid), CASE WHEN pg_stat_get_live_tuples(c.oid)
      < c.reltuples / 2 THEN c.reltuples / greatest(c.relpages, 1)
      * (pg_relation_size(c.oid) / current_setting('block_size')::integer) END, 0)::bigint,
    pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_tuples_updated(c.oid) + pg_stat_get_tuples_deleted(c.oid)
  FROM pg_class c WHERE c.oid = to_regclass('pgduet.code_embeddings_g' || $1)
$$;

-- A dotted name as words: http.RetryPolicy.maxTries becomes `http retry policy max tries`.
CREATE OR REPLACE FUNCTION pgduet._symbol_words(symbol text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT lower(btrim(regexp_replace(regexp_replace(regexp_replace($1,
    '([[:lower:][:digit:]])([[:upper:]])', E'\\1 \\2', 'g'),
    '([[:upper:]])([[:upper:]][[:lower:]])', E'\\1 \\2', 'g'),
    '[^[:alpha:]]+', ' ', 'g')))
$$;

-- The FROM and WHERE of chunks to draw `sample` queries from, with the filter as $1 to $3: of many rows those of some
-- pages, which hold forty times as many as are wanted.
CREATE OR REPLACE FUNCTION pgduet._recall_source(generation_id integer, sample integer, language text, repo text,
  path_like text) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_rows double precision := pgduet._matching_rows($1, $3, $4, $5);
BEGIN
  RETURN format('FROM pgduet.code_embeddings e %s JOIN pgduet.code_chunks c ON c.chunk_id = e.chunk_id'
      ' AND c.content_hash = e.content_hash WHERE e.generation_id = %s AND ($1 IS NULL OR e.language = $1)'
      ' AND ($2 IS NULL OR e.repo = $2) AND ($3 IS NULL OR e.path LIKE $3)',
    CASE WHEN v_rows > 100000 THEN format('TABLESAMPLE system (%s)', least(100, 4000.0 * $2 / v_rows)) END, $1);
END $$;

-- Stored chunks as queries, as pgduet.similar_to asks with them.
CREATE OR REPLACE FUNCTION pgduet._stored_queries(generation_id integer, sample integer, language text, repo text,
  path_like text)
RETURNS TABLE (embedding halfvec, sketch bit, except_id bigint, except_hash bytea)
LANGUAGE plpgsql VOLATILE ROWS 100 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- subvector copies the vector into memory: one in the table would be fetched anew for every row it is compared with.
  RETURN QUERY EXECUTE format('SELECT %I.subvector(s.embedding, 1, 2560), s.sketch, s.chunk_id, s.content_hash FROM'
      ' (SELECT e.embedding, e.sketch, e.chunk_id, e.content_hash %s ORDER BY random() LIMIT $4) s',
    (SELECT n.nspname FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace WHERE x.extname = 'vector'),
    pgduet._recall_source($1, $2, $3, $4, $5)) USING $3, $4, $5, $2;
END $$;

-- Names of stored functions as queries. Measured on 24,576 chunks: for recall 0.97 sentences about code need 126 of 313
-- lists, names 155, stored chunks 78. The sidecar embeds for the active generation only; where it cannot, a notice says
-- so and there are no such queries.
CREATE OR REPLACE FUNCTION pgduet._symbol_queries(generation_id integer, sample integer, language text, repo text,
  path_like text)
RETURNS TABLE (embedding halfvec, sketch bit, except_id bigint, except_hash bytea)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 100 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_slice integer := pgduet._batch_texts();
  v_names text[];
BEGIN
  EXECUTE format('SELECT ARRAY(SELECT n.words FROM (SELECT DISTINCT pgduet._symbol_words(c.symbol) AS words %s) n'
      ' WHERE n.words LIKE ''%% %%'' ORDER BY random() LIMIT $4)', pgduet._recall_source($1, $2, $3, $4, $5))
    INTO v_names USING $3, $4, $5, $2;
  -- So few say nothing.
  IF cardinality(v_names) < 10 THEN
    RETURN;
  END IF;
  FOR v_done IN 0 .. cardinality(v_names) - 1 BY v_slice LOOP
    RETURN QUERY SELECT r.embedding, r.sketch, NULL::bigint, NULL::bytea
      FROM pgduet._embed_rows(v_names[v_done + 1 : v_done + v_slice], 'query', 30) r WHERE r.failure IS NULL;
  END LOOP;
EXCEPTION WHEN OTHERS THEN
  RAISE NOTICE 'recall is measured without names of symbols as queries: %', SQLERRM;
END $$;

-- Queries of one kind: stored, symbol, or real: what was asked lately, where the sidecar keeps it and the caller may
-- see it. None where there are none.
CREATE OR REPLACE FUNCTION pgduet._recall_queries(generation_id integer, query_kind text, sample integer, language text,
  repo text, path_like text)
RETURNS TABLE (embedding halfvec, sketch bit, except_id bigint, except_hash bytea)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 100 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF query_kind = 'stored' THEN
    RETURN QUERY SELECT * FROM pgduet._stored_queries($1, $3, $4, $5, $6);
  ELSIF NOT EXISTS (SELECT FROM pgduet.generations g WHERE g.generation_id = $1 AND g.state = 'active') THEN
    RETURN;
  ELSIF query_kind = 'symbol' THEN
    RETURN QUERY SELECT * FROM pgduet._symbol_queries($1, $3, $4, $5, $6);
  ELSIF EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = 'pgduet'::regnamespace AND p.proname = '_recent_queries'
    AND has_function_privilege(p.oid, 'EXECUTE')) THEN
    BEGIN
      RETURN QUERY SELECT q.embedding, q.sketch, NULL::bigint, NULL::bytea FROM pgduet._recent_queries($3) q;
    EXCEPTION WHEN OTHERS THEN
      RAISE NOTICE 'recall is measured without queries that people asked: %', SQLERRM;
    END;
  END IF;
END $$;

-- Queries with their exact answers: `kth` is the distance of the last of the `nearest` chunks there are, up to k. The
-- scan of all sketches is taken for exact as long as it equals the cosine of every row on the first queries, where that
-- takes no more than 20 s. Ends early, with ten queries at least, after so many seconds.
CREATE OR REPLACE FUNCTION pgduet._recall_truth(generation_id integer, query_kind text, sample integer, k integer,
  language text, repo text, path_like text, seconds double precision)
RETURNS TABLE (embedding halfvec, sketch bit, except_id bigint, except_hash bytea, nearest integer,
  kth double precision, exact_ms double precision)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 100 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_depth bigint := greatest(ceil(500 * sqrt(k / 10.0)), 4 * k::bigint);
  v_started timestamptz := clock_timestamp();
  v_start timestamptz;
  v_ways text[] := ARRAY['exact', 'cosine'];
  v_asked integer := 0;
  v_checked double precision := 0;
  v_way text;
  v_kth double precision;
  v_query record;
  v_found record;
BEGIN
  FOR v_query IN SELECT * FROM pgduet._recall_queries($1, $2, $3, $5, $6, $7) LOOP
    EXIT WHEN v_asked >= 10 AND extract(epoch FROM clock_timestamp() - v_started) > $8;
    FOREACH v_way IN ARRAY v_ways LOOP
      -- The cosine of every row takes about seven times as long as the scan of all sketches.
      IF v_way = 'cosine' AND cardinality(v_ways) = 2 AND v_checked + 7 * exact_ms > least($8 / 3, 20) * 1000 THEN
        v_ways := ARRAY['exact'];
        EXIT;
      END IF;
      v_start := clock_timestamp();
      SELECT s.distances[cardinality(s.distances)] AS kth, cardinality(s.distances) AS nearest INTO v_found
      FROM pgduet._scan($1, v_way, NULL, NULL, NULL, CASE v_way WHEN 'exact' THEN v_depth ELSE greatest(100, 2 * k) END,
        v_query.embedding, v_query.sketch, k, $5, $6, $7, true, v_query.except_id, v_query.except_hash) s;
      exact_ms := 1000 * extract(epoch FROM clock_timestamp() - v_start);
      IF v_way = 'exact' THEN
        v_kth := v_found.kth;
      ELSIF cardinality(v_ways) = 2 THEN
        v_checked := v_checked + exact_ms;
        IF v_kth IS NULL OR v_found.kth < v_kth - 1e-6 THEN
          v_ways := ARRAY['cosine'];
        ELSIF v_asked >= 9 THEN
          v_ways := ARRAY['exact'];
        END IF;
      END IF;
    END LOOP;
    v_asked := v_asked + 1;
    CONTINUE WHEN v_found.nearest IS NULL;
    embedding := v_query.embedding;
    sketch := v_query.sketch;
    except_id := v_query.except_id;
    except_hash := v_query.except_hash;
    nearest := v_found.nearest;
    kth := v_found.kth;
    RETURN NEXT;
  END LOOP;
END $$;

-- The share of a query's nearest chunks that one way of searching finds, and how long it takes. Equal distances count.
CREATE OR REPLACE FUNCTION pgduet._recall_try(generation_id integer, way text, kind text, probes integer,
  ef_search integer, depth bigint, embedding halfvec, sketch bit, k integer, language text, repo text, path_like text,
  except_id bigint, except_hash bytea, nearest integer, kth double precision,
  OUT recall double precision, OUT ms double precision)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_start timestamptz := clock_timestamp();
  v_distances double precision[];
BEGIN
  SELECT s.distances INTO v_distances
  FROM pgduet._scan($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, true, $13, $14) s;
  ms := 1000 * extract(epoch FROM clock_timestamp() - v_start);
  recall := least($15, (SELECT count(*) FROM unnest(v_distances) d WHERE d <= $16 + 1e-6)) / $15::double precision;
END $$;

-- Mean recall of queries with k neighbours each, and Wilson's interval of 95 %. Neighbours of one query are missed
-- together: they count for as many independent trials as the spread between queries shows.
CREATE OR REPLACE FUNCTION pgduet._recall_interval(recalls double precision[], k integer, OUT recall double precision,
  OUT recall_low double precision, OUT recall_high double precision)
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT m.p, least(m.p, greatest(0, (m.p + z.z2 / 2 - s.half) / (1 + z.z2))),
    greatest(m.p, least(1, (m.p + z.z2 / 2 + s.half) / (1 + z.z2)))
  FROM (SELECT avg(r) AS p, count(*) AS n, coalesce(var_samp(r), 0) AS spread FROM unnest($1) r) m
  CROSS JOIN LATERAL (
    SELECT greatest(1, CASE WHEN m.p > 0 AND m.p < 1 THEN m.spread * $2 / (m.p * (1 - m.p)) END)) e (k)
  CROSS JOIN LATERAL (SELECT 1.96 ^ 2 * e.k / nullif(m.n * $2, 0)) z (z2)
  CROSS JOIN LATERAL (SELECT sqrt(z.z2 * (m.p * (1 - m.p) + z.z2 / 4))) s (half)
$$;

CREATE OR REPLACE FUNCTION pgduet.index_recall(sample integer DEFAULT 200, k integer DEFAULT 10,
  language text DEFAULT NULL, repo text DEFAULT NULL, path_like text DEFAULT NULL)
RETURNS TABLE (query_kind text, queries integer, recall double precision, recall_low double precision,
  recall_high double precision, search_ms double precision, exact_ms double precision, way text, index_kind text,
  probes integer, ef_search integer, depth bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 2 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_generation integer := (SELECT g.generation_id FROM pgduet.generations g WHERE g.state = 'active');
  v_plan record;
BEGIN
  IF sample IS NULL OR sample NOT BETWEEN 1 AND 10000 THEN
    RAISE EXCEPTION 'sample must be 1 to 10000 queries, not %', coalesce(sample::text, 'NULL')
      USING ERRCODE = '22023', HINT = 'Ask for 200 or so; leave sample out for 200.';
  ELSIF k IS NULL OR k NOT BETWEEN 1 AND 1000 THEN
    RAISE EXCEPTION 'k must be 1 to 1000 neighbours, not %', coalesce(k::text, 'NULL')
      USING ERRCODE = '22023', HINT = 'Ask for 10 or so; leave k out for 10.';
  END IF;
  IF v_generation IS NULL THEN
    RETURN;
  END IF;
  SELECT * INTO v_plan FROM pgduet._search_plan(v_generation, $3, $4, $5, $2);
  way := v_plan.way;
  index_kind := v_plan.kind;
  probes := v_plan.probes;
  ef_search := v_plan.ef_search;
  depth := v_plan.depth;
  FOREACH query_kind IN ARRAY ARRAY['stored', 'real', 'symbol'] LOOP
    SELECT count(*), (pgduet._recall_interval(array_agg(s.recall), $2)).*,
      percentile_cont(0.5) WITHIN GROUP (ORDER BY s.ms), percentile_cont(0.5) WITHIN GROUP (ORDER BY s.exact_ms)
    INTO queries, recall, recall_low, recall_high, search_ms, exact_ms
    FROM (
      SELECT t.exact_ms, r.recall, r.ms
      FROM pgduet._recall_truth(v_generation, query_kind, $1, $2, $3, $4, $5, 'infinity') t
      CROSS JOIN LATERAL pgduet._recall_try(v_generation, v_plan.way, v_plan.kind, v_plan.probes, v_plan.ef_search,
        v_plan.depth, t.embedding, t.sketch, $2, $3, $4, $5, t.except_id, t.except_hash, t.nearest, t.kth) r
    ) s;
    CONTINUE WHEN queries = 0;
    RETURN NEXT;
    -- Names stand for what people ask, where nobody knows that.
    EXIT WHEN query_kind = 'real' AND queries >= least(20, $1);
  END LOOP;
END $$;
SET LOCAL search_path = pg_catalog, pg_temp;
