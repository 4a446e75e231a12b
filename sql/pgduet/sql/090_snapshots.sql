-- Snapshots: what takes longer than a BI tool should wait is counted by a worker every few minutes. Each is replaced in
-- one transaction, by one worker at a time. Searches and views write nothing and work on a standby.

-- Old enough to be counted anew. What takes little time is counted up to ten times as often, for a hundredth of the
-- time of one worker at most.
CREATE OR REPLACE FUNCTION pgduet._snapshot_due(name text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT s.value::integer > 0 AND coalesce(p.refreshed_at < clock_timestamp() - make_interval(secs =>
    least(s.value::double precision, greatest(s.value::double precision / 10, 100 * p.seconds))), true)
  FROM pgduet._setting s LEFT JOIN pgduet._snapshot p ON p.name = $1
  WHERE s.key = 'snapshot_seconds'
    AND ($1 <> 'code_map' OR EXISTS (SELECT FROM pgduet._setting m WHERE m.key = 'code_map' AND m.value = 'on'))
$$;

-- The lock of all that refreshes, until the transaction ends.
CREATE OR REPLACE FUNCTION pgduet._lock_snapshots() RETURNS boolean
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$ SELECT pg_try_advisory_xact_lock(70962565) $$;

CREATE OR REPLACE FUNCTION pgduet._note_snapshot(name text, seconds double precision) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO pgduet._snapshot AS s (name, refreshed_at, seconds) VALUES ($1, clock_timestamp(), $2)
  ON CONFLICT (name) DO UPDATE SET refreshed_at = excluded.refreshed_at, seconds = excluded.seconds
$$;

-- Counts one of coverage, freshness, generations and duplicates where that is due and no other session does it; says
-- whether it did. SECURITY DEFINER: a worker has no right on the tables.
CREATE OR REPLACE FUNCTION pgduet._refresh_snapshot(name text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
  v_started timestamptz := clock_timestamp();
BEGIN
  IF NOT pgduet._snapshot_due($1) OR NOT pgduet._lock_snapshots() THEN
    RETURN false;
  END IF;
  CASE $1
    WHEN 'coverage' THEN
      DELETE FROM pgduet._snapshot_coverage;
      INSERT INTO pgduet._snapshot_coverage (repo, language, chunks, embedded, blank, pending, truncated)
      SELECT v.repo, v.language, v.chunks, v.embedded, v.blank, v.pending, v.truncated FROM pgduet._coverage_now() v;
    WHEN 'freshness' THEN
      DELETE FROM pgduet._snapshot_freshness;
      INSERT INTO pgduet._snapshot_freshness (repo, chunks, pending, failed, oldest_pending_at, last_changed_at,
        last_embedded_at)
      SELECT v.repo, v.chunks, v.pending, v.failed, v.oldest_pending_at, v.last_changed_at, v.last_embedded_at
      FROM pgduet._freshness_now() v;
    WHEN 'generations' THEN
      DELETE FROM pgduet._snapshot_generation;
      INSERT INTO pgduet._snapshot_generation (generation_id, vectors, chunks, lacking, failed)
      SELECT g.generation_id, n.vectors, n.chunks, n.lacking, n.failed FROM pgduet.generations g
      CROSS JOIN LATERAL pgduet._generation_counts(g.generation_id, g.state IN ('building', 'ready', 'active')) n;
    WHEN 'duplicates' THEN
      DELETE FROM pgduet._snapshot_duplicate;
      INSERT INTO pgduet._snapshot_duplicate (content_hash, repos, copies, repo_names, chunk_id, repo, path, symbol,
        kind, language, characters)
      SELECT v.content_hash, v.repos, v.copies, v.repo_names, v.chunk_id, v.repo, v.path, v.symbol, v.kind, v.language,
        v.characters
      FROM pgduet._duplicates_now() v;
  END CASE;
  PERFORM pgduet._note_snapshot($1, extract(epoch FROM clock_timestamp() - v_started)::double precision);
  RETURN true;
END $$;

-- What one sidecar has told of its times takes the place of what it told before.
CREATE OR REPLACE FUNCTION pgduet._store_stages(sidecar text, since timestamptz, stages jsonb, slowest jsonb)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM pgduet._snapshot_stage t WHERE t.sidecar = $1;
  DELETE FROM pgduet._snapshot_slow t WHERE t.sidecar = $1;
  INSERT INTO pgduet._snapshot_stage (sidecar, stage, lane, calls, mean_ms, p50_ms, p95_ms, p99_ms, over_100_ms,
    over_1000_ms, since, measured_at)
  SELECT $1, r.stage, r.lane, r.calls, r.mean_ms, r.p50_ms, r.p95_ms, r.p99_ms, r.over_100_ms, r.over_1000_ms, $2,
    clock_timestamp()
  FROM jsonb_to_recordset($3) r (stage text, lane text, calls bigint, mean_ms double precision, p50_ms double precision,
    p95_ms double precision, p99_ms double precision, over_100_ms bigint, over_1000_ms bigint);
  INSERT INTO pgduet._snapshot_slow (sidecar, request_id, asked_at, ms, tokens, measured_at)
  SELECT $1, r.request_id, to_timestamp(r.asked_at), r.ms, r.tokens, clock_timestamp()
  FROM jsonb_to_recordset($4) r (request_id text, asked_at double precision, ms double precision, tokens bigint);
END $$;

-- Sidecars that no setting names any more are forgotten.
CREATE OR REPLACE FUNCTION pgduet._forget_sidecars(sidecars text[], seconds double precision) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM pgduet._snapshot_stage t WHERE t.sidecar <> ALL ($1);
  DELETE FROM pgduet._snapshot_slow t WHERE t.sidecar <> ALL ($1);
  SELECT pgduet._note_snapshot('search_times', $2)
$$;
