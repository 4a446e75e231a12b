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

-- What a generation holds and, where it is filled, what it lacks, chunk by chunk. A function, because compiling the
-- counts takes longer than counting.
CREATE OR REPLACE FUNCTION pgduet._generation_counts(generation_id integer, is_live boolean, OUT vectors bigint,
  OUT chunks bigint, OUT lacking bigint, OUT failed bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
  SELECT (SELECT count(*) FROM pgduet.code_embeddings e WHERE e.generation_id = $1),
    CASE WHEN $2 THEN count(*) END,
    CASE WHEN $2 THEN count(*) FILTER (WHERE e.chunk_id IS NULL AND d.chunk_id IS NULL) END,
    CASE WHEN $2 THEN count(*) FILTER (WHERE e.chunk_id IS NULL AND d.chunk_id IS NOT NULL) END
  FROM pgduet.code_chunks c
  LEFT JOIN pgduet.code_embeddings e
    ON e.chunk_id = c.chunk_id AND e.generation_id = $1 AND e.content_hash = c.content_hash
  LEFT JOIN pgduet._dead_letter d
    ON d.chunk_id = c.chunk_id AND d.generation_id = $1 AND d.content_hash = c.content_hash
  WHERE $2 AND c.content_hash IS NOT NULL
$$;

CREATE OR REPLACE VIEW pgduet.generation_status WITH (security_invoker = true) AS
SELECT g.generation_id, g.name, g.model, g.fingerprint, g.state, g.created_at, g.activated_at, n.vectors,
  p.name AS parent, n.lacking, n.failed,
  CASE WHEN n.chunks > 0 THEN (n.chunks - n.lacking - n.failed) / n.chunks::double precision
    WHEN n.chunks = 0 THEN 1 END AS share_done,
  i.index_name IS NOT NULL AS has_index,
  (SELECT r.recall FROM pgduet._recall_sample r WHERE r.index_name = i.index_name AND r.generation_id = g.generation_id
   ORDER BY r.measured_at DESC, r.recall LIMIT 1) AS recall,
  s.metric, s.score_before, s.score, s.gate_passed, g.retired_at, g.dropped_at
FROM pgduet.generations g
LEFT JOIN pgduet.generations p ON p.generation_id = g.parent
CROSS JOIN LATERAL pgduet._generation_counts(g.generation_id, g.state IN ('building', 'ready', 'active')) n
CROSS JOIN LATERAL pgduet._search_index(g.generation_id) i
CROSS JOIN LATERAL (
  SELECT g.metrics -> 'gate' ->> 'metric' AS metric,
    CASE WHEN pg_catalog.jsonb_typeof(g.metrics -> 'gate' -> 'before') = 'number'
      THEN (g.metrics -> 'gate' -> 'before')::double precision END AS score_before,
    CASE WHEN pg_catalog.jsonb_typeof(g.metrics -> 'gate' -> 'after') = 'number'
      THEN (g.metrics -> 'gate' -> 'after')::double precision END AS score,
    CASE WHEN pg_catalog.jsonb_typeof(g.metrics -> 'gate' -> 'passed') = 'boolean'
      THEN (g.metrics -> 'gate' -> 'passed')::boolean END AS gate_passed
) s;
