-- The curve of each fine-tuning run: what a trainer read in the log of its steps, a few hundred of them for a run.
CREATE TABLE pgduet.finetune_steps (
  run_id bigint NOT NULL REFERENCES pgduet.finetune_runs ON DELETE CASCADE,
  step integer NOT NULL CHECK (step > 0),
  loss double precision NOT NULL,
  gradient_norm double precision,
  learning_rate double precision,
  dev_score double precision,
  noted_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  PRIMARY KEY (run_id, step)
);
