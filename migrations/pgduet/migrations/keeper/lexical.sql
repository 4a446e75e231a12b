-- valid --
SELECT i.indisvalid FROM pg_index i WHERE i.indexrelid = to_regclass(%(name)s)

-- create --
CREATE INDEX CONCURRENTLY code_chunks_lexical ON pgduet.code_chunks USING gin (pgduet._lexemes(symbol, content))
