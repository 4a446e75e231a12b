-- Writing the chunks of watched rows.

-- Forgets rows with their chunks.
CREATE OR REPLACE FUNCTION pgduet._drop_source_rows(watch_id integer, row_keys text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_mode text := current_setting('pgduet.trigger_mode', true);
BEGIN
  PERFORM set_config('pgduet.trigger_mode', 'queue', true);
  DELETE FROM pgduet.code_chunks c USING pgduet._watch w
  WHERE w.watch_id = $1 AND c.source = w.source AND c.source_key = ANY (pgduet._chunk_keys($1, $2));
  DELETE FROM pgduet._source_row r WHERE r.watch_id = $1 AND r.row_key = ANY ($2);
  PERFORM set_config('pgduet.trigger_mode', coalesce(v_mode, ''), true);
END $$;

-- Which stored chunk each new one takes the place of: one of the same content where there is one, so that a function
-- that moved is not embedded again, else any that is left; NULL where none is left.
CREATE OR REPLACE FUNCTION pgduet._match_chunks(source text, source_keys text[], contents text[]) RETURNS bigint[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH old AS (
    SELECT c.chunk_id, c.content_hash AS hash,
      row_number() OVER (PARTITION BY c.content_hash ORDER BY c.start_line, c.chunk_id) AS copy
    FROM pgduet.code_chunks c WHERE c.source = $1 AND c.source_key = ANY ($2)
  ), new AS (
    SELECT n.place, h.hash, row_number() OVER (PARTITION BY h.hash ORDER BY n.place) AS copy
    FROM unnest($3) WITH ORDINALITY n (content, place) CROSS JOIN LATERAL (SELECT pgduet._content_hash(n.content)) h (hash)
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

-- Makes one row's chunks what was cut out of it; chunks that are as they were are not touched. False, and nothing
-- written, where the owner lost its lease: then another worker has the row, perhaps with newer content. With an error
-- the row has no chunks until its content changes.
CREATE OR REPLACE FUNCTION pgduet._write_source(owner text, watch_id integer, row_key text, row_version text,
  row_hash bytea, error text, path text, symbols text[], kinds text[], languages text[], start_lines integer[],
  end_lines integer[], contents text[]) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
#variable_conflict use_column
DECLARE
  v_watch pgduet._watch;
  v_mode text := current_setting('pgduet.trigger_mode', true);
  v_old text[] := pgduet._chunk_keys($2, ARRAY[$3]);
  v_ids bigint[];
  v_free text[];
BEGIN
  -- Locked first, here and wherever a watch is forgotten: no chunk appears behind the back of unwatch().
  SELECT * INTO v_watch FROM pgduet._watch w WHERE w.watch_id = $2 FOR KEY SHARE;
  PERFORM FROM pgduet._source s WHERE s.watch_id = $2 AND s.row_key = $3 AND s.lease_owner = $1 FOR UPDATE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM set_config('pgduet.trigger_mode', 'queue', true);
  v_ids := pgduet._match_chunks(v_watch.source, v_old, $13);
  DELETE FROM pgduet.code_chunks c WHERE c.source = v_watch.source AND c.source_key = ANY (v_old)
    AND c.chunk_id <> ALL (array_remove(v_ids, NULL));
  UPDATE pgduet.code_chunks c SET (repo, path, symbol, kind, language, start_line, end_line, content) =
    (v_watch.repo, $7, n.symbol, n.kind, n.language, n.start_line, n.end_line, n.content)
  FROM unnest(v_ids, $8, $9, $10, $11, $12, $13) n (chunk_id, symbol, kind, language, start_line, end_line, content)
  WHERE c.chunk_id = n.chunk_id AND (c.repo, c.path, c.symbol, c.kind, c.language, c.start_line, c.end_line, c.content)
    IS DISTINCT FROM (v_watch.repo, $7, n.symbol, n.kind, n.language, n.start_line, n.end_line, n.content);
  -- Keys stay without gaps: the highest move down to where one was deleted, then come the new ones.
  v_free := ARRAY(SELECT k.key FROM (SELECT n.n, CASE n.n WHEN 1 THEN $3 ELSE $3 || E'\x1f' || n.n END AS key
      FROM generate_series(1, cardinality($13)) n (n)) k
    WHERE NOT EXISTS (SELECT FROM pgduet.code_chunks c WHERE c.source = v_watch.source AND c.source_key = k.key)
    ORDER BY k.n);
  WITH moved AS (
    UPDATE pgduet.code_chunks c SET source_key = f.key
    FROM (SELECT c.chunk_id, row_number() OVER (ORDER BY c.chunk_id) AS turn FROM pgduet.code_chunks c
      WHERE c.source = v_watch.source AND c.source_key = ANY (v_old[cardinality($13) + 1:])) m
    JOIN unnest(v_free) WITH ORDINALITY f (key, turn) ON f.turn = m.turn
    WHERE c.chunk_id = m.chunk_id RETURNING c.source_key
  )
  SELECT array_agg(f.key ORDER BY f.turn) INTO v_free FROM unnest(v_free) WITH ORDINALITY f (key, turn)
  WHERE f.key <> ALL (ARRAY(SELECT m.source_key FROM moved m));
  INSERT INTO pgduet.code_chunks (source, source_key, repo, path, symbol, kind, language, start_line, end_line, content)
  SELECT v_watch.source, v_free[row_number() OVER (ORDER BY n.place)], v_watch.repo, $7, n.symbol, n.kind, n.language,
    n.start_line, n.end_line, n.content
  FROM unnest(v_ids, $8, $9, $10, $11, $12, $13) WITH ORDINALITY n (chunk_id, symbol, kind, language, start_line, end_line,
    content, place)
  WHERE n.chunk_id IS NULL;
  PERFORM set_config('pgduet.trigger_mode', coalesce(v_mode, ''), true);
  INSERT INTO pgduet._source_row (watch_id, row_key, row_version, row_hash, chunks, error)
  VALUES ($2, $3, $4, $5, cardinality($13), $6)
  ON CONFLICT (watch_id, row_key) DO UPDATE SET (row_version, row_hash, chunks, error, done_at) =
    (excluded.row_version, excluded.row_hash, excluded.chunks, excluded.error, now());
  DELETE FROM pgduet._source s WHERE s.watch_id = $2 AND s.row_key = $3 AND s.lease_owner = $1;
  RETURN true;
END $$;
