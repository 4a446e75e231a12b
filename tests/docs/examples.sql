-- The examples of docs/reference/functions.md, a section for each function; psql runs them in this order, on a database
-- with nothing in it but pgduet and the real `small`. Lines that begin with \! are what a running worker does meanwhile:
-- they are run and not shown. What is shown is the same on every machine: no times, similarities of two digits.

--- rows
INSERT INTO pgduet.code_chunks (repo, path, symbol, kind, language, content) VALUES
  ('shop', 'http.py', 'call_again', 'function', 'python',
   'def call_again(send, times): ''''''Send a request again when it fails.'''''' ...'),
  ('shop', 'cart.py', 'total', 'function', 'python',
   'def total(cart): return sum(line.price * line.count for line in cart)'),
  ('shop', 'dates.py', 'parse_date', 'function', 'python',
   'def parse_date(text): return datetime.strptime(text, "%Y-%m-%d").date()'),
  ('site', 'table.js', 'sortRows', 'function', 'javascript',
   'function sortRows(rows, key) { return rows.sort((a, b) => a[key] - b[key]); }'),
  ('site', 'copy.py', 'total', 'function', 'python',
   'def total(cart): return sum(line.price * line.count for line in cart)');
\! pgduet worker --once --no-index >/dev/null 2>&1

--- similar_code
SELECT repo, path, symbol, round(similarity::numeric, 2) AS similarity
FROM pgduet.similar_code('retry a failed request', k => 2);

SELECT path, symbol FROM pgduet.similar_code('order the lines of a table', k => 1, language => 'javascript');

-- Copies of one content are one hit, unless asked otherwise.
SELECT repo, path FROM pgduet.similar_code('what a cart costs', k => 2, distinct_content => false);

-- A name, and not what it means: the words of the query count too.
SELECT path, symbol FROM pgduet.similar_code('parse_date', k => 1, lexical => true);

--- similar_to
SELECT path, symbol, round(similarity::numeric, 2) AS similarity
FROM pgduet.similar_to((SELECT chunk_id FROM pgduet.code_chunks WHERE path = 'http.py'), k => 2);

--- embed
SELECT vector_dims(v) AS numbers, round(l2_norm(v)::numeric, 3) AS length
FROM pgduet.embed('sort a list', 'query') AS v;

-- A search of one's own, by exact cosine; the sub-select asks the model once.
SELECT c.path, round((1 - (e.embedding <=> (SELECT pgduet.embed('add up prices', 'query'))))::numeric, 2) AS cosine
FROM pgduet.code_embeddings e JOIN pgduet.code_chunks c USING (chunk_id)
WHERE c.repo = 'shop' ORDER BY cosine DESC LIMIT 2;

-- One half alone.
SELECT vector_dims(pgduet.embed('sort a list', part => 'code')) AS code,
  vector_dims(pgduet.embed('sort a list', part => 'text')) AS text;

--- embed_batch
SELECT ordinality, round((1 - (embedding <=> (SELECT pgduet.embed('sort a list', 'query'))))::numeric, 2) AS cosine
FROM pgduet.embed_batch(ARRAY['rows.sort()', 'open(path).read()', NULL]);

--- chunk_code
SELECT symbol, kind, language, start_line, end_line FROM pgduet.chunk_code(
'class Cart:
    def add(self, line):
        self.lines.append(line)

    def total(self):
        return sum(line.price for line in self.lines)
', path => 'cart.py');

--- watch
CREATE TABLE snippet (id bigint PRIMARY KEY, file_name text, body text);
INSERT INTO snippet VALUES (1, 'cut.py', 'def cut(text, width): return [text[i:i + width] for i in range(0, len(text), width)]');
SELECT pgduet.watch('snippet', 'body', path_column => 'file_name', repo => 'snippets');
\! pgduet worker --once --no-index >/dev/null 2>&1
SELECT source_key, path, symbol FROM pgduet.similar_code('split a string into pieces', k => 1, repo => 'snippets');

--- unwatch
SELECT pgduet.unwatch('snippet');

--- health
-- What is not as it should be; here no worker runs.
SELECT component, status, detail FROM pgduet.health() WHERE status <> 'ok';

--- version
SELECT pgduet.version();

--- reconcile
SELECT * FROM pgduet.reconcile();

--- retry_failed
SELECT pgduet.retry_failed();

SELECT pgduet.retry_failed('row_permanent');

--- index_health
SELECT aspect, status, coalesce(advice, 'nothing to do') AS advice FROM pgduet.index_health();

--- index_recall
SELECT query_kind, queries, recall, way FROM pgduet.index_recall(sample => 5, k => 3);

--- reindex
SELECT pgduet.reindex();

--- add_generation
-- The same duet again, to show the way; a new one, such as `pgduet finetune` makes, goes it too.
SELECT pgduet.add_generation('small', 'small-again');
\! pgduet worker --once --no-index >/dev/null 2>&1
SELECT name, state, lacking, share_done FROM pgduet.generation_status ORDER BY generation_id;

--- promote
SELECT pgduet.promote('small-again', force => true, reason => 'to show how');

--- rollback
SELECT pgduet.rollback();

--- retire
SELECT split_part(pgduet.retire('small-again'), ';', 1) AS retire;

--- finetune
SELECT pgduet.finetune('small-1', steps => 50, options => '{"rate": 3e-5}');
SELECT run_id, name, state FROM pgduet.finetune_history;

--- cancel_finetune
SELECT pgduet.cancel_finetune(1);
