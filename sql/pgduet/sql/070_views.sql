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
