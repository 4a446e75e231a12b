-- The queue for people and BI tools: plain types only, one row per thing, no sentinel values.

-- One row for each state that a chunk without a current vector can be in, also where there are none.
CREATE OR REPLACE VIEW pgduet.queue_status WITH (security_invoker = true) AS
WITH queued AS (
  SELECT p.chunk_id, pg_catalog.min(p.enqueued_at) AS since, pg_catalog.max(p.attempts) AS attempts,
    pg_catalog.min(p.next_attempt_at) AS next_attempt_at,
    CASE WHEN pg_catalog.bool_or(p.leased_until > pg_catalog.clock_timestamp()) THEN 'in_work'
      WHEN pg_catalog.bool_or(p.error_class IS NOT NULL) THEN 'retrying' ELSE 'waiting' END AS state,
    pg_catalog.max(p.error) AS error
  FROM pgduet._pending p GROUP BY p.chunk_id
), counted AS (
  SELECT q.state, pg_catalog.count(*) AS chunks, pg_catalog.min(q.since) AS since,
    pg_catalog.min(q.next_attempt_at) AS next_attempt_at, pg_catalog.max(q.error) AS example
  FROM queued q GROUP BY q.state
  UNION ALL
  SELECT 'failed', pg_catalog.count(DISTINCT d.chunk_id), pg_catalog.min(d.failed_at), NULL, pg_catalog.max(d.error)
  FROM pgduet._dead_letter d
)
SELECT s.state, s.meaning, coalesce(n.chunks, 0) AS chunks,
  extract(epoch FROM pg_catalog.clock_timestamp() - n.since)::double precision AS oldest_seconds, n.next_attempt_at,
  n.example AS last_error
FROM (VALUES
  (1, 'waiting', 'will be embedded as soon as a worker and the sidecar are free'),
  (2, 'in_work', 'a worker has it in hand'),
  (3, 'retrying', 'failed at least once and will be tried again; see pgduet.failures'),
  (4, 'failed', 'given up; see pgduet.failures, then SELECT pgduet.retry_failed()')) s (place, state, meaning)
LEFT JOIN counted n ON n.state = s.state
ORDER BY s.place;

CREATE OR REPLACE VIEW pgduet.failures WITH (security_invoker = true) AS
SELECT c.chunk_id, c.repo, c.path, c.symbol, f.state, f.error_class, f.error, f.attempts, f.failed_at,
  f.next_attempt_at
FROM (
  SELECT d.chunk_id, 'failed' AS state, d.error_class, d.error, d.attempts, d.failed_at,
    NULL::timestamptz AS next_attempt_at
  FROM pgduet._dead_letter d
  UNION ALL
  SELECT p.chunk_id, 'retrying', pg_catalog.max(p.error_class), pg_catalog.max(p.error), pg_catalog.max(p.attempts),
    NULL, pg_catalog.min(p.next_attempt_at)
  FROM pgduet._pending p WHERE p.error_class IS NOT NULL GROUP BY p.chunk_id
) f
JOIN pgduet.code_chunks c ON c.chunk_id = f.chunk_id;

CREATE OR REPLACE VIEW pgduet.chunk_status WITH (security_invoker = true) AS
SELECT c.chunk_id, c.repo, c.path, c.symbol,
  CASE WHEN c.content_hash IS NULL THEN 'skipped' WHEN e.chunk_id IS NOT NULL THEN 'embedded'
    WHEN d.chunk_id IS NOT NULL THEN 'failed' ELSE 'pending' END AS state,
  CASE WHEN c.content IS NULL THEN 'the content is NULL' WHEN c.content_hash IS NULL THEN 'the content is blank'
    WHEN e.truncated THEN 'only the beginning was read: the content has '
      || greatest(e.code_tokens, e.text_tokens) || ' tokens'
    WHEN e.chunk_id IS NULL THEN d.error END AS reason,
  e.code_tokens, e.text_tokens, e.truncated, e.embedded_at
FROM pgduet.code_chunks c
LEFT JOIN pgduet.generations g ON g.state = 'active'
LEFT JOIN pgduet.code_embeddings e ON e.chunk_id = c.chunk_id AND e.generation_id = g.generation_id
  AND e.content_hash = c.content_hash
LEFT JOIN pgduet._dead_letter d ON d.chunk_id = c.chunk_id AND d.generation_id = g.generation_id
  AND d.content_hash = c.content_hash;

CREATE OR REPLACE VIEW pgduet.worker_status WITH (security_invoker = true) AS
SELECT w.worker, w.host, w.pid, w.version, w.state, w.detail, w.embedded, w.failed, w.started_at, w.seen_at,
  extract(epoch FROM pg_catalog.clock_timestamp() - w.seen_at)::double precision AS silent_seconds
FROM pgduet._worker w;
