-- Row security around chunks: who may not see a chunk sees nothing that was made of it or noted about it. An own policy
-- of code_chunks decides; where that table has none in force for the caller, all of this costs one look.

-- Under FORCE the owner's functions and the workers would see nothing either: BYPASSRLS is not inherited.
CREATE POLICY _chunks_kept ON pgduet.code_chunks TO pgduet_owner, pgduet_worker USING (true) WITH CHECK (true);

ALTER TABLE pgduet.code_embeddings ENABLE ROW LEVEL SECURITY;
CREATE POLICY _embeddings_kept ON pgduet.code_embeddings TO pgduet_owner, pgduet_worker
  USING (true) WITH CHECK (true);
CREATE POLICY _embeddings_counted ON pgduet.code_embeddings FOR SELECT TO pg_monitor USING (true);
-- In a subquery, so that it is asked once and not for every row. A chunk is looked up by its key: of EXISTS the planner
-- may make a table of all chunks for every search. IS NOT NULL, because of that it expects nearly all rows, as there are
-- for most people: of anything else half, and a search would choose its way by that.
CREATE POLICY _embeddings_seen ON pgduet.code_embeddings FOR SELECT USING (
  CASE WHEN (SELECT NOT pg_catalog.row_security_active('pgduet.code_chunks')) THEN true
    ELSE (SELECT true FROM pgduet.code_chunks c WHERE c.chunk_id = code_embeddings.chunk_id) END IS NOT NULL);

-- A partition is read through its parent alone. Without a policy of its own it shows nothing to whom somebody grants
-- all tables of the schema.
DO $$
DECLARE
  partition regclass;
BEGIN
  FOR partition IN SELECT i.inhrelid FROM pg_catalog.pg_inherits i
    WHERE i.inhparent OPERATOR(pg_catalog.=) 'pgduet.code_embeddings'::regclass
  LOOP
    EXECUTE pg_catalog.format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', partition::text);
  END LOOP;
END $$;

-- Hashes and errors of chunks.
ALTER TABLE pgduet._pending ENABLE ROW LEVEL SECURITY;
CREATE POLICY _pending_counted ON pgduet._pending FOR SELECT TO pg_monitor, pgduet_worker USING (true);
CREATE POLICY _pending_seen ON pgduet._pending FOR SELECT USING (
  (SELECT NOT pg_catalog.row_security_active('pgduet.code_chunks'))
  OR EXISTS (SELECT FROM pgduet.code_chunks c WHERE c.chunk_id = _pending.chunk_id));

ALTER TABLE pgduet._dead_letter ENABLE ROW LEVEL SECURITY;
CREATE POLICY _dead_letter_counted ON pgduet._dead_letter FOR SELECT TO pg_monitor, pgduet_worker USING (true);
CREATE POLICY _dead_letter_seen ON pgduet._dead_letter FOR SELECT USING (
  (SELECT NOT pg_catalog.row_security_active('pgduet.code_chunks'))
  OR EXISTS (SELECT FROM pgduet.code_chunks c WHERE c.chunk_id = _dead_letter.chunk_id));

-- Keys, hashes and errors of watched rows: seen by whoever sees the first chunk that came of one. A watch by whoever
-- sees any of its chunks, and by admins, who watch and unwatch.
ALTER TABLE pgduet._watch ENABLE ROW LEVEL SECURITY;
CREATE POLICY _watch_kept ON pgduet._watch FOR SELECT TO pg_monitor, pgduet_admin, pgduet_worker USING (true);
CREATE POLICY _watch_seen ON pgduet._watch FOR SELECT USING (
  (SELECT NOT pg_catalog.row_security_active('pgduet.code_chunks'))
  OR EXISTS (SELECT FROM pgduet.code_chunks c WHERE c.source = _watch.source));

ALTER TABLE pgduet._source ENABLE ROW LEVEL SECURITY;
CREATE POLICY _source_counted ON pgduet._source FOR SELECT TO pg_monitor, pgduet_worker USING (true);
CREATE POLICY _source_seen ON pgduet._source FOR SELECT USING (
  (SELECT NOT pg_catalog.row_security_active('pgduet.code_chunks'))
  OR EXISTS (SELECT FROM pgduet._watch w JOIN pgduet.code_chunks c ON c.source = w.source
    WHERE w.watch_id = _source.watch_id AND c.source_key = _source.row_key));

ALTER TABLE pgduet._source_row ENABLE ROW LEVEL SECURITY;
CREATE POLICY _source_row_counted ON pgduet._source_row FOR SELECT TO pg_monitor, pgduet_worker USING (true);
CREATE POLICY _source_row_seen ON pgduet._source_row FOR SELECT USING (
  (SELECT NOT pg_catalog.row_security_active('pgduet.code_chunks'))
  OR EXISTS (SELECT FROM pgduet._watch w JOIN pgduet.code_chunks c ON c.source = w.source
    WHERE w.watch_id = _source_row.watch_id AND c.source_key = _source_row.row_key));
