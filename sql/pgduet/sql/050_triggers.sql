-- Statement-level triggers on code_chunks keep code_embeddings in step, inside the statement: what was inserted or
-- changed is embedded in batches, and a failure fails the statement. SECURITY DEFINER, so that a writer needs no
-- right on code_embeddings. Statements over transition tables run by EXECUTE: the plan of a first small statement,
-- once cached, takes time quadratic in the rows of a later large one.

-- Embeds the chunks of a list by one call to the sidecar and returns how many vectors were stored. A chunk that
-- changed during the call, or that somebody is changing, is left to whoever changes it: its row is locked, in a new
-- snapshot, before its vector is written, and the content must still be the one that was sent.
CREATE OR REPLACE FUNCTION pgduet._embed_chunks(ids bigint[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_generation pgduet.generations;
  v_ids bigint[];
  v_hashes bytea[];
  v_contents text[];
  v_made record;
  v_stored integer := 0;
BEGIN
  SELECT * INTO v_generation FROM pgduet.generations g WHERE g.state = 'active';
  SELECT array_agg(c.chunk_id ORDER BY c.chunk_id), array_agg(c.content_hash ORDER BY c.chunk_id),
    array_agg(c.content ORDER BY c.chunk_id) INTO v_ids, v_hashes, v_contents
  FROM pgduet.code_chunks c WHERE c.chunk_id = ANY (ids) AND c.content_hash IS NOT NULL;
  IF v_ids IS NULL THEN
    RETURN 0;
  END IF;
  FOR v_made IN SELECT * FROM pgduet._embed_rows(v_contents, 'document') r WHERE r.embedding IS NOT NULL LOOP
    INSERT INTO pgduet.code_embeddings (chunk_id, generation_id, content_hash, embedding, sketch, repo, path, language,
      code_tokens, text_tokens, truncated)
    SELECT c.chunk_id, v_generation.generation_id, c.content_hash, v_made.embedding, v_made.sketch, c.repo, c.path,
      c.language, v_made.code_tokens, v_made.text_tokens, v_made.truncated
    FROM pgduet.code_chunks c
    WHERE c.chunk_id = v_ids[v_made.ordinality] AND c.content_hash = v_hashes[v_made.ordinality]
    FOR NO KEY UPDATE SKIP LOCKED
    ON CONFLICT (chunk_id, generation_id) DO UPDATE SET
      (content_hash, embedding, sketch, repo, path, language, code_tokens, text_tokens, truncated, embedded_at) =
      (excluded.content_hash, excluded.embedding, excluded.sketch, excluded.repo, excluded.path, excluded.language,
       excluded.code_tokens, excluded.text_tokens, excluded.truncated, excluded.embedded_at);
    IF FOUND THEN
      v_stored := v_stored + 1;
    END IF;
  END LOOP;
  -- A new generation takes the fingerprint of its first vectors; from then on the sidecar refuses any other.
  IF v_generation.fingerprint IS NULL AND v_stored > 0 THEN
    UPDATE pgduet.generations g SET fingerprint = v_made.fingerprint
    WHERE g.generation_id = v_generation.generation_id AND g.fingerprint IS NULL;
    IF NOT EXISTS (SELECT FROM pgduet.generations g
      WHERE g.generation_id = v_generation.generation_id AND g.fingerprint = v_made.fingerprint)
    THEN
      RAISE EXCEPTION 'another session has just stored vectors of another fingerprint than %', v_made.fingerprint
        USING ERRCODE = '55000', HINT = 'Make all sidecars run the same model, then try again.';
    END IF;
  END IF;
  RETURN v_stored;
END $$;

-- Ids in slices, so that neither texts nor vectors of a large statement are ever all in memory.
CREATE OR REPLACE FUNCTION pgduet._embed_query_ids(query text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT format('SELECT array_agg(s.chunk_id) FROM (SELECT q.chunk_id,
    (row_number() OVER (ORDER BY q.chunk_id) - 1) / pgduet._batch_texts() AS slice FROM (%s) q) s
    GROUP BY s.slice ORDER BY s.slice', query)
$$;

CREATE OR REPLACE FUNCTION pgduet._chunks_inserted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_ids bigint[];
BEGIN
  FOR v_ids IN EXECUTE pgduet._embed_query_ids('SELECT chunk_id FROM new_rows WHERE content_hash IS NOT NULL') LOOP
    PERFORM pgduet._embed_chunks(v_ids);
  END LOOP;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION pgduet._chunks_updated() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_ids bigint[];
BEGIN
  EXECUTE 'DELETE FROM pgduet.code_embeddings e USING old_rows o WHERE e.chunk_id = o.chunk_id
    AND NOT EXISTS (SELECT FROM new_rows n WHERE n.chunk_id = o.chunk_id AND n.content_hash IS NOT NULL)';
  EXECUTE 'UPDATE pgduet.code_embeddings e SET repo = n.repo, path = n.path, language = n.language FROM new_rows n
    WHERE e.chunk_id = n.chunk_id AND (e.repo, e.path, e.language) IS DISTINCT FROM (n.repo, n.path, n.language)';
  FOR v_ids IN EXECUTE pgduet._embed_query_ids(
    'SELECT n.chunk_id FROM new_rows n
     LEFT JOIN pgduet.code_embeddings e ON e.chunk_id = n.chunk_id AND e.content_hash = n.content_hash
       AND e.generation_id = (SELECT g.generation_id FROM pgduet.generations g WHERE g.state = ''active'')
     WHERE n.content_hash IS NOT NULL AND e.chunk_id IS NULL') LOOP
    PERFORM pgduet._embed_chunks(v_ids);
  END LOOP;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION pgduet._chunks_deleted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE 'DELETE FROM pgduet.code_embeddings e USING old_rows o WHERE e.chunk_id = o.chunk_id';
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION pgduet._chunks_truncated() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  TRUNCATE pgduet.code_embeddings;
  -- The index was emptied too and knows nothing of the rows to come: any number of them is due for a new one.
  UPDATE pgduet._index_build SET rows_at_build = 0;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION pgduet._chunk_touched() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.updated_at := now();
  RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER _pgduet_insert AFTER INSERT ON pgduet.code_chunks
REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pgduet._chunks_inserted();
CREATE OR REPLACE TRIGGER _pgduet_update AFTER UPDATE ON pgduet.code_chunks
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pgduet._chunks_updated();
CREATE OR REPLACE TRIGGER _pgduet_delete AFTER DELETE ON pgduet.code_chunks
REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION pgduet._chunks_deleted();
CREATE OR REPLACE TRIGGER _pgduet_truncate AFTER TRUNCATE ON pgduet.code_chunks
FOR EACH STATEMENT EXECUTE FUNCTION pgduet._chunks_truncated();
CREATE OR REPLACE TRIGGER _pgduet_touch BEFORE UPDATE ON pgduet.code_chunks
FOR EACH ROW EXECUTE FUNCTION pgduet._chunk_touched();
