-- Switching the active generation. Whoever searches reads it in one snapshot: there is always exactly one.

-- Makes one generation the active one and keeps the other current beside it; returns how many chunks are queued
-- because they have no vector in it.
CREATE OR REPLACE FUNCTION pgduet._switch_generation(generation_id integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_ids bigint[];
BEGIN
  UPDATE pgduet.generations g SET state = 'ready' WHERE g.state = 'active';
  UPDATE pgduet.generations g SET state = 'active', activated_at = clock_timestamp() WHERE g.generation_id = $1;
  -- Rows of transactions that were open when the generation was added may be in no queue.
  v_ids := ARRAY(SELECT * FROM pgduet._lacking($1));
  IF cardinality(v_ids) > 0 THEN
    INSERT INTO pgduet._pending (chunk_id) SELECT u.id FROM unnest(v_ids) u (id)
    WHERE NOT EXISTS (SELECT FROM pgduet._pending p WHERE p.chunk_id = u.id);
    PERFORM pgduet._wake();
  END IF;
  RETURN cardinality(v_ids);
END $$;

-- What the sidecar has against the model of the active generation. One that cannot be asked has nothing against it: no
-- search works then, whichever generation is active.
CREATE OR REPLACE FUNCTION pgduet._model_objection() RETURNS text
LANGUAGE plpgsql PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_health record;
BEGIN
  SELECT h.component, h.detail INTO v_health FROM pgduet._sidecar_health() h WHERE h.status = 'fail';
  IF v_health.component = 'sidecar' THEN
    RAISE WARNING 'the sidecar cannot be asked whether it serves the model: %', v_health.detail
      USING HINT = 'Searches need it: see pgduet.health().';
    RETURN NULL;
  END IF;
  RETURN v_health.detail;
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING 'the sidecar cannot be asked whether it serves the model: %', SQLERRM;
  RETURN NULL;
END $$;

-- What to know of a generation that has just become active, in words.
CREATE OR REPLACE FUNCTION pgduet._switch_remark(generation_id integer, lacking bigint) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT concat(
    CASE WHEN $2 > 0 THEN format('; %s chunk(s) are found again once they are embedded', $2) END,
    (SELECT format('; %s chunk(s) were given up for it: see pgduet.failures', count(*)) FROM pgduet._dead_letter d
     WHERE d.generation_id = $1 HAVING count(*) > 0))
$$;

-- SECURITY DEFINER, because nobody but the owner writes to these tables.
CREATE OR REPLACE FUNCTION pgduet.promote(name text, force boolean DEFAULT false, reason text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '10s' AS $$
DECLARE
  v_to pgduet.generations;
  v_from pgduet.generations;
  v_lacking bigint;
  v_against record;
  v_model text;
BEGIN
  IF force AND (reason IS NULL OR reason !~ '[[:graph:]]') THEN
    RAISE EXCEPTION 'a promotion that is forced needs a reason' USING ERRCODE = '22023',
      HINT = format('It is kept in the history: pgduet.promote(%L, force => true, reason => ''...'').', name);
  END IF;
  PERFORM pgduet._lock_generations();
  v_to := pgduet._generation(name);
  IF v_to.state = 'active' THEN
    RETURN format('generation %s is active already', name);
  ELSIF v_to.state NOT IN ('building', 'ready') THEN
    RAISE EXCEPTION 'generation % is % and no longer filled', quote_literal(name), v_to.state USING ERRCODE = '55000',
      HINT = format('Fill a new one: pgduet.add_generation(%L, ''another name'').', v_to.model);
  END IF;
  SELECT g.* INTO v_from FROM pgduet.generations g WHERE g.state = 'active';
  SELECT string_agg(o.objection, '; ') AS objections, string_agg(o.advice, '; ') AS advice INTO v_against
  FROM pgduet._objections(v_to.generation_id) o;
  IF v_against.objections IS NOT NULL AND force IS NOT TRUE THEN
    RAISE EXCEPTION 'generation % is not promoted: %', quote_literal(name), v_against.objections
      USING ERRCODE = '55000', HINT = upper(left(v_against.advice, 1)) || substr(v_against.advice, 2) || '.';
  END IF;
  v_lacking := pgduet._switch_generation(v_to.generation_id);
  v_model := pgduet._model_objection();
  IF v_model IS NOT NULL AND force IS NOT TRUE THEN
    RAISE EXCEPTION 'generation % is not promoted: no search would work: %', quote_literal(name), v_model
      USING ERRCODE = '55000', HINT = format('Have the sidecar serve %s, then promote again.', v_to.model);
  END IF;
  INSERT INTO pgduet._promotion (kind, from_generation, to_generation, promoted_by, forced, reason)
  VALUES ('promote', v_from.generation_id, v_to.generation_id, session_user,
    num_nonnulls(v_against.objections, v_model) > 0, reason);
  RETURN concat(format('generation %s is active', name),
    '; ' || v_from.name || ' is kept current: SELECT pgduet.rollback() goes back to it',
    pgduet._switch_remark(v_to.generation_id, v_lacking), '; but no search works: ' || v_model);
END $$;

CREATE OR REPLACE FUNCTION pgduet.rollback() RETURNS text
LANGUAGE plpgsql PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '10s' AS $$
DECLARE
  v_from pgduet.generations;
  v_last pgduet._promotion;
  v_to pgduet.generations;
  v_lacking bigint;
BEGIN
  PERFORM pgduet._lock_generations();
  SELECT g.* INTO v_from FROM pgduet.generations g WHERE g.state = 'active';
  SELECT p.* INTO v_last FROM pgduet._promotion p
  WHERE p.kind = 'promote' AND p.undone_at IS NULL AND p.to_generation = v_from.generation_id
  ORDER BY p.promotion_id DESC LIMIT 1;
  SELECT g.* INTO v_to FROM pgduet.generations g WHERE g.generation_id = v_last.from_generation;
  IF v_to.generation_id IS NULL THEN
    RAISE EXCEPTION 'there is nothing to roll back to' USING ERRCODE = '55000',
      HINT = concat('Generation ' || v_from.name || ' took the place of no other. ',
        'pgduet.promote() takes any that is ready: see pgduet.generation_status.');
  ELSIF v_to.state <> 'ready' THEN
    RAISE EXCEPTION 'generation %, which was active before, is %', quote_literal(v_to.name), v_to.state
      USING ERRCODE = '55000', HINT = 'pgduet.promote() takes any that is ready: see pgduet.generation_status.';
  END IF;
  v_lacking := pgduet._switch_generation(v_to.generation_id);
  UPDATE pgduet._promotion p SET undone_at = clock_timestamp() WHERE p.promotion_id = v_last.promotion_id;
  INSERT INTO pgduet._promotion (kind, from_generation, to_generation, promoted_by)
  VALUES ('rollback', v_from.generation_id, v_to.generation_id, session_user);
  RETURN concat(format('generation %s is active again; %s is kept current', v_to.name, v_from.name),
    pgduet._switch_remark(v_to.generation_id, v_lacking), '; but no search works: ' || pgduet._model_objection());
END $$;
