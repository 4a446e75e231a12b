-- The queue between users' statements and the worker. Functions and views live in sql/.

-- Append-only for users' statements, and without a foreign key: nothing that they do can wait for a worker, and the
-- same chunk may stand here many times. It holds no generation: the worker finds out which vectors are lacking.
-- A row without a chunk asks for a look at all chunks, after a TRUNCATE.
CREATE TABLE pgduet._pending (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  chunk_id bigint,
  enqueued_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  attempts integer NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  leased_until timestamptz,
  lease_owner text,
  error_class text,
  error text
);
-- A chunk is worked on only through its first row: that keeps two workers from working on it at once.
CREATE INDEX _pending_chunk ON pgduet._pending (chunk_id, seq);
-- It is emptied and filled all the time: wait for a share of nothing and the dead rows outnumber the living.
ALTER TABLE pgduet._pending SET (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 10000,
  autovacuum_vacuum_insert_threshold = -1, fillfactor = 80);

CREATE TABLE pgduet._dead_letter (
  chunk_id bigint NOT NULL,
  generation_id integer NOT NULL,
  content_hash bytea NOT NULL,
  error_class text NOT NULL CHECK (error_class IN ('row_temporary', 'row_permanent')),
  error text NOT NULL,
  attempts integer NOT NULL,
  failed_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  PRIMARY KEY (chunk_id, generation_id)
);

CREATE TABLE pgduet._worker (
  worker text PRIMARY KEY,
  host text NOT NULL,
  pid integer NOT NULL,
  version text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  seen_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  state text NOT NULL,
  detail text,
  embedded bigint NOT NULL DEFAULT 0,
  failed bigint NOT NULL DEFAULT 0
);

-- Finds the vector of a content that is embedded already. Not unique: a worker never waits for a user's open update.
CREATE INDEX code_embeddings_content ON pgduet.code_embeddings (content_hash);

ALTER TABLE pgduet._setting DROP CONSTRAINT _setting_check;
ALTER TABLE pgduet._setting ADD CONSTRAINT _setting_check CHECK (CASE key
  WHEN 'sidecar_address' THEN value <> ''
  WHEN 'deadline_ms' THEN value ~ '^[0-9]{1,9}$' AND value::integer >= 1
  WHEN 'batch_deadline_ms' THEN value ~ '^[0-9]{1,9}$' AND value::integer >= 1
  WHEN 'batch_texts' THEN value ~ '^[0-9]{1,4}$' AND value::integer BETWEEN 1 AND 4096
  WHEN 'trigger_mode' THEN value IN ('auto', 'sync', 'queue')
  WHEN 'sync_max_rows' THEN value ~ '^[0-9]{1,6}$'
  WHEN 'sync_timeout_ms' THEN value ~ '^[0-9]{1,9}$' AND value::integer >= 1
  WHEN 'notify' THEN value IN ('on', 'off')
  ELSE false
END);
INSERT INTO pgduet._setting (key, value, description) VALUES
  ('trigger_mode', 'auto', 'sync: embed inside the statement; queue: leave it to the worker; auto: small statements inside, as long as the sidecar is quick'),
  ('sync_max_rows', '256', 'auto: most rows of one statement that are embedded inside it'),
  ('sync_timeout_ms', '2000', 'auto: longest that one transaction waits for the sidecar, in milliseconds'),
  ('notify', 'on', 'on: a commit wakes the worker; off: the worker looks every few seconds, and two-phase commit is allowed');

-- Functions that come back from sql/ under other names, with other parameters or with other columns.
DROP TRIGGER IF EXISTS _pgduet_insert ON pgduet.code_chunks;
DROP TRIGGER IF EXISTS _pgduet_update ON pgduet.code_chunks;
DROP TRIGGER IF EXISTS _pgduet_delete ON pgduet.code_chunks;
DO $$
DECLARE
  replaced regprocedure;
BEGIN
  FOR replaced IN SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'pgduet'::regnamespace AND p.proname = ANY (ARRAY[
    '_chunks_inserted', '_chunks_updated', '_chunks_deleted', '_embed_query_ids', '_embed_chunks', '_embed_rows',
    'similar_code', 'similar_to', '_similar_code', '_similar_to', '_nearest'])
  LOOP
    EXECUTE format('DROP FUNCTION %s', replaced);
  END LOOP;
END $$;
