-- find --
SELECT c.chunk_id FROM pgduet.code_chunks c
WHERE c.chunk_id > %(after)s AND c.content_hash IS NOT NULL AND NOT EXISTS (
  SELECT FROM pgduet.code_embeddings e
  WHERE e.chunk_id = c.chunk_id AND e.content_hash = c.content_hash
    AND e.generation_id = (SELECT g.generation_id FROM pgduet.generations g WHERE g.state = 'active'))
ORDER BY c.chunk_id LIMIT %(limit)s

-- embed --
SELECT pgduet._embed_chunks(%(ids)s)
