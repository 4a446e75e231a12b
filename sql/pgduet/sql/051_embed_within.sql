-- Embedding inside a statement, for the modes sync and auto.

-- How a statement on code_chunks is treated: the session's pgduet.trigger_mode where it is set, else the setting. It
-- can do no harm: it decides for the caller's own statements only.
CREATE OR REPLACE FUNCTION pgduet._trigger_mode() RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_mode text := coalesce(nullif(current_setting('pgduet.trigger_mode', true), ''),
    (SELECT s.value FROM pgduet._setting s WHERE s.key = 'trigger_mode'));
BEGIN
  IF v_mode NOT IN ('auto', 'sync', 'queue') THEN
    RAISE EXCEPTION 'unknown trigger mode: %', v_mode
      USING ERRCODE = '22023', HINT = 'Set pgduet.trigger_mode to auto, sync or queue.';
  END IF;
  RETURN v_mode;
END $$;

-- Wakes the workers at commit, once for each transaction: a savepoint that is rolled back forgets both the call and
-- that it was made. Without a payload: there is nothing to say that could grow too long.
CREATE OR REPLACE FUNCTION pgduet._wake() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF current_setting('pgduet._woken', true) IS DISTINCT FROM 'yes' THEN
    PERFORM pg_notify('pgduet_pending', '') FROM pgduet._setting s WHERE s.key = 'notify' AND s.value = 'on';
    PERFORM set_config('pgduet._woken', 'yes', true);
  END IF;
END $$;

