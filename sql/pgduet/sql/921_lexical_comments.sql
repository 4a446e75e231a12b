COMMENT ON FUNCTION pgduet._lexemes(text, text) IS 'Words of a chunk for lexical search: identifiers cut at underscores and case, and whole, stemmed; the index code_chunks_lexical is made of them';
COMMENT ON FUNCTION pgduet._recent_queries(integer) IS 'Vectors of the last queries that the sidecar kept (PGDUET_KEEP_QUERIES), newest first';
