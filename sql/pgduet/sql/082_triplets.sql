-- What mining asks of stored vectors. Both run with their caller's rights, so that row security holds.

-- Cosines between pairs of chunks, of the whole vector and of each half (NULL where a half has no weight). Pairs of
-- which one has no current vector are left out.
CREATE OR REPLACE FUNCTION pgduet._pair_cosines(first bigint[], second bigint[])
RETURNS TABLE (place bigint, similarity double precision, code double precision, text double precision)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_generation integer := (SELECT g.generation_id FROM pgduet.generations g WHERE g.state = 'active');
BEGIN
  -- A half is 1536 numbers of code, then 1024 of text; cosine takes no notice of their weights.
  RETURN QUERY EXECUTE format($sql$
    SELECT u.place, 1 - %1$I.cosine_distance(a.embedding, b.embedding),
      nullif(1 - %1$I.cosine_distance(%1$I.subvector(a.embedding, 1, 1536), %1$I.subvector(b.embedding, 1, 1536)), 'NaN'),
      nullif(1 - %1$I.cosine_distance(%1$I.subvector(a.embedding, 1537, 1024), %1$I.subvector(b.embedding, 1537, 1024)),
        'NaN')
    FROM unnest($1, $2) WITH ORDINALITY u (first, second, place)
    JOIN pgduet.code_embeddings a ON a.chunk_id = u.first AND a.generation_id = $3
    JOIN pgduet.code_chunks f ON f.chunk_id = a.chunk_id AND f.content_hash = a.content_hash
    JOIN pgduet.code_embeddings b ON b.chunk_id = u.second AND b.generation_id = $3
    JOIN pgduet.code_chunks s ON s.chunk_id = b.chunk_id AND s.content_hash = b.content_hash$sql$,
    (SELECT n.nspname FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace WHERE x.extname = 'vector'))
  USING first, second, v_generation;
END $$;

-- The k chunks nearest to each of some chunks, found as a search finds them, copies of one content once.
CREATE OR REPLACE FUNCTION pgduet._neighbours(chunk_ids bigint[], k integer)
RETURNS TABLE (chunk_id bigint, neighbour_id bigint)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_chunk record;
  v_found record;
BEGIN
  FOR v_chunk IN
    -- Out of an array comes a copy in memory: the stored vector would be fetched anew for every candidate.
    SELECT e.chunk_id, e.content_hash, (ARRAY[e.embedding])[1] AS embedding, e.sketch
    FROM unnest($1) WITH ORDINALITY u (chunk_id, place)
    JOIN pgduet.generations g ON g.state = 'active'
    JOIN pgduet.code_embeddings e ON e.chunk_id = u.chunk_id AND e.generation_id = g.generation_id
    ORDER BY u.place
  LOOP
    SELECT r.ids INTO v_found FROM pgduet._ranked(v_chunk.embedding, v_chunk.sketch, $2, NULL, NULL, NULL, true,
      v_chunk.chunk_id, v_chunk.content_hash) r;
    RETURN QUERY SELECT v_chunk.chunk_id, n.id FROM unnest(v_found.ids) n (id);
  END LOOP;
END $$;
