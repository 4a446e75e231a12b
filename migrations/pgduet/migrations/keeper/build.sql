-- start --
-- A new name each time: renaming would wait for searches, and they for it.
INSERT INTO pgduet._index_build AS b (build_id, generation_id, index_name, kind, lists, rows_at_build, changes_at_build,
  reason, probes, ef_search, depth)
SELECT n.id, v.generation_id,
  format('code_embeddings_g%%s_%%s_%%s', v.generation_id,
    CASE v.kind WHEN 'halfvec' THEN 'embedding_ivfflat' WHEN 'hnsw' THEN 'sketch_hnsw' ELSE 'sketch_ivfflat' END, n.id),
  v.kind, v.lists, v.rows, v.changes, v.reason, least(ceil(o.probes::double precision * v.lists / o.lists), v.lists)::integer, o.ef_search, o.depth
FROM (VALUES (%(generation_id)s::integer, %(kind)s::text, %(lists)s::integer, %(rows)s::bigint, %(changes)s::bigint,
  %(reason)s::text)) v (generation_id, kind, lists, rows, changes, reason)
CROSS JOIN (SELECT nextval(pg_get_serial_sequence('pgduet._index_build', 'build_id'))) n (id)
LEFT JOIN LATERAL pgduet._search_index(v.generation_id) o ON o.kind = v.kind
RETURNING b.build_id, b.index_name,
  (SELECT n.nspname FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace WHERE x.extname = 'vector')

-- create_sketch --
CREATE INDEX CONCURRENTLY {index} ON {table} USING ivfflat (sketch {bits}) WITH (lists = {lists})

-- create_halfvec --
CREATE INDEX CONCURRENTLY {index} ON {table} USING ivfflat (embedding {halfs}) WITH (lists = {lists})

-- create_hnsw --
CREATE INDEX CONCURRENTLY {index} ON {table} USING hnsw (sketch {bits})

-- analyze --
-- Not the vectors: statistics of them would be large, slow and of no use.
ANALYZE {table} (chunk_id, repo, path, language)

-- finish --
UPDATE pgduet._index_build SET finished_at = clock_timestamp() WHERE build_id = %(build_id)s

-- fail --
UPDATE pgduet._index_build SET finished_at = clock_timestamp(), error = %(error)s WHERE build_id = %(build_id)s

-- drop --
DROP INDEX CONCURRENTLY IF EXISTS {}

-- leftovers --
-- REINDEX CONCURRENTLY by an admin leaves _ccnew and _ccold behind where it is cancelled.
SELECT c.relname
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pgduet._index_build b ON b.generation_id = %(generation_id)s
  AND (c.relname = b.index_name OR (NOT i.indisvalid AND c.relname ~ ('^' || b.index_name || '_cc(new|old)[0-9]*$')))
WHERE i.indrelid = to_regclass('pgduet.code_embeddings_g' || %(generation_id)s)
  AND c.relname IS DISTINCT FROM %(current)s::text
  AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.relid = i.indrelid)
