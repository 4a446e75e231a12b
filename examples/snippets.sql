-- An application's own table of snippets: searchable by meaning, and told at every INSERT what is there already.
--
--   source .pgduet/env && psql -f examples/snippets.sql           again at any time
--   psql -f examples/snippets_drop.sql                            takes everything away
--
-- On a server of your own: as a member of pgduet_admin who may create a schema, while `pgduet worker` runs.
\set ON_ERROR_STOP on
SET client_min_messages = notice;

CREATE SCHEMA IF NOT EXISTS example;
CREATE TABLE IF NOT EXISTS example.snippets (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  title text NOT NULL UNIQUE,
  language text,
  body text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- 1. Searchable. Triggers of pgduet's note which rows change, a worker cuts and embeds them a moment later. No column is
-- added, and no INSERT waits for a model. Called again it only looks at all rows once more.
SELECT pgduet.watch('example.snippets', 'body', path_column => 'title', language_column => 'language',
  repo => 'snippets') AS watched;

-- 2. A trigger of the application's own asks before the worker does: is there a snippet like this one?
CREATE TABLE IF NOT EXISTS example.near_duplicates (
  snippet_id bigint REFERENCES example.snippets ON DELETE CASCADE,
  similar_id bigint REFERENCES example.snippets ON DELETE CASCADE,
  similarity double precision NOT NULL,
  noticed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (snippet_id, similar_id)
);

-- With the rights of whoever inserts, who needs pgduet_reader for it. Rows of the same transaction have no vectors yet
-- and are not found. 0.8 is for the duet `small`: below, the same code under other names has 0.89, other code at most
-- 0.55. Measure it for your duet and your code.
CREATE OR REPLACE FUNCTION example.notice_near_duplicates() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_hit record;
BEGIN
  FOR v_hit IN
    -- A long snippet is several chunks.
    SELECT s.id, s.title, max(h.similarity) AS similarity
    FROM pgduet.similar_code(NEW.body, k => 5, repo => 'snippets', min_similarity => 0.8) h
    JOIN example.snippets s ON h.source = 'example.snippets' AND h.source_key = s.id::text
    WHERE s.id <> NEW.id GROUP BY s.id, s.title ORDER BY 3 DESC, s.id
  LOOP
    RAISE NOTICE 'there is a snippet like "%" already: "%" (similarity %)', NEW.title, v_hit.title,
      round(v_hit.similarity::numeric, 2);
    INSERT INTO example.near_duplicates AS d (snippet_id, similar_id, similarity)
    VALUES (NEW.id, v_hit.id, v_hit.similarity)
    ON CONFLICT (snippet_id, similar_id) DO UPDATE SET similarity = excluded.similarity, noticed_at = now();
  END LOOP;
  RETURN NULL;
EXCEPTION WHEN OTHERS THEN
  -- A sidecar that is away is no reason to lose a snippet. A cancel does not end up here.
  RAISE WARNING 'nobody looked for snippets like "%": %', NEW.title, SQLERRM;
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER notice_near_duplicates AFTER INSERT OR UPDATE OF body ON example.snippets
FOR EACH ROW EXECUTE FUNCTION example.notice_near_duplicates();

-- 3. Some snippets, and a minute at most for their vectors.
INSERT INTO example.snippets (title, language, body) VALUES
  ('call again', 'python', $$def call_again(send, times):
    """Send a request again when it fails, later each time."""
    for attempt in range(times):
        try:
            return send()
        except ConnectionError:
            time.sleep(2 ** attempt)
    raise ConnectionError("gave up")$$),
  ('newest row of each group', 'sql', $$SELECT DISTINCT ON (customer_id) customer_id, order_id, ordered_at
FROM orders ORDER BY customer_id, ordered_at DESC;$$),
  ('debounce', 'javascript', $$function debounce(callback, milliseconds) {
  let timer;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => callback(...values), milliseconds);
  };
}$$),
  ('largest folders', 'bash', $$du --human-readable --max-depth=1 "$1" | sort --human-numeric-sort --reverse | head -n 10$$)
ON CONFLICT (title) DO NOTHING;

DO $$
DECLARE
  v_end timestamptz := clock_timestamp() + interval '1 minute';
BEGIN
  WHILE EXISTS (SELECT FROM example.snippets s WHERE NOT EXISTS (
    SELECT FROM pgduet.code_chunks c JOIN pgduet.code_embeddings e USING (chunk_id, content_hash)
    WHERE c.source = 'example.snippets' AND c.source_key = s.id::text))
  LOOP
    IF clock_timestamp() > v_end THEN
      RAISE EXCEPTION 'snippets have no vectors after a minute'
        USING HINT = 'Does a worker run? `pgduet worker` starts one, `pgduet doctor` says what is wrong.';
    END IF;
    PERFORM pg_sleep(0.2);
  END LOOP;
END $$;

-- 4. Search. A hit names its row by source and source_key.
SELECT s.title, s.language, round(h.similarity::numeric, 2) AS similarity
FROM pgduet.similar_code('try a failed network call once more', k => 2, repo => 'snippets') h
JOIN example.snippets s ON h.source = 'example.snippets' AND h.source_key = s.id::text;

-- 5. The same code under other names: the notice names the one that is there.
INSERT INTO example.snippets (title, language, body) VALUES
  ('retry', 'python', $$def retry(request, attempts):
    """Send a request again when it fails, later each time."""
    for number in range(attempts):
        try:
            return request()
        except ConnectionError:
            time.sleep(2 ** number)
    raise ConnectionError("gave up")$$)
ON CONFLICT (title) DO NOTHING;

SELECT n.title AS new, o.title AS there_already, round(d.similarity::numeric, 2) AS similarity
FROM example.near_duplicates d JOIN example.snippets n ON n.id = d.snippet_id JOIN example.snippets o ON o.id = d.similar_id;
