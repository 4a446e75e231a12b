-- Watched tables for people and BI tools.

CREATE OR REPLACE VIEW pgduet.watch_status WITH (security_invoker = true) AS
SELECT w.source, pg_catalog.format('%I.%I', w.schema_name, w.table_name) AS table_name, w.content_column,
  coalesce(r.known, 0) AS rows_known, coalesce(q.waiting, 0) AS rows_waiting, coalesce(r.blank, 0) AS rows_blank,
  coalesce(r.failed, 0) + w.long_keys AS rows_failed, coalesce(r.chunks, 0) AS chunks,
  coalesce(q.rescan, false) AS rescan_waiting,
  extract(epoch FROM pg_catalog.clock_timestamp() - q.since)::double precision AS oldest_seconds,
  CASE WHEN w.long_keys > 0 THEN w.long_keys || ' rows have a key longer than 2,000 bytes and are left out'
    ELSE coalesce(r.error, q.error) END AS last_error,
  w.problem
FROM pgduet._watch w
LEFT JOIN (
  SELECT r.watch_id, pg_catalog.count(*) AS known, pg_catalog.sum(r.chunks)::bigint AS chunks,
    pg_catalog.count(*) FILTER (WHERE r.chunks = 0 AND r.error IS NULL) AS blank,
    pg_catalog.count(r.error) AS failed, pg_catalog.max(r.error) AS error
  FROM pgduet._source_row r GROUP BY r.watch_id) r ON r.watch_id = w.watch_id
LEFT JOIN (
  SELECT s.watch_id, pg_catalog.count(DISTINCT s.row_key) AS waiting, pg_catalog.min(s.enqueued_at) AS since,
    pg_catalog.bool_or(s.row_key IS NULL) AS rescan, pg_catalog.max(s.error) AS error
  FROM pgduet._source s GROUP BY s.watch_id) q ON q.watch_id = w.watch_id;

CREATE OR REPLACE VIEW pgduet.watch_failures WITH (security_invoker = true) AS
SELECT w.source, r.row_key, 'failed' AS state, r.error, r.done_at AS failed_at, NULL::timestamptz AS next_attempt_at
FROM pgduet._source_row r JOIN pgduet._watch w ON w.watch_id = r.watch_id WHERE r.error IS NOT NULL
UNION ALL
SELECT w.source, s.row_key, 'retrying', s.error, NULL, s.next_attempt_at
FROM pgduet._source s JOIN pgduet._watch w ON w.watch_id = s.watch_id WHERE s.error IS NOT NULL;
