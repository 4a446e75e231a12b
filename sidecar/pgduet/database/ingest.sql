-- stored --
SELECT c.path, c.source_key, c.chunk_id, c.content_hash, c.symbol, c.kind, c.language, c.start_line, c.end_line
FROM pgduet.code_chunks c
WHERE c.source = %(source)s AND c.path = ANY (%(paths)s)

-- paths --
SELECT c.path, count(*)
FROM pgduet.code_chunks c
WHERE c.source = %(source)s AND (%(below)s = '' OR c.path = %(below)s OR starts_with(c.path, %(below)s || '/'))
GROUP BY c.path

-- copy --
COPY pgduet.code_chunks (repo, path, symbol, kind, language, start_line, end_line, content, source, source_key)
FROM STDIN

-- changed_table --
CREATE TEMPORARY TABLE _pgduet_changed (
  repo text, path text, symbol text, kind text, language text, start_line integer, end_line integer,
  content text, source text, source_key text
) ON COMMIT DROP

-- copy_changed --
COPY pg_temp._pgduet_changed (repo, path, symbol, kind, language, start_line, end_line, content, source, source_key)
FROM STDIN

-- update --
UPDATE pgduet.code_chunks c
SET symbol = n.symbol, kind = n.kind, language = n.language, start_line = n.start_line, end_line = n.end_line,
  content = n.content
FROM pg_temp._pgduet_changed n
WHERE c.source = n.source AND c.source_key = n.source_key

-- delete --
DELETE FROM pgduet.code_chunks c WHERE c.chunk_id = ANY (%(chunk_ids)s)

-- delete_files --
DELETE FROM pgduet.code_chunks c WHERE c.source = %(source)s AND c.path = ANY (%(paths)s)
