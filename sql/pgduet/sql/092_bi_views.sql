-- Views for BI tools: plain types only, one row per thing, no sentinel values. Those over a snapshot end in its time and
-- its age. A reader under row security of code_chunks is shown no snapshot (the policies of 0010), since it counts what
-- she may not see: for her, and only for her, the same is counted on the spot.

CREATE OR REPLACE VIEW pgduet.snapshot_status WITH (security_invoker = true) AS
SELECT s.name, s.refreshed_at, s.seconds,
  extract(epoch FROM pg_catalog.clock_timestamp() - s.refreshed_at)::double precision AS age_seconds
FROM pgduet._snapshot s;

CREATE OR REPLACE VIEW pgduet.coverage_snapshot WITH (security_invoker = true) AS
SELECT v.repo, v.language, v.chunks, v.embedded, v.blank, v.pending, v.truncated, p.refreshed_at, p.age_seconds
FROM pgduet._snapshot_coverage v JOIN pgduet.snapshot_status p ON p.name = 'coverage'
UNION ALL
SELECT v.repo, v.language, v.chunks, v.embedded, v.blank, v.pending, v.truncated, pg_catalog.now(), 0
FROM pgduet._coverage_now() v WHERE pg_catalog.row_security_active('pgduet.code_chunks');

CREATE OR REPLACE VIEW pgduet.freshness WITH (security_invoker = true) AS
SELECT v.repo, v.chunks, v.pending, v.failed, v.oldest_pending_at,
  coalesce(extract(epoch FROM v.refreshed_at - v.oldest_pending_at)::double precision, 0) AS lag_seconds,
  v.last_changed_at, v.last_embedded_at, v.refreshed_at, v.age_seconds
FROM (
  SELECT s.repo, s.chunks, s.pending, s.failed, s.oldest_pending_at, s.last_changed_at, s.last_embedded_at,
    p.refreshed_at, p.age_seconds
  FROM pgduet._snapshot_freshness s JOIN pgduet.snapshot_status p ON p.name = 'freshness'
  UNION ALL
  SELECT n.repo, n.chunks, n.pending, n.failed, n.oldest_pending_at, n.last_changed_at, n.last_embedded_at,
    pg_catalog.now(), 0
  FROM pgduet._freshness_now() n WHERE pg_catalog.row_security_active('pgduet.code_chunks')
) v;

CREATE OR REPLACE VIEW pgduet.failure_classes WITH (security_invoker = true) AS
SELECT f.state, f.error_class, pg_catalog.count(DISTINCT f.chunk_id) AS chunks,
  pg_catalog.max(f.attempts) AS most_attempts, pg_catalog.min(f.failed_at) AS first_failed_at,
  pg_catalog.max(f.failed_at) AS last_failed_at, pg_catalog.min(f.next_attempt_at) AS next_attempt_at,
  pg_catalog.max(f.error) AS example
FROM (
  SELECT d.chunk_id, 'failed' AS state, d.error_class, d.error, d.attempts, d.failed_at,
    NULL::timestamptz AS next_attempt_at
  FROM pgduet._dead_letter d
  UNION ALL
  SELECT p.chunk_id, 'retrying', p.error_class, p.error, p.attempts, NULL, p.next_attempt_at
  FROM pgduet._pending p WHERE p.error_class IS NOT NULL
) f
JOIN pgduet.code_chunks c ON c.chunk_id = f.chunk_id
GROUP BY f.state, f.error_class;

CREATE OR REPLACE VIEW pgduet.generation_scores WITH (security_invoker = true) AS
SELECT g.generation_id, g.name, g.model, g.fingerprint, g.state, p.name AS parent, n.vectors, n.chunks, n.lacking,
  n.failed,
  CASE WHEN n.chunks > 0 THEN (n.chunks - n.lacking - n.failed) / n.chunks::double precision
    WHEN n.chunks = 0 THEN 1 END AS share_done,
  s.metric, s.score_before, s.score, s.score - s.score_before AS gain, s.gate_passed,
  (SELECT r.recall FROM pgduet._recall_sample r WHERE r.generation_id = g.generation_id
   ORDER BY r.measured_at DESC, r.recall LIMIT 1) AS recall,
  g.created_at, g.activated_at, g.retired_at, g.dropped_at, n.refreshed_at, n.age_seconds
