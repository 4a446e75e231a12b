-- Changed rows of watched tables on their way to the sidecar. They are read with the rights of pgduet_owner, which the
-- tables' owners granted; values are parameters, names go in by %I.

-- Looks whether a watch can work, notes what keeps it from it, and returns its table: NULL where there is a problem or
-- the table is gone, and with it everything that came of it.
CREATE OR REPLACE FUNCTION pgduet._check_watch(watch_id integer) RETURNS oid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  v_watch pgduet._watch := (SELECT w FROM pgduet._watch w WHERE w.watch_id = $1);
  v_table oid := pgduet._watched_table($1);
  v_name text := v_watch.table_name;
  v_schema text := v_watch.schema_name;
  v_columns text[] := array_remove(v_watch.key_columns || v_watch.content_column || v_watch.path_column
    || v_watch.language_column, NULL);
  v_lost text;
  v_problem text;
BEGIN
  IF v_watch.watch_id IS NULL THEN
    RETURN NULL;
  ELSIF v_table IS NULL AND to_regclass(format('%I.%I', v_schema, v_name)) IS NULL THEN
    PERFORM pgduet._forget_watch($1);
    RETURN NULL;
  END IF;
  SELECT n.nspname, c.relname INTO v_schema, v_name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.oid = coalesce(v_table, to_regclass(format('%I.%I', v_schema, v_name)));
  SELECT string_agg(format('%I', u.name), ', ') INTO v_lost FROM unnest(v_columns) u (name)
  WHERE NOT EXISTS (
    SELECT FROM pg_attribute a WHERE a.attrelid = v_table AND a.attname = u.name AND NOT a.attisdropped);
  v_problem := CASE
    WHEN v_table IS NULL THEN 'its triggers are gone: call pgduet.watch() again'
    WHEN v_lost IS NOT NULL THEN
      format('column %s is gone: call pgduet.watch() again with the names that hold now, or pgduet.unwatch()', v_lost)
    WHEN v_watch.key_columns <> ARRAY(SELECT k.column_name FROM pgduet._key_columns(v_table) k ORDER BY k.place) THEN
      'its primary key is gone or another one: call pgduet.watch() again'
    WHEN NOT v_watch.copy_protected AND EXISTS (SELECT FROM pg_class c WHERE c.relrowsecurity AND c.oid IN (
        SELECT v_table UNION SELECT p.relid FROM pg_partition_ancestors(v_table) p
        UNION SELECT p.relid FROM pg_partition_tree(v_table) p)) THEN
      'row security protects it now: call pgduet.watch() again with copy_protected => true, or pgduet.unwatch()'
    WHEN NOT has_schema_privilege('pgduet_owner', v_schema, 'USAGE') THEN
      format('its schema is closed to pgduet: GRANT USAGE ON SCHEMA %I TO pgduet_owner', v_schema)
    WHEN EXISTS (SELECT FROM unnest(v_columns) u (name)
        WHERE NOT has_column_privilege('pgduet_owner', v_table, u.name, 'SELECT')) THEN
      'pgduet may not read it: call pgduet.watch() again, as its owner'
  END;
  IF (v_watch.problem, v_watch.schema_name, v_watch.table_name) IS DISTINCT FROM (v_problem, v_schema, v_name) THEN
    UPDATE pgduet._watch w SET (problem, schema_name, table_name) =
      (v_problem, coalesce(v_schema, w.schema_name), coalesce(v_name, w.table_name)) WHERE w.watch_id = $1;
  END IF;
  IF v_problem IS NULL AND pgduet._watch_body($1, v_table) <> (SELECT p.prosrc FROM pg_proc p WHERE p.oid =
    to_regprocedure(format('pgduet._watch_%s()', $1))) THEN
    -- A column has another type now. Who is at it already need not be waited for.
    PERFORM FROM pgduet._watch w WHERE w.watch_id = $1 FOR UPDATE SKIP LOCKED;
    IF FOUND THEN
      PERFORM pgduet._make_watch_function($1, v_table);
    END IF;
  END IF;
  RETURN CASE WHEN v_problem IS NULL THEN v_table END;
END $$;

-- Leases up to `batch` changed rows as _claim does chunks. `owner` must be new for every call: it tells a late answer
-- from one that still counts. Rows of a watch with a problem wait.
CREATE OR REPLACE FUNCTION pgduet._claim_sources(owner text, batch integer, lease double precision)
RETURNS TABLE (watch_id integer, row_key text, attempts integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET enable_hashjoin = off
SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  v_now timestamptz := clock_timestamp();
  v_stuck integer[] := ARRAY(SELECT w.watch_id FROM pgduet._watch w WHERE w.problem IS NOT NULL);
  v_first bigint[];
  v_all bigint[];
BEGIN
  v_first := ARRAY(SELECT f.seq FROM (
    SELECT s.seq FROM pgduet._source s
    WHERE s.next_attempt_at <= v_now AND (s.leased_until IS NULL OR s.leased_until <= v_now) AND NOT EXISTS (
        SELECT FROM pgduet._source o WHERE o.watch_id = s.watch_id AND o.row_key = s.row_key AND o.seq < s.seq
          AND (o.next_attempt_at <= v_now OR o.leased_until > v_now))
      AND s.watch_id <> ALL (v_stuck)
    ORDER BY s.seq LIMIT $2 FOR UPDATE OF s SKIP LOCKED) f);
  v_all := v_first || ARRAY(
    SELECT s.seq FROM pgduet._source f JOIN pgduet._source s ON s.watch_id = f.watch_id AND s.row_key = f.row_key
    WHERE f.seq = ANY (v_first));
  RETURN QUERY
  WITH mine AS MATERIALIZED (
    SELECT s.seq FROM pgduet._source s WHERE s.seq = ANY (v_all) AND (s.leased_until IS NULL OR s.leased_until <= v_now)
    FOR UPDATE SKIP LOCKED
  ), taken AS (
    UPDATE pgduet._source s SET leased_until = v_now + make_interval(secs => $3), lease_owner = $1,
      attempts = s.attempts + 1
    FROM mine m WHERE s.seq = m.seq RETURNING s.seq, s.watch_id, s.row_key, s.attempts
  )
  SELECT t.watch_id, t.row_key, min(t.attempts) FROM taken t GROUP BY t.watch_id, t.row_key ORDER BY min(t.seq);
END $$;

-- Gives back what an owner still holds, untried: nobody's failure.
CREATE OR REPLACE FUNCTION pgduet._release_sources(owner text, seconds double precision) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH released AS (
    UPDATE pgduet._source s SET leased_until = NULL, lease_owner = NULL, attempts = greatest(s.attempts - 1, 0),
      next_attempt_at = clock_timestamp() + make_interval(secs => $2)
    WHERE s.lease_owner = $1 RETURNING s.seq
  )
  SELECT count(*) FROM released r
$$;

-- Gives one row back after a failure of its own: due after 2 s, doubled with each attempt up to an hour.
CREATE OR REPLACE FUNCTION pgduet._fail_source(owner text, watch_id integer, row_key text, error text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE pgduet._source s SET leased_until = NULL, lease_owner = NULL, error = $4, next_attempt_at = clock_timestamp()
    + make_interval(secs => least(3600, power(2, least(s.attempts, 20))) * (0.5 + random()))
  WHERE s.watch_id = $2 AND s.row_key = $3 AND s.lease_owner = $1
$$;
