-- snapshot --
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ

-- lock --
SELECT pg_try_advisory_xact_lock(70962561)

-- settings --
SELECT s.key, s.value::double precision FROM pgduet._setting s WHERE s.key IN ('mining_positive', 'mining_negative')

-- generation --
SELECT g.generation_id FROM pgduet.generations g WHERE g.state = 'active'

-- chunks --
SELECT (SELECT count(*) FROM pgduet.code_chunks), count(*)
FROM pgduet.code_chunks c
JOIN pgduet.code_embeddings e ON e.chunk_id = c.chunk_id AND e.content_hash = c.content_hash
WHERE e.generation_id = %(generation_id)s

-- sample --
SELECT c.chunk_id
FROM pgduet.code_chunks c
JOIN pgduet.code_embeddings e ON e.chunk_id = c.chunk_id AND e.content_hash = c.content_hash
WHERE e.generation_id = %(generation_id)s AND octet_length(c.content) <= %(longest)s
ORDER BY hashint8extended(c.chunk_id, %(seed)s), c.chunk_id LIMIT %(most)s

-- contents --
SELECT c.chunk_id, coalesce(c.repo, ''), coalesce(c.path, ''), coalesce(c.symbol, ''), nullif(c.language, ''), c.content
FROM pgduet.code_chunks c WHERE c.chunk_id = ANY (%(chunk_ids)s) AND octet_length(c.content) <= %(longest)s

-- vectors --
SELECT e.chunk_id, e.embedding FROM pgduet.code_embeddings e
WHERE e.generation_id = %(generation_id)s AND e.chunk_id = ANY (%(chunk_ids)s)

-- neighbours --
SELECT n.chunk_id, n.neighbour_id FROM pgduet._neighbours(%(chunk_ids)s::bigint[], %(k)s::integer) n

-- namesakes --
WITH rare AS (
  SELECT c.symbol FROM pgduet.code_chunks c WHERE c.symbol <> ''
  GROUP BY c.symbol HAVING count(*) <= %(common)s AND min(c.repo) <> max(c.repo)
)
SELECT a.chunk_id, c.chunk_id
FROM pgduet.code_chunks a
JOIN rare r ON r.symbol = a.symbol
JOIN pgduet.code_chunks c ON c.symbol = a.symbol AND c.repo <> a.repo AND c.content_hash <> a.content_hash
  AND c.kind IS NOT DISTINCT FROM a.kind AND c.language IS NOT DISTINCT FROM a.language
WHERE a.chunk_id = ANY (%(chunk_ids)s)
ORDER BY a.chunk_id, c.chunk_id

-- cosines --
SELECT p.place - 1, p.similarity, coalesce(p.code, 'NaN'), coalesce(p.text, 'NaN')
FROM pgduet._pair_cosines(%(first)s::bigint[], %(second)s::bigint[]) p

-- run --
INSERT INTO pgduet._mining (generation_id, settings, report)
VALUES (%(generation_id)s, %(settings)s::jsonb, %(report)s::jsonb) RETURNING mining_id

-- new_rows --
CREATE TEMPORARY TABLE pgduet_new_triplets (LIKE pgduet._triplet) ON COMMIT DROP

-- copy --
COPY pg_temp.pgduet_new_triplets (mining_id, triplet_id, negative_number, split, kind, anchor, positive, negative,
  negative_kind, anchor_chunk, positive_chunk, negative_chunk, positive_similarity, positive_code, positive_text,
  negative_similarity, negative_code, negative_text) FROM STDIN

-- forget --
DELETE FROM pgduet._triplet

-- replace --
INSERT INTO pgduet._triplet SELECT * FROM pg_temp.pgduet_new_triplets

-- triplets --
SELECT t.triplet_id, t.kind, t.anchor, t.positive, t.negative
FROM pgduet.triplets t WHERE t.split = %(split)s ORDER BY t.triplet_id, t.negative_number
