-- truth --
SELECT t.embedding::text, t.sketch::text, t.except_id, t.except_hash, t.nearest, t.kth, t.exact_ms
FROM pgduet._recall_truth(%(generation_id)s, %(query_kind)s, %(sample)s, %(k)s, NULL, NULL, NULL, %(seconds)s) t

-- try --
SELECT t.recall, t.ms
FROM pgduet._recall_try(%(generation_id)s, 'index', %(index_kind)s, %(probes)s, %(ef_search)s, %(depth)s,
  %(embedding)s, %(sketch)s, %(k)s, NULL, NULL, NULL, %(except_id)s, %(except_hash)s, %(nearest)s, %(kth)s) t

-- interval --
SELECT recall, recall_low, recall_high FROM pgduet._recall_interval(%(recalls)s, %(k)s)

-- index --
SELECT b.kind, b.lists, b.probes, b.ef_search, b.depth, b.recall_target
FROM pgduet._index_build b
WHERE b.index_name = %(index_name)s AND b.generation_id = %(generation_id)s

-- chosen --
UPDATE pgduet._index_build SET probes = %(probes)s, ef_search = %(ef_search)s, depth = %(depth)s,
  recall_target = %(target)s, calibrated_at = clock_timestamp()
WHERE index_name = %(index_name)s AND generation_id = %(generation_id)s

-- write --
INSERT INTO pgduet._recall_sample (generation_id, index_name, measured_at, query_kind, queries, k, probes, ef_search,
  depth, recall, recall_low, recall_high, index_ms, exact_ms, rows, changes)
SELECT %(generation_id)s, %(index_name)s, now(), %(query_kind)s, %(queries)s, %(k)s, %(probes)s,
  %(ef_search)s, %(depth)s, %(recall)s, %(low)s, %(high)s, %(index_ms)s, %(exact_ms)s, n.rows, n.changes
FROM pgduet._vector_count(%(generation_id)s) n

-- forget --
DELETE FROM pgduet._recall_sample WHERE measured_at < clock_timestamp() - interval '90 days'

-- due --
SELECT s.measured_at IS NULL OR abs(n.changes - s.changes) >= 0.1 * s.rows
  OR (n.changes <> s.changes AND s.measured_at < clock_timestamp() - interval '1 hour')
FROM pgduet._vector_count(%(generation_id)s) n
LEFT JOIN LATERAL (
  SELECT r.measured_at, r.rows, r.changes FROM pgduet._recall_sample r
  WHERE r.generation_id = %(generation_id)s AND r.index_name = %(index_name)s ORDER BY r.measured_at DESC LIMIT 1
) s ON true
