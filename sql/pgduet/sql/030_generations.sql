-- Generations: one partition of code_embeddings each, which is what lets a model change without downtime.

-- One change of generations at a time, until the transaction ends.
CREATE OR REPLACE FUNCTION pgduet._lock_generations() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(70962562);
EXCEPTION WHEN lock_not_available THEN
  RAISE EXCEPTION 'another session is changing generations' USING ERRCODE = '55P03',
    HINT = 'Nothing was changed. Try again when its transaction has ended.';
END $$;

CREATE OR REPLACE FUNCTION pgduet._generation(name text) RETURNS pgduet.generations
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_found pgduet.generations;
BEGIN
  SELECT g.* INTO v_found FROM pgduet.generations g WHERE g.name = $1;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no generation %', coalesce(quote_literal(name), 'NULL') USING ERRCODE = '42704',
      HINT = coalesce('The generations are ' || (SELECT string_agg(g.name, ', ' ORDER BY g.generation_id)
        FROM pgduet.generations g WHERE g.state <> 'dropped') || '.', 'See pgduet.generation_status.');
  END IF;
  RETURN v_found;
END $$;

-- The partition is made aside and attached while it is empty, so that there is nothing to check: ATTACH waits for no
-- search and no writer, and none waits for it. PARTITION OF would lock all of them out until the transaction ends.
-- The parent's policies do not hold in it: row security without a policy shows it to nobody, whatever rights default
-- privileges or a GRANT ON ALL TABLES give.
CREATE OR REPLACE FUNCTION pgduet._create_generation(name text, model text, state text) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_id integer;
  v_partition name;
BEGIN
  INSERT INTO pgduet.generations AS g (name, model, state, activated_at, parent)
  VALUES ($1, $2, $3, CASE WHEN $3 = 'active' THEN now() END,
    (SELECT a.generation_id FROM pgduet.generations a WHERE a.state = 'active'))
  RETURNING g.generation_id INTO v_id;
  v_partition := 'code_embeddings_g' || v_id;
  EXECUTE format('CREATE TABLE pgduet.%I (LIKE pgduet.code_embeddings INCLUDING ALL)', v_partition);
  EXECUTE format('ALTER TABLE pgduet.%I OWNER TO pgduet_owner, ENABLE ROW LEVEL SECURITY', v_partition);
  EXECUTE format('ALTER TABLE pgduet.code_embeddings ATTACH PARTITION pgduet.%I FOR VALUES IN (%s)', v_partition, v_id);
  RETURN v_id;
END $$;

-- SECURITY DEFINER, because only the owner of the tables may give them a partition.
CREATE OR REPLACE FUNCTION pgduet.add_generation(model text, name text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
  v_name text := coalesce(name, model);
BEGIN
  -- As the model store names its folders.
  IF model IS NULL OR model !~ '^[a-z0-9][a-z0-9._-]{0,62}$' THEN
    RAISE EXCEPTION '% is no name of a duet', coalesce(quote_literal(model), 'NULL') USING ERRCODE = '22023',
      HINT = '`pgduet models list` shows the duets there are.';
  ELSIF v_name !~ '^[[:graph:]]([[:graph:] ]{0,98}[[:graph:]])?$' THEN
    RAISE EXCEPTION '% is no name of a generation', quote_literal(v_name) USING ERRCODE = '22023',
      HINT = 'Take 1 to 100 visible characters; leave it out for the name of the duet.';
  END IF;
  PERFORM pgduet._lock_generations();
  IF EXISTS (SELECT FROM pgduet.generations g WHERE g.name = v_name) THEN
    RAISE EXCEPTION 'there is a generation % already', quote_literal(v_name) USING ERRCODE = '42710',
      HINT = format('Give it another name: pgduet.add_generation(%L, %L).', model, v_name || '-2');
  END IF;
  BEGIN
    PERFORM pgduet._create_generation(v_name, model, 'building');
  EXCEPTION WHEN lock_not_available THEN
    RAISE EXCEPTION 'the table of vectors is locked by another session' USING ERRCODE = '55P03',
      HINT = 'Nothing was changed. Try again: VACUUM FULL, ANALYZE or an ALTER TABLE of code_embeddings may be running.';
  END;
  PERFORM pgduet._wake();
  RETURN format('generation %s is being filled with vectors of %s: see pgduet.generation_status', v_name, model);
END $$;
