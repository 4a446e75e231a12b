-- The indexes of searches for people and BI tools. Recall is that of the hardest kind of query when it was last
-- measured; recall_before that of the same kind the time before. phase and progress are seen by members of
-- pg_read_all_stats and by whoever builds.
CREATE OR REPLACE VIEW pgduet.index_status WITH (security_invoker = true) AS
SELECT b.generation_id, b.index_name, b.lists, b.rows_at_build, b.started_at, b.finished_at, i.indisvalid AS valid,
  pg_catalog.pg_relation_size(i.indexrelid) AS bytes,
  b.kind, b.probes, b.ef_search, b.depth, n.rows AS rows_now, b.recall_target, r.recall, r.recall_low, r.recall_high,
  l.recall AS recall_before,
  CASE WHEN r.recall_high < l.recall THEN 'falling' WHEN r.recall_low > l.recall THEN 'rising'
    WHEN l.recall IS NOT NULL THEN 'steady' END AS recall_trend,
  r.query_kind AS measured_with, r.index_ms AS search_ms, r.exact_ms, r.measured_at, b.reason, p.phase,
  (100.0 * CASE WHEN p.tuples_total > 0 THEN p.tuples_done ELSE p.blocks_done END
    / nullif(CASE WHEN p.tuples_total > 0 THEN p.tuples_total ELSE p.blocks_total END, 0))::double precision AS progress
FROM pgduet._index_build b
JOIN pg_catalog.pg_class c ON c.relname = b.index_name AND c.relnamespace = 'pgduet'::regnamespace
JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
CROSS JOIN LATERAL pgduet._vector_count(b.generation_id) n
LEFT JOIN LATERAL (
  SELECT * FROM pgduet._recall_sample s WHERE s.index_name = b.index_name AND s.generation_id = b.generation_id
  ORDER BY s.measured_at DESC, s.recall LIMIT 1
) r ON true
LEFT JOIN LATERAL (
  SELECT s.recall FROM pgduet._recall_sample s
  WHERE s.index_name = b.index_name AND s.generation_id = b.generation_id AND s.query_kind = r.query_kind
    AND s.measured_at < r.measured_at
  ORDER BY s.measured_at DESC LIMIT 1
) l ON true
LEFT JOIN pg_catalog.pg_stat_progress_create_index p ON p.index_relid = i.indexrelid
  AND p.datname = pg_catalog.current_database();
