-- What a worker does to the queue, each call one short transaction. Users' statements only ever insert into it.
SELECT pgduet._see_pgvector();

-- Leases up to `batch` chunks to a worker for `lease` seconds, each with all its queue rows. A chunk is taken through
-- its first row that is due: two workers never hold the same one. The attempt counts from here, so that a row that
-- ends workers is noticed.
CREATE OR REPLACE FUNCTION pgduet._claim(worker text, batch integer, lease double precision)
RETURNS TABLE (chunk_id bigint, seqs bigint[], attempts integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  v_now timestamptz := clock_timestamp();
  v_first bigint[];
BEGIN
  v_first := ARRAY(SELECT s.seq FROM (
    SELECT p.seq FROM pgduet._pending p
    WHERE p.next_attempt_at <= v_now AND (p.leased_until IS NULL OR p.leased_until <= v_now) AND NOT EXISTS (
      SELECT FROM pgduet._pending o WHERE o.chunk_id = p.chunk_id AND o.seq < p.seq
        AND (o.next_attempt_at <= v_now OR o.leased_until > v_now))
    ORDER BY p.seq LIMIT $2 FOR UPDATE OF p SKIP LOCKED) s);
  IF EXISTS (SELECT FROM pgduet._pending p WHERE p.seq = ANY (v_first) AND p.chunk_id IS NULL) THEN
    -- After a TRUNCATE the index knows nothing of the rows to come: any number of them is due for a new one.
    UPDATE pgduet._index_build SET rows_at_build = 0;
  END IF;
  RETURN QUERY
  WITH mine AS MATERIALIZED (
    SELECT p.seq, p.chunk_id FROM pgduet._pending p WHERE p.seq = ANY (v_first) OR (p.chunk_id = ANY (ARRAY(
      SELECT f.chunk_id FROM pgduet._pending f WHERE f.seq = ANY (v_first)))
      AND (p.leased_until IS NULL OR p.leased_until <= v_now))
    FOR UPDATE SKIP LOCKED
  ), taken AS (
    UPDATE pgduet._pending p SET leased_until = v_now + make_interval(secs => $3), lease_owner = $1,
      attempts = p.attempts + 1
    -- Two rows of a chunk may become due while two workers look: who does not get all of them takes none.
    FROM mine m WHERE p.seq = m.seq AND NOT EXISTS (
      SELECT FROM pgduet._pending o WHERE o.chunk_id = m.chunk_id AND o.seq NOT IN (SELECT a.seq FROM mine a))
    RETURNING p.seq, p.chunk_id, p.attempts
  )
  -- A change that came after a failure starts anew.
  SELECT t.chunk_id, array_agg(t.seq), min(t.attempts) FROM taken t GROUP BY t.chunk_id ORDER BY min(t.seq);
END $$;

-- Gives back all that a worker's name still holds, untried: after a lost connection nobody else knows of it.
CREATE OR REPLACE FUNCTION pgduet._release_all(worker text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE pgduet._pending p SET leased_until = NULL, lease_owner = NULL, attempts = greatest(p.attempts - 1, 0)
  WHERE p.lease_owner = $1
$$;

-- Takes chunks off the queue that are current now, or that were queued again meanwhile, and gives the rest back:
-- somebody is changing it. That is looked at again after half a second, and ever later the longer it lasts: an open
-- transaction must not keep workers busy. `chunk_ids` names the chunk of each row in `seqs`.
CREATE OR REPLACE FUNCTION pgduet._settle(worker text, chunk_ids bigint[], seqs bigint[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
  v_rest bigint[] := pgduet._unresolved($2);
BEGIN
  DELETE FROM pgduet._pending p USING unnest($2, $3) u (chunk_id, seq)
  WHERE p.seq = u.seq AND (u.chunk_id <> ALL (v_rest) OR EXISTS (
    SELECT FROM pgduet._pending o WHERE o.chunk_id = u.chunk_id AND o.seq <> ALL ($3)));
  UPDATE pgduet._pending p SET leased_until = NULL, lease_owner = NULL, attempts = greatest(p.attempts - 1, 0),
    next_attempt_at = clock_timestamp() + (0.75 + random() / 2)
      * least(interval '1 minute', greatest(interval '0.5 s', (clock_timestamp() - p.enqueued_at) / 4))
  FROM unnest($2, $3) u (chunk_id, seq)
  WHERE p.seq = u.seq AND u.chunk_id = ANY (v_rest) AND p.lease_owner = $1;
END $$;

-- Stores vectors and settles their chunks' queue rows in one statement: a worker that freezes holds no lock.
CREATE OR REPLACE FUNCTION pgduet._complete(generation_id integer, fingerprint text, chunk_ids bigint[], hashes bytea[],
  embeddings halfvec[], sketches bit[], code_tokens integer[], text_tokens integer[], truncated boolean[], worker text,
  settled_ids bigint[], settled_seqs bigint[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
#variable_conflict use_column
DECLARE
  v_stored bigint[];
BEGIN
  -- Workers wait for each other's first vectors, which are written in a moment; what is made is not thrown away.
  UPDATE pgduet.generations g SET fingerprint = $2 WHERE g.generation_id = $1 AND g.fingerprint IS NULL;
  v_stored := pgduet._store($1, $2, $3, $4, $5, $6, $7, $8, $9);
  PERFORM pgduet._settle($10, $11, $12);
  RETURN cardinality(v_stored);
END $$;

CREATE OR REPLACE FUNCTION pgduet._finish(seqs bigint[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM pgduet._pending p WHERE p.seq = ANY ($1)
$$;

-- Gives chunks back untried: nobody's failure.
CREATE OR REPLACE FUNCTION pgduet._release(worker text, seqs bigint[], seconds double precision,
  detail text DEFAULT NULL) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE pgduet._pending p SET leased_until = NULL, lease_owner = NULL, attempts = greatest(p.attempts - 1, 0),
    next_attempt_at = clock_timestamp() + make_interval(secs => $3), error = coalesce($4, p.error)
  WHERE p.seq = ANY ($2) AND p.lease_owner = $1
$$;

-- Gives chunks back after a failure of theirs: due after 2 s, doubled with each attempt up to an hour, spread by half.
CREATE OR REPLACE FUNCTION pgduet._fail(worker text, seqs bigint[], error_class text, error text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE pgduet._pending p SET leased_until = NULL, lease_owner = NULL, error_class = $3, error = $4,
    next_attempt_at = clock_timestamp() + make_interval(
      secs => least(3600, power(2, least(p.attempts, 20))) * (0.5 + random()))
  WHERE p.seq = ANY ($2) AND p.lease_owner = $1
$$;

-- Gives a chunk up for a generation until its content changes or retry_failed() is called.
CREATE OR REPLACE FUNCTION pgduet._bury(generation_id integer, chunk_id bigint, content_hash bytea, error_class text,
  error text, attempts integer, seqs bigint[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO pgduet._dead_letter (generation_id, chunk_id, content_hash, error_class, error, attempts)
  SELECT $1, $2, $3, $4, $5, $6 WHERE EXISTS (
      SELECT FROM pgduet.code_chunks c WHERE c.chunk_id = $2 AND c.content_hash = $3)
    AND NOT EXISTS (SELECT FROM pgduet.code_embeddings e
      WHERE e.chunk_id = $2 AND e.generation_id = $1 AND e.content_hash = $3)
    AND EXISTS (SELECT FROM pgduet._live_generation g WHERE g.generation_id = $1)
  ON CONFLICT (chunk_id, generation_id) DO UPDATE SET (content_hash, error_class, error, attempts, failed_at) =
    (excluded.content_hash, excluded.error_class, excluded.error, excluded.attempts, excluded.failed_at);
  DELETE FROM pgduet._pending p WHERE p.seq = ANY ($7)
$$;

-- Seconds until a chunk or a row of a watched table is due, NULL where there is none. Rows of a watch with a problem
-- wait for a person.
CREATE OR REPLACE FUNCTION pgduet._next_due() RETURNS double precision
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT extract(epoch FROM least(
    (SELECT min(greatest(p.next_attempt_at, p.leased_until)) FROM pgduet._pending p),
    (SELECT min(greatest(s.next_attempt_at, s.leased_until)) FROM pgduet._source s
     JOIN pgduet._watch w ON w.watch_id = s.watch_id AND w.problem IS NULL)) - clock_timestamp())
    ::double precision
$$;

CREATE OR REPLACE FUNCTION pgduet.retry_failed(error_class text DEFAULT NULL) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT pgduet._wake();
  WITH revived AS (
    DELETE FROM pgduet._dead_letter d WHERE $1 IS NULL OR d.error_class = $1 RETURNING d.chunk_id
  ), queued AS (
    INSERT INTO pgduet._pending (chunk_id) SELECT DISTINCT r.chunk_id FROM revived r RETURNING chunk_id
  ), due AS (
    UPDATE pgduet._pending p SET next_attempt_at = clock_timestamp(), attempts = 0
    WHERE p.error_class IS NOT NULL AND p.leased_until IS NULL AND ($1 IS NULL OR p.error_class = $1)
    RETURNING p.chunk_id
  )
  SELECT (SELECT count(*) FROM queued) + (SELECT count(DISTINCT d.chunk_id) FROM due d)
$$;

-- Heartbeats. A worker that said nothing for a day is forgotten.
CREATE OR REPLACE FUNCTION pgduet._beat(worker text, host text, pid integer, version text, state text, detail text,
  embedded bigint, failed bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO pgduet._worker (worker, host, pid, version, state, detail, embedded, failed)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
  ON CONFLICT (worker) DO UPDATE SET (host, pid, version, state, detail, embedded, failed, seen_at) =
    (excluded.host, excluded.pid, excluded.version, excluded.state, excluded.detail, excluded.embedded,
     excluded.failed, now());
  DELETE FROM pgduet._worker w WHERE w.seen_at < now() - interval '1 day'
$$;

CREATE OR REPLACE FUNCTION pgduet._leave(worker text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM pgduet._worker w WHERE w.worker = $1
$$;
SET LOCAL search_path = pg_catalog, pg_temp;
