-- search --
SELECT s.chunk_id, s.repo, s.path, s.symbol, s.kind, s.language, s.start_line, s.end_line, s.content, s.similarity
FROM pgduet.similar_code(query => %(query)s::text, k => %(k)s::integer, language => %(language)s::text,
  repo => %(repo)s::text, path_like => %(path_like)s::text, min_similarity => %(min_similarity)s::float8,
  lexical => %(lexical)s::boolean) s
