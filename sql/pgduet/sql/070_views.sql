-- For people and BI tools: plain types only, one row per thing, no sentinel values.

CREATE OR REPLACE VIEW pgduet.coverage WITH (security_invoker = true) AS
SELECT
  c.repo,
  c.language,
  pg_catalog.count(*) AS chunks,
  pg_catalog.count(e.chunk_id) AS embedded,
  pg_catalog.count(*) FILTER (WHERE c.content_hash IS NULL) AS blank,
  pg_catalog.count(*) FILTER (WHERE c.content_hash IS NOT NULL AND e.chunk_id IS NULL) AS pending,
  pg_catalog.count(*) FILTER (WHERE e.truncated) AS truncated
FROM pgduet.code_chunks c
LEFT JOIN pgduet.code_embeddings e ON e.chunk_id = c.chunk_id AND e.content_hash = c.content_hash
  AND e.generation_id = (SELECT g.generation_id FROM pgduet.generations g WHERE g.state = 'active')
GROUP BY c.repo, c.language;

CREATE OR REPLACE VIEW pgduet.generation_status WITH (security_invoker = true) AS
SELECT g.generation_id, g.name, g.model, g.fingerprint, g.state, g.created_at, g.activated_at,
  (SELECT pg_catalog.count(*) FROM pgduet.code_embeddings e WHERE e.generation_id = g.generation_id) AS vectors
FROM pgduet.generations g;

CREATE OR REPLACE VIEW pgduet.index_status WITH (security_invoker = true) AS
SELECT b.generation_id, b.index_name, b.lists, b.rows_at_build, b.started_at, b.finished_at, i.indisvalid AS valid,
  pg_catalog.pg_relation_size(i.indexrelid) AS bytes
FROM pgduet._index_build b
JOIN pg_catalog.pg_class c ON c.relname = b.index_name AND c.relnamespace = 'pgduet'::regnamespace
JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid;
