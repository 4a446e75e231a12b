-- state --
SELECT g.generation_id, (SELECT count(*) FROM pgduet.code_embeddings e WHERE e.generation_id = g.generation_id),
  i.index_name, (SELECT b.rows_at_build FROM pgduet._index_build b WHERE b.index_name = i.index_name)
FROM pgduet.generations g, pgduet._sketch_index(g.generation_id) i
WHERE g.state = 'active'

-- superseded --
SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
WHERE i.indrelid = to_regclass('pgduet.code_embeddings_g' || %(generation_id)s) AND a.amname = 'ivfflat'
  AND c.relname LIKE 'code\_embeddings\_g%%\_sketch\_ivfflat\_%%' AND c.relname IS DISTINCT FROM %(current)s

-- start --
INSERT INTO pgduet._index_build AS b (generation_id, index_name, lists, rows_at_build)
SELECT v.generation_id, 'code_embeddings_g' || v.generation_id || '_sketch_ivfflat_'
  || (SELECT coalesce(max(l.build_id), 0) + 1 FROM pgduet._index_build l), v.lists, v.rows
FROM (VALUES (%(generation_id)s::integer, %(lists)s::integer, %(rows)s::bigint)) v (generation_id, lists, rows)
RETURNING b.build_id, b.index_name,
  (SELECT n.nspname FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace WHERE x.extname = 'vector')

-- create --
CREATE INDEX CONCURRENTLY {index} ON {table} USING ivfflat (sketch {operators}) WITH (lists = {lists})

-- finish --
UPDATE pgduet._index_build SET finished_at = clock_timestamp() WHERE build_id = %(build_id)s
