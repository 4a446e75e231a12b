-- What a trainer does to the runs, each call one short transaction. It holds the advisory lock 70962564 while it has a
-- run in hand, so that there is one at a time in a database. All are SECURITY DEFINER, because nobody but the owner
-- writes to the table.

-- Asks for a run where the schedule says that one is due; returns its number.
CREATE OR REPLACE FUNCTION pgduet._schedule_finetune() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_every text := (SELECT s.value FROM pgduet._setting s WHERE s.key = 'finetune_every');
  v_promote boolean := (SELECT s.value = 'on' FROM pgduet._setting s WHERE s.key = 'finetune_promote');
  v_id bigint;
BEGIN
  IF v_every = 'never' OR EXISTS (SELECT FROM pgduet.finetune_runs r WHERE r.state IN ('requested', 'running')
      OR r.requested_at > clock_timestamp() - v_every::interval) THEN
    RETURN NULL;
  END IF;
  v_id := pgduet.finetune(promote => v_promote);
  UPDATE pgduet.finetune_runs r SET requested_by = 'scheduled' WHERE r.run_id = v_id;
  RETURN v_id;
END $$;

-- Puts a run back that a trainer had in hand. Without an error that is nobody's failure: the attempt does not count.
-- With one the next attempt is due after `pause` seconds, doubled with each up to an hour, until there were too many;
-- `resume` says that it goes on where this one stopped. `failed_at` is when that was.
CREATE OR REPLACE FUNCTION pgduet._put_back_finetune(run_id bigint, trainer text, error text, pause double precision,
  resume boolean, failed_at timestamptz DEFAULT clock_timestamp()) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_most integer := (SELECT s.value::integer FROM pgduet._setting s WHERE s.key = 'finetune_attempts');
  v_run pgduet.finetune_runs;
  v_state text;
BEGIN
  SELECT r.* INTO v_run FROM pgduet.finetune_runs r
  WHERE r.run_id = $1 AND r.state = 'running' AND r.trainer = $2 FOR UPDATE;
  v_state := CASE WHEN v_run.cancel_asked_at IS NOT NULL THEN 'cancelled'
    WHEN error IS NOT NULL AND v_run.attempts >= v_most THEN 'failed' ELSE 'requested' END;
  UPDATE pgduet.finetune_runs r SET state = v_state, phase = NULL, begun = r.begun AND $5,
    error = coalesce($3, r.error),
    status = CASE WHEN v_state = 'failed' THEN 'failed' ELSE r.status END,
    ended_at = CASE WHEN v_state <> 'requested' THEN clock_timestamp() END,
    attempts = r.attempts - CASE WHEN $3 IS NULL AND v_state = 'requested' THEN 1 ELSE 0 END,
    next_attempt_at = CASE WHEN $3 IS NULL THEN clock_timestamp()
      ELSE failed_at + make_interval(secs => least(3600, $4 * power(2, least(r.attempts - 1, 20)))) END
  WHERE r.run_id = v_run.run_id;
  RETURN v_state;
END $$;

-- Takes the oldest run that is due. Nobody but the caller can have one in hand: one that still runs was left by a
-- trainer that died, or by the caller when it lost its connection.
CREATE OR REPLACE FUNCTION pgduet._take_finetune(trainer text, pause double precision)
RETURNS SETOF pgduet.finetune_runs
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pgduet._put_back_finetune(r.run_id, r.trainer,
    CASE WHEN r.trainer <> $1 THEN
      format('the trainer %s died while it was %s', r.trainer, coalesce(r.phase, 'starting')) END,
    $2, true, r.seen_at)
  FROM pgduet.finetune_runs r WHERE r.state = 'running';
  RETURN QUERY UPDATE pgduet.finetune_runs r SET state = 'running', trainer = $1, attempts = r.attempts + 1,
    seen_at = clock_timestamp(), started_at = coalesce(r.started_at, clock_timestamp())
  WHERE r.run_id = (SELECT d.run_id FROM pgduet.finetune_runs d
    WHERE d.state = 'requested' AND d.next_attempt_at <= clock_timestamp()
    ORDER BY d.run_id LIMIT 1 FOR UPDATE SKIP LOCKED)
  RETURNING r.*;
END $$;

