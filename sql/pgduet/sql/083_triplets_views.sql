-- A view of an earlier version had a smallint, which no replacement may change.
DO $$
DECLARE
  v_dependents text;
BEGIN
  IF EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass('pgduet.triplets')
      AND a.attname = 'negative_number' AND a.atttypid = 'smallint'::regtype) THEN
    DROP VIEW pgduet.triplets;
  END IF;
EXCEPTION WHEN dependent_objects_still_exist THEN
  GET STACKED DIAGNOSTICS v_dependents = PG_EXCEPTION_DETAIL;
  RAISE EXCEPTION 'pgduet.triplets changes the type of a column, and others are built on it: %', v_dependents
    USING ERRCODE = '2BP01', HINT = 'Nothing was changed. Save their definitions (pg_get_viewdef), drop them, '
      'migrate, and create them again.';
END $$;

-- Triplets of the last run. A chunk that was deleted since takes its triplets along.
CREATE OR REPLACE VIEW pgduet.triplets WITH (security_invoker = true) AS
SELECT t.triplet_id, t.negative_number::integer AS negative_number, t.split, t.kind, t.anchor, t.positive, t.negative,
  t.negative_kind, t.anchor_chunk, t.positive_chunk, t.negative_chunk, t.positive_similarity, t.positive_code, t.positive_text,
  t.negative_similarity, t.negative_code, t.negative_text, t.mining_id, m.generation_id, m.finished_at AS mined_at
FROM pgduet._triplet t
JOIN pgduet._mining m ON m.mining_id = t.mining_id
JOIN pgduet.code_chunks a ON a.chunk_id = t.anchor_chunk
JOIN pgduet.code_chunks p ON p.chunk_id = t.positive_chunk
JOIN pgduet.code_chunks n ON n.chunk_id = t.negative_chunk
WHERE m.mining_id = (SELECT pg_catalog.max(l.mining_id) FROM pgduet._mining l);
