-- Lexical search beside the search by meaning: similar_code(lexical => true).
SELECT pgduet._see_pgvector();

-- The statement that ranks chunks by words. A word in more than `common` chunks says little and is not looked for; the
-- index is asked for one word after the other. Without it, and where row security is active (a policy comes before any
-- other condition), the words of every chunk are made anew.
CREATE OR REPLACE FUNCTION pgduet._lexical_statement(generation_id integer, indexed boolean) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_schema name := (SELECT n.nspname FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace
    WHERE x.extname = 'vector');
  -- Blank chunks are not found by their symbols alone: they have no vector.
  v_filter text := 'c.content_hash IS NOT NULL AND ($7 IS NULL OR c.language = $7) AND ($8 IS NULL OR c.repo = $8) AND ($9 IS NULL OR c.path LIKE $9)';
BEGIN
  RETURN format($sql$
    WITH word AS MATERIALIZED (
      SELECT u.word, u.estimate, u.word = ANY ($2) AS named, coalesce(u.estimate > $4, false) AS common
      FROM unnest($1, $11) u (word, estimate)
    ), hit AS MATERIALIZED (
      %1$s
    ), weighed AS (
      -- Rare words weigh more, those that no chunk has the most.
      SELECT w.word, w.named, NOT w.common AND f.found <= $4 AS rare,
        ln(1 + (greatest($3 - f.found, 0) + 0.5) / (f.found + 0.5)) AS weight
      FROM word w CROSS JOIN LATERAL (
        SELECT CASE WHEN w.common THEN w.estimate ELSE (SELECT count(*) FROM hit h WHERE h.word = w.word) END AS found) f
    ), needed AS (
      -- Chunks with a few of many words disturb more than they help: nearly all must be there, by weight, or those of
      -- the identifiers where the query names some.
      SELECT CASE WHEN cardinality($2) > 0 THEN sum(w.weight) FILTER (WHERE w.named AND w.rare) ELSE sum(w.weight) END
        * 0.8 AS weight
      FROM weighed w
    ), scored AS (
      SELECT h.chunk_id, h.content_hash, h.size, sum(w.weight) AS score
      FROM hit h JOIN weighed w ON w.word = h.word AND w.rare
      GROUP BY h.chunk_id, h.content_hash, h.size
      HAVING sum(w.weight) FILTER (WHERE w.named OR cardinality($2) = 0) >= (SELECT n.weight FROM needed n)
    ), ordered AS (
      -- BM25 where every word counts once: k1 = 1.2, b = 0.3.
      SELECT s.chunk_id, s.content_hash, s.score / (1 + 1.2 * (0.7 + 0.3 * s.size / avg(s.size) OVER ())) AS score
      FROM scored s
    ), candidate AS (
      SELECT o.*, dense_rank() OVER (ORDER BY o.score DESC, o.content_hash) AS place FROM ordered o
    ), embedded AS (
      -- Some may have no current vector yet, and copies may score differently: look at more than are asked for.
      SELECT d.chunk_id, d.score, e.embedding,
        row_number() OVER (PARTITION BY CASE WHEN $10 THEN d.content_hash ELSE int8send(d.chunk_id) END
          ORDER BY d.score DESC, d.chunk_id) AS copy
      FROM candidate d JOIN pgduet.code_embeddings e
        ON e.chunk_id = d.chunk_id AND e.generation_id = %2$s AND e.content_hash = d.content_hash
      WHERE d.place <= 4::bigint * $5
    ), best AS (
      SELECT b.chunk_id, b.score, b.embedding OPERATOR(%3$I.<=>) $6 AS distance FROM embedded b WHERE b.copy = 1
      ORDER BY b.score DESC, b.chunk_id LIMIT $5
    )
    SELECT array_agg(b.chunk_id ORDER BY b.score DESC, b.chunk_id),
      array_agg(b.distance ORDER BY b.score DESC, b.chunk_id) FROM best b$sql$,
    CASE WHEN indexed THEN format($hits$
      SELECT w.word, c.* FROM word w CROSS JOIN LATERAL (
        SELECT c.chunk_id, c.content_hash, octet_length(c.content) AS size FROM pgduet.code_chunks c
        WHERE pgduet._lexemes(c.symbol, c.content) @@ ('''' || w.word || '''')::tsquery AND %s LIMIT $4 + 1) c
      WHERE NOT w.common$hits$, v_filter)
    ELSE format($hits$
      SELECT w.word, c.chunk_id, c.content_hash, octet_length(c.content) AS size FROM pgduet.code_chunks c
      CROSS JOIN LATERAL unnest(tsvector_to_array(pgduet._lexemes(c.symbol, c.content))) w (word)
      WHERE w.word = ANY ($1) AND %s$hits$, v_filter) END,
    generation_id, v_schema);
END $$;

-- The `most` chunks that suit the words of a query best, and their cosine distances: of all that have a current vector
-- in the active generation, pass the filter and may be seen.
CREATE OR REPLACE FUNCTION pgduet._lexical(query text, embedding halfvec, most integer, language text, repo text,
  path_like text, distinct_content boolean, OUT ids bigint[], OUT distances double precision[])
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp SET work_mem = '16MB' SET jit = off SET enable_seqscan = on AS $$
DECLARE
  v_generation integer := (SELECT g.generation_id FROM pgduet.generations g WHERE g.state = 'active');
  v_query record;
  v_rows double precision;
  v_indexed boolean;
  v_estimates double precision[];
BEGIN
  SELECT w.words, w.identifiers INTO v_query FROM pgduet._query_words($1) w;
  IF cardinality(v_query.words) = 0 THEN
    RETURN;
  END IF;
  v_rows := greatest(pgduet._matching_rows(v_generation, $4, $5, $6), 1);
  v_indexed := NOT row_security_active('pgduet.code_chunks') AND EXISTS (
    SELECT FROM pg_index i WHERE i.indexrelid = to_regclass('pgduet.code_chunks_lexical') AND i.indisvalid);
  IF v_indexed THEN
    v_estimates := pgduet._word_rows(v_query.words, $4, $5, $6);
    -- Without statistics the planner may prefer to make the words of every chunk anew.
    PERFORM set_config('enable_seqscan', 'off', true);
  END IF;
  EXECUTE pgduet._lexical_statement(v_generation, v_indexed) INTO ids, distances
  USING v_query.words, v_query.identifiers, v_rows, least(greatest(1000, v_rows / 50), 5000)::bigint, $3, $2,
    $4, $5, $6, $7, v_estimates;
END $$;

-- Both rankings in one, by reciprocal ranks: 1 / (60 + place), summed (Cormack, Clarke and Buettcher, 2009). Neighbours
-- by meaning fill what words do not find, so that there are as many rows as without.
CREATE OR REPLACE FUNCTION pgduet._hybrid(query text, embedding halfvec, sketch bit, k integer, language text,
  repo text, path_like text, distinct_content boolean, OUT ids bigint[], OUT distances double precision[])
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  -- Deeper than is asked for: what both rankings know should come first though neither has it on top.
  v_most integer := greatest($4, 50);
  v_near record;
  v_words record;
BEGIN
  SELECT n.ids, n.distances INTO v_near FROM pgduet._ranked($2, $3, v_most, $5, $6, $7, $8, NULL, NULL) n;
  SELECT l.ids, l.distances INTO v_words FROM pgduet._lexical($1, $2, v_most, $5, $6, $7, $8) l;
  WITH listed AS (
    SELECT u.id, u.distance, 1.0 / (60 + u.place) AS score, 1 AS ranking
    FROM unnest(v_near.ids, v_near.distances) WITH ORDINALITY u (id, distance, place)
    UNION ALL
    SELECT u.id, u.distance, 1.0 / (60 + u.place), 2
    FROM unnest(v_words.ids, v_words.distances) WITH ORDINALITY u (id, distance, place)
  ), fused AS (
    -- The two may have picked different copies of one content.
    SELECT (array_agg(l.id ORDER BY l.ranking))[1] AS id, (array_agg(l.distance ORDER BY l.ranking))[1] AS distance,
      sum(l.score) AS score
    FROM listed l JOIN pgduet.code_chunks c ON c.chunk_id = l.id
    GROUP BY CASE WHEN $8 THEN c.content_hash ELSE int8send(l.id) END
  ), best AS (
    SELECT f.* FROM fused f ORDER BY f.score DESC, f.distance, f.id LIMIT $4
  )
  SELECT array_agg(b.id ORDER BY b.score DESC, b.distance, b.id),
    array_agg(b.distance ORDER BY b.score DESC, b.distance, b.id) INTO ids, distances
  FROM best b;
END $$;
SET LOCAL search_path = pg_catalog, pg_temp;