-- Notes that training begins anew: what was told of an earlier attempt is over.
CREATE OR REPLACE FUNCTION pgduet._begin_finetune(run_id bigint, trainer text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE pgduet.finetune_runs r SET begun = true, step = NULL, steps = (r.options -> 'steps')::integer, loss = NULL,
    gradient_norm = NULL, dev_score = NULL
  WHERE r.run_id = $1 AND r.state = 'running' AND r.trainer = $2
$$;

-- Says that a trainer still works on a run, and how far it is; NULL leaves what was said before, an empty error takes
-- it away. Returns whether somebody wants it cancelled, NULL where the run is in other hands by now.
CREATE OR REPLACE FUNCTION pgduet._beat_finetune(run_id bigint, trainer text, phase text, step integer,
  loss double precision, gradient_norm double precision, dev_score double precision, error text) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE pgduet.finetune_runs r SET seen_at = clock_timestamp(), phase = $3, step = coalesce($4, r.step),
    loss = coalesce($5, r.loss), gradient_norm = coalesce($6, r.gradient_norm), dev_score = coalesce($7, r.dev_score),
    error = nullif(coalesce($8, r.error), '')
  WHERE r.run_id = $1 AND r.state = 'running' AND r.trainer = $2
  RETURNING r.cancel_asked_at IS NOT NULL
$$;

-- Keeps steps of a run, an array of objects. What was kept of later ones is of an attempt that is over, and goes: an
-- empty array takes all. A step that is told twice stands as it was told last, with the time of the first where it is
-- the same. Waits for nobody: a trainer has more to do, and tells it again.
CREATE OR REPLACE FUNCTION pgduet._note_finetune_steps(run_id bigint, trainer text, steps jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM pgduet.finetune_runs r
      WHERE r.run_id = $1 AND r.state = 'running' AND r.trainer = $2) THEN
    RETURN;
  END IF;
  DELETE FROM pgduet.finetune_steps s WHERE s.run_id = $1
    AND s.step > (SELECT coalesce(max(t.step), 0) FROM jsonb_to_recordset(steps) t (step integer));
  INSERT INTO pgduet.finetune_steps AS s (run_id, step, loss, gradient_norm, learning_rate, dev_score)
  SELECT $1, t.step, t.loss, t.gradient_norm, t.learning_rate, t.dev_score
  FROM jsonb_to_recordset(steps) t (step integer, loss double precision, gradient_norm double precision,
    learning_rate double precision, dev_score double precision)
  ON CONFLICT ON CONSTRAINT finetune_steps_pkey DO UPDATE SET loss = excluded.loss,
    gradient_norm = excluded.gradient_norm, learning_rate = excluded.learning_rate, dev_score = excluded.dev_score,
    noted_at = excluded.noted_at
  WHERE (s.loss, s.gradient_norm, s.learning_rate, s.dev_score)
    IS DISTINCT FROM (excluded.loss, excluded.gradient_norm, excluded.learning_rate, excluded.dev_score);
END $$;

-- Notes the generation that a run made and how it was judged; returns whether it may be promoted, NULL where it is not
-- there or was not judged yet.
CREATE OR REPLACE FUNCTION pgduet._judged_finetune(run_id bigint, trainer text) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE pgduet.finetune_runs r SET generation = g.name, gate = g.metrics -> 'gate',
    status = CASE WHEN (g.metrics -> 'gate' -> 'passed')::boolean THEN 'promotable' ELSE 'not better' END
  FROM pgduet.generations g
  WHERE r.run_id = $1 AND r.state = 'running' AND r.trainer = $2 AND g.name = r.name
    AND jsonb_typeof(g.metrics -> 'gate' -> 'passed') = 'boolean'
  RETURNING (g.metrics -> 'gate' -> 'passed')::boolean
$$;

-- Ends a run; without a status the one that it has stays.
CREATE OR REPLACE FUNCTION pgduet._end_finetune(run_id bigint, trainer text, state text, status text, error text)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE pgduet.finetune_runs r SET state = $3, status = coalesce($4, r.status), error = $5, phase = NULL,
    ended_at = clock_timestamp()
  WHERE r.run_id = $1 AND r.state = 'running' AND r.trainer = $2
$$;
