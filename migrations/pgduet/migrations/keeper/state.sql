-- may_keep --
SELECT pg_has_role(c.relowner, 'USAGE') AND has_table_privilege('pgduet._index_build', 'UPDATE')
FROM pg_class c WHERE c.oid = 'pgduet.code_embeddings'::regclass

-- policy --
SELECT key, value FROM pgduet._setting
WHERE key IN ('index_kind', 'index_min_rows', 'index_growth', 'index_memory_mb', 'recall_target', 'lexical_index')

-- unfinished --
SELECT b.build_id FROM pgduet._index_build b WHERE b.finished_at IS NULL

-- interrupted --
UPDATE pgduet._index_build SET error = 'the session that built it ended', finished_at = clock_timestamp()
WHERE build_id = ANY (%(builds)s)

-- states --
SELECT g.generation_id, CASE WHEN n.estimate >= 200000 THEN n.estimate::bigint END,
  pg_stat_get_tuples_updated(c.oid) + pg_stat_get_tuples_deleted(c.oid), f.failures, f.failed_ago, f.failure,
  b.index_name, b.kind, b.lists, b.rows_at_build, coalesce(b.changes_at_build, 0),
  CASE WHEN b.calibrated_at IS NOT NULL THEN b.recall_target END
FROM pgduet.generations g
JOIN pg_class c ON c.oid = to_regclass('pgduet.code_embeddings_g' || g.generation_id)
-- As the planner does: the rows of a page as they were last counted, times the pages of today.
CROSS JOIN LATERAL (
  SELECT c.reltuples / greatest(c.relpages, 1) * (pg_relation_size(c.oid) / current_setting('block_size')::integer)
) n (estimate)
CROSS JOIN LATERAL pgduet._search_index(g.generation_id) i
LEFT JOIN pgduet._index_build b ON b.index_name = i.index_name AND b.generation_id = g.generation_id
CROSS JOIN LATERAL (
  SELECT count(*), extract(epoch FROM clock_timestamp() - max(coalesce(p.finished_at, p.started_at)))::double precision,
    (array_agg(p.error ORDER BY p.build_id DESC))[1]
  FROM pgduet._index_build p
  WHERE p.generation_id = g.generation_id AND p.error <> 'cancelled' AND p.build_id > coalesce((
    SELECT max(d.build_id) FROM pgduet._index_build d
    WHERE d.generation_id = g.generation_id AND d.finished_at IS NOT NULL AND d.error IS NULL), 0)
) f (failures, failed_ago, failure)
WHERE g.state IN ('building', 'ready', 'active')
ORDER BY g.state <> 'active', g.generation_id

-- count --
SELECT count(*) FROM pgduet.code_embeddings e WHERE e.generation_id = %(generation_id)s
