-- Privileges around views for BI tools. They run with their reader's rights, who needs what they read; policies keep
-- from readers under row security what they may not see.
GRANT SELECT ON pgduet.snapshot_status, pgduet.coverage_snapshot, pgduet.freshness, pgduet.failure_classes,
  pgduet.generation_scores, pgduet.recall_history, pgduet.index_builds, pgduet.index_findings, pgduet.search_times,
  pgduet.slowest_searches, pgduet._snapshot, pgduet._snapshot_coverage,
  pgduet._snapshot_freshness, pgduet._snapshot_generation, pgduet._snapshot_stage, pgduet._snapshot_slow
TO pgduet_reader, pg_monitor;
GRANT SELECT ON pgduet.duplicates, pgduet.code_map, pgduet._snapshot_duplicate,
  pgduet._map_point TO pgduet_reader;
GRANT SELECT (map_id, generation_id, ready_at) ON pgduet._map TO pgduet_reader;
GRANT EXECUTE ON FUNCTION pgduet._coverage_now(), pgduet._freshness_now() TO pgduet_reader, pg_monitor;
GRANT EXECUTE ON FUNCTION pgduet._duplicates_now() TO pgduet_reader;
-- Times are not code.
GRANT SELECT (updated_at) ON pgduet.code_chunks TO pg_monitor;
GRANT SELECT (embedded_at) ON pgduet.code_embeddings TO pg_monitor;
GRANT EXECUTE ON FUNCTION pgduet._snapshot_due(text), pgduet._refresh_snapshot(text), pgduet._map_due(),
  pgduet._store_stages(text, timestamptz, jsonb, jsonb), pgduet._forget_sidecars(text[], double precision),
  pgduet._note_snapshot(text, double precision), pgduet._map_sample(integer, integer, bigint),
  pgduet._begin_map(integer, bigint, real[], real[], double precision, double precision, double precision, bigint,
    jsonb), pgduet._map_slice(bigint, bigint, integer), pgduet._finish_map(bigint, bigint, bigint)
TO pgduet_worker, pgduet_admin;