-- Embeds chunks by as few calls as the sidecar allows and stores their vectors, in `seconds` at most. Returns the chunks
-- whose own text cannot be embedded, with the reason; the others have their vectors.
CREATE OR REPLACE FUNCTION pgduet._embed_most(chunk_ids bigint[], seconds double precision)
RETURNS TABLE (chunk_id bigint, failure text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  v_start timestamptz := clock_timestamp();
  v_slice integer := pgduet._batch_texts();
  v_needed record;
  v_hashes bytea[];
  v_made record;
  v_failed bigint[] := '{}';
  v_rest bigint[];
BEGIN
  SELECT min(r.generation_id) AS generation, array_agg(r.chunk_id) AS ids INTO v_needed
  FROM pgduet._resolve($1) r WHERE r.is_active;
  SELECT v_needed.generation AS generation, array_agg(c.chunk_id) AS ids, array_agg(c.content_hash) AS hashes,
    array_agg(c.content) AS contents INTO v_needed
  FROM pgduet._contents(v_needed.ids) c;
  v_hashes := ARRAY(SELECT DISTINCT u.hash FROM unnest(v_needed.hashes) u (hash));
  FOR v_done IN 0 .. cardinality(v_hashes) - 1 BY v_slice LOOP
    -- Copies of one content are sent once.
    WITH part AS MATERIALIZED (
      SELECT h.hash, min(n.content) AS content, row_number() OVER (ORDER BY h.hash) AS place
      FROM unnest(v_hashes[v_done + 1 : v_done + v_slice]) h (hash)
      JOIN unnest(v_needed.hashes, v_needed.contents) n (hash, content) ON n.hash = h.hash GROUP BY h.hash
    ), made AS MATERIALIZED (
      SELECT r.* FROM pgduet._embed_rows(ARRAY(SELECT p.content FROM part p ORDER BY p.place), 'document',
        $2 - extract(epoch FROM clock_timestamp() - v_start)::double precision) r
    )
    SELECT array_agg(n.id) FILTER (WHERE m.failure IS NULL) AS ids,
      array_agg(n.hash) FILTER (WHERE m.failure IS NULL) AS hashes,
      array_agg(m.embedding) FILTER (WHERE m.failure IS NULL) AS embeddings,
      array_agg(m.sketch) FILTER (WHERE m.failure IS NULL) AS sketches,
      array_agg(m.code_tokens) FILTER (WHERE m.failure IS NULL) AS code_tokens,
      array_agg(m.text_tokens) FILTER (WHERE m.failure IS NULL) AS text_tokens,
      array_agg(m.truncated) FILTER (WHERE m.failure IS NULL) AS truncated, min(m.fingerprint) AS fingerprint,
      array_agg(n.id) FILTER (WHERE m.failure IS NOT NULL) AS failed_ids,
      array_agg(m.failure) FILTER (WHERE m.failure IS NOT NULL) AS failures INTO v_made
    FROM made m JOIN part p ON p.place = m.ordinality
    JOIN unnest(v_needed.ids, v_needed.hashes) n (id, hash) ON n.hash = p.hash;
    IF v_made.failed_ids IS NOT NULL THEN
      v_failed := v_failed || v_made.failed_ids;
      RETURN QUERY SELECT u.id, u.failure FROM unnest(v_made.failed_ids, v_made.failures) u (id, failure);
    END IF;
    CONTINUE WHEN v_made.ids IS NULL;
    -- Another generation became the active one in between: the worker makes what both lack.
    IF EXISTS (SELECT FROM pgduet._live_generation o JOIN pgduet.generations g ON g.fingerprint <> o.fingerprint
      WHERE g.generation_id = v_needed.generation AND o.fingerprint = v_made.fingerprint)
    THEN
      RETURN;
    END IF;
    PERFORM pgduet._store(v_needed.generation, v_made.fingerprint, v_made.ids, v_made.hashes, v_made.embeddings,
      v_made.sketches, v_made.code_tokens, v_made.text_tokens, v_made.truncated);
  END LOOP;
  -- Megabytes of content come in several parts.
  v_rest := ARRAY(SELECT u.id FROM unnest(pgduet._unresolved($1)) u (id) WHERE u.id <> ALL (v_failed));
  IF cardinality(v_rest) > 0 AND cardinality(v_hashes) > 0 THEN
    RETURN QUERY SELECT m.chunk_id, m.failure
      FROM pgduet._embed_most(v_rest, $2 - extract(epoch FROM clock_timestamp() - v_start)::double precision) m;
  END IF;
END $$;

-- The same, all or nothing: what happens to one text happens to the statement.
CREATE OR REPLACE FUNCTION pgduet._embed_within(chunk_ids bigint[], seconds double precision) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_bad record;
BEGIN
  SELECT m.chunk_id, m.failure INTO v_bad FROM pgduet._embed_most($1, $2) m ORDER BY m.chunk_id LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'chunk % cannot be embedded: %', v_bad.chunk_id, v_bad.failure
      USING ERRCODE = '22023', HINT = 'Cut it into chunks, or SET pgduet.trigger_mode = ''auto'' to set such rows aside.';
  END IF;
END $$;

-- What is left, in seconds, of the time that this transaction may wait for the sidecar; 0 for 30 s after a miss.
-- Kept by Python for the session, since a rollback must not forget it; needs none of our packages.
CREATE OR REPLACE FUNCTION pgduet._sync_budget(transaction text, budget double precision, spent double precision,
  missed boolean) RETURNS double precision
LANGUAGE plpython3u VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  import time
  state = GD.setdefault("pgduet_sync", {"transaction": None, "spent": 0.0, "until": 0.0})
  if state["transaction"] != transaction:
    state.update(transaction=transaction, spent=0.0)
  state["spent"] += spent
  if missed:
    state["until"] = time.monotonic() + 30.0
  return 0.0 if time.monotonic() < state["until"] else max(0.0, budget - state["spent"])
$$;

-- Whether this transaction may give the active generation its fingerprint, or it has one. Where another transaction is
-- about to, the queue is the place to go: waiting for it could be a deadlock. So it is with an old snapshot: what has
-- changed since cannot be locked in it.
CREATE OR REPLACE FUNCTION pgduet._has_fingerprint() RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM pgduet.generations g WHERE g.state = 'active' AND g.fingerprint IS NOT NULL;
  IF NOT FOUND AND current_setting('transaction_isolation') = 'read committed' THEN
    PERFORM FROM pgduet.generations g WHERE g.state = 'active' FOR NO KEY UPDATE SKIP LOCKED;
  END IF;
  RETURN FOUND;
END $$;

-- Embeds the chunks of one statement if that is quick, and says whether it did. Never raises but for a cancel: after
-- a miss, of which one warning tells, the session asks again in 30 s. Chunks whose own text cannot be embedded are left
-- to the worker alone, which notes what becomes of them.
CREATE OR REPLACE FUNCTION pgduet._try_embed(chunk_ids bigint[]) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_start timestamptz := clock_timestamp();
  v_limit double precision := extract(epoch FROM current_setting('statement_timeout')::interval)::double precision;
  v_budget double precision :=
    (SELECT s.value::double precision / 1000 FROM pgduet._setting s WHERE s.key = 'sync_timeout_ms');
  v_left double precision;
  v_spent double precision;
  v_bad record;
  v_hint text;
  v_detail text;
BEGIN
  v_left := pgduet._sync_budget(now()::text, v_budget, 0, false);
  IF v_limit > 0 THEN
    -- The statement itself needs time too: a sidecar that hangs must not make it fail.
    v_left := least(v_left,
      (v_limit - extract(epoch FROM v_start - statement_timestamp())::double precision) / 2);
  END IF;
  -- The last tenth is too little to ask with: a sidecar in good health would look as if it hung.
  IF v_left <= v_budget / 10 THEN
    RETURN false;
  END IF;
  SELECT count(*) AS chunks, array_agg(m.chunk_id ORDER BY m.chunk_id) AS ids,
    (array_agg(m.failure ORDER BY m.chunk_id))[1] AS failure INTO v_bad FROM pgduet._embed_most($1, v_left) m;
  IF v_bad.chunks > 0 THEN
    INSERT INTO pgduet._pending (chunk_id) SELECT u.id FROM unnest(v_bad.ids) u (id);
    PERFORM pgduet._wake();
    RAISE WARNING 'pgduet leaves % chunk(s) to the worker: chunk % cannot be embedded: %', v_bad.chunks, v_bad.ids[1],
      v_bad.failure USING HINT = 'pgduet.failures will tell what becomes of them.';
  END IF;
  v_spent := extract(epoch FROM clock_timestamp() - v_start)::double precision;
  PERFORM pgduet._sync_budget(now()::text, 0, v_spent, false);
  RETURN true;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS v_hint = PG_EXCEPTION_HINT, v_detail = PG_EXCEPTION_DETAIL;
  RAISE WARNING 'pgduet leaves % chunk(s) to the worker: %', cardinality($1), regexp_replace(SQLERRM, E'^plpy\\.\\w+: ', '')
    USING HINT = v_hint, DETAIL = concat_ws('; ', nullif(v_detail, ''),
      'For the next 30 seconds this session queues without asking.');
  BEGIN
    PERFORM pgduet._sync_budget(now()::text, 0, extract(epoch FROM clock_timestamp() - v_start)::double precision, true);
  EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'pgduet: the server cannot run PL/Python: %', SQLERRM;
  END;
  RETURN false;
END $$;
