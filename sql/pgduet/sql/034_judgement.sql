-- What an evaluation said about a generation; promote() asks for it. SECURITY DEFINER, because nobody but the owner
-- writes to the table.
CREATE OR REPLACE FUNCTION pgduet._judge(name text, gate jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_generation pgduet.generations := pgduet._generation(name);
BEGIN
  IF jsonb_typeof(gate -> 'passed') IS DISTINCT FROM 'boolean' THEN
    RAISE EXCEPTION 'a judgement says whether the generation passed' USING ERRCODE = '22023',
      HINT = 'Give an object with "passed": true or false, "metric", "before", "after" and "margin".';
  END IF;
  UPDATE pgduet.generations g SET metrics = g.metrics || jsonb_build_object('gate', gate)
  WHERE g.generation_id = v_generation.generation_id;
END $$;
