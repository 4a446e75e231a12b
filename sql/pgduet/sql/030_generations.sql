-- One partition for each generation: that is what lets a model change without downtime.
CREATE OR REPLACE FUNCTION pgduet._create_generation(name text, model text, state text) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_id integer;
BEGIN
  INSERT INTO pgduet.generations AS g (name, model, state, activated_at)
  VALUES ($1, $2, $3, CASE WHEN $3 = 'active' THEN now() END)
  RETURNING g.generation_id INTO v_id;
  EXECUTE format('CREATE TABLE pgduet.%I PARTITION OF pgduet.code_embeddings FOR VALUES IN (%s)',
    'code_embeddings_g' || v_id, v_id);
  EXECUTE format('ALTER TABLE pgduet.%I OWNER TO pgduet_owner', 'code_embeddings_g' || v_id);
  RETURN v_id;
END $$;
