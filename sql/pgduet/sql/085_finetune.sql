-- Asking for fine-tuning, and taking that back. The work is done by a trainer: `pgduet trainer`.

-- Refuses options that no run could be made with; each is an option of `pgduet finetune`, or says what else to do.
CREATE OR REPLACE FUNCTION pgduet._check_finetune_options(options jsonb) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_wrong record;
BEGIN
  IF jsonb_typeof(options) IS DISTINCT FROM 'object' THEN
    RAISE EXCEPTION 'options are a JSON object' USING ERRCODE = '22023',
      HINT = 'Such as ''{"rate": 1e-4, "seed": 1}''.';
  END IF;
  SELECT o.key, o.value, k.needed INTO v_wrong FROM jsonb_each(options) o
  CROSS JOIN LATERAL (SELECT o.value #>> '{}' AS word, jsonb_typeof(o.value) AS kind,
    CASE WHEN jsonb_typeof(o.value) = 'number' THEN o.value::numeric END AS number) v
  LEFT JOIN LATERAL (VALUES
    ('objective', v.word IN ('in-batch', 'triplet'), 'in-batch or triplet'),
    ('part', v.word IN ('both', 'code', 'text'), 'both, code or text'),
    ('steps', v.number BETWEEN 1 AND 1000000 AND v.number = trunc(v.number), 'a whole number from 1 to 1000000'),
    ('mine', v.kind = 'boolean', 'true or false'),
    ('promote', v.kind = 'boolean', 'true or false'),
    ('batch', v.number BETWEEN 2 AND 100000 AND v.number = trunc(v.number), 'a whole number from 2 to 100000'),
    ('rate', v.number > 0 AND v.number < 1, 'a number above 0 and below 1'),
    ('margin', v.number > 0 AND v.number < 2, 'a number above 0 and below 2'),
    ('max_tokens', v.number BETWEEN 8 AND 100000 AND v.number = trunc(v.number), 'a whole number from 8 to 100000'),
    ('patience', v.number BETWEEN 0 AND 1000000 AND v.number = trunc(v.number), 'a whole number from 0 to 1000000'),
    ('check_every', v.number BETWEEN 1 AND 1000000 AND v.number = trunc(v.number), 'a whole number from 1 to 1000000'),
    ('share', v.number > 0 AND v.number <= 1, 'a number above 0, at most 1'),
    ('least_gain', v.number BETWEEN -1 AND 1, 'a number from -1 to 1'),
    ('seed', v.number BETWEEN 0 AND 2147483647 AND v.number = trunc(v.number), 'a whole number from 0 to 2147483647')
  ) k (key, fits, needed) ON k.key = o.key
  WHERE k.fits IS NOT TRUE LIMIT 1;
  IF NOT FOUND THEN
    RETURN;
  ELSIF v_wrong.needed IS NULL THEN
    RAISE EXCEPTION 'there is no option %', quote_literal(v_wrong.key) USING ERRCODE = '22023',
      HINT = 'The options are batch, rate, margin, max_tokens, patience, check_every, share, least_gain and seed.';
  END IF;
  RAISE EXCEPTION '% is %', v_wrong.key, v_wrong.value USING ERRCODE = '22023',
    HINT = format('%s must be %s.', v_wrong.key, v_wrong.needed);
END $$;

