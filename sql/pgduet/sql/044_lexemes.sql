-- Words for lexical search: of chunks, of queries, and how many chunks have them.

-- The words of a chunk or of a query: identifiers cut at underscores and where case changes, and each identifier whole
-- too, without its underscores, so that parse_date, parseDate and parsedate are one word; stemmed. Never raises: of a
-- content the first 100,000 characters count, and words over 2 kB are left out (what the parser says to that is hushed).
CREATE OR REPLACE FUNCTION pgduet._lexemes(symbol text, content text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp SET client_min_messages = error AS $$
DECLARE
  -- Without punctuation, or the parser takes `self.stream.write` for a host and `a/b` for a file.
  v_words text := regexp_replace(left(concat_ws(' ', $1, $2), 100000), E'[\\s!-/:-@[-^`{-~]+', ' ', 'g');
BEGIN
  RETURN strip(to_tsvector('pg_catalog.english'::regconfig,
    replace(regexp_replace(v_words, '([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z]{2})', E'\\1\\3 \\2\\4', 'g'), '_', ' ')
    || ' ' || replace(v_words, '_', '')));
END $$;

-- The words of a query, and those among them that belong to identifiers written as such: with an underscore or with a
-- capital inside. Of a long text the identifiers count first, then the longest words.
CREATE OR REPLACE FUNCTION pgduet._query_words(query text, OUT words text[], OUT identifiers text[])
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_identifiers text;
BEGIN
  SELECT string_agg(m.found[1], ' ') INTO v_identifiers FROM regexp_matches(left(query, 100000), '[[:alnum:]_]*'
    '(?:[[:alnum:]]_+[[:alnum:]]|[[:lower:][:digit:]][[:upper:]]|[[:upper:]]{2}[[:lower:]]{2})[[:alnum:]_]*', 'g')
    m (found);
  identifiers := tsvector_to_array(pgduet._lexemes(NULL, v_identifiers));
  words := ARRAY(SELECT w.word FROM unnest(tsvector_to_array(pgduet._lexemes(NULL, query))) w (word)
    ORDER BY w.word = ANY (identifiers) DESC, length(w.word) DESC, w.word LIMIT 50);
END $$;

-- How many of the chunks that pass a filter have each word, as the planner estimates it from the statistics of the
-- index: the thousand most frequent words are known, and of those nothing else need be read. VOLATILE: see
-- _matching_rows.
CREATE OR REPLACE FUNCTION pgduet._word_rows(words text[], language text, repo text, path_like text)
RETURNS double precision[]
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET max_parallel_workers_per_gather = 0 AS $$
DECLARE
  v_filter text := '($1 IS NULL OR c.language = $1) AND ($2 IS NULL OR c.repo = $2) AND ($3 IS NULL OR c.path LIKE $3)';
  v_plan jsonb;
BEGIN
  -- A first part that finds nothing: of one part alone the planner makes no list.
  EXECUTE 'EXPLAIN (FORMAT JSON) SELECT 1 FROM pgduet.code_chunks c WHERE c.chunk_id = 0' || (
    SELECT string_agg(format(' UNION ALL SELECT 1 FROM pgduet.code_chunks c'
      ' WHERE pgduet._lexemes(c.symbol, c.content) @@ %L AND %s', '''' || u.word || '''', v_filter), '' ORDER BY u.place)
    FROM unnest($1) WITH ORDINALITY u (word, place))
    INTO v_plan USING language, repo, path_like;
  RETURN ARRAY(SELECT (p.plan ->> 'Plan Rows')::double precision
    FROM jsonb_array_elements(v_plan #> '{0,Plan,Plans}') WITH ORDINALITY p (plan, place)
    WHERE p.place > 1 ORDER BY p.place);
END $$;
