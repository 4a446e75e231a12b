-- chunk --
SELECT c.chunk_id, c.repo, c.path, c.symbol, c.kind, c.language, c.start_line, c.end_line, c.content, c.updated_at
FROM pgduet.code_chunks c WHERE c.chunk_id = %(chunk_id)s

-- similar --
SELECT s.chunk_id, s.repo, s.path, s.symbol, s.kind, s.language, s.start_line, s.end_line, s.content, s.similarity
FROM pgduet.similar_to(%(chunk_id)s, k => %(k)s) s WHERE s.chunk_id <> %(chunk_id)s

-- facets --
SELECT CASE WHEN GROUPING(c.language) = 0 THEN 'language' ELSE 'repo' END, coalesce(c.language, c.repo),
  sum(c.chunks)::bigint AS chunks
FROM pgduet.coverage c GROUP BY GROUPING SETS ((c.language), (c.repo))
HAVING coalesce(c.language, c.repo) IS NOT NULL ORDER BY chunks DESC, 2

-- map_size --
SELECT g.name, max(m.computed_at), count(*)
FROM pgduet.generations g JOIN pgduet.code_map m ON m.generation = g.name
WHERE g.state = 'active' GROUP BY g.name

-- map --
SELECT m.chunk_id, m.x, m.y, m.cluster, m.repo, m.path, m.symbol, m.kind, m.language
FROM pgduet.code_map m
WHERE m.generation = %(generation)s AND hashint8(m.chunk_id)::bigint %% %(stride)s = 0
ORDER BY m.chunk_id
