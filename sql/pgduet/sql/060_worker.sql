-- Chunks that have no current vector, however that came about: a restore, a disabled trigger, replication. The
-- truth is the data: a chunk is current when the active generation holds a vector of the same content.
CREATE OR REPLACE FUNCTION pgduet._embed_missing(slice integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_ids bigint[];
BEGIN
  SELECT array_agg(s.chunk_id) INTO v_ids FROM (
    SELECT c.chunk_id FROM pgduet.code_chunks c
    WHERE c.content_hash IS NOT NULL AND NOT EXISTS (
      SELECT FROM pgduet.code_embeddings e
      WHERE e.chunk_id = c.chunk_id AND e.content_hash = c.content_hash
        AND e.generation_id = (SELECT g.generation_id FROM pgduet.generations g WHERE g.state = 'active'))
    LIMIT slice FOR KEY SHARE OF c SKIP LOCKED
  ) s;
  IF v_ids IS NOT NULL THEN
    PERFORM pgduet._embed_chunks(v_ids);
  END IF;
  RETURN coalesce(cardinality(v_ids), 0);
END $$;
