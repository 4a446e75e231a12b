-- The truth is the data, never the queue: this finds what the queue missed (replica mode, a restore, a disabled
-- trigger, logical replication) and vectors that outlived their chunk.

-- Looks at the chunks and vectors with ids after `after`, `slice` of them at most; `upto` is where to go on, NULL at
-- the end.
CREATE OR REPLACE FUNCTION pgduet._reconcile_slice(after bigint, slice integer,
  OUT upto bigint, OUT enqueued bigint, OUT removed bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off AS $$
#variable_conflict use_column
DECLARE
  v_last bigint;
BEGIN
  SELECT least(
    (SELECT c.chunk_id FROM pgduet.code_chunks c WHERE c.chunk_id > $1 ORDER BY c.chunk_id OFFSET $2 - 1 LIMIT 1),
    (SELECT e.chunk_id FROM pgduet.code_embeddings e WHERE e.chunk_id > $1 ORDER BY e.chunk_id OFFSET $2 - 1 LIMIT 1))
    INTO upto;
  v_last := coalesce(upto, 9223372036854775807);
  INSERT INTO pgduet._pending (chunk_id)
  SELECT DISTINCT c.chunk_id FROM pgduet.code_chunks c CROSS JOIN pgduet._live_generation g
  WHERE c.chunk_id > $1 AND c.chunk_id <= v_last AND c.content_hash IS NOT NULL AND NOT EXISTS (
      SELECT FROM pgduet.code_embeddings e WHERE e.chunk_id = c.chunk_id AND e.generation_id = g.generation_id
        AND e.chunk_id > $1 AND e.chunk_id <= v_last AND e.content_hash = c.content_hash
        AND (e.repo, e.path, e.language) IS NOT DISTINCT FROM (c.repo, c.path, c.language))
    AND NOT EXISTS (SELECT FROM pgduet._dead_letter d WHERE d.chunk_id = c.chunk_id
      AND d.generation_id = g.generation_id AND d.content_hash = c.content_hash)
    AND NOT EXISTS (SELECT FROM pgduet._pending p WHERE p.chunk_id = c.chunk_id);
  GET DIAGNOSTICS enqueued = ROW_COUNT;
  removed := pgduet._drop_orphans(ARRAY(
    SELECT DISTINCT e.chunk_id FROM pgduet.code_embeddings e WHERE e.chunk_id > $1 AND e.chunk_id <= v_last
      AND NOT EXISTS (SELECT FROM pgduet.code_chunks c WHERE c.chunk_id = e.chunk_id AND c.chunk_id > $1
        AND c.chunk_id <= v_last AND c.content_hash IS NOT NULL)));
  PERFORM pgduet._forget_failures(ARRAY(
    SELECT d.chunk_id FROM pgduet._dead_letter d WHERE d.chunk_id > $1 AND d.chunk_id <= v_last));
END $$;

CREATE OR REPLACE FUNCTION pgduet.reconcile(OUT enqueued bigint, OUT removed bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_slice record;
  v_after bigint := -9223372036854775808;
BEGIN
  enqueued := 0;
  removed := 0;
  WHILE v_after IS NOT NULL LOOP
    SELECT * INTO v_slice FROM pgduet._reconcile_slice(v_after, 20000);
    enqueued := enqueued + v_slice.enqueued;
    removed := removed + v_slice.removed;
    v_after := v_slice.upto;
  END LOOP;
  IF enqueued > 0 THEN
    PERFORM pgduet._wake();
  END IF;
END $$;
