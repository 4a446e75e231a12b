-- Privileges around fine-tuning: admins ask for it and run the trainer, readers see how it stands.
GRANT SELECT ON pgduet.finetune_runs, pgduet.finetune_history, pgduet.finetune_steps, pgduet.finetune_curves
TO pgduet_reader, pg_monitor;
GRANT EXECUTE ON FUNCTION pgduet.finetune(text, text, text, integer, boolean, boolean, jsonb),
  pgduet.cancel_finetune(bigint), pgduet._schedule_finetune(), pgduet._take_finetune(text, double precision),
  pgduet._put_back_finetune(bigint, text, text, double precision, boolean, timestamptz),
  pgduet._begin_finetune(bigint, text), pgduet._judged_finetune(bigint, text),
  pgduet._beat_finetune(bigint, text, text, integer, double precision, double precision, double precision, text),
  pgduet._note_finetune_steps(bigint, text, jsonb), pgduet._end_finetune(bigint, text, text, text, text) TO pgduet_admin;
