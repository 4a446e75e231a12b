-- Watched user tables. Functions and views live in sql/.

-- Columns by name: their numbers change when a database is dumped and restored. The table itself is found by its
-- trigger, which follows renames and dumps; schema_name and table_name are its name when last looked at.
CREATE TABLE pgduet._watch (
  watch_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source text NOT NULL UNIQUE,
  schema_name text NOT NULL,
  table_name text NOT NULL,
  key_columns text[] NOT NULL,
  content_column text NOT NULL,
  path_column text,
  language_column text,
  language text,
  repo text,
  copy_protected boolean NOT NULL,
  long_keys bigint NOT NULL DEFAULT 0,
  problem text,
  created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  created_by text NOT NULL
);

-- Rows of watched tables that changed. As _pending: append-only for users' statements, duplicates are merged when a
-- worker takes them. A row without a key asks for a look at the whole table.
CREATE TABLE pgduet._source (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  watch_id integer NOT NULL,
  row_key text,
  enqueued_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  attempts integer NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  leased_until timestamptz,
  lease_owner text,
  error text
);
-- The key leads: most queues hold one table's rows, and then watch_id tells nothing.
CREATE INDEX _source_row_key ON pgduet._source (row_key, watch_id, seq);
CREATE INDEX _source_owner ON pgduet._source (lease_owner) WHERE lease_owner IS NOT NULL;
ALTER TABLE pgduet._source SET (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 10000,
  autovacuum_vacuum_insert_threshold = -1, fillfactor = 80);

-- What was made of each row. row_hash stands for content, path, language and repo; it is NULL where the row is to be
-- cut again whatever it holds. row_version is the row's xmin: it tells changes that no trigger saw.
CREATE TABLE pgduet._source_row (
  watch_id integer NOT NULL,
  row_key text NOT NULL,
  row_hash bytea,
  row_version text NOT NULL,
  chunks integer NOT NULL,
  error text,
  done_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  PRIMARY KEY (row_key, watch_id)
);

-- What is to be stored of one row: chunk_id is the stored chunk whose place it takes.
CREATE TYPE pgduet._source_chunk AS (
  chunk_id bigint, repo text, path text, symbol text, kind text, language text, start_line integer, end_line integer,
  content text
);
