-- What snapshots hold, counted on the spot with the rights of whoever asks. Functions, because compiling the counts
-- takes longer than counting, also for a view that does not even run them.
CREATE OR REPLACE FUNCTION pgduet._coverage_now() RETURNS TABLE (repo text, language text, chunks bigint,
  embedded bigint, blank bigint, pending bigint, truncated bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
  SELECT v.repo, v.language, v.chunks, v.embedded, v.blank, v.pending, v.truncated FROM pgduet.coverage v
$$;

-- What was queued waits since then; what no trigger saw, since its chunk was written.
CREATE OR REPLACE FUNCTION pgduet._freshness_now() RETURNS TABLE (repo text, chunks bigint, pending bigint,
  failed bigint, oldest_pending_at timestamptz, last_changed_at timestamptz, last_embedded_at timestamptz)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
  SELECT n.repo, count(*), count(*) FILTER (WHERE n.state = 'pending'), count(*) FILTER (WHERE n.state = 'failed'),
    min(n.since) FILTER (WHERE n.state = 'pending'), max(n.updated_at), max(n.embedded_at)
  FROM (
    SELECT c.repo, c.updated_at, e.embedded_at, coalesce(q.since, c.updated_at) AS since,
      CASE WHEN c.content_hash IS NULL OR e.chunk_id IS NOT NULL THEN 'done'
        WHEN d.chunk_id IS NOT NULL THEN 'failed' ELSE 'pending' END AS state
    FROM pgduet.code_chunks c
    LEFT JOIN pgduet.generations g ON g.state = 'active'
    LEFT JOIN pgduet.code_embeddings e ON e.chunk_id = c.chunk_id AND e.generation_id = g.generation_id
      AND e.content_hash = c.content_hash
    LEFT JOIN pgduet._dead_letter d ON d.chunk_id = c.chunk_id AND d.generation_id = g.generation_id
      AND d.content_hash = c.content_hash
    LEFT JOIN (SELECT p.chunk_id, min(p.enqueued_at) AS since FROM pgduet._pending p GROUP BY p.chunk_id) q
      ON q.chunk_id = c.chunk_id
  ) n
  GROUP BY n.repo
$$;

-- The hashes that several repositories have are found first: their names are put together for few contents only.
CREATE OR REPLACE FUNCTION pgduet._duplicates_now() RETURNS TABLE (content_hash text, repos bigint, copies bigint,
  repo_names text, chunk_id bigint, repo text, path text, symbol text, kind text, language text, characters bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
  WITH shared AS MATERIALIZED (
    SELECT c.content_hash FROM pgduet.code_chunks c WHERE c.content_hash IS NOT NULL AND c.repo IS NOT NULL
    GROUP BY c.content_hash HAVING min(c.repo) <> max(c.repo)
  ), counted AS (
    SELECT c.content_hash, count(DISTINCT c.repo) AS repos, count(*) AS copies,
      string_agg(DISTINCT c.repo, ', ' ORDER BY c.repo) AS repo_names, min(c.chunk_id) AS chunk_id
    FROM shared s JOIN pgduet.code_chunks c ON c.content_hash = s.content_hash AND c.repo IS NOT NULL
    GROUP BY c.content_hash
  )
  SELECT encode(n.content_hash, 'hex'), n.repos, n.copies, n.repo_names, n.chunk_id, f.repo, f.path, f.symbol, f.kind,
    f.language, length(f.content)::bigint
  FROM counted n JOIN pgduet.code_chunks f ON f.chunk_id = n.chunk_id
$$;
