-- Writing the chunks of watched rows.

-- Forgets rows with their chunks, whatever policies those have: who calls this reads the watched table without.
CREATE OR REPLACE FUNCTION pgduet._drop_source_rows(watch_id integer, row_keys text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = on SET enable_seqscan = off AS $$
DECLARE
  v_mode text := current_setting('pgduet.trigger_mode', true);
  v_source text := (SELECT w.source FROM pgduet._watch w WHERE w.watch_id = $1);
  v_keys text[] := pgduet._chunk_keys($1, $2);
BEGIN
  PERFORM set_config('pgduet.trigger_mode', 'queue', true);
  DELETE FROM pgduet.code_chunks c WHERE c.source = v_source AND c.source_key = ANY (v_keys);
  DELETE FROM pgduet._source_row r WHERE r.watch_id = $1 AND r.row_key = ANY ($2);
  PERFORM set_config('pgduet.trigger_mode', coalesce(v_mode, ''), true);
END $$;

-- Which stored chunk each new one takes the place of: one of the same content where there is one, so that a function
-- that moved is not embedded again, else any that is left; NULL where none is left.
CREATE OR REPLACE FUNCTION pgduet._match_chunks(source text, source_keys text[], contents text[]) RETURNS bigint[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_nestloop = off
SET jit = off AS $$
  WITH old AS (
    SELECT c.chunk_id, c.content_hash AS hash,
      row_number() OVER (PARTITION BY c.content_hash ORDER BY c.start_line, c.chunk_id) AS copy
    FROM pgduet.code_chunks c WHERE c.source = $1 AND c.source_key = ANY ($2)
  ), new AS (
    SELECT n.place, h.hash, row_number() OVER (PARTITION BY h.hash ORDER BY n.place) AS copy
    FROM unnest($3) WITH ORDINALITY n (content, place)
    CROSS JOIN LATERAL (SELECT pgduet._content_hash(n.content)) h (hash)
  ), matched AS (
    SELECT n.place, o.chunk_id, row_number() OVER (PARTITION BY o.chunk_id IS NULL ORDER BY n.place) AS turn
    FROM new n LEFT JOIN old o ON o.hash = n.hash AND o.copy = n.copy
  ), spare AS (
    SELECT o.chunk_id, row_number() OVER (ORDER BY o.chunk_id) AS turn FROM old o
    WHERE NOT EXISTS (SELECT FROM matched m WHERE m.chunk_id = o.chunk_id)
  )
  SELECT coalesce(array_agg(coalesce(m.chunk_id, s.chunk_id) ORDER BY m.place), '{}')
  FROM matched m LEFT JOIN spare s ON m.chunk_id IS NULL AND s.turn = m.turn
$$;

-- Makes the chunks of one row those of `new`, which is matched to what is stored: chunks that are as they were are not
-- touched. Each statement here costs a look at its transition tables: those that have nothing to do are left out.
CREATE OR REPLACE FUNCTION pgduet._replace_chunks(source text, row_key text, stored text[], new pgduet._source_chunk[])
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  v_ids bigint[] := ARRAY(SELECT n.chunk_id FROM unnest($4) n WHERE n.chunk_id IS NOT NULL);
  v_keys text[] := ARRAY(SELECT CASE n.n WHEN 1 THEN $2 ELSE $2 || E'\x1f' || n.n END
    FROM generate_series(1, cardinality($4)) n (n) ORDER BY n.n);
  v_free text[];
BEGIN
  IF cardinality(v_ids) < cardinality($3) THEN
    DELETE FROM pgduet.code_chunks c WHERE c.source = $1 AND c.source_key = ANY ($3) AND c.chunk_id <> ALL (v_ids);
  END IF;
  IF cardinality(v_ids) > 0 THEN
    UPDATE pgduet.code_chunks c SET (repo, path, symbol, kind, language, start_line, end_line, content) =
      (n.repo, n.path, n.symbol, n.kind, n.language, n.start_line, n.end_line, n.content)
    FROM unnest($4) n WHERE c.chunk_id = n.chunk_id
      AND (c.repo, c.path, c.symbol, c.kind, c.language, c.start_line, c.end_line, c.content)
        IS DISTINCT FROM (n.repo, n.path, n.symbol, n.kind, n.language, n.start_line, n.end_line, n.content);
  END IF;
  v_free := ARRAY(SELECT k.key FROM unnest(v_keys) WITH ORDINALITY k (key, n) WHERE NOT EXISTS (
    SELECT FROM pgduet.code_chunks c WHERE c.source = $1 AND c.source_key = k.key) ORDER BY k.n);
  IF cardinality($3) > cardinality($4) THEN
    -- Keys stay without gaps: the highest take the places of those that were deleted.
    v_ids := ARRAY(SELECT c.chunk_id FROM pgduet.code_chunks c
      WHERE c.source = $1 AND c.source_key = ANY ($3[cardinality($4) + 1:]));
    UPDATE pgduet.code_chunks c SET source_key = f.key
    FROM unnest(v_ids, v_free[:cardinality(v_ids)]) f (chunk_id, key) WHERE c.chunk_id = f.chunk_id;
    v_free := v_free[cardinality(v_ids) + 1:];
  END IF;
  IF cardinality(v_free) > 0 THEN
    INSERT INTO pgduet.code_chunks (source, source_key, repo, path, symbol, kind, language, start_line, end_line,
      content)
    SELECT $1, n.key, n.repo, n.path, n.symbol, n.kind, n.language, n.start_line, n.end_line, n.content
    FROM ROWS FROM (unnest(v_free), unnest(ARRAY(SELECT n FROM unnest($4) n WHERE n.chunk_id IS NULL)))
      n (key, chunk_id, repo, path, symbol, kind, language, start_line, end_line, content);
  END IF;
END $$;

-- Writes what was cut out of one row, and takes it off the queue. False, and nothing written, where the owner lost its
-- lease: then another worker has the row, perhaps with newer content. With an error the row has no chunks until its
-- content changes.
CREATE OR REPLACE FUNCTION pgduet._write_source(owner text, watch_id integer, row_key text, row_version text,
  row_hash bytea, error text, path text, symbols text[], kinds text[], languages text[], start_lines integer[],
  end_lines integer[], contents text[]) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s'
SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  v_watch pgduet._watch;
  v_mode text := current_setting('pgduet.trigger_mode', true);
  v_stored text[];
  v_new pgduet._source_chunk[];
BEGIN
  -- Locked first, here and wherever a watch is forgotten: no chunk appears behind the back of unwatch().
  SELECT * INTO v_watch FROM pgduet._watch w WHERE w.watch_id = $2 FOR KEY SHARE;
  PERFORM FROM pgduet._source s WHERE s.watch_id = $2 AND s.row_key = $3 AND s.lease_owner = $1 FOR UPDATE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  v_stored := pgduet._chunk_keys($2, ARRAY[$3]);
  -- Side by side and not joined: joins of arrays are planned for ten rows, and there may be thousands.
  v_new := ARRAY(
    SELECT ROW(n.chunk_id, v_watch.repo, $7, n.symbol, n.kind, n.language, n.start_line, n.end_line,
      n.content)::pgduet._source_chunk
    FROM unnest(pgduet._match_chunks(v_watch.source, v_stored, $13), $8, $9, $10, $11, $12, $13) WITH ORDINALITY
      n (chunk_id, symbol, kind, language, start_line, end_line, content, place) ORDER BY n.place);
  PERFORM set_config('pgduet.trigger_mode', 'queue', true);
  PERFORM pgduet._replace_chunks(v_watch.source, $3, v_stored, v_new);
  PERFORM set_config('pgduet.trigger_mode', coalesce(v_mode, ''), true);
  INSERT INTO pgduet._source_row (watch_id, row_key, row_version, row_hash, chunks, error)
  VALUES ($2, $3, $4, $5, cardinality($13), $6)
  ON CONFLICT (row_key, watch_id) DO UPDATE SET (row_version, row_hash, chunks, error, done_at) =
    (excluded.row_version, excluded.row_hash, excluded.chunks, excluded.error, now());
  DELETE FROM pgduet._source s WHERE s.watch_id = $2 AND s.row_key = $3 AND s.lease_owner = $1;
  RETURN true;
END $$;
