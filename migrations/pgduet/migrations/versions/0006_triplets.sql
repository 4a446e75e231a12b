-- What fine-tuning learns from: triplets mined in the table. The view over them lives in sql/.

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
  WHEN 'index_kind' THEN value IN ('sketch', 'halfvec', 'hnsw')
  WHEN 'index_min_rows' THEN value ~ '^[0-9]{1,9}$' AND value::integer >= 100
  WHEN 'index_growth' THEN value ~ '^[0-9]{1,3}([.][0-9]{1,3})?$' AND value::numeric >= 1.1
  WHEN 'index_memory_mb' THEN value ~ '^[0-9]{1,6}$' AND value::integer >= 64
  WHEN 'recall_target' THEN value ~ '^(0[.][0-9]{1,4}|1([.]0{1,4})?)$' AND value::numeric >= 0.5
  WHEN 'lexical_index' THEN value IN ('on', 'off')
  WHEN 'mining_positive' THEN value ~ '^0[.][0-9]{1,4}$' AND value::numeric > 0
  WHEN 'mining_negative' THEN value ~ '^0[.][0-9]{1,4}$'
  ELSE false
END);
INSERT INTO pgduet._setting (key, value, description) VALUES
  ('mining_positive', '0.85', 'cosine, of each half, from which two chunks mean the same, where that separates at all'),
  ('mining_negative', '0.3', 'cosine, of each half, under which two chunks have nothing in common, where that separates');

-- One row for each run. The rows of the last are in _triplet.
CREATE TABLE pgduet._mining (
  mining_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  started_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  finished_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  mined_by text NOT NULL DEFAULT session_user,
  generation_id integer NOT NULL,
  settings jsonb NOT NULL,
  report jsonb NOT NULL
);

-- One row for each negative of a triplet. The texts are as they were when mined; the chunks say where they came from.
CREATE TABLE pgduet._triplet (
  mining_id bigint NOT NULL,
  triplet_id integer NOT NULL,
  negative_number smallint NOT NULL,
  split text NOT NULL CHECK (split IN ('train', 'dev', 'test')),
  kind text NOT NULL CHECK (kind IN ('docstring', 'symbol', 'cosine')),
  anchor text NOT NULL,
  positive text NOT NULL,
  negative text NOT NULL,
  negative_kind text NOT NULL CHECK (negative_kind IN ('hard', 'random')),
  anchor_chunk bigint NOT NULL,
  positive_chunk bigint NOT NULL,
  negative_chunk bigint NOT NULL,
  -- Cosines to the anchor's chunk: of the whole vector and of its halves. A docstring has no vector of its own.
  positive_similarity double precision,
  positive_code double precision,
  positive_text double precision,
  negative_similarity double precision NOT NULL,
  negative_code double precision,
  negative_text double precision,
  PRIMARY KEY (mining_id, triplet_id, negative_number)
);

-- The texts are copies of code: who may not see a chunk may not see it here either. A policy's query runs with the
-- rights of whoever asks, row security of code_chunks included.
ALTER TABLE pgduet._triplet ENABLE ROW LEVEL SECURITY;
CREATE POLICY _triplet_seen ON pgduet._triplet FOR SELECT USING (
  EXISTS (SELECT FROM pgduet.code_chunks c WHERE c.chunk_id = anchor_chunk)
  AND EXISTS (SELECT FROM pgduet.code_chunks c WHERE c.chunk_id = positive_chunk)
  AND EXISTS (SELECT FROM pgduet.code_chunks c WHERE c.chunk_id = negative_chunk));
CREATE POLICY _triplet_mined ON pgduet._triplet FOR INSERT WITH CHECK (true);
CREATE POLICY _triplet_replaced ON pgduet._triplet FOR DELETE USING (true);