FROM pgduet.generations g
LEFT JOIN pgduet.generations p ON p.generation_id = g.parent
LEFT JOIN (
  SELECT c.generation_id, c.vectors, c.chunks, c.lacking, c.failed, t.refreshed_at, t.age_seconds
  FROM pgduet._snapshot_generation c JOIN pgduet.snapshot_status t ON t.name = 'generations'
  UNION ALL
  SELECT l.generation_id, c.vectors, c.chunks, c.lacking, c.failed, pg_catalog.now(), 0
  FROM pgduet.generations l
  CROSS JOIN LATERAL pgduet._generation_counts(l.generation_id, l.state IN ('building', 'ready', 'active')) c
  WHERE pg_catalog.row_security_active('pgduet.code_chunks')
) n ON n.generation_id = g.generation_id
CROSS JOIN LATERAL (
  SELECT g.metrics -> 'gate' ->> 'metric' AS metric,
    CASE WHEN pg_catalog.jsonb_typeof(g.metrics -> 'gate' -> 'before') = 'number'
      THEN (g.metrics -> 'gate' -> 'before')::double precision END AS score_before,
    CASE WHEN pg_catalog.jsonb_typeof(g.metrics -> 'gate' -> 'after') = 'number'
      THEN (g.metrics -> 'gate' -> 'after')::double precision END AS score,
    CASE WHEN pg_catalog.jsonb_typeof(g.metrics -> 'gate' -> 'passed') = 'boolean'
      THEN (g.metrics -> 'gate' -> 'passed')::boolean END AS gate_passed
) s;

CREATE OR REPLACE VIEW pgduet.recall_history WITH (security_invoker = true) AS
SELECT r.sample_id, g.name AS generation, r.index_name, r.query_kind, r.measured_at, r.queries, r.k, r.recall,
  r.recall_low, r.recall_high,
  r.recall - pg_catalog.lag(r.recall) OVER (PARTITION BY r.generation_id, r.query_kind ORDER BY r.measured_at)
    AS recall_change,
  r.probes, r.ef_search, r.depth, r.index_ms AS search_ms, r.exact_ms, r.rows
FROM pgduet._recall_sample r JOIN pgduet.generations g ON g.generation_id = r.generation_id;

CREATE OR REPLACE VIEW pgduet.index_builds WITH (security_invoker = true) AS
SELECT b.build_id, g.name AS generation, b.index_name, b.kind,
  CASE WHEN b.finished_at IS NULL THEN 'building' WHEN b.error IS NOT NULL THEN 'failed' ELSE 'built' END AS state,
  b.reason, b.error, b.lists, b.rows_at_build, b.started_at, b.finished_at,
  extract(epoch FROM b.finished_at - b.started_at)::double precision AS seconds,
  b.probes, b.ef_search, b.depth, b.recall_target, b.calibrated_at,
  pg_catalog.to_regclass('pgduet.' || pg_catalog.quote_ident(b.index_name)) IS NOT NULL AS still_there
FROM pgduet._index_build b JOIN pgduet.generations g ON g.generation_id = b.generation_id;

CREATE OR REPLACE VIEW pgduet.index_findings WITH (security_invoker = true) AS
SELECT h.aspect, h.status, h.detail, h.advice FROM pgduet.index_health() h;

CREATE OR REPLACE VIEW pgduet.search_times WITH (security_invoker = true) AS
SELECT t.sidecar, t.stage, t.lane, t.calls, t.mean_ms, t.p50_ms, t.p95_ms, t.p99_ms, t.over_100_ms, t.over_1000_ms,
  t.since, t.measured_at,
  extract(epoch FROM pg_catalog.clock_timestamp() - t.measured_at)::double precision AS age_seconds
FROM pgduet._snapshot_stage t;

CREATE OR REPLACE VIEW pgduet.slowest_searches WITH (security_invoker = true) AS
SELECT t.asked_at, t.ms, t.tokens, t.request_id, t.sidecar, t.measured_at,
  extract(epoch FROM pg_catalog.clock_timestamp() - t.measured_at)::double precision AS age_seconds
FROM pgduet._snapshot_slow t;

CREATE OR REPLACE VIEW pgduet.duplicates WITH (security_invoker = true) AS
SELECT v.content_hash, v.repos, v.copies, v.repo_names, v.chunk_id, v.repo, v.path, v.symbol, v.kind, v.language,
  v.characters, p.refreshed_at, p.age_seconds
FROM pgduet._snapshot_duplicate v JOIN pgduet.snapshot_status p ON p.name = 'duplicates'
UNION ALL
SELECT v.content_hash, v.repos, v.copies, v.repo_names, v.chunk_id, v.repo, v.path, v.symbol, v.kind, v.language,
  v.characters, pg_catalog.now(), 0
FROM pgduet._duplicates_now() v WHERE pg_catalog.row_security_active('pgduet.code_chunks');

-- The active generation's newest map that is complete. A chunk that was changed has no point until it has a new one.
CREATE OR REPLACE VIEW pgduet.code_map WITH (security_invoker = true) AS
SELECT c.chunk_id, c.repo, c.path, c.symbol, c.kind, c.language, p.x, p.y, p.cluster, g.name AS generation,
  p.computed_at,
  extract(epoch FROM pg_catalog.clock_timestamp() - p.computed_at)::double precision AS age_seconds
FROM pgduet.generations g
JOIN pgduet._map m ON m.generation_id = g.generation_id AND m.map_id = (
  SELECT pg_catalog.max(l.map_id) FROM pgduet._map l
  WHERE l.generation_id = g.generation_id AND l.ready_at IS NOT NULL)
JOIN pgduet._map_point p ON p.map_id = m.map_id
JOIN pgduet.code_chunks c ON c.chunk_id = p.chunk_id AND c.content_hash = p.content_hash
WHERE g.state = 'active';
