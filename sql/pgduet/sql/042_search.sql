-- Search as people call it.
CREATE OR REPLACE FUNCTION pgduet._check_k(k integer) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF k IS NULL OR k < 0 THEN
    RAISE EXCEPTION 'k must be a number of rows, not %', coalesce(k::text, 'NULL')
      USING ERRCODE = '22023', HINT = 'Ask for 10 or so; leave k out for 10.';
  END IF;
END $$;

-- PostgreSQL refuses such a pattern only where it has a row to compare it with.
CREATE OR REPLACE FUNCTION pgduet._check_pattern(path_like text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF (length(path_like) - length(rtrim(path_like, E'\\'))) % 2 = 1 THEN
    RAISE EXCEPTION 'path_like ends in a backslash that escapes nothing: %', path_like
      USING ERRCODE = '22025', HINT = 'In a LIKE pattern two backslashes stand for one.';
  END IF;
END $$;

CREATE OR REPLACE FUNCTION pgduet._similar_code(query text, k integer, only_language text, only_repo text,
  path_like text, min_similarity double precision, distinct_content boolean, lexical boolean)
RETURNS TABLE (chunk_id bigint, repo text, path text, symbol text, kind text, language text, start_line integer,
  end_line integer, content text, similarity double precision, source text, source_key text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_query record;
  v_found record;
BEGIN
  PERFORM pgduet._check_k(k), pgduet._check_pattern(path_like);
  IF k = 0 OR query IS NULL THEN
    RETURN;
  END IF;
  SELECT r.embedding, r.sketch, r.failure INTO v_query FROM pgduet._embed_rows(ARRAY[query], 'query', 'infinity') r;
  IF v_query.failure IS NOT NULL THEN
    RAISE EXCEPTION 'the query cannot be embedded: %', v_query.failure
      USING ERRCODE = '22023', HINT = 'A query needs at least one visible character.';
  END IF;
  IF lexical THEN
    SELECT h.ids, h.distances INTO v_found FROM pgduet._hybrid(query, v_query.embedding, v_query.sketch, k,
      only_language, only_repo, path_like, coalesce(distinct_content, true)) h;
  ELSE
    SELECT n.ids, n.distances INTO v_found FROM pgduet._ranked(v_query.embedding, v_query.sketch, k, only_language,
      only_repo, path_like, coalesce(distinct_content, true), NULL, NULL) n;
  END IF;
  RETURN QUERY SELECT * FROM pgduet._shown(v_found.ids, v_found.distances, min_similarity);
END $$;

CREATE OR REPLACE FUNCTION pgduet._similar_to(from_chunk bigint, k integer, only_language text, only_repo text,
  path_like text, min_similarity double precision, distinct_content boolean)
RETURNS TABLE (chunk_id bigint, repo text, path text, symbol text, kind text, language text, start_line integer,
  end_line integer, content text, similarity double precision, source text, source_key text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_chunk record;
  v_found record;
BEGIN
  PERFORM pgduet._check_k(k), pgduet._check_pattern(path_like);
  IF k = 0 OR from_chunk IS NULL THEN
    RETURN;
  END IF;
  -- Out of an array comes a copy in memory: the stored vector would be fetched anew for every candidate.
  SELECT (ARRAY[e.embedding])[1] AS embedding, e.sketch, e.content_hash INTO v_chunk
  FROM pgduet.code_embeddings e JOIN pgduet.generations g ON g.generation_id = e.generation_id AND g.state = 'active'
  WHERE e.chunk_id = $1 AND EXISTS (SELECT FROM pgduet.code_chunks c WHERE c.chunk_id = $1);
  IF NOT FOUND THEN
    RAISE EXCEPTION 'chunk % has no vector', from_chunk USING ERRCODE = '22023',
      HINT = 'See pgduet.coverage: the chunk may not exist, be blank, or still be pending.';
  END IF;
  SELECT n.ids, n.distances INTO v_found FROM pgduet._ranked(v_chunk.embedding, v_chunk.sketch, k, only_language,
    only_repo, path_like, coalesce(distinct_content, true), $1,
    CASE WHEN coalesce(distinct_content, true) THEN v_chunk.content_hash END) n;
  RETURN QUERY SELECT * FROM pgduet._shown(v_found.ids, v_found.distances, min_similarity);
END $$;

CREATE OR REPLACE FUNCTION pgduet.similar_code(query text, k integer DEFAULT 10, language text DEFAULT NULL,
  repo text DEFAULT NULL, path_like text DEFAULT NULL, min_similarity double precision DEFAULT NULL,
  distinct_content boolean DEFAULT true, lexical boolean DEFAULT false)
RETURNS TABLE (chunk_id bigint, repo text, path text, symbol text, kind text, language text, start_line integer,
  end_line integer, content text, similarity double precision, source text, source_key text)
LANGUAGE sql STABLE PARALLEL UNSAFE COST 1000000 ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
  SELECT * FROM pgduet._similar_code($1, $2, $3, $4, $5, $6, $7, $8)
$$;

CREATE OR REPLACE FUNCTION pgduet.similar_to(chunk_id bigint, k integer DEFAULT 10, language text DEFAULT NULL,
  repo text DEFAULT NULL, path_like text DEFAULT NULL, min_similarity double precision DEFAULT NULL,
  distinct_content boolean DEFAULT true)
RETURNS TABLE (chunk_id bigint, repo text, path text, symbol text, kind text, language text, start_line integer,
  end_line integer, content text, similarity double precision, source text, source_key text)
LANGUAGE sql STABLE PARALLEL UNSAFE COST 10000 ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
  SELECT * FROM pgduet._similar_to($1, $2, $3, $4, $5, $6, $7)
$$;
