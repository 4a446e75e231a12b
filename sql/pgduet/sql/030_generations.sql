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

-- The valid IVFFLAT index on the sketches of a generation, if there is one; indexes that others made do not count. After a rebuild two may be valid for
-- a moment: the newer one counts.
CREATE OR REPLACE FUNCTION pgduet._sketch_index(generation_id integer, OUT index_name name, OUT lists integer)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT c.relname,
    coalesce((SELECT o.option_value::integer FROM pg_options_to_table(c.reloptions) o WHERE o.option_name = 'lists'), 100)
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
  WHERE i.indrelid = to_regclass('pgduet.code_embeddings_g' || generation_id) AND a.amname = 'ivfflat' AND i.indisvalid
    AND c.relname LIKE 'code\_embeddings\_g%\_sketch\_ivfflat\_%'
  ORDER BY c.oid DESC LIMIT 1
$$;
