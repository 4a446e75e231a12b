-- Fine-tuning that is asked for in SQL: each request is a run, taken up by a trainer, and stays as the history.
-- Functions and the view over it live in sql/.

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
  WHEN 'finetune_every' THEN value ~ '^(never|[1-9][0-9]{0,3} (minute|hour|day|week|month)s?)$'
  WHEN 'finetune_promote' THEN value IN ('on', 'off')
  WHEN 'finetune_attempts' THEN value ~ '^[1-9][0-9]?$'
  ELSE false
END);
INSERT INTO pgduet._setting (key, value, description) VALUES
  ('finetune_every', 'never', 'a trainer asks for a run when none was asked for within this time, such as 7 days'),
  ('finetune_promote', 'off', 'on: the runs of finetune_every are promoted where they are better'),
  ('finetune_attempts', '3', 'attempts until a run is given up that was killed or failed for no reason of its data');

CREATE TABLE pgduet.finetune_runs (
  run_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- Of the new duet, and of its generation.
  name text NOT NULL,
  options jsonb NOT NULL,
  state text NOT NULL DEFAULT 'requested' CHECK (state IN ('requested', 'running', 'done', 'failed', 'cancelled')),
  -- What came of it, in a word.
  status text,
  requested_by text NOT NULL,
  requested_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  attempts integer NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  cancel_asked_at timestamptz,
  started_at timestamptz,
  ended_at timestamptz,
  -- Who has it in hand, what is being done, and the last sign of life.
  trainer text,
  phase text CHECK (phase IN ('mining', 'training', 'loading', 'filling')),
  seen_at timestamptz,
  -- Training has begun on triplets that are mined: another attempt goes on from its checkpoints.
  begun boolean NOT NULL DEFAULT false,
  step integer,
  steps integer,
  loss double precision,
  gradient_norm double precision,
  dev_score double precision,
  generation text,
  gate jsonb,
  error text
);
CREATE UNIQUE INDEX finetune_runs_open ON pgduet.finetune_runs (name) WHERE state IN ('requested', 'running');
CREATE UNIQUE INDEX finetune_runs_one_running ON pgduet.finetune_runs (state) WHERE state = 'running';
