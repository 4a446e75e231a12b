-- From chunks to their vectors, for triggers and worker alike. Who writes a vector holds a lock on its chunk: a chunk
-- that somebody is changing is left to whoever changes it, nobody waits, and no late answer replaces a newer one.
-- SECURITY DEFINER, because writers and workers have no right on code_embeddings.

-- Generations that receive vectors: the one that is searched and those being filled beside it.
CREATE OR REPLACE VIEW pgduet._live_generation AS
SELECT g.generation_id, g.model, g.fingerprint, g.state = 'active' AS is_active
FROM pgduet.generations g WHERE g.state IN ('active', 'building', 'ready');

SELECT pgduet._see_pgvector();

-- Deletes vectors of chunks that are gone or blank, and returns how many. Rows are locked in one snapshot and judged
-- in the next: a chunk that came back in between keeps its new vector.
CREATE OR REPLACE FUNCTION pgduet._drop_orphans(chunk_ids bigint[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_ids bigint[];
  v_generations integer[];
  v_dropped bigint;
BEGIN
  SELECT array_agg(s.chunk_id), array_agg(s.generation_id) INTO v_ids, v_generations FROM (
    SELECT e.chunk_id, e.generation_id FROM pgduet.code_embeddings e WHERE e.chunk_id = ANY ($1)
    FOR UPDATE SKIP LOCKED) s;
  DELETE FROM pgduet.code_embeddings e USING unnest(v_ids, v_generations) k (chunk_id, generation_id)
  WHERE e.chunk_id = k.chunk_id AND e.generation_id = k.generation_id AND NOT EXISTS (
    SELECT FROM pgduet.code_chunks c WHERE c.chunk_id = e.chunk_id AND c.content_hash IS NOT NULL);
  GET DIAGNOSTICS v_dropped = ROW_COUNT;
  RETURN v_dropped;
END $$;

-- Forgets failures of content that is no more. A row that somebody else is just forgetting is left to them.
CREATE OR REPLACE FUNCTION pgduet._forget_failures(chunk_ids bigint[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH past AS (
    SELECT d.chunk_id, d.generation_id FROM pgduet._dead_letter d WHERE d.chunk_id = ANY ($1) AND NOT EXISTS (
      SELECT FROM pgduet.code_chunks c WHERE c.chunk_id = d.chunk_id AND c.content_hash = d.content_hash)
    FOR UPDATE OF d SKIP LOCKED
  )
  DELETE FROM pgduet._dead_letter d USING past p
  WHERE d.chunk_id = p.chunk_id AND d.generation_id = p.generation_id
$$;

-- Does for these chunks all that needs no model, and returns a row for each vector that needs one, the active
-- generation's first. Chunks that somebody is changing are left out. No content: a client that reads slowly must not
-- keep the locks that are held here.
CREATE OR REPLACE FUNCTION pgduet._resolve(chunk_ids bigint[])
RETURNS TABLE (generation_id integer, model text, fingerprint text, is_active boolean, chunk_id bigint,
  content_hash bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  v_gone bigint[];
  v_mine bigint[];
BEGIN
  v_gone := ARRAY(SELECT u.id FROM unnest($1) u (id) WHERE NOT EXISTS (
    SELECT FROM pgduet.code_chunks c WHERE c.chunk_id = u.id AND c.content_hash IS NOT NULL));
  IF cardinality(v_gone) > 0 THEN
    PERFORM pgduet._drop_orphans(v_gone);
  END IF;
  PERFORM pgduet._forget_failures($1);
  v_mine := ARRAY(SELECT s.chunk_id FROM (
    SELECT c.chunk_id FROM pgduet.code_chunks c WHERE c.chunk_id = ANY ($1) AND c.content_hash IS NOT NULL
    FOR NO KEY UPDATE SKIP LOCKED) s);
  -- Vectors that are relied on below are not dropped as orphans meanwhile.
  PERFORM FROM pgduet.code_embeddings e WHERE e.chunk_id = ANY (v_mine) FOR KEY SHARE;
  UPDATE pgduet.code_embeddings e SET repo = c.repo, path = c.path, language = c.language FROM pgduet.code_chunks c
  WHERE c.chunk_id = ANY (v_mine) AND e.chunk_id = c.chunk_id AND e.content_hash = c.content_hash
    AND (e.repo, e.path, e.language) IS DISTINCT FROM (c.repo, c.path, c.language);
  INSERT INTO pgduet.code_embeddings (chunk_id, generation_id, content_hash, embedding, sketch, repo, path, language,
    code_tokens, text_tokens, truncated)
  SELECT c.chunk_id, g.generation_id, c.content_hash, d.embedding, d.sketch, c.repo, c.path, c.language, d.code_tokens,
    d.text_tokens, d.truncated
  FROM pgduet.code_chunks c CROSS JOIN pgduet._live_generation g CROSS JOIN LATERAL (
    SELECT * FROM pgduet.code_embeddings s
    WHERE s.generation_id = g.generation_id AND s.content_hash = c.content_hash LIMIT 1) d
  WHERE c.chunk_id = ANY (v_mine) AND d.chunk_id <> c.chunk_id AND NOT EXISTS (
    SELECT FROM pgduet.code_embeddings e WHERE e.chunk_id = c.chunk_id AND e.generation_id = g.generation_id
      AND e.content_hash = c.content_hash)
  ON CONFLICT (chunk_id, generation_id) DO UPDATE SET
    (content_hash, embedding, sketch, repo, path, language, code_tokens, text_tokens, truncated, embedded_at) =
    (excluded.content_hash, excluded.embedding, excluded.sketch, excluded.repo, excluded.path, excluded.language,
     excluded.code_tokens, excluded.text_tokens, excluded.truncated, excluded.embedded_at);
  RETURN QUERY SELECT g.generation_id, g.model, g.fingerprint, g.is_active, c.chunk_id, c.content_hash
    FROM pgduet.code_chunks c CROSS JOIN pgduet._live_generation g
    WHERE c.chunk_id = ANY (v_mine) AND NOT EXISTS (
      SELECT FROM pgduet.code_embeddings e WHERE e.chunk_id = c.chunk_id AND e.generation_id = g.generation_id
        AND e.content_hash = c.content_hash)
      AND NOT EXISTS (SELECT FROM pgduet._dead_letter d WHERE d.chunk_id = c.chunk_id
        AND d.generation_id = g.generation_id AND d.content_hash = c.content_hash)
    ORDER BY g.is_active DESC, g.generation_id, c.chunk_id;
END $$;

-- The contents of chunks, with their hashes as they are now: 32 MB of them at once at most, and always one.
CREATE OR REPLACE FUNCTION pgduet._contents(chunk_ids bigint[])
RETURNS TABLE (chunk_id bigint, content_hash bytea, content text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
  SELECT c.chunk_id, c.content_hash, c.content FROM (
    SELECT s.chunk_id, row_number() OVER w AS place, sum(octet_length(s.content)) OVER w AS bytes
    FROM pgduet.code_chunks s WHERE s.chunk_id = ANY ($1) AND s.content_hash IS NOT NULL
    WINDOW w AS (ORDER BY s.chunk_id)) n
  JOIN pgduet.code_chunks c ON c.chunk_id = n.chunk_id
  WHERE n.bytes <= 33554432 OR n.place = 1
$$;

-- Which of these chunks still wait for the active generation's vector, or still have one too many.
CREATE OR REPLACE FUNCTION pgduet._unresolved(chunk_ids bigint[]) RETURNS bigint[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
  SELECT ARRAY(
    SELECT u.id FROM unnest($1) u (id) JOIN pgduet._live_generation g ON g.is_active
    LEFT JOIN pgduet.code_chunks c ON c.chunk_id = u.id AND c.content_hash IS NOT NULL
    WHERE CASE
      WHEN c.chunk_id IS NULL THEN EXISTS (SELECT FROM pgduet.code_embeddings e WHERE e.chunk_id = u.id)
      ELSE NOT EXISTS (SELECT FROM pgduet.code_embeddings e WHERE e.chunk_id = u.id
          AND e.generation_id = g.generation_id AND e.content_hash = c.content_hash)
        AND NOT EXISTS (SELECT FROM pgduet._dead_letter d WHERE d.chunk_id = u.id
          AND d.generation_id = g.generation_id AND d.content_hash = c.content_hash)
    END)
$$;

-- Writes the vectors of chunks that still hold the content that was sent; returns the ids of those chunks.
CREATE OR REPLACE FUNCTION pgduet._store(generation_id integer, fingerprint text, chunk_ids bigint[], hashes bytea[],
  embeddings halfvec[], sketches bit[], code_tokens integer[], text_tokens integer[], truncated boolean[])
RETURNS bigint[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  v_stored bigint[];
  v_fingerprint text := (SELECT g.fingerprint FROM pgduet.generations g WHERE g.generation_id = $1);
BEGIN
  -- Retired while its vectors were being made: its partition may be gone.
  IF EXISTS (SELECT FROM pgduet.generations g WHERE g.generation_id = $1 AND g.state IN ('retired', 'dropped')) THEN
    RETURN '{}';
  END IF;
  IF v_fingerprint IS NULL THEN
    -- A new generation takes the fingerprint of its first vectors; from then on the sidecar refuses any other. Where
    -- another transaction is about to give it one, nothing is stored: waiting for it could be a deadlock.
    PERFORM FROM pgduet.generations g WHERE g.generation_id = $1 FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
      RETURN '{}';
    END IF;
    UPDATE pgduet.generations g SET fingerprint = $2 WHERE g.generation_id = $1 AND g.fingerprint IS NULL;
    v_fingerprint := (SELECT g.fingerprint FROM pgduet.generations g WHERE g.generation_id = $1);
  END IF;
  IF v_fingerprint IS DISTINCT FROM $2 THEN
    RAISE EXCEPTION 'vectors of fingerprint % cannot stand in generation %, which holds %', $2, $1,
      coalesce(v_fingerprint, 'nothing: it is gone')
      USING ERRCODE = '55000', HINT = 'Make all sidecars run the same model, then try again.';
  END IF;
  WITH locked AS MATERIALIZED (
    SELECT c.chunk_id, c.content_hash, a.embedding, a.sketch, c.repo, c.path, c.language, a.code_tokens, a.text_tokens,
      a.truncated
    FROM unnest($3, $4, $5, $6, $7, $8, $9) a (chunk_id, content_hash, embedding, sketch, code_tokens, text_tokens,
      truncated)
    JOIN pgduet.code_chunks c ON c.chunk_id = a.chunk_id AND c.content_hash = a.content_hash
    FOR NO KEY UPDATE OF c SKIP LOCKED
  ), stored AS (
    INSERT INTO pgduet.code_embeddings AS e (chunk_id, generation_id, content_hash, embedding, sketch, repo, path,
      language, code_tokens, text_tokens, truncated)
    SELECT l.chunk_id, $1, l.content_hash, l.embedding, l.sketch, l.repo, l.path, l.language, l.code_tokens,
      l.text_tokens, l.truncated
    FROM locked l
    ON CONFLICT (chunk_id, generation_id) DO UPDATE SET
      (content_hash, embedding, sketch, repo, path, language, code_tokens, text_tokens, truncated, embedded_at) =
      (excluded.content_hash, excluded.embedding, excluded.sketch, excluded.repo, excluded.path, excluded.language,
       excluded.code_tokens, excluded.text_tokens, excluded.truncated, excluded.embedded_at)
    RETURNING e.chunk_id
  )
  SELECT coalesce(array_agg(s.chunk_id), '{}') INTO v_stored FROM stored s;
  RETURN v_stored;
END $$;
SET LOCAL search_path = pg_catalog, pg_temp;