-- Writes a request down and wakes a trainer; without a name it gets one by its number.
CREATE OR REPLACE FUNCTION pgduet._request_finetune(name text, options jsonb, requested_by text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_name text := name;
  v_model text := (SELECT g.model FROM pgduet.generations g WHERE g.state = 'active');
  v_id bigint;
BEGIN
  PERFORM pgduet._check_finetune_options(options);
  IF v_model IS NULL THEN
    RAISE EXCEPTION 'no generation is active: there is no duet to start from' USING ERRCODE = '55000',
      HINT = 'Promote one: see pgduet.generation_status.';
  ELSIF v_name !~ '^[a-z0-9][a-z0-9._-]{0,62}$' THEN
    RAISE EXCEPTION '% is no name of a duet', quote_literal(v_name) USING ERRCODE = '22023',
      HINT = 'Take up to 63 small letters, digits, dots, hyphens and underscores, or leave it out.';
  ELSIF EXISTS (SELECT FROM pgduet.generations g WHERE v_name IN (g.name, g.model)) THEN
    RAISE EXCEPTION 'there is a generation % already', quote_literal(v_name) USING ERRCODE = '42710',
      HINT = 'Give the new duet another name, or leave it out.';
  END IF;
  LOOP
    v_id := nextval(pg_get_serial_sequence('pgduet.finetune_runs', 'run_id'));
    v_name := coalesce(name, left(regexp_replace(v_model, '-ft-[0-9]+$', ''), 40) || '-ft-' || v_id);
    INSERT INTO pgduet.finetune_runs (run_id, name, options, requested_by) OVERRIDING SYSTEM VALUE
    SELECT v_id, v_name, $2, $3 WHERE NOT EXISTS (SELECT FROM pgduet.generations g WHERE v_name IN (g.name, g.model))
    ON CONFLICT DO NOTHING;
    EXIT WHEN FOUND;
    IF name IS NOT NULL THEN
      RAISE EXCEPTION 'a run that makes % is open already', quote_literal(name) USING ERRCODE = '42710',
        HINT = 'See pgduet.finetune_history; pgduet.cancel_finetune() takes it back.';
    END IF;
  END LOOP;
  PERFORM pgduet._wake_trainer();
  RETURN v_id;
END $$;

CREATE OR REPLACE FUNCTION pgduet._wake_trainer() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  SELECT pg_notify('pgduet_finetune', '') FROM pgduet._setting s WHERE s.key = 'notify' AND s.value = 'on'
$$;

-- SECURITY DEFINER, because nobody but the owner writes to the table.
CREATE OR REPLACE FUNCTION pgduet.finetune(name text DEFAULT NULL, objective text DEFAULT 'in-batch',
  part text DEFAULT 'both', steps integer DEFAULT 100, mine boolean DEFAULT true, promote boolean DEFAULT false,
  options jsonb DEFAULT '{}') RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_own jsonb := jsonb_build_object('objective', objective, 'part', part, 'steps', steps, 'mine', mine,
    'promote', promote);
  v_twice text;
BEGIN
  PERFORM pgduet._check_finetune_options(options);
  SELECT k.key INTO v_twice FROM jsonb_object_keys(options) k (key) WHERE v_own ? k.key LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION '% is a parameter of its own', v_twice USING ERRCODE = '22023',
      HINT = format('Write %s => ... beside options.', v_twice);
  END IF;
  IF NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datname = current_database()
      AND a.application_name = 'pgduet trainer') THEN
    RAISE NOTICE 'no trainer is running: the run waits for `pgduet trainer`';
  END IF;
  RETURN pgduet._request_finetune(name, options || v_own, session_user);
END $$;

-- SECURITY DEFINER, because nobody but the owner writes to the table.
CREATE OR REPLACE FUNCTION pgduet.cancel_finetune(run_id bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '10s' AS $$
DECLARE
  v_run pgduet.finetune_runs;
BEGIN
  SELECT r.* INTO v_run FROM pgduet.finetune_runs r WHERE r.run_id = $1 FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no run %', coalesce(run_id::text, 'NULL') USING ERRCODE = '42704',
      HINT = 'See pgduet.finetune_history.';
  ELSIF v_run.state NOT IN ('requested', 'running') THEN
    RETURN format('run %s is %s already', run_id, v_run.state);
  END IF;
  -- Whoever works on a run holds this lock: where it is free, the run was left by a trainer that is gone.
  IF v_run.state = 'running' AND NOT pg_try_advisory_xact_lock(70962564) THEN
    UPDATE pgduet.finetune_runs r SET cancel_asked_at = coalesce(r.cancel_asked_at, clock_timestamp())
    WHERE r.run_id = $1;
    PERFORM pgduet._wake_trainer();
    RETURN format('the trainer is told to end run %s', run_id);
  END IF;
  UPDATE pgduet.finetune_runs r SET state = 'cancelled', phase = NULL, ended_at = clock_timestamp(),
    cancel_asked_at = coalesce(r.cancel_asked_at, clock_timestamp()) WHERE r.run_id = $1;
  RETURN format('run %s is cancelled', run_id);
END $$;
