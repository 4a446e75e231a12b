-- Giving a generation up. Its partition goes by `pgduet generation drop`: detaching it CONCURRENTLY takes statements
-- outside a transaction, which no function has.
CREATE OR REPLACE FUNCTION pgduet.retire(name text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '10s' AS $$
DECLARE
  v_generation pgduet.generations;
BEGIN
  PERFORM pgduet._lock_generations();
  v_generation := pgduet._generation(name);
  IF v_generation.state = 'active' THEN
    RAISE EXCEPTION 'generation % is active: it cannot be retired', quote_literal(name) USING ERRCODE = '55000',
      HINT = 'Make another one active first: pgduet.promote(''another''), or pgduet.rollback().';
  ELSIF v_generation.state IN ('retired', 'dropped') THEN
    RETURN format('generation %s is %s already', name, v_generation.state);
  END IF;
  UPDATE pgduet.generations g SET state = 'retired', retired_at = clock_timestamp()
  WHERE g.generation_id = v_generation.generation_id;
  DELETE FROM pgduet._dead_letter d WHERE d.generation_id = v_generation.generation_id;
  RETURN format('generation %s is retired; its vectors take %s until `pgduet generation drop %s`', name,
    pg_size_pretty(pg_total_relation_size(to_regclass('pgduet.code_embeddings_g' || v_generation.generation_id))), name);
END $$;
