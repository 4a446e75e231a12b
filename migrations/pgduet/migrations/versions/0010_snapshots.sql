-- What a worker counts every few minutes, so that people and BI tools need not, and where every chunk lies on a map.
-- Functions and views live in sql/.

-- Added to what the constraint holds by now.
DO $$
DECLARE
  v_check text := (SELECT pg_get_constraintdef(c.oid) FROM pg_constraint c
    WHERE c.conrelid = 'pgduet._setting'::regclass AND c.conname = '_setting_check');
BEGIN
  ALTER TABLE pgduet._setting DROP CONSTRAINT _setting_check;
  EXECUTE 'ALTER TABLE pgduet._setting ADD CONSTRAINT _setting_check ' || replace(v_check, 'ELSE false', $check$
    WHEN 'snapshot_seconds' THEN value ~ '^[0-9]{1,6}$'
    WHEN 'code_map' THEN value IN ('on', 'off')
    ELSE false$check$);
END $$;
INSERT INTO pgduet._setting (key, value, description) VALUES
  ('snapshot_seconds', '300', 'age at which a worker counts anew for the views that show an age, in seconds; small tables up to ten times as often; 0: never'),
  ('code_map', 'on', 'on: a worker keeps a point for every chunk in pgduet.code_map');

CREATE TABLE pgduet._snapshot (
  name text PRIMARY KEY,
  refreshed_at timestamptz NOT NULL,
  seconds double precision NOT NULL
);

CREATE TABLE pgduet._snapshot_coverage (
  repo text,
  language text,
  chunks bigint NOT NULL,
  embedded bigint NOT NULL,
  blank bigint NOT NULL,
  pending bigint NOT NULL,
  truncated bigint NOT NULL
);

CREATE TABLE pgduet._snapshot_freshness (
  repo text,
  chunks bigint NOT NULL,
  pending bigint NOT NULL,
  failed bigint NOT NULL,
  oldest_pending_at timestamptz,
  last_changed_at timestamptz,
  last_embedded_at timestamptz
);

CREATE TABLE pgduet._snapshot_generation (
  generation_id integer PRIMARY KEY,
  vectors bigint NOT NULL,
  chunks bigint,
  lacking bigint,
  failed bigint
);

CREATE TABLE pgduet._snapshot_duplicate (
  content_hash text PRIMARY KEY,
  repos bigint NOT NULL,
  copies bigint NOT NULL,
  repo_names text NOT NULL,
  chunk_id bigint NOT NULL,
  repo text NOT NULL,
  path text,
  symbol text,
  kind text,
  language text,
  characters bigint NOT NULL
);

-- These counts know no row security. Whoever is under that of code_chunks sees none of them: the views count for such
-- a reader what she may see.
ALTER TABLE pgduet._snapshot_coverage ENABLE ROW LEVEL SECURITY;
ALTER TABLE pgduet._snapshot_freshness ENABLE ROW LEVEL SECURITY;
ALTER TABLE pgduet._snapshot_generation ENABLE ROW LEVEL SECURITY;
ALTER TABLE pgduet._snapshot_duplicate ENABLE ROW LEVEL SECURITY;
CREATE POLICY _seen ON pgduet._snapshot_coverage FOR SELECT
  USING (NOT pg_catalog.row_security_active('pgduet.code_chunks'));
CREATE POLICY _seen ON pgduet._snapshot_freshness FOR SELECT
  USING (NOT pg_catalog.row_security_active('pgduet.code_chunks'));
CREATE POLICY _seen ON pgduet._snapshot_generation FOR SELECT
  USING (NOT pg_catalog.row_security_active('pgduet.code_chunks'));
CREATE POLICY _seen ON pgduet._snapshot_duplicate FOR SELECT
  USING (NOT pg_catalog.row_security_active('pgduet.code_chunks'));

-- What each sidecar measured since its start, and its slowest searches: numbers, never a text.
CREATE TABLE pgduet._snapshot_stage (
  sidecar text NOT NULL,
  stage text NOT NULL,
  lane text NOT NULL,
  calls bigint NOT NULL,
  mean_ms double precision NOT NULL,
  p50_ms double precision,
  p95_ms double precision,
  p99_ms double precision,
  over_100_ms bigint NOT NULL,
  over_1000_ms bigint NOT NULL,
  since timestamptz NOT NULL,
  measured_at timestamptz NOT NULL,
  PRIMARY KEY (sidecar, stage, lane)
);
CREATE TABLE pgduet._snapshot_slow (
  sidecar text NOT NULL,
  request_id text NOT NULL,
  asked_at timestamptz NOT NULL,
  ms double precision NOT NULL,
  tokens bigint,
  measured_at timestamptz NOT NULL
);

-- A map is two directions of the vectors' space, learnt from a sample, and the centres of its clusters. Every chunk's
-- point is on the same map until the next is complete.
CREATE TABLE pgduet._map (
  map_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  generation_id integer NOT NULL,
  x_axis real[] NOT NULL,
  y_axis real[] NOT NULL,
  x_mean double precision NOT NULL,
  y_mean double precision NOT NULL,
  -- Share of the sample's variance that the two directions show.
  shown double precision NOT NULL,
  rows_at_fit bigint NOT NULL,
  fitted_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  ready_at timestamptz,
  -- Rows and changes of the generation when its points were last brought up to date.
  rows_seen bigint,
  changes_seen bigint
);
CREATE TABLE pgduet._map_centre (
  map_id bigint NOT NULL,
  cluster integer NOT NULL,
  centre real[] NOT NULL,
  PRIMARY KEY (map_id, cluster)
);
CREATE TABLE pgduet._map_point (
  map_id bigint NOT NULL,
  chunk_id bigint NOT NULL,
  content_hash bytea NOT NULL,
  x double precision NOT NULL,
  y double precision NOT NULL,
  cluster integer NOT NULL,
  computed_at timestamptz NOT NULL,
  PRIMARY KEY (chunk_id, map_id)
);
-- Who may not see a chunk does not see its point. A policy's query runs with the rights of whoever asks.
ALTER TABLE pgduet._map_point ENABLE ROW LEVEL SECURITY;
CREATE POLICY _seen ON pgduet._map_point FOR SELECT USING (NOT pg_catalog.row_security_active('pgduet.code_chunks')
  OR EXISTS (SELECT FROM pgduet.code_chunks c WHERE c.chunk_id = _map_point.chunk_id));
