-- may_train --
SELECT has_function_privilege('pgduet._take_finetune(text, double precision)', 'EXECUTE')

-- settle_in --
SELECT set_config(s.name, s.value, false) FROM (VALUES
  ('lock_timeout', '5s'),
  ('statement_timeout', '0'),
  ('tcp_keepalives_idle', '30'),
  ('tcp_keepalives_interval', '10'),
  ('tcp_keepalives_count', '3')) s (name, value)

-- try_lock --
SELECT pg_try_advisory_lock(70962564)

-- unlock --
SELECT pg_advisory_unlock(70962564)

-- address --
SELECT s.value FROM pgduet._setting s WHERE s.key = 'sidecar_address'

-- schedule --
SELECT pgduet._schedule_finetune()

-- take --
SELECT t.run_id, t.name, t.options, t.attempts, t.begun
FROM pgduet._take_finetune(%(trainer)s::text, %(pause)s::double precision) t

-- begin --
SELECT pgduet._begin_finetune(%(run_id)s::bigint, %(trainer)s::text)

-- beat --
SELECT pgduet._beat_finetune(%(run_id)s::bigint, %(trainer)s::text, %(phase)s::text, %(step)s::integer,
  %(loss)s::double precision, %(norm)s::double precision, %(score)s::double precision, %(error)s::text)

-- steps --
SELECT pgduet._note_finetune_steps(%(run_id)s::bigint, %(trainer)s::text, %(steps)s::jsonb)

-- judged --
SELECT pgduet._judged_finetune(%(run_id)s::bigint, %(trainer)s::text)

-- put_back --
SELECT pgduet._put_back_finetune(%(run_id)s::bigint, %(trainer)s::text, %(error)s::text, %(pause)s::double precision,
  %(resume)s::boolean)

-- end --
SELECT pgduet._end_finetune(%(run_id)s::bigint, %(trainer)s::text, %(state)s::text, %(status)s::text, %(error)s::text)
