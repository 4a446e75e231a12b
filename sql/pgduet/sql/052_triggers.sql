-- Statement-level triggers on code_chunks. Statements over transition tables run by EXECUTE: the plan of a first small
-- statement, once cached, takes time quadratic in the rows of a later large one. Comparing by set operations needs no
-- join. SECURITY DEFINER, so that a writer needs no right on the tables behind.

-- Which chunks a statement gives work for. A transition table takes no column list: what counts is compared.
CREATE OR REPLACE FUNCTION pgduet._changed_query(operation text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE operation
    WHEN 'INSERT' THEN 'SELECT n.chunk_id FROM new_rows n WHERE n.content_hash IS NOT NULL'
    WHEN 'DELETE' THEN 'SELECT o.chunk_id FROM old_rows o WHERE o.content_hash IS NOT NULL'
    ELSE 'SELECT s.chunk_id FROM (
        (SELECT n.chunk_id, n.content_hash, n.repo, n.path, n.language FROM new_rows n
         EXCEPT SELECT o.chunk_id, o.content_hash, o.repo, o.path, o.language FROM old_rows o)
        UNION ALL
        (SELECT o.chunk_id, o.content_hash, o.repo, o.path, o.language FROM old_rows o
         EXCEPT SELECT n.chunk_id, n.content_hash, n.repo, n.path, n.language FROM new_rows n)) s
      GROUP BY s.chunk_id HAVING count(s.content_hash) > 0'
  END
$$;

-- Ids in slices, so that neither texts nor vectors of a large statement are ever all in memory.
CREATE OR REPLACE FUNCTION pgduet._sliced_query(query text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT format('SELECT array_agg(s.chunk_id) FROM (SELECT q.chunk_id,
    (row_number() OVER (ORDER BY q.chunk_id) - 1) / %s AS slice FROM (%s) q) s
    GROUP BY s.slice ORDER BY s.slice', pgduet._batch_texts(), query)
$$;

-- Where reads are tracked (SERIALIZABLE), or the snapshot may be older than the worker's last write (REPEATABLE READ),
-- touching vectors could make the user's transaction fail where a bare table would not: there the queue is the only
-- place that is safe to write to.
CREATE OR REPLACE FUNCTION pgduet._chunks_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = on AS $$
DECLARE
  v_query text := pgduet._changed_query(TG_OP);
  v_isolation text := current_setting('transaction_isolation');
  v_mode text := CASE WHEN v_isolation = 'serializable' THEN 'queue' ELSE pgduet._trigger_mode() END;
  v_most integer;
  v_ids bigint[];
  v_rows bigint;
BEGIN
  IF v_mode = 'auto' THEN
    v_most := (SELECT s.value::integer FROM pgduet._setting s WHERE s.key = 'sync_max_rows');
    EXECUTE format('SELECT array_agg(q.chunk_id) FROM (%s LIMIT %s) q', v_query, v_most::bigint + 1) INTO v_ids;
    IF v_ids IS NULL THEN
      RETURN NULL;
    END IF;
    IF cardinality(v_ids) > v_most OR v_isolation <> 'read committed' OR NOT pgduet._has_fingerprint()
      OR NOT pgduet._try_embed(v_ids)
    THEN
      v_mode := 'queue';
    END IF;
  ELSIF v_mode = 'sync' AND NOT pgduet._has_fingerprint() THEN
    v_mode := 'queue';
  ELSIF v_mode = 'sync' THEN
    BEGIN
      FOR v_ids IN EXECUTE pgduet._sliced_query(v_query) LOOP
        PERFORM pgduet._embed_within(v_ids, 'infinity');
      END LOOP;
    EXCEPTION WHEN serialization_failure THEN
      -- The worker has written vectors of these chunks since this transaction's snapshot: it will again.
      v_mode := 'queue';
    END;
  END IF;
  -- What was judged by an old snapshot is judged once more by the worker.
  IF v_mode = 'queue' OR v_isolation <> 'read committed' OR EXISTS (SELECT FROM pgduet._live_generation g WHERE NOT g.is_active) THEN
    -- A chunk that changes many times a second is embedded once a second.
    EXECUTE format('INSERT INTO pgduet._pending (chunk_id, next_attempt_at)
      SELECT q.chunk_id, now() + make_interval(secs => %s) FROM (%s) q', CASE TG_OP WHEN 'UPDATE' THEN 1 ELSE 0 END,
      v_query);
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    IF v_rows > 0 THEN
      PERFORM pgduet._wake();
    END IF;
  END IF;
  RETURN NULL;
END $$;

-- In every mode left to the worker: emptying code_embeddings here would wait for searches, and they for this.
CREATE OR REPLACE FUNCTION pgduet._chunks_truncated() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO pgduet._pending (chunk_id) VALUES (NULL);
  PERFORM pgduet._wake();
  RETURN NULL;
END $$;

-- PostgreSQL asks no policy before a TRUNCATE. With the caller's rights, because it is theirs that count.
CREATE OR REPLACE FUNCTION pgduet._truncation_checked() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF row_security_active('pgduet.code_chunks') THEN
    RAISE EXCEPTION 'TRUNCATE would remove chunks that row security keeps from you' USING ERRCODE = '42501',
      HINT = 'DELETE FROM pgduet.code_chunks removes those that you may see.';
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION pgduet._chunk_touched() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.updated_at := now();
  RETURN NEW;
END $$;

-- Only what pg_dump wrote sets both. The vectors and the queue come out of the same dump, in whatever order; what it
-- lacks, a worker finds when it starts. Asked here, because the function has settings of its own.
CREATE OR REPLACE TRIGGER _pgduet_insert AFTER INSERT ON pgduet.code_chunks
REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT
WHEN (current_setting('check_function_bodies') <> 'off' OR current_setting('row_security') <> 'off')
EXECUTE FUNCTION pgduet._chunks_changed();
CREATE OR REPLACE TRIGGER _pgduet_update AFTER UPDATE ON pgduet.code_chunks
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pgduet._chunks_changed();
CREATE OR REPLACE TRIGGER _pgduet_delete AFTER DELETE ON pgduet.code_chunks
REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION pgduet._chunks_changed();
CREATE OR REPLACE TRIGGER _pgduet_check_truncate BEFORE TRUNCATE ON pgduet.code_chunks
FOR EACH STATEMENT EXECUTE FUNCTION pgduet._truncation_checked();
CREATE OR REPLACE TRIGGER _pgduet_truncate AFTER TRUNCATE ON pgduet.code_chunks
FOR EACH STATEMENT EXECUTE FUNCTION pgduet._chunks_truncated();
CREATE OR REPLACE TRIGGER _pgduet_touch BEFORE UPDATE ON pgduet.code_chunks
FOR EACH ROW EXECUTE FUNCTION pgduet._chunk_touched();
