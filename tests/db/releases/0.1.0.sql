--
-- PostgreSQL database dump
--


-- Dumped from database version 15.20 (Debian 15.20-0+deb12u1)
-- Dumped by pg_dump version 15.20 (Debian 15.20-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: pgduet; Type: SCHEMA; Schema: -; Owner: pgduet_owner
--

CREATE SCHEMA pgduet;


ALTER SCHEMA pgduet OWNER TO pgduet_owner;

--
-- Name: SCHEMA pgduet; Type: COMMENT; Schema: -; Owner: pgduet_owner
--

COMMENT ON SCHEMA pgduet IS 'Code search by meaning: chunks of code, their vectors, and functions that search them';


--
-- Name: plpython3u; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS plpython3u WITH SCHEMA pg_catalog;


--
-- Name: EXTENSION plpython3u; Type: COMMENT; Schema: -; Owner: 
--

COMMENT ON EXTENSION plpython3u IS 'PL/Python3U untrusted procedural language';


--
-- Name: vector; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public;


--
-- Name: EXTENSION vector; Type: COMMENT; Schema: -; Owner: 
--

COMMENT ON EXTENSION vector IS 'vector data type and ivfflat and hnsw access methods';


--
-- Name: _source_chunk; Type: TYPE; Schema: pgduet; Owner: pgduet_owner
--

CREATE TYPE pgduet._source_chunk AS (
	chunk_id bigint,
	repo text,
	path text,
	symbol text,
	kind text,
	language text,
	start_line integer,
	end_line integer,
	content text
);


ALTER TYPE pgduet._source_chunk OWNER TO pgduet_owner;

--
-- Name: _base_type(oid); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._base_type(type oid) RETURNS oid
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  WITH RECURSIVE step AS (
    SELECT t.oid, t.typbasetype FROM pg_type t WHERE t.oid = $1
    UNION ALL SELECT t.oid, t.typbasetype FROM step s JOIN pg_type t ON t.oid = s.typbasetype
  )
  SELECT s.oid FROM step s WHERE s.typbasetype = 0
$_$;


ALTER FUNCTION pgduet._base_type(type oid) OWNER TO pgduet_owner;

--
-- Name: _batch_texts(); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._batch_texts() RETURNS integer
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT s.value::integer FROM pgduet._setting s WHERE s.key = 'batch_texts'
$$;


ALTER FUNCTION pgduet._batch_texts() OWNER TO pgduet_owner;

--
-- Name: _beat(text, text, integer, text, text, text, bigint, bigint); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._beat(worker text, host text, pid integer, version text, state text, detail text, embedded bigint, failed bigint) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  INSERT INTO pgduet._worker (worker, host, pid, version, state, detail, embedded, failed)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
  ON CONFLICT (worker) DO UPDATE SET (host, pid, version, state, detail, embedded, failed, seen_at) =
    (excluded.host, excluded.pid, excluded.version, excluded.state, excluded.detail, excluded.embedded,
     excluded.failed, now());
  DELETE FROM pgduet._worker w WHERE w.seen_at < now() - interval '1 day'
$_$;


ALTER FUNCTION pgduet._beat(worker text, host text, pid integer, version text, state text, detail text, embedded bigint, failed bigint) OWNER TO pgduet_owner;

--
-- Name: _beat_finetune(bigint, text, text, integer, double precision, double precision, double precision, text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._beat_finetune(run_id bigint, trainer text, phase text, step integer, loss double precision, gradient_norm double precision, dev_score double precision, error text) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  UPDATE pgduet.finetune_runs r SET seen_at = clock_timestamp(), phase = $3, step = coalesce($4, r.step),
    loss = coalesce($5, r.loss), gradient_norm = coalesce($6, r.gradient_norm), dev_score = coalesce($7, r.dev_score),
    error = nullif(coalesce($8, r.error), '')
  WHERE r.run_id = $1 AND r.state = 'running' AND r.trainer = $2
  RETURNING r.cancel_asked_at IS NOT NULL
$_$;


ALTER FUNCTION pgduet._beat_finetune(run_id bigint, trainer text, phase text, step integer, loss double precision, gradient_norm double precision, dev_score double precision, error text) OWNER TO pgduet_owner;

--
-- Name: _begin_finetune(bigint, text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._begin_finetune(run_id bigint, trainer text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  UPDATE pgduet.finetune_runs r SET begun = true, step = NULL, steps = (r.options -> 'steps')::integer, loss = NULL,
    gradient_norm = NULL, dev_score = NULL
  WHERE r.run_id = $1 AND r.state = 'running' AND r.trainer = $2
$_$;


ALTER FUNCTION pgduet._begin_finetune(run_id bigint, trainer text) OWNER TO pgduet_owner;

--
-- Name: _bury(integer, bigint, bytea, text, text, integer, bigint[]); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._bury(generation_id integer, chunk_id bigint, content_hash bytea, error_class text, error text, attempts integer, seqs bigint[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  INSERT INTO pgduet._dead_letter (generation_id, chunk_id, content_hash, error_class, error, attempts)
  SELECT $1, $2, $3, $4, $5, $6 WHERE EXISTS (
      SELECT FROM pgduet.code_chunks c WHERE c.chunk_id = $2 AND c.content_hash = $3)
    AND NOT EXISTS (SELECT FROM pgduet.code_embeddings e
      WHERE e.chunk_id = $2 AND e.generation_id = $1 AND e.content_hash = $3)
    AND EXISTS (SELECT FROM pgduet._live_generation g WHERE g.generation_id = $1)
  ON CONFLICT (chunk_id, generation_id) DO UPDATE SET (content_hash, error_class, error, attempts, failed_at) =
    (excluded.content_hash, excluded.error_class, excluded.error, excluded.attempts, excluded.failed_at);
  DELETE FROM pgduet._pending p WHERE p.seq = ANY ($7)
$_$;


ALTER FUNCTION pgduet._bury(generation_id integer, chunk_id bigint, content_hash bytea, error_class text, error text, attempts integer, seqs bigint[]) OWNER TO pgduet_owner;

--
-- Name: _castable_keys(oid, text[]); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._castable_keys(source oid, row_keys text[]) RETURNS text[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_casts text := (SELECT string_agg(pgduet._key_cast(k.place, k.type_name), ', ') FROM pgduet._key_columns($1) k);
BEGIN
  EXECUTE format('SELECT count(ROW(%s)) FROM unnest($1) k (row_key)', v_casts) USING $2;
  RETURN $2;
EXCEPTION WHEN data_exception THEN
  IF cardinality($2) = 1 THEN
    RETURN '{}';
  END IF;
  RETURN ARRAY(SELECT c.key FROM unnest($2) k (row_key)
    CROSS JOIN unnest(pgduet._castable_keys($1, ARRAY[k.row_key])) c (key));
END $_$;


ALTER FUNCTION pgduet._castable_keys(source oid, row_keys text[]) OWNER TO pgduet_owner;

--
-- Name: _changed_query(text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._changed_query(operation text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT CASE operation
    WHEN 'INSERT' THEN 'SELECT n.chunk_id FROM new_rows n WHERE n.content_hash IS NOT NULL'
    WHEN 'DELETE' THEN 'SELECT o.chunk_id FROM old_rows o WHERE o.content_hash IS NOT NULL'
    ELSE 'SELECT s.chunk_id FROM (
        (SELECT n.chunk_id, n.content_hash, n.repo, n.path, n.language FROM new_rows n
         EXCEPT SELECT o.chunk_id, o.content_hash, o.repo, o.path, o.language FROM old_rows o)
        UNION ALL
        (SELECT o.chunk_id, o.content_hash, o.repo, o.path, o.language FROM old_rows o
         EXCEPT SELECT n.chunk_id, n.content_hash, n.repo, n.path, n.language FROM new_rows n)) s
      GROUP BY s.chunk_id HAVING count(s.content_hash) > 0'
  END
$$;


ALTER FUNCTION pgduet._changed_query(operation text) OWNER TO pgduet_owner;

--
-- Name: _check_column(regclass, text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._check_column(source regclass, column_name text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_type oid := (SELECT pgduet._base_type(a.atttypid) FROM pg_attribute a WHERE a.attrelid = $1 AND a.attname = $2
    AND a.attnum > 0 AND NOT a.attisdropped);
BEGIN
  IF v_type IS NULL THEN
    RAISE EXCEPTION 'table % has no column "%"', $1, $2 USING ERRCODE = '42703',
      HINT = 'Its columns are: ' || (SELECT string_agg(a.attname, ', ' ORDER BY a.attnum) FROM pg_attribute a
        WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped);
  ELSIF (SELECT t.typcategory FROM pg_type t WHERE t.oid = v_type) <> 'S' THEN
    RAISE EXCEPTION 'column "%" of table % is of type %, which is no text', $2, $1, format_type(v_type, NULL)
      USING ERRCODE = '42804', HINT = 'Name a column of type text or varchar.';
  END IF;
END $_$;


ALTER FUNCTION pgduet._check_column(source regclass, column_name text) OWNER TO pgduet_owner;

--
-- Name: _check_finetune_options(jsonb); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._check_finetune_options(options jsonb) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_wrong record;
BEGIN
  IF jsonb_typeof(options) IS DISTINCT FROM 'object' THEN
    RAISE EXCEPTION 'options are a JSON object' USING ERRCODE = '22023',
      HINT = 'Such as ''{"rate": 1e-4, "seed": 1}''.';
  END IF;
  SELECT o.key, o.value, k.needed INTO v_wrong FROM jsonb_each(options) o
  CROSS JOIN LATERAL (SELECT o.value #>> '{}' AS word, jsonb_typeof(o.value) AS kind,
    CASE WHEN jsonb_typeof(o.value) = 'number' THEN o.value::numeric END AS number) v
  LEFT JOIN LATERAL (VALUES
    ('objective', v.word IN ('in-batch', 'triplet'), 'in-batch or triplet'),
    ('part', v.word IN ('both', 'code', 'text'), 'both, code or text'),
    ('steps', v.number BETWEEN 1 AND 1000000 AND v.number = trunc(v.number), 'a whole number from 1 to 1000000'),
    ('mine', v.kind = 'boolean', 'true or false'),
    ('promote', v.kind = 'boolean', 'true or false'),
    ('batch', v.number BETWEEN 2 AND 100000 AND v.number = trunc(v.number), 'a whole number from 2 to 100000'),
    ('rate', v.number > 0 AND v.number < 1, 'a number above 0 and below 1'),
    ('margin', v.number > 0 AND v.number < 2, 'a number above 0 and below 2'),
    ('max_tokens', v.number BETWEEN 8 AND 100000 AND v.number = trunc(v.number), 'a whole number from 8 to 100000'),
    ('patience', v.number BETWEEN 0 AND 1000000 AND v.number = trunc(v.number), 'a whole number from 0 to 1000000'),
    ('check_every', v.number BETWEEN 1 AND 1000000 AND v.number = trunc(v.number), 'a whole number from 1 to 1000000'),
    ('share', v.number > 0 AND v.number <= 1, 'a number above 0, at most 1'),
    ('least_gain', v.number BETWEEN -1 AND 1, 'a number from -1 to 1'),
    ('seed', v.number BETWEEN 0 AND 2147483647 AND v.number = trunc(v.number), 'a whole number from 0 to 2147483647')
  ) k (key, fits, needed) ON k.key = o.key
  WHERE k.fits IS NOT TRUE LIMIT 1;
  IF NOT FOUND THEN
    RETURN;
  ELSIF v_wrong.needed IS NULL THEN
    RAISE EXCEPTION 'there is no option %', quote_literal(v_wrong.key) USING ERRCODE = '22023',
      HINT = 'The options are batch, rate, margin, max_tokens, patience, check_every, share, least_gain and seed.';
  END IF;
  RAISE EXCEPTION '% is %', v_wrong.key, v_wrong.value USING ERRCODE = '22023',
    HINT = format('%s must be %s.', v_wrong.key, v_wrong.needed);
END $$;


ALTER FUNCTION pgduet._check_finetune_options(options jsonb) OWNER TO pgduet_owner;

--
-- Name: _check_k(integer); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._check_k(k integer) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  IF k IS NULL OR k < 0 THEN
    RAISE EXCEPTION 'k must be a number of rows, not %', coalesce(k::text, 'NULL')
      USING ERRCODE = '22023', HINT = 'Ask for 10 or so; leave k out for 10.';
  END IF;
END $$;


ALTER FUNCTION pgduet._check_k(k integer) OWNER TO pgduet_owner;

--
-- Name: _check_pattern(text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._check_pattern(path_like text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  IF (length(path_like) - length(rtrim(path_like, E'\\'))) % 2 = 1 THEN
    RAISE EXCEPTION 'path_like ends in a backslash that escapes nothing: %', path_like
      USING ERRCODE = '22025', HINT = 'In a LIKE pattern two backslashes stand for one.';
  END IF;
END $$;


ALTER FUNCTION pgduet._check_pattern(path_like text) OWNER TO pgduet_owner;

--
-- Name: _check_watch(integer); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._check_watch(watch_id integer) RETURNS oid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
  RETURN CASE WHEN v_problem IS NULL THEN v_table END;
END $_$;


ALTER FUNCTION pgduet._check_watch(watch_id integer) OWNER TO pgduet_owner;

--
-- Name: _check_watchable(regclass, boolean); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._check_watchable(source regclass, copy_protected boolean) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_class pg_class := (SELECT c FROM pg_class c WHERE c.oid = $1);
  v_kin oid[] := ARRAY(SELECT p.relid FROM pg_partition_ancestors($1) p
    UNION SELECT p.relid FROM pg_partition_tree($1) p);
  v_refusal text;
  v_hint text;
BEGIN
  IF v_class.relkind NOT IN ('r', 'p') THEN
    v_refusal := 'it is no table';
    v_hint := 'Watch the tables behind it: a view or a foreign table tells nobody when its rows change.';
  ELSIF v_class.relpersistence = 't' THEN
    v_refusal := 'it is temporary';
    v_hint := 'The worker cannot see temporary tables of other sessions: make it a table that stays.';
  ELSIF v_class.relnamespace::regnamespace::text IN ('pgduet', 'pg_catalog', 'information_schema', 'pg_toast') THEN
    v_refusal := 'it belongs to PostgreSQL or to pgduet';
    v_hint := 'Watch a table of your own; rows of pgduet.code_chunks are embedded without being watched.';
  ELSIF NOT pg_has_role(v_class.relowner, 'USAGE') THEN
    v_refusal := format('it belongs to %I, and you are %I', v_class.relowner::regrole::text, current_user);
    v_hint := 'Let the owner call this, as a member of pgduet_admin: triggers are made on the table.';
  ELSIF NOT EXISTS (SELECT FROM pgduet._key_columns($1)) THEN
    v_refusal := 'it has no primary key';
    v_hint := format('Rows are told apart by it: ALTER TABLE %s ADD PRIMARY KEY (...);', $1);
  ELSIF EXISTS (SELECT FROM pgduet._watch w WHERE pgduet._watched_table(w.watch_id) = ANY (v_kin) AND
    pgduet._watched_table(w.watch_id) <> $1)
  THEN
    v_refusal := 'its partitioned table, or a partition of it, is watched already';
    v_hint := 'A row would be copied twice: see pgduet.watch_status, and pgduet.unwatch() the other one first.';
  ELSIF EXISTS (SELECT FROM pg_class c WHERE c.oid = ANY (v_kin || $1::oid) AND c.relrowsecurity) THEN
    IF NOT $2 THEN
      v_refusal := 'row security protects it';
      v_hint := 'Its contents would be copied to pgduet.code_chunks, where its policies do not hold and every reader '
        'of pgduet sees them. If that is meant: copy_protected => true.';
    ELSIF NOT (SELECT r.rolbypassrls OR r.rolsuper FROM pg_roles r WHERE r.rolname = 'pgduet_owner') THEN
      v_refusal := 'row security hides its rows from pgduet';
      v_hint := 'Let a superuser run: ALTER ROLE pgduet_owner BYPASSRLS;';
    END IF;
  END IF;
  IF v_refusal IS NOT NULL THEN
    RAISE EXCEPTION 'table % cannot be watched: %', $1, v_refusal USING ERRCODE = '55000', HINT = v_hint;
  END IF;
END $_$;


ALTER FUNCTION pgduet._check_watchable(source regclass, copy_protected boolean) OWNER TO pgduet_owner;

--
-- Name: _chunk_keys(integer, text[]); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._chunk_keys(watch_id integer, row_keys text[]) RETURNS text[]
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  SELECT ARRAY(SELECT CASE n.n WHEN 1 THEN r.row_key ELSE r.row_key || E'\x1f' || n.n END
    FROM pgduet._source_row r CROSS JOIN generate_series(1, r.chunks) n (n)
    WHERE r.watch_id = $1 AND r.row_key = ANY ($2) ORDER BY r.row_key, n.n)
$_$;


ALTER FUNCTION pgduet._chunk_keys(watch_id integer, row_keys text[]) OWNER TO pgduet_owner;

--
-- Name: _chunk_touched(); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._chunk_touched() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  NEW.updated_at := now();
  RETURN NEW;
END $$;


ALTER FUNCTION pgduet._chunk_touched() OWNER TO pgduet_owner;

--
-- Name: _chunks_changed(); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._chunks_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_query text := pgduet._changed_query(TG_OP);
  v_isolation text := current_setting('transaction_isolation');
  v_mode text := CASE WHEN v_isolation = 'serializable' THEN 'queue' ELSE pgduet._trigger_mode() END;
  v_most integer;
  v_ids bigint[];
  v_rows bigint;
BEGIN
  IF v_mode = 'auto' THEN
    v_most := (SELECT s.value::integer FROM pgduet._setting s WHERE s.key = 'sync_max_rows');
    EXECUTE format('SELECT array_agg(q.chunk_id) FROM (%s LIMIT %s) q', v_query, v_most::bigint + 1) INTO v_ids;
    IF v_ids IS NULL THEN
      RETURN NULL;
    END IF;
    IF cardinality(v_ids) > v_most OR v_isolation <> 'read committed' OR NOT pgduet._has_fingerprint()
      OR NOT pgduet._try_embed(v_ids)
    THEN
      v_mode := 'queue';
    END IF;
  ELSIF v_mode = 'sync' AND NOT pgduet._has_fingerprint() THEN
    v_mode := 'queue';
  ELSIF v_mode = 'sync' THEN
    BEGIN
      FOR v_ids IN EXECUTE pgduet._sliced_query(v_query) LOOP
        PERFORM pgduet._embed_within(v_ids, 'infinity');
      END LOOP;
    EXCEPTION WHEN serialization_failure THEN
      -- The worker has written vectors of these chunks since this transaction's snapshot: it will again.
      v_mode := 'queue';
    END;
  END IF;
  -- What was judged by an old snapshot is judged once more by the worker.
  IF v_mode = 'queue' OR v_isolation <> 'read committed' OR EXISTS (SELECT FROM pgduet._live_generation g WHERE NOT g.is_active) THEN
    -- A chunk that changes many times a second is embedded once a second.
    EXECUTE format('INSERT INTO pgduet._pending (chunk_id, next_attempt_at)
      SELECT q.chunk_id, now() + make_interval(secs => %s) FROM (%s) q', CASE TG_OP WHEN 'UPDATE' THEN 1 ELSE 0 END,
      v_query);
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    IF v_rows > 0 THEN
      PERFORM pgduet._wake();
    END IF;
  END IF;
  RETURN NULL;
END $$;


ALTER FUNCTION pgduet._chunks_changed() OWNER TO pgduet_owner;

--
-- Name: _chunks_truncated(); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._chunks_truncated() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  INSERT INTO pgduet._pending (chunk_id) VALUES (NULL);
  PERFORM pgduet._wake();
  RETURN NULL;
END $$;


ALTER FUNCTION pgduet._chunks_truncated() OWNER TO pgduet_owner;

--
-- Name: _claim(text, integer, double precision); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._claim(worker text, batch integer, lease double precision) RETURNS TABLE(chunk_id bigint, seqs bigint[], attempts integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $_$
#variable_conflict use_column
DECLARE
  v_now timestamptz := clock_timestamp();
  v_first bigint[];
BEGIN
  v_first := ARRAY(SELECT s.seq FROM (
    SELECT p.seq FROM pgduet._pending p
    WHERE p.next_attempt_at <= v_now AND (p.leased_until IS NULL OR p.leased_until <= v_now) AND NOT EXISTS (
      SELECT FROM pgduet._pending o WHERE o.chunk_id = p.chunk_id AND o.seq < p.seq
        AND (o.next_attempt_at <= v_now OR o.leased_until > v_now))
    ORDER BY p.seq LIMIT $2 FOR UPDATE OF p SKIP LOCKED) s);
  IF EXISTS (SELECT FROM pgduet._pending p WHERE p.seq = ANY (v_first) AND p.chunk_id IS NULL) THEN
    -- After a TRUNCATE the index knows nothing of the rows to come: any number of them is due for a new one.
    UPDATE pgduet._index_build SET rows_at_build = 0;
  END IF;
  RETURN QUERY
  WITH mine AS MATERIALIZED (
    SELECT p.seq, p.chunk_id FROM pgduet._pending p WHERE p.seq = ANY (v_first) OR (p.chunk_id = ANY (ARRAY(
      SELECT f.chunk_id FROM pgduet._pending f WHERE f.seq = ANY (v_first)))
      AND (p.leased_until IS NULL OR p.leased_until <= v_now))
    FOR UPDATE SKIP LOCKED
  ), taken AS (
    UPDATE pgduet._pending p SET leased_until = v_now + make_interval(secs => $3), lease_owner = $1,
      attempts = p.attempts + 1
    -- Two rows of a chunk may become due while two workers look: who does not get all of them takes none.
    FROM mine m WHERE p.seq = m.seq AND NOT EXISTS (
      SELECT FROM pgduet._pending o WHERE o.chunk_id = m.chunk_id AND o.seq NOT IN (SELECT a.seq FROM mine a))
    RETURNING p.seq, p.chunk_id, p.attempts
  )
  -- A change that came after a failure starts anew.
  SELECT t.chunk_id, array_agg(t.seq), min(t.attempts) FROM taken t GROUP BY t.chunk_id ORDER BY min(t.seq);
END $_$;


ALTER FUNCTION pgduet._claim(worker text, batch integer, lease double precision) OWNER TO pgduet_owner;

--
-- Name: _claim_sources(text, integer, double precision); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._claim_sources(owner text, batch integer, lease double precision) RETURNS TABLE(watch_id integer, row_key text, attempts integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_sort TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $_$
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
END $_$;


ALTER FUNCTION pgduet._claim_sources(owner text, batch integer, lease double precision) OWNER TO pgduet_owner;

--
-- Name: _complete(integer, text, bigint[], bytea[], public.halfvec[], bit[], integer[], integer[], boolean[], text, bigint[], bigint[]); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._complete(generation_id integer, fingerprint text, chunk_ids bigint[], hashes bytea[], embeddings public.halfvec[], sketches bit[], code_tokens integer[], text_tokens integer[], truncated boolean[], worker text, settled_ids bigint[], settled_seqs bigint[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '5s'
    AS $_$
#variable_conflict use_column
DECLARE
  v_stored bigint[];
BEGIN
  -- Workers wait for each other's first vectors, which are written in a moment; what is made is not thrown away.
  UPDATE pgduet.generations g SET fingerprint = $2 WHERE g.generation_id = $1 AND g.fingerprint IS NULL;
  v_stored := pgduet._store($1, $2, $3, $4, $5, $6, $7, $8, $9);
  PERFORM pgduet._settle($10, $11, $12);
  RETURN cardinality(v_stored);
END $_$;


ALTER FUNCTION pgduet._complete(generation_id integer, fingerprint text, chunk_ids bigint[], hashes bytea[], embeddings public.halfvec[], sketches bit[], code_tokens integer[], text_tokens integer[], truncated boolean[], worker text, settled_ids bigint[], settled_seqs bigint[]) OWNER TO pgduet_owner;

--
-- Name: _content_hash(text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._content_hash(content text) RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    RETURN CASE WHEN (btrim(content, ' 	







             ​‌‍

  ⁠　﻿'::text) <> ''::text) THEN sha256(convert_to(content, 'UTF8'::name)) ELSE NULL::bytea END;


ALTER FUNCTION pgduet._content_hash(content text) OWNER TO pgduet_owner;

--
-- Name: _contents(bigint[]); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._contents(chunk_ids bigint[]) RETURNS TABLE(chunk_id bigint, content_hash bytea, content text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $_$
  SELECT c.chunk_id, c.content_hash, c.content FROM (
    SELECT s.chunk_id, row_number() OVER w AS place, sum(octet_length(s.content)) OVER w AS bytes
    FROM pgduet.code_chunks s WHERE s.chunk_id = ANY ($1) AND s.content_hash IS NOT NULL
    WINDOW w AS (ORDER BY s.chunk_id)) n
  JOIN pgduet.code_chunks c ON c.chunk_id = n.chunk_id
  WHERE n.bytes <= 33554432 OR n.place = 1
$_$;


ALTER FUNCTION pgduet._contents(chunk_ids bigint[]) OWNER TO pgduet_owner;

--
-- Name: _create_generation(text, text, text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._create_generation(name text, model text, state text) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
  EXECUTE format('ALTER TABLE pgduet.%I OWNER TO pgduet_owner', v_partition);
  EXECUTE format('ALTER TABLE pgduet.code_embeddings ATTACH PARTITION pgduet.%I FOR VALUES IN (%s)', v_partition, v_id);
  RETURN v_id;
END $_$;


ALTER FUNCTION pgduet._create_generation(name text, model text, state text) OWNER TO pgduet_owner;

--
-- Name: _drop_orphans(bigint[]); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._drop_orphans(chunk_ids bigint[]) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_ids bigint[];
  v_generations integer[];
  v_dropped bigint;
BEGIN
  SELECT array_agg(s.chunk_id), array_agg(s.generation_id) INTO v_ids, v_generations FROM (
    SELECT e.chunk_id, e.generation_id FROM pgduet.code_embeddings e WHERE e.chunk_id = ANY ($1)
    FOR UPDATE SKIP LOCKED) s;
  DELETE FROM pgduet.code_embeddings e USING unnest(v_ids, v_generations) k (chunk_id, generation_id)
  WHERE e.chunk_id = k.chunk_id AND e.generation_id = k.generation_id AND NOT EXISTS (
    SELECT FROM pgduet.code_chunks c WHERE c.chunk_id = e.chunk_id AND c.content_hash IS NOT NULL);
  GET DIAGNOSTICS v_dropped = ROW_COUNT;
  RETURN v_dropped;
END $_$;


ALTER FUNCTION pgduet._drop_orphans(chunk_ids bigint[]) OWNER TO pgduet_owner;

--
-- Name: _drop_source_rows(integer, text[]); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._drop_source_rows(watch_id integer, row_keys text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $_$
DECLARE
  v_mode text := current_setting('pgduet.trigger_mode', true);
  v_source text := (SELECT w.source FROM pgduet._watch w WHERE w.watch_id = $1);
  v_keys text[] := pgduet._chunk_keys($1, $2);
BEGIN
  PERFORM set_config('pgduet.trigger_mode', 'queue', true);
  DELETE FROM pgduet.code_chunks c WHERE c.source = v_source AND c.source_key = ANY (v_keys);
  DELETE FROM pgduet._source_row r WHERE r.watch_id = $1 AND r.row_key = ANY ($2);
  PERFORM set_config('pgduet.trigger_mode', coalesce(v_mode, ''), true);
END $_$;


ALTER FUNCTION pgduet._drop_source_rows(watch_id integer, row_keys text[]) OWNER TO pgduet_owner;

--
-- Name: _embed_rows(text[], text, double precision, text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._embed_rows(contents text[], role text, seconds double precision, part text DEFAULT 'both'::text) RETURNS TABLE(ordinality integer, embedding public.halfvec, sketch bit, code_tokens integer, text_tokens integer, truncated boolean, failure text, fingerprint text)
    LANGUAGE plpython3u STABLE STRICT SECURITY DEFINER COST 1e+06 ROWS 64
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  backend = GD.get("pgduet") or (plpy.execute("SELECT pgduet._load_backend()") and GD["pgduet"])
  return backend.embed_rows(plpy, contents, role, seconds, part)
$$;


ALTER FUNCTION pgduet._embed_rows(contents text[], role text, seconds double precision, part text) OWNER TO pgduet_owner;

--
-- Name: _embed_within(bigint[], double precision); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._embed_within(chunk_ids bigint[], seconds double precision) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_start timestamptz := clock_timestamp();
  v_slice integer := pgduet._batch_texts();
  v_needed record;
  v_hashes bytea[];
  v_made record;
  v_rest bigint[];
BEGIN
  SELECT min(r.generation_id) AS generation, array_agg(r.chunk_id) AS ids INTO v_needed
  FROM pgduet._resolve($1) r WHERE r.is_active;
  SELECT v_needed.generation AS generation, array_agg(c.chunk_id) AS ids, array_agg(c.content_hash) AS hashes,
    array_agg(c.content) AS contents INTO v_needed
  FROM pgduet._contents(v_needed.ids) c;
  v_hashes := ARRAY(SELECT DISTINCT u.hash FROM unnest(v_needed.hashes) u (hash));
  FOR v_done IN 0 .. cardinality(v_hashes) - 1 BY v_slice LOOP
    -- Copies of one content are sent once.
    WITH part AS MATERIALIZED (
      SELECT h.hash, min(n.content) AS content, row_number() OVER (ORDER BY h.hash) AS place
      FROM unnest(v_hashes[v_done + 1 : v_done + v_slice]) h (hash)
      JOIN unnest(v_needed.hashes, v_needed.contents) n (hash, content) ON n.hash = h.hash GROUP BY h.hash
    ), made AS MATERIALIZED (
      SELECT r.* FROM pgduet._embed_rows(ARRAY(SELECT p.content FROM part p ORDER BY p.place), 'document',
        $2 - extract(epoch FROM clock_timestamp() - v_start)::double precision) r
    )
    SELECT array_agg(n.id) AS ids, array_agg(n.hash) AS hashes, array_agg(m.embedding) AS embeddings,
      array_agg(m.sketch) AS sketches, array_agg(m.code_tokens) AS code_tokens,
      array_agg(m.text_tokens) AS text_tokens, array_agg(m.truncated) AS truncated,
      min(m.fingerprint) AS fingerprint, min(n.id) FILTER (WHERE m.failure IS NOT NULL) AS failed_id,
      min(m.failure) AS failure INTO v_made
    FROM made m JOIN part p ON p.place = m.ordinality
    JOIN unnest(v_needed.ids, v_needed.hashes) n (id, hash) ON n.hash = p.hash;
    IF v_made.failure IS NOT NULL THEN
      RAISE EXCEPTION 'chunk % cannot be embedded: %', v_made.failed_id, v_made.failure
        USING ERRCODE = '22023', HINT = 'Cut it into chunks, or SET pgduet.trigger_mode = ''queue'' to set such rows aside.';
    END IF;
    -- Another generation became the active one in between: the worker makes what both lack.
    IF EXISTS (SELECT FROM pgduet._live_generation o JOIN pgduet.generations g ON g.fingerprint <> o.fingerprint
      WHERE g.generation_id = v_needed.generation AND o.fingerprint = v_made.fingerprint)
    THEN
      RETURN;
    END IF;
    PERFORM pgduet._store(v_needed.generation, v_made.fingerprint, v_made.ids, v_made.hashes, v_made.embeddings,
      v_made.sketches, v_made.code_tokens, v_made.text_tokens, v_made.truncated);
  END LOOP;
  -- Megabytes of content come in several parts.
  v_rest := pgduet._unresolved($1);
  IF cardinality(v_rest) > 0 AND cardinality(v_hashes) > 0 THEN
    PERFORM pgduet._embed_within(v_rest, $2 - extract(epoch FROM clock_timestamp() - v_start)::double precision);
  END IF;
END $_$;


ALTER FUNCTION pgduet._embed_within(chunk_ids bigint[], seconds double precision) OWNER TO pgduet_owner;

--
-- Name: _end_finetune(bigint, text, text, text, text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._end_finetune(run_id bigint, trainer text, state text, status text, error text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  UPDATE pgduet.finetune_runs r SET state = $3, status = coalesce($4, r.status), error = $5, phase = NULL,
    ended_at = clock_timestamp()
  WHERE r.run_id = $1 AND r.state = 'running' AND r.trainer = $2
$_$;


ALTER FUNCTION pgduet._end_finetune(run_id bigint, trainer text, state text, status text, error text) OWNER TO pgduet_owner;

--
-- Name: _fail(text, bigint[], text, text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._fail(worker text, seqs bigint[], error_class text, error text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  UPDATE pgduet._pending p SET leased_until = NULL, lease_owner = NULL, error_class = $3, error = $4,
    next_attempt_at = clock_timestamp() + make_interval(
      secs => least(3600, power(2, least(p.attempts, 20))) * (0.5 + random()))
  WHERE p.seq = ANY ($2) AND p.lease_owner = $1
$_$;


ALTER FUNCTION pgduet._fail(worker text, seqs bigint[], error_class text, error text) OWNER TO pgduet_owner;

--
-- Name: _fail_source(text, integer, text, text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._fail_source(owner text, watch_id integer, row_key text, error text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  UPDATE pgduet._source s SET leased_until = NULL, lease_owner = NULL, error = $4, next_attempt_at = clock_timestamp()
    + make_interval(secs => least(3600, power(2, least(s.attempts, 20))) * (0.5 + random()))
  WHERE s.watch_id = $2 AND s.row_key = $3 AND s.lease_owner = $1
$_$;


ALTER FUNCTION pgduet._fail_source(owner text, watch_id integer, row_key text, error text) OWNER TO pgduet_owner;

--
-- Name: _finish(bigint[]); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._finish(seqs bigint[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  DELETE FROM pgduet._pending p WHERE p.seq = ANY ($1)
$_$;


ALTER FUNCTION pgduet._finish(seqs bigint[]) OWNER TO pgduet_owner;

--
-- Name: _forget_failures(bigint[]); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._forget_failures(chunk_ids bigint[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  WITH past AS (
    SELECT d.chunk_id, d.generation_id FROM pgduet._dead_letter d WHERE d.chunk_id = ANY ($1) AND NOT EXISTS (
      SELECT FROM pgduet.code_chunks c WHERE c.chunk_id = d.chunk_id AND c.content_hash = d.content_hash)
    FOR UPDATE OF d SKIP LOCKED
  )
  DELETE FROM pgduet._dead_letter d USING past p
  WHERE d.chunk_id = p.chunk_id AND d.generation_id = p.generation_id
$_$;


ALTER FUNCTION pgduet._forget_failures(chunk_ids bigint[]) OWNER TO pgduet_owner;

--
-- Name: _forget_watch(integer); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._forget_watch(watch_id integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_mode text := current_setting('pgduet.trigger_mode', true);
  v_chunks bigint;
BEGIN
  -- Workers take this lock before any other on the watch; the table itself is locked last and shortest.
  PERFORM FROM pgduet._watch w WHERE w.watch_id = $1 FOR UPDATE;
  PERFORM set_config('pgduet.trigger_mode', 'queue', true);
  DELETE FROM pgduet.code_chunks c USING pgduet._watch w WHERE w.watch_id = $1 AND c.source = w.source;
  GET DIAGNOSTICS v_chunks = ROW_COUNT;
  PERFORM set_config('pgduet.trigger_mode', coalesce(v_mode, ''), true);
  DELETE FROM pgduet._source_row r WHERE r.watch_id = $1;
  EXECUTE format('DROP FUNCTION IF EXISTS pgduet.%I() CASCADE', '_watch_' || $1);
  DELETE FROM pgduet._source s WHERE s.watch_id = $1;
  DELETE FROM pgduet._watch w WHERE w.watch_id = $1;
  RETURN v_chunks;
END $_$;


ALTER FUNCTION pgduet._forget_watch(watch_id integer) OWNER TO pgduet_owner;

--
-- Name: _gate_objection(jsonb); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._gate_objection(metrics jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  SELECT CASE WHEN jsonb_typeof(g.gate -> 'passed') IS DISTINCT FROM 'boolean'
      THEN 'nobody has compared it with the active one'
    WHEN NOT (g.gate -> 'passed')::boolean THEN
      concat('it is not better by the margin that was set: ', coalesce(g.gate ->> 'metric', 'score'), ' ',
        coalesce(g.gate ->> 'before', '?'), ' before, ', coalesce(g.gate ->> 'after', '?'), ' after',
        ', margin ' || (g.gate ->> 'margin'), ' (' || (g.gate ->> 'why') || ')') END
  FROM (SELECT $1 -> 'gate' AS gate) g
$_$;


ALTER FUNCTION pgduet._gate_objection(metrics jsonb) OWNER TO pgduet_owner;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: generations; Type: TABLE; Schema: pgduet; Owner: pgduet_owner
--

CREATE TABLE pgduet.generations (
    generation_id integer NOT NULL,
    name text NOT NULL,
    model text NOT NULL,
    fingerprint text,
    state text NOT NULL,
    parent integer,
    metrics jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    activated_at timestamp with time zone,
    retired_at timestamp with time zone,
    dropped_at timestamp with time zone,
    CONSTRAINT generations_state_check CHECK ((state = ANY (ARRAY['building'::text, 'ready'::text, 'active'::text, 'retired'::text, 'dropped'::text])))
);


ALTER TABLE pgduet.generations OWNER TO pgduet_owner;

--
-- Name: TABLE generations; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON TABLE pgduet.generations IS 'Sets of vectors, each made by one version of the duet; searches use the active one';


--
-- Name: _generation(text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._generation(name text) RETURNS pgduet.generations
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
END $_$;


ALTER FUNCTION pgduet._generation(name text) OWNER TO pgduet_owner;

--
-- Name: _generation_counts(integer, boolean); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._generation_counts(generation_id integer, is_live boolean, OUT vectors bigint, OUT chunks bigint, OUT lacking bigint, OUT failed bigint) RETURNS record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $_$
  SELECT (SELECT count(*) FROM pgduet.code_embeddings e WHERE e.generation_id = $1),
    CASE WHEN $2 THEN count(*) END,
    CASE WHEN $2 THEN count(*) FILTER (WHERE e.chunk_id IS NULL AND d.chunk_id IS NULL) END,
    CASE WHEN $2 THEN count(*) FILTER (WHERE e.chunk_id IS NULL AND d.chunk_id IS NOT NULL) END
  FROM pgduet.code_chunks c
  LEFT JOIN pgduet.code_embeddings e
    ON e.chunk_id = c.chunk_id AND e.generation_id = $1 AND e.content_hash = c.content_hash
  LEFT JOIN pgduet._dead_letter d
    ON d.chunk_id = c.chunk_id AND d.generation_id = $1 AND d.content_hash = c.content_hash
  WHERE $2 AND c.content_hash IS NOT NULL
$_$;


ALTER FUNCTION pgduet._generation_counts(generation_id integer, is_live boolean, OUT vectors bigint, OUT chunks bigint, OUT lacking bigint, OUT failed bigint) OWNER TO pgduet_owner;

--
-- Name: _grant_reading(regclass, text[]); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._grant_reading(source regclass, columns text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_schema text := (SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1);
  v_grant text := format('GRANT USAGE ON SCHEMA %I TO pgduet_owner', v_schema);
BEGIN
  EXECUTE format('GRANT SELECT (xmin, %s) ON %s TO pgduet_owner', (SELECT string_agg(format('%I', u.name), ', ')
    FROM unnest($2) u (name)), $1);
  IF NOT has_schema_privilege('pgduet_owner', v_schema, 'USAGE') THEN
    BEGIN
      EXECUTE v_grant;
    EXCEPTION WHEN insufficient_privilege THEN
      NULL;
    END;
  END IF;
  IF NOT has_schema_privilege('pgduet_owner', v_schema, 'USAGE') THEN
    RAISE EXCEPTION 'schema % is closed to pgduet, and you may not open it', v_schema USING ERRCODE = '42501',
      HINT = format('Let the owner of the schema run: %s;', v_grant);
  END IF;
END $_$;


ALTER FUNCTION pgduet._grant_reading(source regclass, columns text[]) OWNER TO pgduet_owner;

--
-- Name: _has_fingerprint(); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._has_fingerprint() RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  PERFORM FROM pgduet.generations g WHERE g.state = 'active' AND g.fingerprint IS NOT NULL;
  IF NOT FOUND AND current_setting('transaction_isolation') = 'read committed' THEN
    PERFORM FROM pgduet.generations g WHERE g.state = 'active' FOR NO KEY UPDATE SKIP LOCKED;
  END IF;
  RETURN FOUND;
END $$;


ALTER FUNCTION pgduet._has_fingerprint() OWNER TO pgduet_owner;

--
-- Name: _hybrid(text, public.halfvec, bit, integer, text, text, text, boolean); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._hybrid(query text, embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, distinct_content boolean, OUT ids bigint[], OUT distances double precision[]) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  -- Deeper than is asked for: what both rankings know should come first though neither has it on top.
  v_most integer := greatest($4, 50);
  v_near record;
  v_words record;
BEGIN
  SELECT n.ids, n.distances INTO v_near FROM pgduet._ranked($2, $3, v_most, $5, $6, $7, $8, NULL, NULL) n;
  SELECT l.ids, l.distances INTO v_words FROM pgduet._lexical($1, $2, v_most, $5, $6, $7, $8) l;
  WITH listed AS (
    SELECT u.id, u.distance, 1.0 / (60 + u.place) AS score, 1 AS ranking
    FROM unnest(v_near.ids, v_near.distances) WITH ORDINALITY u (id, distance, place)
    UNION ALL
    SELECT u.id, u.distance, 1.0 / (60 + u.place), 2
    FROM unnest(v_words.ids, v_words.distances) WITH ORDINALITY u (id, distance, place)
  ), fused AS (
    -- The two may have picked different copies of one content.
    SELECT (array_agg(l.id ORDER BY l.ranking))[1] AS id, (array_agg(l.distance ORDER BY l.ranking))[1] AS distance,
      sum(l.score) AS score
    FROM listed l JOIN pgduet.code_chunks c ON c.chunk_id = l.id
    GROUP BY CASE WHEN $8 THEN c.content_hash ELSE int8send(l.id) END
  ), best AS (
    SELECT f.* FROM fused f ORDER BY f.score DESC, f.distance, f.id LIMIT $4
  )
  SELECT array_agg(b.id ORDER BY b.score DESC, b.distance, b.id),
    array_agg(b.distance ORDER BY b.score DESC, b.distance, b.id) INTO ids, distances
  FROM best b;
END $_$;


ALTER FUNCTION pgduet._hybrid(query text, embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, distinct_content boolean, OUT ids bigint[], OUT distances double precision[]) OWNER TO pgduet_owner;

--
-- Name: _index_health(integer); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._index_health(generation_id integer) RETURNS TABLE(aspect text, status text, detail text, advice text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 4
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_min_rows bigint := (SELECT s.value::bigint FROM pgduet._setting s WHERE s.key = 'index_min_rows');
  v_growth numeric := (SELECT s.value::numeric FROM pgduet._setting s WHERE s.key = 'index_growth');
  v_kind text := (SELECT s.value FROM pgduet._setting s WHERE s.key = 'index_kind');
  v_target numeric := (SELECT s.value::numeric FROM pgduet._setting s WHERE s.key = 'recall_target');
  v_memory text := (SELECT s.value FROM pgduet._setting s WHERE s.key = 'index_memory_mb');
  v_table regclass := to_regclass('pgduet.code_embeddings_g' || $1);
  -- The keeper's lock: who holds it is building or measuring.
  v_busy boolean := EXISTS (SELECT FROM pg_locks l WHERE l.locktype = 'advisory' AND l.objid = 70962561
    AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()));
  v_keeper text := CASE WHEN EXISTS (SELECT FROM pgduet._worker w WHERE w.seen_at > now() - interval '1 minute')
    THEN 'the worker does it, if it may: see its log; or run `pgduet db index`'
    ELSE 'no worker is running: start `pgduet worker`, or run `pgduet db index`' END;
  v_rows bigint;
  v_index record;
  v_build record;
  v_sample record;
BEGIN
  SELECT n.rows INTO v_rows FROM pgduet._vector_count($1) n;
  SELECT b.*, pg_relation_size(c.oid) AS bytes INTO v_index FROM pgduet._search_index($1) i
  JOIN pgduet._index_build b ON b.index_name = i.index_name AND b.generation_id = $1
  JOIN pg_class c ON c.relname = b.index_name AND c.relnamespace = 'pgduet'::regnamespace;
  SELECT b.* INTO v_build FROM pgduet._index_build b WHERE b.generation_id = $1 ORDER BY b.build_id DESC LIMIT 1;

  IF v_index.index_name IS NULL THEN
    RETURN QUERY SELECT 'index', s.status, s.detail, CASE s.status WHEN 'warn' THEN v_keeper END
      FROM (SELECT CASE WHEN v_rows < v_min_rows OR v_busy THEN 'ok' ELSE 'warn' END AS status,
        format('none yet for %s vectors: searches compare all and miss nothing; one is built from %s vectors on',
          v_rows, v_min_rows) AS detail) s;
  ELSE
    RETURN QUERY SELECT 'index', 'ok', format('%s, kind %s%s, %s; searches use it where more than %s vectors match',
      v_index.index_name, v_index.kind, ', ' || v_index.lists || ' lists', pg_size_pretty(v_index.bytes),
      greatest(10000, coalesce(v_rows * v_index.probes / v_index.lists, 0))), NULL;
    RETURN QUERY SELECT 'growth', s.status, s.detail, CASE s.status WHEN 'warn' THEN v_keeper END
      FROM (SELECT CASE WHEN v_index.kind <> v_kind THEN 'warn'
          WHEN v_rows > v_growth * v_index.rows_at_build OR v_rows * v_growth < v_index.rows_at_build THEN 'warn'
          ELSE 'ok' END AS status,
        CASE WHEN v_index.kind <> v_kind THEN format('index_kind is %s, the index is of kind %s', v_kind, v_index.kind)
          WHEN v_index.rows_at_build = 0 THEN
            format('the table was emptied since the index was built; %s vectors now', v_rows)
          ELSE format('built on %s vectors, %s now', v_index.rows_at_build, v_rows) END AS detail) s;
    SELECT r.*, r.recall_high < v_target AS below INTO v_sample FROM pgduet._recall_sample r
    WHERE r.index_name = v_index.index_name AND r.generation_id = $1
    ORDER BY r.measured_at DESC, r.recall LIMIT 1;
    IF v_sample.recall IS NULL THEN
      RETURN QUERY SELECT 'recall', 'warn', 'not measured yet', v_keeper WHERE NOT v_busy;
    ELSE
      RETURN QUERY SELECT 'recall', CASE WHEN v_sample.below THEN 'warn' ELSE 'ok' END,
        format('%s of the ten nearest are found (95 %%: %s to %s; target %s), measured %s with %s',
          round(v_sample.recall::numeric, 3), round(v_sample.recall_low::numeric, 3),
          round(v_sample.recall_high::numeric, 3), v_target, date_trunc('second', v_sample.measured_at),
          CASE v_sample.query_kind WHEN 'stored' THEN 'stored chunks as queries' WHEN 'symbol' THEN
            'names of stored symbols as queries' ELSE 'queries that people asked' END),
        CASE WHEN NOT v_sample.below THEN NULL
          WHEN v_index.probes >= v_index.lists OR v_index.ef_search >= 1000 THEN 'this index cannot reach the target: '
            'lower recall_target, or try another index_kind with pgduet.reindex(index_kind => ...)'
          ELSE v_keeper END;
    END IF;
    RETURN QUERY SELECT 'cost', 'warn',
        format('searches look through %s of %s lists: hardly faster than comparing all', v_index.probes, v_index.lists),
        'rebuild it with pgduet.reindex(), or lower recall_target'
      WHERE v_index.probes > 0.5 * v_index.lists AND v_rows >= 100000;
    RETURN QUERY SELECT 'memory', 'warn',
        format('%s lists, where %s are best: index_memory_mb is %s', v_index.lists, w.lists, v_memory),
        'where the server has more to spare: `pgduet db set index_memory_mb MB`, then pgduet.reindex()'
      FROM (SELECT CASE v_index.kind WHEN 'halfvec' THEN least(1500, round(2 * sqrt(v_index.rows_at_build)))
        ELSE least(4000, round(4 * sqrt(v_index.rows_at_build))) END AS lists) w
      WHERE v_index.lists < 0.8 * w.lists;
  END IF;

  RETURN QUERY SELECT 'build', 'ok', 'an index is being built or measured since '
      || date_trunc('second', v_build.started_at), NULL
    WHERE v_busy AND v_build.finished_at IS NULL AND v_build.started_at IS NOT NULL;
  RETURN QUERY SELECT 'build', 'warn', 'the last one failed: ' || coalesce(v_build.error, 'its session ended'),
      CASE WHEN v_build.error LIKE '%memory%' THEN 'allow it more: `pgduet db set index_memory_mb MB`, it is '
        || v_memory ELSE v_keeper END
    WHERE NOT v_busy
      AND (v_build.error IS NOT NULL OR (v_build.finished_at IS NULL AND v_build.started_at IS NOT NULL));
  RETURN QUERY SELECT 'leftover', 'warn', format('%s is not valid: its build was interrupted', b.index_name), v_keeper
    FROM pgduet._index_build b
    JOIN pg_class c ON c.relname = b.index_name AND c.relnamespace = 'pgduet'::regnamespace
    JOIN pg_index i ON i.indexrelid = c.oid AND NOT i.indisvalid
    WHERE b.generation_id = $1 AND NOT v_busy;
  RETURN QUERY SELECT 'statistics', 'warn', 'the table was never analyzed: the planner guesses how many rows match',
      format('ANALYZE %s (chunk_id, repo, path, language); and see that autovacuum is on', v_table)
    FROM pg_class c WHERE c.oid = v_table AND c.reltuples < 0 AND v_rows >= v_min_rows;
  RETURN QUERY SELECT 'statistics', 'warn', 'track_counts is off: nobody sees that rows changed or went',
      'set track_counts = on in postgresql.conf'
    WHERE current_setting('track_counts') = 'off';
  RETURN QUERY SELECT 'other index', 'warn',
      format('%s (%s) is no part of pgduet: nobody keeps it, and each new vector costs more for it%s',
        c.relname, pg_size_pretty(pg_relation_size(c.oid)), CASE WHEN a.attname = 'embedding' THEN ', 8 kB a row' END),
      format('DROP INDEX CONCURRENTLY pgduet.%I, unless queries of your own use it', c.relname)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_attribute a ON a.attrelid = i.indexrelid AND a.attname IN ('embedding', 'sketch')
    WHERE i.indrelid = v_table AND NOT EXISTS (SELECT FROM pgduet._index_build b WHERE b.index_name = c.relname);
END $_$;


ALTER FUNCTION pgduet._index_health(generation_id integer) OWNER TO pgduet_owner;

--
-- Name: _index_objection(integer); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._index_objection(generation_id integer) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_least bigint := (SELECT s.value::bigint FROM pgduet._setting s WHERE s.key = 'index_min_rows');
  v_growth numeric := (SELECT s.value::numeric FROM pgduet._setting s WHERE s.key = 'index_growth');
  v_rows bigint := (SELECT count(*) FROM pgduet.code_embeddings e WHERE e.generation_id = $1);
  v_index record;
BEGIN
  SELECT * INTO v_index FROM pgduet._search_index($1);
  RETURN CASE WHEN v_rows < v_least THEN NULL
    WHEN v_index.index_name IS NULL THEN format('its %s vectors have no index yet', v_rows)
    WHEN v_rows > v_growth * v_index.rows_at_build THEN
      format('its index was built on %s of its %s vectors', v_index.rows_at_build, v_rows) END;
END $_$;


ALTER FUNCTION pgduet._index_objection(generation_id integer) OWNER TO pgduet_owner;

--
-- Name: _judge(text, jsonb); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._judge(name text, gate jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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


ALTER FUNCTION pgduet._judge(name text, gate jsonb) OWNER TO pgduet_owner;

--
-- Name: _judged_finetune(bigint, text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._judged_finetune(run_id bigint, trainer text) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  UPDATE pgduet.finetune_runs r SET generation = g.name, gate = g.metrics -> 'gate',
    status = CASE WHEN (g.metrics -> 'gate' -> 'passed')::boolean THEN 'promotable' ELSE 'not better' END
  FROM pgduet.generations g
  WHERE r.run_id = $1 AND r.state = 'running' AND r.trainer = $2 AND g.name = r.name
    AND jsonb_typeof(g.metrics -> 'gate' -> 'passed') = 'boolean'
  RETURNING (g.metrics -> 'gate' -> 'passed')::boolean
$_$;


ALTER FUNCTION pgduet._judged_finetune(run_id bigint, trainer text) OWNER TO pgduet_owner;

--
-- Name: _key_cast(bigint, text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._key_cast(place bigint, type_name text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  SELECT format('(CASE WHEN starts_with(k.row_key, ''['') THEN k.row_key::json ->> %s ELSE k.row_key END)::%s',
    $1 - 1, $2)
$_$;


ALTER FUNCTION pgduet._key_cast(place bigint, type_name text) OWNER TO pgduet_owner;

--
-- Name: _key_columns(oid); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._key_columns(source oid) RETURNS TABLE(place bigint, column_name text, type_name text, equals text, is_builtin boolean, is_plain boolean)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  SELECT k.place, a.attname::text, format('%I.%I', tn.nspname, t.typname),
    format('OPERATOR(%I.%s)', pn.nspname, p.oprname), t.typnamespace = 'pg_catalog'::regnamespace,
    t.oid = ANY ('{int2,int4,int8,uuid,bool}'::regtype[]::oid[])
  FROM pg_index i
  CROSS JOIN unnest(i.indkey::smallint[], i.indclass::oid[]) WITH ORDINALITY k (attnum, opclass, place)
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
  JOIN pg_type t ON t.oid = pgduet._base_type(a.atttypid)
  JOIN pg_namespace tn ON tn.oid = t.typnamespace
  JOIN pg_opclass c ON c.oid = k.opclass
  JOIN pg_amop o ON o.amopfamily = c.opcfamily AND o.amopstrategy = 3 AND o.amoplefttype = c.opcintype
    AND o.amoprighttype = c.opcintype
  JOIN pg_operator p ON p.oid = o.amopopr
  JOIN pg_namespace pn ON pn.oid = p.oprnamespace
  WHERE i.indrelid = $1 AND i.indisprimary AND k.place <= i.indnkeyatts
  ORDER BY k.place
$_$;


ALTER FUNCTION pgduet._key_columns(source oid) OWNER TO pgduet_owner;

--
-- Name: _key_expression(oid, text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._key_expression(source oid, row_name text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_texts text[];
  v_plain boolean;
  v_key text;
BEGIN
  SELECT array_agg(CASE WHEN k.is_builtin THEN format('((%s.%I)::pg_catalog.text COLLATE "C")', $2, k.column_name)
    ELSE format('(pg_catalog.format(''%%s'', %s.%I) COLLATE "C")', $2, k.column_name) END ORDER BY k.place),
    bool_and(k.is_plain) INTO v_texts, v_plain
  FROM pgduet._key_columns($1) k;
  v_key := format('pg_catalog.json_build_array(%s)::pg_catalog.text', array_to_string(v_texts, ', '));
  RETURN CASE
    WHEN cardinality(v_texts) = 1 AND v_plain THEN v_texts[1]
    WHEN cardinality(v_texts) = 1 THEN format('CASE WHEN pg_catalog.octet_length(%1$s) <= 2000 THEN
      CASE WHEN pg_catalog.left(%2$s, 1) = ''['' OR pg_catalog.strpos(%2$s, E''\x1f'') > 0 THEN %1$s ELSE %2$s END END',
      v_key, v_texts[1])
    ELSE format('CASE WHEN pg_catalog.octet_length(%1$s) <= 2000 THEN %1$s END', v_key) END;
END $_$;


ALTER FUNCTION pgduet._key_expression(source oid, row_name text) OWNER TO pgduet_owner;

--
-- Name: _key_settings(oid); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._key_settings(source oid) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  SELECT CASE
    WHEN bool_and(k.is_plain OR k.type_name IN ('pg_catalog.text', 'pg_catalog."varchar"', 'pg_catalog.varchar')) THEN ''
    ELSE 'SET TimeZone = ''UTC'' SET DateStyle = ''ISO'' SET IntervalStyle = ''postgres'' SET bytea_output = ''hex''
      SET extra_float_digits = 1' END
  FROM pgduet._key_columns($1) k
$_$;


ALTER FUNCTION pgduet._key_settings(source oid) OWNER TO pgduet_owner;

--
-- Name: _lacking(integer, bigint); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._lacking(generation_id integer, most bigint DEFAULT NULL::bigint) RETURNS SETOF bigint
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  SELECT c.chunk_id FROM pgduet.code_chunks c
  WHERE c.content_hash IS NOT NULL AND NOT EXISTS (
      SELECT FROM pgduet.code_embeddings e
      WHERE e.chunk_id = c.chunk_id AND e.generation_id = $1 AND e.content_hash = c.content_hash)
    AND NOT EXISTS (SELECT FROM pgduet._dead_letter d
      WHERE d.chunk_id = c.chunk_id AND d.generation_id = $1 AND d.content_hash = c.content_hash)
  LIMIT $2
$_$;


ALTER FUNCTION pgduet._lacking(generation_id integer, most bigint) OWNER TO pgduet_owner;

--
-- Name: _leave(text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._leave(worker text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  DELETE FROM pgduet._worker w WHERE w.worker = $1
$_$;


ALTER FUNCTION pgduet._leave(worker text) OWNER TO pgduet_owner;

--
-- Name: _lexemes(text, text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._lexemes(symbol text, content text) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE COST 10000 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET client_min_messages TO 'error'
    AS $_$
DECLARE
  -- Without punctuation, or the parser takes `self.stream.write` for a host and `a/b` for a file.
  v_words text := regexp_replace(left(concat_ws(' ', $1, $2), 100000), '[\s!-/:-@[-^`{-~]+', ' ', 'g');
BEGIN
  RETURN strip(to_tsvector('pg_catalog.english'::regconfig,
    replace(regexp_replace(v_words, '([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z]{2})', '\1\3 \2\4', 'g'), '_', ' ')
    || ' ' || replace(v_words, '_', '')));
END $_$;


ALTER FUNCTION pgduet._lexemes(symbol text, content text) OWNER TO pgduet_owner;

--
-- Name: FUNCTION _lexemes(symbol text, content text); Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON FUNCTION pgduet._lexemes(symbol text, content text) IS 'Words of a chunk for lexical search: identifiers cut at underscores and case, and whole, stemmed; the index code_chunks_lexical is made of them';


--
-- Name: _lexical(text, public.halfvec, integer, text, text, text, boolean); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._lexical(query text, embedding public.halfvec, most integer, language text, repo text, path_like text, distinct_content boolean, OUT ids bigint[], OUT distances double precision[]) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET work_mem TO '16MB'
    SET jit TO 'off'
    SET enable_seqscan TO 'on'
    AS $_$
DECLARE
  v_generation integer := (SELECT g.generation_id FROM pgduet.generations g WHERE g.state = 'active');
  v_query record;
  v_rows double precision;
  v_indexed boolean;
  v_estimates double precision[];
BEGIN
  SELECT w.words, w.identifiers INTO v_query FROM pgduet._query_words($1) w;
  IF cardinality(v_query.words) = 0 THEN
    RETURN;
  END IF;
  v_rows := greatest(pgduet._matching_rows(v_generation, $4, $5, $6), 1);
  v_indexed := NOT row_security_active('pgduet.code_chunks') AND EXISTS (
    SELECT FROM pg_index i WHERE i.indexrelid = to_regclass('pgduet.code_chunks_lexical') AND i.indisvalid);
  IF v_indexed THEN
    v_estimates := pgduet._word_rows(v_query.words, $4, $5, $6);
    -- Without statistics the planner may prefer to make the words of every chunk anew.
    PERFORM set_config('enable_seqscan', 'off', true);
  END IF;
  EXECUTE pgduet._lexical_statement(v_generation, v_indexed) INTO ids, distances
  USING v_query.words, v_query.identifiers, v_rows, least(greatest(1000, v_rows / 50), 5000)::bigint, $3, $2,
    $4, $5, $6, $7, v_estimates;
END $_$;


ALTER FUNCTION pgduet._lexical(query text, embedding public.halfvec, most integer, language text, repo text, path_like text, distinct_content boolean, OUT ids bigint[], OUT distances double precision[]) OWNER TO pgduet_owner;

--
-- Name: _lexical_statement(integer, boolean); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._lexical_statement(generation_id integer, indexed boolean) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_schema name := (SELECT n.nspname FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace
    WHERE x.extname = 'vector');
  -- Blank chunks are not found by their symbols alone: they have no vector.
  v_filter text := 'c.content_hash IS NOT NULL AND ($7 IS NULL OR c.language = $7) AND ($8 IS NULL OR c.repo = $8) AND ($9 IS NULL OR c.path LIKE $9)';
BEGIN
  RETURN format($sql$
    WITH word AS MATERIALIZED (
      SELECT u.word, u.estimate, u.word = ANY ($2) AS named, coalesce(u.estimate > $4, false) AS common
      FROM unnest($1, $11) u (word, estimate)
    ), hit AS MATERIALIZED (
      %1$s
    ), weighed AS (
      -- Rare words weigh more, those that no chunk has the most.
      SELECT w.word, w.named, NOT w.common AND f.found <= $4 AS rare,
        ln(1 + (greatest($3 - f.found, 0) + 0.5) / (f.found + 0.5)) AS weight
      FROM word w CROSS JOIN LATERAL (
        SELECT CASE WHEN w.common THEN w.estimate ELSE (SELECT count(*) FROM hit h WHERE h.word = w.word) END AS found) f
    ), needed AS (
      -- Chunks with a few of many words disturb more than they help: nearly all must be there, by weight, or those of
      -- the identifiers where the query names some.
      SELECT CASE WHEN cardinality($2) > 0 THEN sum(w.weight) FILTER (WHERE w.named AND w.rare) ELSE sum(w.weight) END
        * 0.8 AS weight
      FROM weighed w
    ), scored AS (
      SELECT h.chunk_id, h.content_hash, h.size, sum(w.weight) AS score
      FROM hit h JOIN weighed w ON w.word = h.word AND w.rare
      GROUP BY h.chunk_id, h.content_hash, h.size
      HAVING sum(w.weight) FILTER (WHERE w.named OR cardinality($2) = 0) >= (SELECT n.weight FROM needed n)
    ), ordered AS (
      -- BM25 where every word counts once: k1 = 1.2, b = 0.3.
      SELECT s.chunk_id, s.content_hash, s.score / (1 + 1.2 * (0.7 + 0.3 * s.size / avg(s.size) OVER ())) AS score
      FROM scored s
    ), candidate AS (
      SELECT o.*, dense_rank() OVER (ORDER BY o.score DESC, o.content_hash) AS place FROM ordered o
    ), embedded AS (
      -- Some may have no current vector yet, and copies may score differently: look at more than are asked for.
      SELECT d.chunk_id, d.score, e.embedding,
        row_number() OVER (PARTITION BY CASE WHEN $10 THEN d.content_hash ELSE int8send(d.chunk_id) END
          ORDER BY d.score DESC, d.chunk_id) AS copy
      FROM candidate d JOIN pgduet.code_embeddings e
        ON e.chunk_id = d.chunk_id AND e.generation_id = %2$s AND e.content_hash = d.content_hash
      WHERE d.place <= 4::bigint * $5
    ), best AS (
      SELECT b.chunk_id, b.score, b.embedding OPERATOR(%3$I.<=>) $6 AS distance FROM embedded b WHERE b.copy = 1
      ORDER BY b.score DESC, b.chunk_id LIMIT $5
    )
    SELECT array_agg(b.chunk_id ORDER BY b.score DESC, b.chunk_id),
      array_agg(b.distance ORDER BY b.score DESC, b.chunk_id) FROM best b$sql$,
    CASE WHEN indexed THEN format($hits$
      SELECT w.word, c.* FROM word w CROSS JOIN LATERAL (
        SELECT c.chunk_id, c.content_hash, octet_length(c.content) AS size FROM pgduet.code_chunks c
        WHERE pgduet._lexemes(c.symbol, c.content) @@ ('''' || w.word || '''')::tsquery AND %s LIMIT $4 + 1) c
      WHERE NOT w.common$hits$, v_filter)
    ELSE format($hits$
      SELECT w.word, c.chunk_id, c.content_hash, octet_length(c.content) AS size FROM pgduet.code_chunks c
      CROSS JOIN LATERAL unnest(tsvector_to_array(pgduet._lexemes(c.symbol, c.content))) w (word)
      WHERE w.word = ANY ($1) AND %s$hits$, v_filter) END,
    generation_id, v_schema);
END $_$;


ALTER FUNCTION pgduet._lexical_statement(generation_id integer, indexed boolean) OWNER TO pgduet_owner;

--
-- Name: _load_backend(); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._load_backend() RETURNS boolean
    LANGUAGE plpython3u SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  try:
    from pgduet import backend
  except (ImportError, RuntimeError) as reason:
    import sys
    plpy.error(
      f"PostgreSQL's Python {sys.version.split()[0]} cannot import pgduet.backend: {reason}", sqlstate="58000",
      hint="Put the folder that holds the packages pgduet, grpcio and protobuf first in the server's PYTHONPATH, "
      "restart PostgreSQL and open a new session. `pgduet doctor` says more.")
  GD["pgduet"] = backend
  return True
$$;


ALTER FUNCTION pgduet._load_backend() OWNER TO pgduet_owner;

--
-- Name: _lock_generations(); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._lock_generations() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(70962562);
EXCEPTION WHEN lock_not_available THEN
  RAISE EXCEPTION 'another session is changing generations' USING ERRCODE = '55P03',
    HINT = 'Nothing was changed. Try again when its transaction has ended.';
END $$;


ALTER FUNCTION pgduet._lock_generations() OWNER TO pgduet_owner;

--
-- Name: _make_watch_function(integer, oid); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._make_watch_function(watch_id integer, source oid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_watch pgduet._watch := (SELECT w FROM pgduet._watch w WHERE w.watch_id = $1);
  v_compared text := (SELECT string_agg(format(
      '(NEW.%1$I::pg_catalog.text COLLATE "C") IS NOT DISTINCT FROM (OLD.%1$I::pg_catalog.text COLLATE "C")', c.name),
      ' AND ')
    FROM unnest(ARRAY[v_watch.path_column, v_watch.language_column, v_watch.content_column]) c (name)
    WHERE c.name IS NOT NULL);
BEGIN
  EXECUTE format('CREATE OR REPLACE FUNCTION pgduet.%I() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp %s AS %L',
    '_watch_' || $1, pgduet._key_settings($2), format($function$
DECLARE
  v_before text;
  v_after text;
BEGIN
  BEGIN
    IF TG_OP IN ('UPDATE', 'DELETE') THEN
      v_before := %1$s;
    END IF;
    IF TG_OP IN ('UPDATE', 'INSERT') THEN
      v_after := %2$s;
    END IF;
    IF TG_OP = 'UPDATE' AND v_before = v_after AND %3$s THEN
      RETURN NULL;
    END IF;
  EXCEPTION WHEN OTHERS THEN
    v_before := NULL;
    v_after := NULL;
  END;
  IF v_before IS NULL OR v_after IS NULL OR v_before = v_after THEN
    INSERT INTO pgduet._source (watch_id, row_key) VALUES (%4$s, coalesce(v_after, v_before));
  ELSE
    INSERT INTO pgduet._source (watch_id, row_key) VALUES (%4$s, v_before), (%4$s, v_after);
  END IF;
  IF current_setting('pgduet._woken', true) IS DISTINCT FROM 'yes' THEN
    PERFORM pgduet._wake();
    PERFORM set_config('pgduet._woken', 'yes', true);
  END IF;
  RETURN NULL;
END $function$, pgduet._key_expression($2, 'OLD'), pgduet._key_expression($2, 'NEW'), v_compared, $1));
  EXECUTE format('REVOKE ALL ON FUNCTION pgduet.%I() FROM PUBLIC', '_watch_' || $1);
  -- Whoever watches a table makes its trigger, which takes this right.
  EXECUTE format('GRANT EXECUTE ON FUNCTION pgduet.%I() TO pgduet_admin', '_watch_' || $1);
END $_$;


ALTER FUNCTION pgduet._make_watch_function(watch_id integer, source oid) OWNER TO pgduet_owner;

--
-- Name: _match_chunks(text, text[], text[]); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._match_chunks(source text, source_keys text[], contents text[]) RETURNS bigint[]
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_nestloop TO 'off'
    SET jit TO 'off'
    AS $_$
  WITH old AS (
    SELECT c.chunk_id, c.content_hash AS hash,
      row_number() OVER (PARTITION BY c.content_hash ORDER BY c.start_line, c.chunk_id) AS copy
    FROM pgduet.code_chunks c WHERE c.source = $1 AND c.source_key = ANY ($2)
  ), new AS (
    SELECT n.place, h.hash, row_number() OVER (PARTITION BY h.hash ORDER BY n.place) AS copy
    FROM unnest($3) WITH ORDINALITY n (content, place)
    CROSS JOIN LATERAL (SELECT pgduet._content_hash(n.content)) h (hash)
  ), matched AS (
    SELECT n.place, o.chunk_id, row_number() OVER (PARTITION BY o.chunk_id IS NULL ORDER BY n.place) AS turn
    FROM new n LEFT JOIN old o ON o.hash = n.hash AND o.copy = n.copy
  ), spare AS (
    SELECT o.chunk_id, row_number() OVER (ORDER BY o.chunk_id) AS turn FROM old o
    WHERE NOT EXISTS (SELECT FROM matched m WHERE m.chunk_id = o.chunk_id)
  )
  SELECT coalesce(array_agg(coalesce(m.chunk_id, s.chunk_id) ORDER BY m.place), '{}')
  FROM matched m LEFT JOIN spare s ON m.chunk_id IS NULL AND s.turn = m.turn
$_$;


ALTER FUNCTION pgduet._match_chunks(source text, source_keys text[], contents text[]) OWNER TO pgduet_owner;

--
-- Name: _matching_rows(integer, text, text, text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._matching_rows(generation_id integer, language text, repo text, path_like text) RETURNS double precision
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_secured boolean := row_security_active('pgduet.code_chunks');
  v_plan json;
  v_rows double precision;
  v_share double precision;
  v_sampled double precision;
BEGIN
  EXECUTE format('EXPLAIN (FORMAT JSON) SELECT FROM pgduet.code_embeddings e %s WHERE e.generation_id = %s'
      ' AND ($1 IS NULL OR e.language = $1) AND ($2 IS NULL OR e.repo = $2) AND ($3 IS NULL OR e.path LIKE $3)',
    CASE WHEN v_secured THEN 'JOIN pgduet.code_chunks v ON v.chunk_id = e.chunk_id' END, generation_id)
    INTO v_plan USING language, repo, path_like;
  v_rows := (v_plan #>> '{0,Plan,Plan Rows}')::double precision;
  IF NOT v_secured THEN
    RETURN v_rows;
  END IF;
  v_share := least(1, 64 * current_setting('block_size')::double precision
    / greatest(pg_relation_size('pgduet.code_chunks'), 1));
  EXECUTE format('SELECT count(*) FROM pgduet.code_chunks v TABLESAMPLE SYSTEM (%s) REPEATABLE (1)'
      ' WHERE ($1 IS NULL OR v.language = $1) AND ($2 IS NULL OR v.repo = $2) AND ($3 IS NULL OR v.path LIKE $3)',
    100 * v_share) INTO v_sampled USING language, repo, path_like;
  RETURN least(v_rows, v_sampled / v_share);
END $_$;


ALTER FUNCTION pgduet._matching_rows(generation_id integer, language text, repo text, path_like text) OWNER TO pgduet_owner;

--
-- Name: _model_objection(); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._model_objection() RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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


ALTER FUNCTION pgduet._model_objection() OWNER TO pgduet_owner;

--
-- Name: _neighbours(bigint[], integer); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._neighbours(chunk_ids bigint[], k integer) RETURNS TABLE(chunk_id bigint, neighbour_id bigint)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_chunk record;
  v_found record;
BEGIN
  FOR v_chunk IN
    -- Out of an array comes a copy in memory: the stored vector would be fetched anew for every candidate.
    SELECT e.chunk_id, e.content_hash, (ARRAY[e.embedding])[1] AS embedding, e.sketch
    FROM unnest($1) WITH ORDINALITY u (chunk_id, place)
    JOIN pgduet.generations g ON g.state = 'active'
    JOIN pgduet.code_embeddings e ON e.chunk_id = u.chunk_id AND e.generation_id = g.generation_id
    ORDER BY u.place
  LOOP
    SELECT r.ids INTO v_found FROM pgduet._ranked(v_chunk.embedding, v_chunk.sketch, $2, NULL, NULL, NULL, true,
      v_chunk.chunk_id, v_chunk.content_hash) r;
    RETURN QUERY SELECT v_chunk.chunk_id, n.id FROM unnest(v_found.ids) n (id);
  END LOOP;
END $_$;


ALTER FUNCTION pgduet._neighbours(chunk_ids bigint[], k integer) OWNER TO pgduet_owner;

--
-- Name: FUNCTION _neighbours(chunk_ids bigint[], k integer); Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON FUNCTION pgduet._neighbours(chunk_ids bigint[], k integer) IS 'The k chunks nearest to each of some stored chunks';


--
-- Name: _next_due(); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._next_due() RETURNS double precision
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT extract(epoch FROM least(
    (SELECT min(greatest(p.next_attempt_at, p.leased_until)) FROM pgduet._pending p),
    (SELECT min(greatest(s.next_attempt_at, s.leased_until)) FROM pgduet._source s
     JOIN pgduet._watch w ON w.watch_id = s.watch_id AND w.problem IS NULL)) - clock_timestamp())
    ::double precision
$$;


ALTER FUNCTION pgduet._next_due() OWNER TO pgduet_owner;

--
-- Name: _objections(integer, bigint); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._objections(generation_id integer, most bigint DEFAULT NULL::bigint) RETURNS TABLE(aspect text, objection text, advice text)
    LANGUAGE plpgsql STABLE ROWS 3
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_lacking bigint := (SELECT count(*) FROM pgduet._lacking($1, $2));
  v_generation pgduet.generations;
BEGIN
  SELECT g.* INTO v_generation FROM pgduet.generations g WHERE g.generation_id = $1;
  IF v_lacking > 0 THEN
    RETURN QUERY SELECT 'vectors', format('%s chunk(s) have no vector of it yet', v_lacking),
      format('a worker makes them where the sidecar serves %s: `pgduet generation wait %s`', v_generation.model,
        v_generation.name);
  ELSE
    RETURN QUERY SELECT 'index', i.objection, 'a worker builds the index, or `pgduet db index`'
      FROM pgduet._index_objection($1) i (objection) WHERE i.objection IS NOT NULL;
  END IF;
  RETURN QUERY SELECT 'gate', m.objection, 'evaluate it, or overrule this with force and a reason'
    FROM pgduet._gate_objection(v_generation.metrics) m (objection) WHERE m.objection IS NOT NULL;
END $_$;


ALTER FUNCTION pgduet._objections(generation_id integer, most bigint) OWNER TO pgduet_owner;

--
-- Name: _pair_cosines(bigint[], bigint[]); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._pair_cosines(first bigint[], second bigint[]) RETURNS TABLE(place bigint, similarity double precision, code double precision, text double precision)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_generation integer := (SELECT g.generation_id FROM pgduet.generations g WHERE g.state = 'active');
BEGIN
  -- A half is 1536 numbers of code, then 1024 of text; cosine takes no notice of their weights.
  RETURN QUERY EXECUTE format($sql$
    SELECT u.place, 1 - %1$I.cosine_distance(a.embedding, b.embedding),
      nullif(1 - %1$I.cosine_distance(%1$I.subvector(a.embedding, 1, 1536), %1$I.subvector(b.embedding, 1, 1536)), 'NaN'),
      nullif(1 - %1$I.cosine_distance(%1$I.subvector(a.embedding, 1537, 1024), %1$I.subvector(b.embedding, 1537, 1024)),
        'NaN')
    FROM unnest($1, $2) WITH ORDINALITY u (first, second, place)
    JOIN pgduet.code_embeddings a ON a.chunk_id = u.first AND a.generation_id = $3
    JOIN pgduet.code_chunks f ON f.chunk_id = a.chunk_id AND f.content_hash = a.content_hash
    JOIN pgduet.code_embeddings b ON b.chunk_id = u.second AND b.generation_id = $3
    JOIN pgduet.code_chunks s ON s.chunk_id = b.chunk_id AND s.content_hash = b.content_hash$sql$,
    (SELECT n.nspname FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace WHERE x.extname = 'vector'))
  USING first, second, v_generation;
END $_$;


ALTER FUNCTION pgduet._pair_cosines(first bigint[], second bigint[]) OWNER TO pgduet_owner;

--
-- Name: FUNCTION _pair_cosines(first bigint[], second bigint[]); Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON FUNCTION pgduet._pair_cosines(first bigint[], second bigint[]) IS 'Cosines between stored chunks, pair by pair: of the whole vector and of each half';


--
-- Name: _put_back_finetune(bigint, text, text, double precision, boolean, timestamp with time zone); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._put_back_finetune(run_id bigint, trainer text, error text, pause double precision, resume boolean, failed_at timestamp with time zone DEFAULT clock_timestamp()) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
END $_$;


ALTER FUNCTION pgduet._put_back_finetune(run_id bigint, trainer text, error text, pause double precision, resume boolean, failed_at timestamp with time zone) OWNER TO pgduet_owner;

--
-- Name: _query_words(text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._query_words(query text, OUT words text[], OUT identifiers text[]) RETURNS record
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_identifiers text;
BEGIN
  SELECT string_agg(m.found[1], ' ') INTO v_identifiers FROM regexp_matches(left(query, 100000), '[[:alnum:]_]*'
    '(?:[[:alnum:]]_+[[:alnum:]]|[[:lower:][:digit:]][[:upper:]]|[[:upper:]]{2}[[:lower:]]{2})[[:alnum:]_]*', 'g')
    m (found);
  identifiers := tsvector_to_array(pgduet._lexemes(NULL, v_identifiers));
  words := ARRAY(SELECT w.word FROM unnest(tsvector_to_array(pgduet._lexemes(NULL, query))) w (word)
    ORDER BY w.word = ANY (identifiers) DESC, length(w.word) DESC, w.word LIMIT 50);
END $$;


ALTER FUNCTION pgduet._query_words(query text, OUT words text[], OUT identifiers text[]) OWNER TO pgduet_owner;

--
-- Name: _ranked(public.halfvec, bit, integer, text, text, text, boolean, bigint, bytea); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._ranked(embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, distinct_content boolean, except_id bigint, except_hash bytea, OUT ids bigint[], OUT distances double precision[]) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_generation integer := (SELECT g.generation_id FROM pgduet.generations g WHERE g.state = 'active');
  v_plan record;
BEGIN
  IF v_generation IS NULL THEN
    RETURN;
  END IF;
  SELECT * INTO v_plan FROM pgduet._search_plan(v_generation, $4, $5, $6, $3);
  SELECT s.ids, s.distances INTO ids, distances
  FROM pgduet._scan(v_generation, v_plan.way, v_plan.kind, v_plan.probes, v_plan.ef_search, v_plan.depth, $1, $2, $3,
    $4, $5, $6, $7, $8, $9) s;
END $_$;


ALTER FUNCTION pgduet._ranked(embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, distinct_content boolean, except_id bigint, except_hash bytea, OUT ids bigint[], OUT distances double precision[]) OWNER TO pgduet_owner;

--
-- Name: _read_statement(integer, oid); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._read_statement(watch_id integer, source oid) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  SELECT format($sql$
    SELECT k.row_key, t.row_version, t.content, t.path, t.language,
      pgduet._row_hash(t.content, t.path, t.language, $3) AS row_hash
    FROM unnest($1) k (row_key) LEFT JOIN LATERAL (
      SELECT t.xmin::text AS row_version, (t.%1$I)::text AS content, %2$s AS path, coalesce(%3$s, $2) AS language
      FROM %4$s t WHERE %5$s) t ON true$sql$,
    w.content_column, coalesce('t.' || quote_ident(w.path_column), 'NULL') || '::text',
    coalesce('t.' || quote_ident(w.language_column), 'NULL') || '::text', pgduet._table_expression($2),
    (SELECT string_agg(format('t.%I %s %s', k.column_name, k.equals, pgduet._key_cast(k.place, k.type_name)), ' AND ')
     FROM pgduet._key_columns($2) k))
  FROM pgduet._watch w WHERE w.watch_id = $1
$_$;


ALTER FUNCTION pgduet._read_statement(watch_id integer, source oid) OWNER TO pgduet_owner;

--
-- Name: _recall_interval(double precision[], integer); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._recall_interval(recalls double precision[], k integer, OUT recall double precision, OUT recall_low double precision, OUT recall_high double precision) RETURNS record
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  SELECT m.p, least(m.p, greatest(0, (m.p + z.z2 / 2 - s.half) / (1 + z.z2))),
    greatest(m.p, least(1, (m.p + z.z2 / 2 + s.half) / (1 + z.z2)))
  FROM (SELECT avg(r) AS p, count(*) AS n, coalesce(var_samp(r), 0) AS spread FROM unnest($1) r) m
  CROSS JOIN LATERAL (
    SELECT greatest(1, CASE WHEN m.p > 0 AND m.p < 1 THEN m.spread * $2 / (m.p * (1 - m.p)) END)) e (k)
  CROSS JOIN LATERAL (SELECT 1.96 ^ 2 * e.k / nullif(m.n * $2, 0)) z (z2)
  CROSS JOIN LATERAL (SELECT sqrt(z.z2 * (m.p * (1 - m.p) + z.z2 / 4))) s (half)
$_$;


ALTER FUNCTION pgduet._recall_interval(recalls double precision[], k integer, OUT recall double precision, OUT recall_low double precision, OUT recall_high double precision) OWNER TO pgduet_owner;

--
-- Name: _recall_queries(integer, text, integer, text, text, text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._recall_queries(generation_id integer, query_kind text, sample integer, language text, repo text, path_like text) RETURNS TABLE(embedding public.halfvec, sketch bit, except_id bigint, except_hash bytea)
    LANGUAGE plpgsql ROWS 100
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
BEGIN
  IF query_kind = 'stored' THEN
    RETURN QUERY SELECT * FROM pgduet._stored_queries($1, $3, $4, $5, $6);
  ELSIF NOT EXISTS (SELECT FROM pgduet.generations g WHERE g.generation_id = $1 AND g.state = 'active') THEN
    RETURN;
  ELSIF query_kind = 'symbol' THEN
    RETURN QUERY SELECT * FROM pgduet._symbol_queries($1, $3, $4, $5, $6);
  ELSIF EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = 'pgduet'::regnamespace AND p.proname = '_recent_queries'
    AND has_function_privilege(p.oid, 'EXECUTE')) THEN
    BEGIN
      RETURN QUERY SELECT q.embedding, q.sketch, NULL::bigint, NULL::bytea FROM pgduet._recent_queries($3) q;
    EXCEPTION WHEN OTHERS THEN
      RAISE NOTICE 'recall is measured without queries that people asked: %', SQLERRM;
    END;
  END IF;
END $_$;


ALTER FUNCTION pgduet._recall_queries(generation_id integer, query_kind text, sample integer, language text, repo text, path_like text) OWNER TO pgduet_owner;

--
-- Name: _recall_source(integer, integer, text, text, text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._recall_source(generation_id integer, sample integer, language text, repo text, path_like text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_rows double precision := pgduet._matching_rows($1, $3, $4, $5);
BEGIN
  RETURN format('FROM pgduet.code_embeddings e %s JOIN pgduet.code_chunks c ON c.chunk_id = e.chunk_id'
      ' AND c.content_hash = e.content_hash WHERE e.generation_id = %s AND ($1 IS NULL OR e.language = $1)'
      ' AND ($2 IS NULL OR e.repo = $2) AND ($3 IS NULL OR e.path LIKE $3)',
    CASE WHEN v_rows > 100000 THEN format('TABLESAMPLE system (%s)', least(100, 4000.0 * $2 / v_rows)) END, $1);
END $_$;


ALTER FUNCTION pgduet._recall_source(generation_id integer, sample integer, language text, repo text, path_like text) OWNER TO pgduet_owner;

--
-- Name: _recall_truth(integer, text, integer, integer, text, text, text, double precision); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._recall_truth(generation_id integer, query_kind text, sample integer, k integer, language text, repo text, path_like text, seconds double precision) RETURNS TABLE(embedding public.halfvec, sketch bit, except_id bigint, except_hash bytea, nearest integer, kth double precision, exact_ms double precision)
    LANGUAGE plpgsql ROWS 100
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_depth bigint := greatest(ceil(500 * sqrt(k / 10.0)), 4 * k::bigint);
  v_started timestamptz := clock_timestamp();
  v_start timestamptz;
  v_ways text[] := ARRAY['exact', 'cosine'];
  v_asked integer := 0;
  v_checked double precision := 0;
  v_way text;
  v_kth double precision;
  v_query record;
  v_found record;
BEGIN
  FOR v_query IN SELECT * FROM pgduet._recall_queries($1, $2, $3, $5, $6, $7) LOOP
    EXIT WHEN v_asked >= 10 AND extract(epoch FROM clock_timestamp() - v_started) > $8;
    FOREACH v_way IN ARRAY v_ways LOOP
      -- The cosine of every row takes about seven times as long as the scan of all sketches.
      IF v_way = 'cosine' AND cardinality(v_ways) = 2 AND v_checked + 7 * exact_ms > least($8 / 3, 20) * 1000 THEN
        v_ways := ARRAY['exact'];
        EXIT;
      END IF;
      v_start := clock_timestamp();
      SELECT s.distances[cardinality(s.distances)] AS kth, cardinality(s.distances) AS nearest INTO v_found
      FROM pgduet._scan($1, v_way, NULL, NULL, NULL, CASE v_way WHEN 'exact' THEN v_depth ELSE greatest(100, 2 * k) END,
        v_query.embedding, v_query.sketch, k, $5, $6, $7, true, v_query.except_id, v_query.except_hash) s;
      exact_ms := 1000 * extract(epoch FROM clock_timestamp() - v_start);
      IF v_way = 'exact' THEN
        v_kth := v_found.kth;
      ELSIF cardinality(v_ways) = 2 THEN
        v_checked := v_checked + exact_ms;
        IF v_kth IS NULL OR v_found.kth < v_kth - 1e-6 THEN
          v_ways := ARRAY['cosine'];
        ELSIF v_asked >= 9 THEN
          v_ways := ARRAY['exact'];
        END IF;
      END IF;
    END LOOP;
    v_asked := v_asked + 1;
    CONTINUE WHEN v_found.nearest IS NULL;
    embedding := v_query.embedding;
    sketch := v_query.sketch;
    except_id := v_query.except_id;
    except_hash := v_query.except_hash;
    nearest := v_found.nearest;
    kth := v_found.kth;
    RETURN NEXT;
  END LOOP;
END $_$;


ALTER FUNCTION pgduet._recall_truth(generation_id integer, query_kind text, sample integer, k integer, language text, repo text, path_like text, seconds double precision) OWNER TO pgduet_owner;

--
-- Name: _recall_try(integer, text, text, integer, integer, bigint, public.halfvec, bit, integer, text, text, text, bigint, bytea, integer, double precision); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._recall_try(generation_id integer, way text, kind text, probes integer, ef_search integer, depth bigint, embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, except_id bigint, except_hash bytea, nearest integer, kth double precision, OUT recall double precision, OUT ms double precision) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_start timestamptz := clock_timestamp();
  v_distances double precision[];
BEGIN
  SELECT s.distances INTO v_distances
  FROM pgduet._scan($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, true, $13, $14) s;
  ms := 1000 * extract(epoch FROM clock_timestamp() - v_start);
  recall := least($15, (SELECT count(*) FROM unnest(v_distances) d WHERE d <= $16 + 1e-6)) / $15::double precision;
END $_$;


ALTER FUNCTION pgduet._recall_try(generation_id integer, way text, kind text, probes integer, ef_search integer, depth bigint, embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, except_id bigint, except_hash bytea, nearest integer, kth double precision, OUT recall double precision, OUT ms double precision) OWNER TO pgduet_owner;

--
-- Name: _recent_queries(integer); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._recent_queries(most integer) RETURNS TABLE(embedding public.halfvec, sketch bit)
    LANGUAGE plpython3u STABLE STRICT SECURITY DEFINER COST 100000 ROWS 100
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  backend = GD.get("pgduet") or (plpy.execute("SELECT pgduet._load_backend()") and GD["pgduet"])
  return backend.recent_queries(plpy, most)
$$;


ALTER FUNCTION pgduet._recent_queries(most integer) OWNER TO pgduet_owner;

--
-- Name: FUNCTION _recent_queries(most integer); Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON FUNCTION pgduet._recent_queries(most integer) IS 'Vectors of the last queries that the sidecar kept (PGDUET_KEEP_QUERIES), newest first';


--
-- Name: _reconcile_slice(bigint, integer); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._reconcile_slice(after bigint, slice integer, OUT upto bigint, OUT enqueued bigint, OUT removed bigint) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_custom_plan'
    SET jit TO 'off'
    AS $_$
#variable_conflict use_column
DECLARE
  v_last bigint;
BEGIN
  SELECT least(
    (SELECT c.chunk_id FROM pgduet.code_chunks c WHERE c.chunk_id > $1 ORDER BY c.chunk_id OFFSET $2 - 1 LIMIT 1),
    (SELECT e.chunk_id FROM pgduet.code_embeddings e WHERE e.chunk_id > $1 ORDER BY e.chunk_id OFFSET $2 - 1 LIMIT 1))
    INTO upto;
  v_last := coalesce(upto, 9223372036854775807);
  INSERT INTO pgduet._pending (chunk_id)
  SELECT DISTINCT c.chunk_id FROM pgduet.code_chunks c CROSS JOIN pgduet._live_generation g
  WHERE c.chunk_id > $1 AND c.chunk_id <= v_last AND c.content_hash IS NOT NULL AND NOT EXISTS (
      SELECT FROM pgduet.code_embeddings e WHERE e.chunk_id = c.chunk_id AND e.generation_id = g.generation_id
        AND e.chunk_id > $1 AND e.chunk_id <= v_last AND e.content_hash = c.content_hash
        AND (e.repo, e.path, e.language) IS NOT DISTINCT FROM (c.repo, c.path, c.language))
    AND NOT EXISTS (SELECT FROM pgduet._dead_letter d WHERE d.chunk_id = c.chunk_id
      AND d.generation_id = g.generation_id AND d.content_hash = c.content_hash)
    AND NOT EXISTS (SELECT FROM pgduet._pending p WHERE p.chunk_id = c.chunk_id);
  GET DIAGNOSTICS enqueued = ROW_COUNT;
  removed := pgduet._drop_orphans(ARRAY(
    SELECT DISTINCT e.chunk_id FROM pgduet.code_embeddings e WHERE e.chunk_id > $1 AND e.chunk_id <= v_last
      AND NOT EXISTS (SELECT FROM pgduet.code_chunks c WHERE c.chunk_id = e.chunk_id AND c.chunk_id > $1
        AND c.chunk_id <= v_last AND c.content_hash IS NOT NULL)));
  PERFORM pgduet._forget_failures(ARRAY(
    SELECT d.chunk_id FROM pgduet._dead_letter d WHERE d.chunk_id > $1 AND d.chunk_id <= v_last));
END $_$;


ALTER FUNCTION pgduet._reconcile_slice(after bigint, slice integer, OUT upto bigint, OUT enqueued bigint, OUT removed bigint) OWNER TO pgduet_owner;

--
-- Name: _register_watch(regclass, jsonb); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._register_watch(source regclass, registration jsonb) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_new record;
  v_id integer;
  v_taken boolean;
BEGIN
  -- Two at the same time would give two watches the same name.
  LOCK TABLE pgduet._watch IN SHARE ROW EXCLUSIVE MODE;
  SELECT n.nspname AS schema_name, c.relname AS table_name, format('%I.%I', n.nspname, c.relname) AS source,
    ARRAY(SELECT k.column_name FROM pgduet._key_columns($1) k ORDER BY k.place) AS key_columns,
    r.content_column, r.path_column, r.language_column, r.language, r.repo, r.copy_protected, r.created_by
  INTO v_new
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, jsonb_populate_record(NULL::pgduet._watch, $2) r
  WHERE c.oid = $1;
  -- A table that was dropped and made again takes its old watch over.
  v_id := (SELECT w.watch_id FROM pgduet._watch w WHERE pgduet._watched_table(w.watch_id) = $1
    OR (w.source = v_new.source AND pgduet._watched_table(w.watch_id) IS NULL)
    ORDER BY pgduet._watched_table(w.watch_id) LIMIT 1);
  IF v_id IS NULL THEN
    v_taken := EXISTS (SELECT FROM pgduet._watch w WHERE w.source = v_new.source);
    INSERT INTO pgduet._watch (source, schema_name, table_name, key_columns, content_column, copy_protected, created_by)
    -- The table that had this name when it was registered has another by now, and keeps its chunks.
    VALUES (CASE WHEN v_taken THEN v_new.source || ' (' || gen_random_uuid() || ')' ELSE v_new.source END,
      '', '', '{}', '', false, '') RETURNING _watch.watch_id INTO v_id;
  END IF;
  PERFORM FROM pgduet._watch w WHERE w.watch_id = v_id FOR UPDATE;
  UPDATE pgduet._watch w SET (schema_name, table_name, key_columns, content_column, path_column, language_column,
    language, repo, copy_protected, created_by, problem) = (v_new.schema_name, v_new.table_name, v_new.key_columns,
    v_new.content_column, v_new.path_column, v_new.language_column, v_new.language, v_new.repo, v_new.copy_protected,
    v_new.created_by, NULL)
  WHERE w.watch_id = v_id;
  PERFORM pgduet._make_watch_function(v_id, $1);
  UPDATE pgduet._source_row r SET row_hash = NULL, row_version = '' WHERE r.watch_id = v_id;
  INSERT INTO pgduet._source (watch_id) VALUES (v_id);
  PERFORM pgduet._wake();
  RETURN v_id;
END $_$;


ALTER FUNCTION pgduet._register_watch(source regclass, registration jsonb) OWNER TO pgduet_owner;

--
-- Name: _release(text, bigint[], double precision, text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._release(worker text, seqs bigint[], seconds double precision, detail text DEFAULT NULL::text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  UPDATE pgduet._pending p SET leased_until = NULL, lease_owner = NULL, attempts = greatest(p.attempts - 1, 0),
    next_attempt_at = clock_timestamp() + make_interval(secs => $3), error = coalesce($4, p.error)
  WHERE p.seq = ANY ($2) AND p.lease_owner = $1
$_$;


ALTER FUNCTION pgduet._release(worker text, seqs bigint[], seconds double precision, detail text) OWNER TO pgduet_owner;

--
-- Name: _release_all(text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._release_all(worker text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  UPDATE pgduet._pending p SET leased_until = NULL, lease_owner = NULL, attempts = greatest(p.attempts - 1, 0)
  WHERE p.lease_owner = $1
$_$;


ALTER FUNCTION pgduet._release_all(worker text) OWNER TO pgduet_owner;

--
-- Name: _release_sources(text, double precision); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._release_sources(owner text, seconds double precision) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  WITH released AS (
    UPDATE pgduet._source s SET leased_until = NULL, lease_owner = NULL, attempts = greatest(s.attempts - 1, 0),
      next_attempt_at = clock_timestamp() + make_interval(secs => $2)
    WHERE s.lease_owner = $1 RETURNING s.seq
  )
  SELECT count(*) FROM released r
$_$;


ALTER FUNCTION pgduet._release_sources(owner text, seconds double precision) OWNER TO pgduet_owner;

--
-- Name: _replace_chunks(text, text, text[], pgduet._source_chunk[]); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._replace_chunks(source text, row_key text, stored text[], new pgduet._source_chunk[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $_$
#variable_conflict use_column
DECLARE
  v_ids bigint[] := ARRAY(SELECT n.chunk_id FROM unnest($4) n WHERE n.chunk_id IS NOT NULL);
  v_keys text[] := ARRAY(SELECT CASE n.n WHEN 1 THEN $2 ELSE $2 || E'\x1f' || n.n END
    FROM generate_series(1, cardinality($4)) n (n) ORDER BY n.n);
  v_free text[];
BEGIN
  IF cardinality(v_ids) < cardinality($3) THEN
    DELETE FROM pgduet.code_chunks c WHERE c.source = $1 AND c.source_key = ANY ($3) AND c.chunk_id <> ALL (v_ids);
  END IF;
  IF cardinality(v_ids) > 0 THEN
    UPDATE pgduet.code_chunks c SET (repo, path, symbol, kind, language, start_line, end_line, content) =
      (n.repo, n.path, n.symbol, n.kind, n.language, n.start_line, n.end_line, n.content)
    FROM unnest($4) n WHERE c.chunk_id = n.chunk_id
      AND (c.repo, c.path, c.symbol, c.kind, c.language, c.start_line, c.end_line, c.content)
        IS DISTINCT FROM (n.repo, n.path, n.symbol, n.kind, n.language, n.start_line, n.end_line, n.content);
  END IF;
  v_free := ARRAY(SELECT k.key FROM unnest(v_keys) WITH ORDINALITY k (key, n) WHERE NOT EXISTS (
    SELECT FROM pgduet.code_chunks c WHERE c.source = $1 AND c.source_key = k.key) ORDER BY k.n);
  IF cardinality($3) > cardinality($4) THEN
    -- Keys stay without gaps: the highest take the places of those that were deleted.
    v_ids := ARRAY(SELECT c.chunk_id FROM pgduet.code_chunks c
      WHERE c.source = $1 AND c.source_key = ANY ($3[cardinality($4) + 1:]));
    UPDATE pgduet.code_chunks c SET source_key = f.key
    FROM unnest(v_ids, v_free[:cardinality(v_ids)]) f (chunk_id, key) WHERE c.chunk_id = f.chunk_id;
    v_free := v_free[cardinality(v_ids) + 1:];
  END IF;
  IF cardinality(v_free) > 0 THEN
    INSERT INTO pgduet.code_chunks (source, source_key, repo, path, symbol, kind, language, start_line, end_line,
      content)
    SELECT $1, n.key, n.repo, n.path, n.symbol, n.kind, n.language, n.start_line, n.end_line, n.content
    FROM ROWS FROM (unnest(v_free), unnest(ARRAY(SELECT n FROM unnest($4) n WHERE n.chunk_id IS NULL)))
      n (key, chunk_id, repo, path, symbol, kind, language, start_line, end_line, content);
  END IF;
END $_$;


ALTER FUNCTION pgduet._replace_chunks(source text, row_key text, stored text[], new pgduet._source_chunk[]) OWNER TO pgduet_owner;

--
-- Name: _request_finetune(text, jsonb, text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._request_finetune(name text, options jsonb, requested_by text) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_name text := name;
  v_model text := (SELECT g.model FROM pgduet.generations g WHERE g.state = 'active');
  v_id bigint;
BEGIN
  PERFORM pgduet._check_finetune_options(options);
  IF v_model IS NULL THEN
    RAISE EXCEPTION 'no generation is active: there is no duet to start from' USING ERRCODE = '55000',
      HINT = 'Promote one: see pgduet.generation_status.';
  ELSIF v_name !~ '^[a-z0-9][a-z0-9._-]{0,62}$' THEN
    RAISE EXCEPTION '% is no name of a duet', quote_literal(v_name) USING ERRCODE = '22023',
      HINT = 'Take up to 63 small letters, digits, dots, hyphens and underscores, or leave it out.';
  ELSIF EXISTS (SELECT FROM pgduet.generations g WHERE v_name IN (g.name, g.model)) THEN
    RAISE EXCEPTION 'there is a generation % already', quote_literal(v_name) USING ERRCODE = '42710',
      HINT = 'Give the new duet another name, or leave it out.';
  END IF;
  LOOP
    v_id := nextval(pg_get_serial_sequence('pgduet.finetune_runs', 'run_id'));
    v_name := coalesce(name, left(regexp_replace(v_model, '-ft-[0-9]+$', ''), 40) || '-ft-' || v_id);
    INSERT INTO pgduet.finetune_runs (run_id, name, options, requested_by) OVERRIDING SYSTEM VALUE
    SELECT v_id, v_name, $2, $3 WHERE NOT EXISTS (SELECT FROM pgduet.generations g WHERE v_name IN (g.name, g.model))
    ON CONFLICT DO NOTHING;
    EXIT WHEN FOUND;
    IF name IS NOT NULL THEN
      RAISE EXCEPTION 'a run that makes % is open already', quote_literal(name) USING ERRCODE = '42710',
        HINT = 'See pgduet.finetune_history; pgduet.cancel_finetune() takes it back.';
    END IF;
  END LOOP;
  PERFORM pgduet._wake_trainer();
  RETURN v_id;
END $_$;


ALTER FUNCTION pgduet._request_finetune(name text, options jsonb, requested_by text) OWNER TO pgduet_owner;

--
-- Name: _rescan_watch(integer, integer); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._rescan_watch(watch_id integer, slice integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    SET lock_timeout TO '2s'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO'
    SET "IntervalStyle" TO 'postgres'
    SET bytea_output TO 'hex'
    SET extra_float_digits TO '1'
    SET enable_nestloop TO 'off'
    SET jit TO 'off'
    AS $_$
#variable_conflict use_column
DECLARE
  v_table oid := pgduet._check_watch($1);
  v_queued bigint;
  v_long bigint;
BEGIN
  IF v_table IS NULL THEN
    RETURN 0;
  END IF;
  PERFORM FROM pgduet._watch w WHERE w.watch_id = $1 FOR NO KEY UPDATE;
  IF NOT FOUND OR pgduet._table_expression(v_table) IS NULL THEN
    RETURN 0;
  END IF;
  -- Asked for before this look began: it sees all that they are about.
  DELETE FROM pgduet._source s WHERE s.seq IN (
    SELECT q.seq FROM pgduet._source q WHERE q.watch_id = $1 AND q.row_key IS NULL FOR UPDATE SKIP LOCKED);
  -- Rows whose chunks somebody deleted are cut again.
  UPDATE pgduet._source_row r SET row_hash = NULL, row_version = '' FROM pgduet._watch w
  WHERE w.watch_id = $1 AND r.watch_id = $1 AND r.chunks > 0 AND r.row_version <> '' AND NOT EXISTS (
    SELECT FROM pgduet.code_chunks c WHERE c.source = w.source AND c.source_key = r.row_key);
  EXECUTE format($sql$
    WITH found AS MATERIALIZED (
      SELECT coalesce(t.row_key, r.row_key) AS row_key
      FROM (SELECT %s AS row_key, t.xmin::text AS row_version FROM %s t) t
      FULL JOIN (SELECT r.row_key, r.row_version FROM pgduet._source_row r WHERE r.watch_id = $1) r
        ON r.row_key = t.row_key
      WHERE r.row_version IS DISTINCT FROM t.row_version
    ), queued AS (
      INSERT INTO pgduet._source (watch_id, row_key)
      SELECT $1, f.row_key FROM found f WHERE f.row_key IS NOT NULL AND NOT EXISTS (
        SELECT FROM pgduet._source s WHERE s.watch_id = $1 AND s.row_key = f.row_key) LIMIT $2
      RETURNING seq
    )
    SELECT (SELECT count(*) FROM queued), (SELECT count(*) FROM found f WHERE f.row_key IS NULL)$sql$,
    pgduet._key_expression(v_table, 't'), pgduet._table_expression(v_table)) INTO v_queued, v_long USING $1, $2;
  UPDATE pgduet._watch w SET long_keys = v_long WHERE w.watch_id = $1 AND w.long_keys <> v_long;
  IF v_queued = $2 THEN
    INSERT INTO pgduet._source (watch_id) VALUES ($1);
  END IF;
  IF v_queued > 0 THEN
    PERFORM pgduet._wake();
  END IF;
  RETURN v_queued;
EXCEPTION WHEN syntax_error_or_access_rule_violation THEN
  UPDATE pgduet._watch w SET problem = SQLERRM WHERE w.watch_id = $1;
  RETURN 0;
END $_$;


ALTER FUNCTION pgduet._rescan_watch(watch_id integer, slice integer) OWNER TO pgduet_owner;

--
-- Name: _resolve(bigint[]); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._resolve(chunk_ids bigint[]) RETURNS TABLE(generation_id integer, model text, fingerprint text, is_active boolean, chunk_id bigint, content_hash bytea)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $_$
#variable_conflict use_column
DECLARE
  v_gone bigint[];
  v_mine bigint[];
BEGIN
  v_gone := ARRAY(SELECT u.id FROM unnest($1) u (id) WHERE NOT EXISTS (
    SELECT FROM pgduet.code_chunks c WHERE c.chunk_id = u.id AND c.content_hash IS NOT NULL));
  IF cardinality(v_gone) > 0 THEN
    PERFORM pgduet._drop_orphans(v_gone);
  END IF;
  PERFORM pgduet._forget_failures($1);
  v_mine := ARRAY(SELECT s.chunk_id FROM (
    SELECT c.chunk_id FROM pgduet.code_chunks c WHERE c.chunk_id = ANY ($1) AND c.content_hash IS NOT NULL
    FOR NO KEY UPDATE SKIP LOCKED) s);
  -- Vectors that are relied on below are not dropped as orphans meanwhile.
  PERFORM FROM pgduet.code_embeddings e WHERE e.chunk_id = ANY (v_mine) FOR KEY SHARE;
  UPDATE pgduet.code_embeddings e SET repo = c.repo, path = c.path, language = c.language FROM pgduet.code_chunks c
  WHERE c.chunk_id = ANY (v_mine) AND e.chunk_id = c.chunk_id AND e.content_hash = c.content_hash
    AND (e.repo, e.path, e.language) IS DISTINCT FROM (c.repo, c.path, c.language);
  INSERT INTO pgduet.code_embeddings (chunk_id, generation_id, content_hash, embedding, sketch, repo, path, language,
    code_tokens, text_tokens, truncated)
  SELECT c.chunk_id, g.generation_id, c.content_hash, d.embedding, d.sketch, c.repo, c.path, c.language, d.code_tokens,
    d.text_tokens, d.truncated
  FROM pgduet.code_chunks c CROSS JOIN pgduet._live_generation g CROSS JOIN LATERAL (
    SELECT * FROM pgduet.code_embeddings s
    WHERE s.generation_id = g.generation_id AND s.content_hash = c.content_hash LIMIT 1) d
  WHERE c.chunk_id = ANY (v_mine) AND d.chunk_id <> c.chunk_id AND NOT EXISTS (
    SELECT FROM pgduet.code_embeddings e WHERE e.chunk_id = c.chunk_id AND e.generation_id = g.generation_id
      AND e.content_hash = c.content_hash)
  ON CONFLICT (chunk_id, generation_id) DO UPDATE SET
    (content_hash, embedding, sketch, repo, path, language, code_tokens, text_tokens, truncated, embedded_at) =
    (excluded.content_hash, excluded.embedding, excluded.sketch, excluded.repo, excluded.path, excluded.language,
     excluded.code_tokens, excluded.text_tokens, excluded.truncated, excluded.embedded_at);
  RETURN QUERY SELECT g.generation_id, g.model, g.fingerprint, g.is_active, c.chunk_id, c.content_hash
    FROM pgduet.code_chunks c CROSS JOIN pgduet._live_generation g
    WHERE c.chunk_id = ANY (v_mine) AND NOT EXISTS (
      SELECT FROM pgduet.code_embeddings e WHERE e.chunk_id = c.chunk_id AND e.generation_id = g.generation_id
        AND e.content_hash = c.content_hash)
      AND NOT EXISTS (SELECT FROM pgduet._dead_letter d WHERE d.chunk_id = c.chunk_id
        AND d.generation_id = g.generation_id AND d.content_hash = c.content_hash)
    ORDER BY g.is_active DESC, g.generation_id, c.chunk_id;
END $_$;


ALTER FUNCTION pgduet._resolve(chunk_ids bigint[]) OWNER TO pgduet_owner;

--
-- Name: _resolve_sources(text, integer, text[]); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._resolve_sources(owner text, watch_id integer, row_keys text[]) RETURNS TABLE(row_key text, row_version text, content text, path text, language text, row_hash bytea)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    SET lock_timeout TO '2s'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO'
    SET "IntervalStyle" TO 'postgres'
    SET bytea_output TO 'hex'
    SET extra_float_digits TO '1'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $_$
#variable_conflict use_column
DECLARE
  v_table oid := pgduet._check_watch($2);
  v_watch pgduet._watch;
  v_keys text[];
  v_castable text[];
  v_statement text;
  v_row record;
  v_hash bytea;
  v_bytes bigint := 0;
  v_gone text[];
  v_same text[] := '{}';
BEGIN
  IF v_table IS NULL THEN
    RETURN;
  END IF;
  SELECT * INTO v_watch FROM pgduet._watch w WHERE w.watch_id = $2 FOR KEY SHARE;
  v_statement := pgduet._read_statement($2, v_table);
  IF v_watch.watch_id IS NULL OR v_statement IS NULL THEN
    -- Unwatched or dropped this very moment.
    RETURN;
  END IF;
  v_keys := ARRAY(SELECT DISTINCT m.row_key FROM (SELECT s.row_key FROM pgduet._source s WHERE s.lease_owner = $1
    AND s.watch_id = $2 AND s.row_key = ANY ($3) FOR UPDATE) m);
  v_castable := pgduet._castable_keys(v_table, v_keys);
  v_gone := ARRAY(SELECT unnest(v_keys) EXCEPT SELECT unnest(v_castable));
  FOR v_row IN EXECUTE v_statement USING v_castable, v_watch.language, v_watch.repo LOOP
    v_hash := (SELECT r.row_hash FROM pgduet._source_row r WHERE r.watch_id = $2 AND r.row_key = v_row.row_key);
    IF v_row.row_version IS NULL THEN
      v_gone := v_gone || v_row.row_key;
    ELSIF v_row.row_hash = v_hash THEN
      v_same := v_same || v_row.row_key;
      UPDATE pgduet._source_row r SET row_version = v_row.row_version
      WHERE r.watch_id = $2 AND r.row_key = v_row.row_key AND r.row_version <> v_row.row_version;
    ELSIF pgduet._content_hash(v_row.content) IS NULL THEN
      RETURN QUERY SELECT v_row.row_key, v_row.row_version, NULL::text, v_row.path, v_row.language, v_row.row_hash;
    ELSIF v_bytes = 0 OR v_bytes + octet_length(v_row.content) <= 16777216 THEN
      v_bytes := v_bytes + octet_length(v_row.content);
      RETURN QUERY
      SELECT v_row.row_key, v_row.row_version, v_row.content, v_row.path, v_row.language, v_row.row_hash;
    END IF;
  END LOOP;
  PERFORM pgduet._drop_source_rows($2, v_gone);
  DELETE FROM pgduet._source s WHERE s.lease_owner = $1 AND s.watch_id = $2 AND s.row_key = ANY (v_gone || v_same);
EXCEPTION WHEN syntax_error_or_access_rule_violation THEN
  -- What the check does not know of: said once and for all, instead of failing again and again.
  UPDATE pgduet._watch w SET problem = SQLERRM WHERE w.watch_id = $2;
END $_$;


ALTER FUNCTION pgduet._resolve_sources(owner text, watch_id integer, row_keys text[]) OWNER TO pgduet_owner;

--
-- Name: _row_hash(text, text, text, text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._row_hash(content text, path text, language text, repo text) RETURNS bytea
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT sha256(coalesce(pgduet._content_hash(content), '')
    || convert_to(json_build_array(path, language, repo)::text, 'UTF8'))
$$;


ALTER FUNCTION pgduet._row_hash(content text, path text, language text, repo text) OWNER TO pgduet_owner;

--
-- Name: _scan(integer, text, text, integer, integer, bigint, public.halfvec, bit, integer, text, text, text, boolean, bigint, bytea); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._scan(generation_id integer, way text, kind text, probes integer, ef_search integer, depth bigint, embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, distinct_content boolean, except_id bigint, except_hash bytea, OUT ids bigint[], OUT distances double precision[]) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET work_mem TO '16MB'
    SET jit TO 'off'
    SET enable_seqscan TO 'on'
    SET enable_bitmapscan TO 'on'
    SET enable_sort TO 'on'
    SET enable_indexscan TO 'on'
    SET enable_nestloop TO 'on'
    SET "ivfflat.probes" TO '32768'
    SET "ivfflat.max_probes" TO '32768'
    SET "ivfflat.iterative_scan" TO 'relaxed_order'
    SET "hnsw.ef_search" TO '1000'
    SET "hnsw.max_scan_tuples" TO '20000'
    SET "hnsw.iterative_scan" TO 'relaxed_order'
    AS $_$
DECLARE
  v_way text := way;
  v_depth bigint := depth;
  v_effort bigint := 1;
  v_secured boolean := row_security_active('pgduet.code_chunks');
  v_seen bytea[] := CASE WHEN except_hash IS NOT NULL THEN ARRAY[except_hash] END;
  v_count bigint;
  v_ids bigint[];
  v_hashes bytea[];
  v_distances double precision[];
BEGIN
  IF way = 'index' THEN
    -- Only the index gives rows in order of distance; without statistics the planner may prefer a scan and a sort.
    PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
      set_config('enable_sort', 'off', true);
  END IF;
  LOOP
    IF v_way = 'index' AND kind = 'hnsw' THEN
      PERFORM set_config('hnsw.ef_search', least(ef_search * v_effort, 1000)::text, true);
    ELSIF v_way = 'index' THEN
      PERFORM set_config('ivfflat.probes', least(probes * v_effort, 32768)::text, true);
    END IF;
    EXECUTE pgduet._search_statement($1, v_way, $3, v_depth, v_secured)
      INTO v_count, v_ids, v_hashes, v_distances USING $7, $8, $10, $11, $12, $14, v_seen;
    IF v_count < v_depth AND v_way = 'index' AND $3 = 'hnsw' THEN
      -- Its iterative scan gives up after so many tuples: what a filter left may lie beyond them.
      v_way := 'exact';
      v_depth := v_depth * 4;
      PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_bitmapscan', 'on', true),
        set_config('enable_sort', 'on', true);
      CONTINUE;
    END IF;
    IF NOT $13 THEN
      SELECT array_agg(b.id), array_agg(b.distance) INTO ids, distances
      FROM (SELECT d.id, d.distance FROM unnest(v_ids, v_hashes, v_distances) d (id, hash, distance)
        JOIN pgduet.code_chunks c ON c.chunk_id = d.id AND c.content_hash = d.hash
        ORDER BY d.distance, d.id LIMIT $9) b;
    ELSE
      SELECT array_agg(b.id), array_agg(b.hash), array_agg(b.distance) INTO v_ids, v_hashes, v_distances
      FROM (SELECT o.id, o.hash, o.distance
        FROM (SELECT DISTINCT ON (d.hash) d.id, d.hash, d.distance
          FROM unnest(v_ids, v_hashes, v_distances) d (id, hash, distance)
          JOIN pgduet.code_chunks c ON c.chunk_id = d.id AND c.content_hash = d.hash
          ORDER BY d.hash, d.distance, d.id) o
        ORDER BY o.distance, o.id LIMIT $9) b;
      ids := ids || v_ids;
      distances := distances || v_distances;
    END IF;
    EXIT WHEN v_count < v_depth OR cardinality(ids) >= $9;
    -- Copies of one content may fill the candidates: look again without the contents that are found, and deeper. They
    -- fill lists too, which then hold few others.
    IF $13 THEN
      v_seen := v_seen || v_hashes;
    END IF;
    v_depth := v_depth * 2;
    v_effort := v_effort * 4;
  END LOOP;
  IF $13 AND cardinality(ids) > coalesce(cardinality(v_ids), 0) THEN
    SELECT array_agg(b.id), array_agg(b.distance) INTO ids, distances
    FROM (SELECT u.id, u.distance FROM unnest(ids, distances) u (id, distance) ORDER BY 2, 1 LIMIT $9) b;
  END IF;
END $_$;


ALTER FUNCTION pgduet._scan(generation_id integer, way text, kind text, probes integer, ef_search integer, depth bigint, embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, distinct_content boolean, except_id bigint, except_hash bytea, OUT ids bigint[], OUT distances double precision[]) OWNER TO pgduet_owner;

--
-- Name: _schedule_finetune(); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._schedule_finetune() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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


ALTER FUNCTION pgduet._schedule_finetune() OWNER TO pgduet_owner;

--
-- Name: _search_index(integer); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._search_index(generation_id integer, OUT index_name name, OUT kind text, OUT lists integer, OUT probes integer, OUT ef_search integer, OUT depth integer, OUT rows_at_build bigint) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
BEGIN
  SELECT c.relname, b.kind, b.lists, b.probes, b.ef_search, b.depth, b.rows_at_build
  INTO index_name, kind, lists, probes, ef_search, depth, rows_at_build
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pgduet._index_build b ON b.index_name = c.relname
  WHERE i.indrelid = to_regclass('pgduet.code_embeddings_g' || $1) AND i.indisvalid AND b.generation_id = $1
  ORDER BY b.build_id DESC LIMIT 1;
END $_$;


ALTER FUNCTION pgduet._search_index(generation_id integer, OUT index_name name, OUT kind text, OUT lists integer, OUT probes integer, OUT ef_search integer, OUT depth integer, OUT rows_at_build bigint) OWNER TO pgduet_owner;

--
-- Name: _search_plan(integer, text, text, text, integer); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._search_plan(generation_id integer, language text, repo text, path_like text, k integer, OUT way text, OUT kind text, OUT probes integer, OUT ef_search integer, OUT depth bigint) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_mode text := coalesce(nullif(current_setting('pgduet.search_mode', true), ''), 'auto');
  -- Up to so many rows the exact scan takes 5 ms more than the index at most, and it misses nothing.
  v_few constant double precision := 10000;
  -- The number of errors grows slower than k.
  v_more double precision := sqrt(greatest($5, 10) / 10.0::double precision);
  v_index record;
  v_rows double precision;
  v_matching double precision;
  v_probes double precision;
  v_depth double precision;
  v_looked_at double precision;
BEGIN
  IF v_mode NOT IN ('auto', 'exact', 'index') THEN
    RAISE EXCEPTION 'unknown search mode: %', v_mode
      USING ERRCODE = '22023', HINT = 'Set pgduet.search_mode to auto, exact or index.';
  END IF;
  -- Measured: at 400 the exact scan has missed none of the ten nearest.
  way := 'exact';
  depth := ceil(greatest(400 * v_more, 3.0::double precision * $5));
  IF v_mode = 'exact' THEN
    RETURN;
  END IF;
  -- As the planner does it: by the size that the table has now. A page holds about 16 rows.
  SELECT pg_relation_size(c.oid) / current_setting('block_size')::double precision
    * CASE WHEN c.reltuples >= 0 AND c.relpages > 0 THEN c.reltuples / c.relpages ELSE 16 END INTO v_rows
  FROM pg_class c WHERE c.oid = to_regclass('pgduet.code_embeddings_g' || $1);
  IF v_mode = 'auto' AND coalesce(v_rows, 0) <= v_few THEN
    RETURN;
  END IF;
  SELECT * INTO v_index FROM pgduet._search_index($1);
  IF v_index.index_name IS NULL THEN
    IF v_mode = 'index' THEN
      RAISE EXCEPTION 'the active generation has no valid index yet' USING ERRCODE = '55000',
        HINT = 'Build it with `pgduet db index`, or SET pgduet.search_mode = auto.';
    END IF;
    RETURN;
  END IF;
  v_rows := greatest(v_rows, 1);
  v_matching := v_rows;
  IF num_nonnulls($2, $3, $4) > 0 OR row_security_active('pgduet.code_chunks') THEN
    v_matching := least(greatest(pgduet._matching_rows($1, $2, $3, $4), 1), v_rows);
  END IF;
  v_depth := greatest(coalesce(v_index.depth, 100) * v_more, 3.0::double precision * $5);
  IF v_index.kind = 'hnsw' THEN
    -- Its iterative scan looks at 20,000 elements: where it needs more than half of them the exact scan is surer.
    v_looked_at := CASE WHEN v_depth * v_rows / v_matching > 10000 THEN v_rows ELSE 0 END;
  ELSE
    -- Where a filter leaves one row of four, four times the lists hold as many candidates. A hundred neighbours lie in
    -- more lists than ten: measured, twice as many give them the same recall.
    v_probes := greatest(coalesce(v_index.probes, 100) * power(greatest($5, 10) / 10.0::double precision, 0.3)
      * v_rows / v_matching, 4 * v_depth * v_index.lists / v_matching);
    v_looked_at := v_rows * v_probes / v_index.lists;
  END IF;
  IF v_index.kind = 'halfvec' THEN
    -- A vector fills a page and costs eight times what a sketch does. The index gives the vectors in their order: what
    -- is more than k stands in for copies of one content.
    v_looked_at := 8 * v_looked_at;
    v_depth := $5 + 40.0::double precision;
  END IF;
  IF v_mode = 'auto' AND v_matching <= greatest(v_few, v_looked_at) THEN
    RETURN;
  END IF;
  way := 'index';
  kind := v_index.kind;
  depth := ceil(v_depth);
  IF kind = 'hnsw' THEN
    ef_search := least(1000, greatest(coalesce(v_index.ef_search, 200) * v_rows / v_matching, v_depth));
  ELSE
    probes := ceil(least(v_probes, v_index.lists));
  END IF;
END $_$;


ALTER FUNCTION pgduet._search_plan(generation_id integer, language text, repo text, path_like text, k integer, OUT way text, OUT kind text, OUT probes integer, OUT ef_search integer, OUT depth bigint) OWNER TO pgduet_owner;

--
-- Name: _search_statement(integer, text, text, bigint, boolean); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._search_statement(generation_id integer, way text, kind text, depth bigint, secured boolean) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_schema name := (SELECT n.nspname FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace
    WHERE x.extname = 'vector');
BEGIN
  RETURN format($sql$
    SELECT count(*), array_agg(s.chunk_id), array_agg(s.content_hash),
      array_agg(s.embedding OPERATOR(%1$I.<=>) $1)
    FROM (SELECT t.* FROM (
      SELECT e.chunk_id, e.content_hash, e.embedding FROM pgduet.code_embeddings e %2$s
      WHERE e.generation_id = %3$s AND ($3 IS NULL OR e.language = $3) AND ($4 IS NULL OR e.repo = $4)
        AND ($5 IS NULL OR e.path LIKE $5) AND ($6 IS NULL OR e.chunk_id <> $6)
        AND ($7 IS NULL OR e.content_hash <> ALL ($7))
      ORDER BY %4$s
    ) t LIMIT %5$s) s$sql$,
    v_schema,
    -- Candidates that the caller may not see would leave too few others: row security filters before the limit.
    CASE WHEN secured THEN
      'JOIN pgduet.code_chunks v ON v.chunk_id = e.chunk_id AND v.content_hash = e.content_hash' END,
    generation_id,
    -- Of rows at equal distance those with the lowest ids are kept: an index gives them in no order, so all of them, up
    -- to as many copies of one content as can be read in a blink.
    format(CASE
      WHEN way = 'cosine' THEN '%I.cosine_distance(e.embedding, $1), e.chunk_id LIMIT %s'
      WHEN way = 'exact' THEN '%I.hamming_distance(e.sketch, $2), e.chunk_id LIMIT %s'
      WHEN kind = 'halfvec' THEN 'e.embedding OPERATOR(%I.<=>) $1 FETCH FIRST %s ROWS WITH TIES'
      ELSE 'e.sketch OPERATOR(%I.<~>) $2 FETCH FIRST %s ROWS WITH TIES' END, v_schema, depth),
    greatest(20000, 2 * depth));
END $_$;


ALTER FUNCTION pgduet._search_statement(generation_id integer, way text, kind text, depth bigint, secured boolean) OWNER TO pgduet_owner;

--
-- Name: _settle(text, bigint[], bigint[]); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._settle(worker text, chunk_ids bigint[], seqs bigint[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $_$
DECLARE
  v_rest bigint[] := pgduet._unresolved($2);
BEGIN
  DELETE FROM pgduet._pending p USING unnest($2, $3) u (chunk_id, seq)
  WHERE p.seq = u.seq AND (u.chunk_id <> ALL (v_rest) OR EXISTS (
    SELECT FROM pgduet._pending o WHERE o.chunk_id = u.chunk_id AND o.seq <> ALL ($3)));
  UPDATE pgduet._pending p SET leased_until = NULL, lease_owner = NULL, attempts = greatest(p.attempts - 1, 0),
    next_attempt_at = clock_timestamp() + (0.75 + random() / 2)
      * least(interval '1 minute', greatest(interval '0.5 s', (clock_timestamp() - p.enqueued_at) / 4))
  FROM unnest($2, $3) u (chunk_id, seq)
  WHERE p.seq = u.seq AND u.chunk_id = ANY (v_rest) AND p.lease_owner = $1;
END $_$;


ALTER FUNCTION pgduet._settle(worker text, chunk_ids bigint[], seqs bigint[]) OWNER TO pgduet_owner;

--
-- Name: _settle_generations(); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._settle_generations() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  UPDATE pgduet.generations g SET state = 'ready' WHERE g.state = 'building' AND NOT EXISTS (
    SELECT FROM pgduet._objections(g.generation_id, 1) o WHERE o.aspect <> 'gate');
  RETURN (SELECT max(g.generation_id) FROM pgduet._live_generation g);
END $$;


ALTER FUNCTION pgduet._settle_generations() OWNER TO pgduet_owner;

--
-- Name: _shown(bigint[], double precision[], double precision); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._shown(ids bigint[], distances double precision[], min_similarity double precision) RETURNS TABLE(chunk_id bigint, repo text, path text, symbol text, kind text, language text, start_line integer, end_line integer, content text, similarity double precision, source text, source_key text)
    LANGUAGE plpgsql STABLE ROWS 10
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
BEGIN
  RETURN QUERY SELECT c.chunk_id, c.repo, c.path, c.symbol, c.kind, c.language, c.start_line, c.end_line, c.content,
    1 - u.distance, c.source,
    -- Of a watched row that was cut into several chunks all have its key; their own ends in a number.
    CASE WHEN c.source_key IS NOT NULL THEN split_part(c.source_key, E'\x1f', 1) END
  FROM unnest($1, $2) WITH ORDINALITY u (id, distance, place)
  JOIN pgduet.code_chunks c ON c.chunk_id = u.id
  WHERE $3 IS NULL OR 1 - u.distance >= $3 ORDER BY u.place;
END $_$;


ALTER FUNCTION pgduet._shown(ids bigint[], distances double precision[], min_similarity double precision) OWNER TO pgduet_owner;

--
-- Name: _sidecar_health(); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._sidecar_health() RETURNS TABLE(component text, status text, detail text)
    LANGUAGE plpython3u STABLE SECURITY DEFINER ROWS 2
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  backend = GD.get("pgduet") or (plpy.execute("SELECT pgduet._load_backend()") and GD["pgduet"])
  return backend.sidecar_health(plpy)
$$;


ALTER FUNCTION pgduet._sidecar_health() OWNER TO pgduet_owner;

--
-- Name: _similar_code(text, integer, text, text, text, double precision, boolean, boolean); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._similar_code(query text, k integer, only_language text, only_repo text, path_like text, min_similarity double precision, distinct_content boolean, lexical boolean) RETURNS TABLE(chunk_id bigint, repo text, path text, symbol text, kind text, language text, start_line integer, end_line integer, content text, similarity double precision, source text, source_key text)
    LANGUAGE plpgsql STABLE ROWS 10
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_query record;
  v_found record;
BEGIN
  PERFORM pgduet._check_k(k), pgduet._check_pattern(path_like);
  IF k = 0 OR query IS NULL THEN
    RETURN;
  END IF;
  SELECT r.embedding, r.sketch, r.failure INTO v_query FROM pgduet._embed_rows(ARRAY[query], 'query', 'infinity') r;
  IF v_query.failure IS NOT NULL THEN
    RAISE EXCEPTION 'the query cannot be embedded: %', v_query.failure
      USING ERRCODE = '22023', HINT = 'A query needs at least one visible character.';
  END IF;
  IF lexical THEN
    SELECT h.ids, h.distances INTO v_found FROM pgduet._hybrid(query, v_query.embedding, v_query.sketch, k,
      only_language, only_repo, path_like, coalesce(distinct_content, true)) h;
  ELSE
    SELECT n.ids, n.distances INTO v_found FROM pgduet._ranked(v_query.embedding, v_query.sketch, k, only_language,
      only_repo, path_like, coalesce(distinct_content, true), NULL, NULL) n;
  END IF;
  RETURN QUERY SELECT * FROM pgduet._shown(v_found.ids, v_found.distances, min_similarity);
END $$;


ALTER FUNCTION pgduet._similar_code(query text, k integer, only_language text, only_repo text, path_like text, min_similarity double precision, distinct_content boolean, lexical boolean) OWNER TO pgduet_owner;

--
-- Name: _similar_to(bigint, integer, text, text, text, double precision, boolean); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._similar_to(from_chunk bigint, k integer, only_language text, only_repo text, path_like text, min_similarity double precision, distinct_content boolean) RETURNS TABLE(chunk_id bigint, repo text, path text, symbol text, kind text, language text, start_line integer, end_line integer, content text, similarity double precision, source text, source_key text)
    LANGUAGE plpgsql STABLE ROWS 10
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_chunk record;
  v_found record;
BEGIN
  PERFORM pgduet._check_k(k), pgduet._check_pattern(path_like);
  IF k = 0 OR from_chunk IS NULL THEN
    RETURN;
  END IF;
  -- Out of an array comes a copy in memory: the stored vector would be fetched anew for every candidate.
  SELECT (ARRAY[e.embedding])[1] AS embedding, e.sketch, e.content_hash INTO v_chunk
  FROM pgduet.code_embeddings e JOIN pgduet.generations g ON g.generation_id = e.generation_id AND g.state = 'active'
  WHERE e.chunk_id = $1 AND EXISTS (SELECT FROM pgduet.code_chunks c WHERE c.chunk_id = $1);
  IF NOT FOUND THEN
    RAISE EXCEPTION 'chunk % has no vector', from_chunk USING ERRCODE = '22023',
      HINT = 'See pgduet.coverage: the chunk may not exist, be blank, or still be pending.';
  END IF;
  SELECT n.ids, n.distances INTO v_found FROM pgduet._ranked(v_chunk.embedding, v_chunk.sketch, k, only_language,
    only_repo, path_like, coalesce(distinct_content, true), $1,
    CASE WHEN coalesce(distinct_content, true) THEN v_chunk.content_hash END) n;
  RETURN QUERY SELECT * FROM pgduet._shown(v_found.ids, v_found.distances, min_similarity);
END $_$;


ALTER FUNCTION pgduet._similar_to(from_chunk bigint, k integer, only_language text, only_repo text, path_like text, min_similarity double precision, distinct_content boolean) OWNER TO pgduet_owner;

--
-- Name: _sliced_query(text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._sliced_query(query text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT format('SELECT array_agg(s.chunk_id) FROM (SELECT q.chunk_id,
    (row_number() OVER (ORDER BY q.chunk_id) - 1) / %s AS slice FROM (%s) q) s
    GROUP BY s.slice ORDER BY s.slice', pgduet._batch_texts(), query)
$$;


ALTER FUNCTION pgduet._sliced_query(query text) OWNER TO pgduet_owner;

--
-- Name: _store(integer, text, bigint[], bytea[], public.halfvec[], bit[], integer[], integer[], boolean[]); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._store(generation_id integer, fingerprint text, chunk_ids bigint[], hashes bytea[], embeddings public.halfvec[], sketches bit[], code_tokens integer[], text_tokens integer[], truncated boolean[]) RETURNS bigint[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $_$
#variable_conflict use_column
DECLARE
  v_stored bigint[];
  v_fingerprint text := (SELECT g.fingerprint FROM pgduet.generations g WHERE g.generation_id = $1);
BEGIN
  -- Retired while its vectors were being made: its partition may be gone.
  IF EXISTS (SELECT FROM pgduet.generations g WHERE g.generation_id = $1 AND g.state IN ('retired', 'dropped')) THEN
    RETURN '{}';
  END IF;
  IF v_fingerprint IS NULL THEN
    -- A new generation takes the fingerprint of its first vectors; from then on the sidecar refuses any other. Where
    -- another transaction is about to give it one, nothing is stored: waiting for it could be a deadlock.
    PERFORM FROM pgduet.generations g WHERE g.generation_id = $1 FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
      RETURN '{}';
    END IF;
    UPDATE pgduet.generations g SET fingerprint = $2 WHERE g.generation_id = $1 AND g.fingerprint IS NULL;
    v_fingerprint := (SELECT g.fingerprint FROM pgduet.generations g WHERE g.generation_id = $1);
  END IF;
  IF v_fingerprint IS DISTINCT FROM $2 THEN
    RAISE EXCEPTION 'vectors of fingerprint % cannot stand in generation %, which holds %', $2, $1,
      coalesce(v_fingerprint, 'nothing: it is gone')
      USING ERRCODE = '55000', HINT = 'Make all sidecars run the same model, then try again.';
  END IF;
  WITH locked AS MATERIALIZED (
    SELECT c.chunk_id, c.content_hash, a.embedding, a.sketch, c.repo, c.path, c.language, a.code_tokens, a.text_tokens,
      a.truncated
    FROM unnest($3, $4, $5, $6, $7, $8, $9) a (chunk_id, content_hash, embedding, sketch, code_tokens, text_tokens,
      truncated)
    JOIN pgduet.code_chunks c ON c.chunk_id = a.chunk_id AND c.content_hash = a.content_hash
    FOR NO KEY UPDATE OF c SKIP LOCKED
  ), stored AS (
    INSERT INTO pgduet.code_embeddings AS e (chunk_id, generation_id, content_hash, embedding, sketch, repo, path,
      language, code_tokens, text_tokens, truncated)
    SELECT l.chunk_id, $1, l.content_hash, l.embedding, l.sketch, l.repo, l.path, l.language, l.code_tokens,
      l.text_tokens, l.truncated
    FROM locked l
    ON CONFLICT (chunk_id, generation_id) DO UPDATE SET
      (content_hash, embedding, sketch, repo, path, language, code_tokens, text_tokens, truncated, embedded_at) =
      (excluded.content_hash, excluded.embedding, excluded.sketch, excluded.repo, excluded.path, excluded.language,
       excluded.code_tokens, excluded.text_tokens, excluded.truncated, excluded.embedded_at)
    RETURNING e.chunk_id
  )
  SELECT coalesce(array_agg(s.chunk_id), '{}') INTO v_stored FROM stored s;
  RETURN v_stored;
END $_$;


ALTER FUNCTION pgduet._store(generation_id integer, fingerprint text, chunk_ids bigint[], hashes bytea[], embeddings public.halfvec[], sketches bit[], code_tokens integer[], text_tokens integer[], truncated boolean[]) OWNER TO pgduet_owner;

--
-- Name: _stored_queries(integer, integer, text, text, text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._stored_queries(generation_id integer, sample integer, language text, repo text, path_like text) RETURNS TABLE(embedding public.halfvec, sketch bit, except_id bigint, except_hash bytea)
    LANGUAGE plpgsql ROWS 100
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
BEGIN
  -- subvector copies the vector into memory: one in the table would be fetched anew for every row it is compared with.
  RETURN QUERY EXECUTE format('SELECT %I.subvector(s.embedding, 1, 2560), s.sketch, s.chunk_id, s.content_hash FROM'
      ' (SELECT e.embedding, e.sketch, e.chunk_id, e.content_hash %s ORDER BY random() LIMIT $4) s',
    (SELECT n.nspname FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace WHERE x.extname = 'vector'),
    pgduet._recall_source($1, $2, $3, $4, $5)) USING $3, $4, $5, $2;
END $_$;


ALTER FUNCTION pgduet._stored_queries(generation_id integer, sample integer, language text, repo text, path_like text) OWNER TO pgduet_owner;

--
-- Name: _switch_generation(integer); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._switch_generation(generation_id integer) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
END $_$;


ALTER FUNCTION pgduet._switch_generation(generation_id integer) OWNER TO pgduet_owner;

--
-- Name: _switch_remark(integer, bigint); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._switch_remark(generation_id integer, lacking bigint) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  SELECT concat(
    CASE WHEN $2 > 0 THEN format('; %s chunk(s) are found again once they are embedded', $2) END,
    (SELECT format('; %s chunk(s) were given up for it: see pgduet.failures', count(*)) FROM pgduet._dead_letter d
     WHERE d.generation_id = $1 HAVING count(*) > 0))
$_$;


ALTER FUNCTION pgduet._switch_remark(generation_id integer, lacking bigint) OWNER TO pgduet_owner;

--
-- Name: _symbol_queries(integer, integer, text, text, text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._symbol_queries(generation_id integer, sample integer, language text, repo text, path_like text) RETURNS TABLE(embedding public.halfvec, sketch bit, except_id bigint, except_hash bytea)
    LANGUAGE plpgsql ROWS 100
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_slice integer := pgduet._batch_texts();
  v_names text[];
BEGIN
  EXECUTE format('SELECT ARRAY(SELECT n.words FROM (SELECT DISTINCT pgduet._symbol_words(c.symbol) AS words %s) n'
      ' WHERE n.words LIKE ''%% %%'' ORDER BY random() LIMIT $4)', pgduet._recall_source($1, $2, $3, $4, $5))
    INTO v_names USING $3, $4, $5, $2;
  -- So few say nothing.
  IF cardinality(v_names) < 10 THEN
    RETURN;
  END IF;
  FOR v_done IN 0 .. cardinality(v_names) - 1 BY v_slice LOOP
    RETURN QUERY SELECT r.embedding, r.sketch, NULL::bigint, NULL::bytea
      FROM pgduet._embed_rows(v_names[v_done + 1 : v_done + v_slice], 'query', 30) r WHERE r.failure IS NULL;
  END LOOP;
EXCEPTION WHEN OTHERS THEN
  RAISE NOTICE 'recall is measured without names of symbols as queries: %', SQLERRM;
END $_$;


ALTER FUNCTION pgduet._symbol_queries(generation_id integer, sample integer, language text, repo text, path_like text) OWNER TO pgduet_owner;

--
-- Name: _symbol_words(text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._symbol_words(symbol text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  SELECT lower(btrim(regexp_replace(regexp_replace(regexp_replace($1,
    '([[:lower:][:digit:]])([[:upper:]])', '\1 \2', 'g'),
    '([[:upper:]])([[:upper:]][[:lower:]])', '\1 \2', 'g'),
    '[^[:alpha:]]+', ' ', 'g')))
$_$;


ALTER FUNCTION pgduet._symbol_words(symbol text) OWNER TO pgduet_owner;

--
-- Name: _sync_budget(text, double precision, double precision, boolean); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._sync_budget(transaction text, budget double precision, spent double precision, missed boolean) RETURNS double precision
    LANGUAGE plpython3u SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  import time
  state = GD.setdefault("pgduet_sync", {"transaction": None, "spent": 0.0, "until": 0.0})
  if state["transaction"] != transaction:
    state.update(transaction=transaction, spent=0.0)
  state["spent"] += spent
  if missed:
    state["until"] = time.monotonic() + 30.0
  return 0.0 if time.monotonic() < state["until"] else max(0.0, budget - state["spent"])
$$;


ALTER FUNCTION pgduet._sync_budget(transaction text, budget double precision, spent double precision, missed boolean) OWNER TO pgduet_owner;

--
-- Name: _table_expression(oid); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._table_expression(source oid) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  SELECT CASE c.relkind WHEN 'r' THEN 'ONLY ' ELSE '' END || c.oid::regclass FROM pg_class c WHERE c.oid = $1
$_$;


ALTER FUNCTION pgduet._table_expression(source oid) OWNER TO pgduet_owner;

--
-- Name: finetune_runs; Type: TABLE; Schema: pgduet; Owner: pgduet_owner
--

CREATE TABLE pgduet.finetune_runs (
    run_id bigint NOT NULL,
    name text NOT NULL,
    options jsonb NOT NULL,
    state text DEFAULT 'requested'::text NOT NULL,
    status text,
    requested_by text NOT NULL,
    requested_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_attempt_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    cancel_asked_at timestamp with time zone,
    started_at timestamp with time zone,
    ended_at timestamp with time zone,
    trainer text,
    phase text,
    seen_at timestamp with time zone,
    begun boolean DEFAULT false NOT NULL,
    step integer,
    steps integer,
    loss double precision,
    gradient_norm double precision,
    dev_score double precision,
    generation text,
    gate jsonb,
    error text,
    CONSTRAINT finetune_runs_phase_check CHECK ((phase = ANY (ARRAY['mining'::text, 'training'::text, 'loading'::text, 'filling'::text]))),
    CONSTRAINT finetune_runs_state_check CHECK ((state = ANY (ARRAY['requested'::text, 'running'::text, 'done'::text, 'failed'::text, 'cancelled'::text])))
);


ALTER TABLE pgduet.finetune_runs OWNER TO pgduet_owner;

--
-- Name: TABLE finetune_runs; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON TABLE pgduet.finetune_runs IS 'Fine-tuning runs that were asked for; see pgduet.finetune_history';


--
-- Name: _take_finetune(text, double precision); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._take_finetune(trainer text, pause double precision) RETURNS SETOF pgduet.finetune_runs
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
END $_$;


ALTER FUNCTION pgduet._take_finetune(trainer text, pause double precision) OWNER TO pgduet_owner;

--
-- Name: _trigger_mode(); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._trigger_mode() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_mode text := coalesce(nullif(current_setting('pgduet.trigger_mode', true), ''),
    (SELECT s.value FROM pgduet._setting s WHERE s.key = 'trigger_mode'));
BEGIN
  IF v_mode NOT IN ('auto', 'sync', 'queue') THEN
    RAISE EXCEPTION 'unknown trigger mode: %', v_mode
      USING ERRCODE = '22023', HINT = 'Set pgduet.trigger_mode to auto, sync or queue.';
  END IF;
  RETURN v_mode;
END $$;


ALTER FUNCTION pgduet._trigger_mode() OWNER TO pgduet_owner;

--
-- Name: _try_embed(bigint[]); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._try_embed(chunk_ids bigint[]) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_start timestamptz := clock_timestamp();
  v_limit double precision := extract(epoch FROM current_setting('statement_timeout')::interval)::double precision;
  v_budget double precision :=
    (SELECT s.value::double precision / 1000 FROM pgduet._setting s WHERE s.key = 'sync_timeout_ms');
  v_left double precision;
  v_spent double precision;
  v_hint text;
  v_detail text;
BEGIN
  v_left := pgduet._sync_budget(now()::text, v_budget, 0, false);
  IF v_limit > 0 THEN
    -- The statement itself needs time too: a sidecar that hangs must not make it fail.
    v_left := least(v_left,
      (v_limit - extract(epoch FROM v_start - statement_timestamp())::double precision) / 2);
  END IF;
  -- The last tenth is too little to ask with: a sidecar in good health would look as if it hung.
  IF v_left <= v_budget / 10 THEN
    RETURN false;
  END IF;
  PERFORM pgduet._embed_within($1, v_left);
  v_spent := extract(epoch FROM clock_timestamp() - v_start)::double precision;
  PERFORM pgduet._sync_budget(now()::text, 0, v_spent, false);
  RETURN true;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS v_hint = PG_EXCEPTION_HINT, v_detail = PG_EXCEPTION_DETAIL;
  RAISE WARNING 'pgduet leaves % chunk(s) to the worker: %', cardinality($1), regexp_replace(SQLERRM, '^plpy\.\w+: ', '')
    USING HINT = v_hint, DETAIL = concat_ws('; ', nullif(v_detail, ''),
      'For the next 30 seconds this session queues without asking.');
  BEGIN
    PERFORM pgduet._sync_budget(now()::text, 0, extract(epoch FROM clock_timestamp() - v_start)::double precision, true);
  EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'pgduet: the server cannot run PL/Python: %', SQLERRM;
  END;
  RETURN false;
END $_$;


ALTER FUNCTION pgduet._try_embed(chunk_ids bigint[]) OWNER TO pgduet_owner;

--
-- Name: _unresolved(bigint[]); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._unresolved(chunk_ids bigint[]) RETURNS bigint[]
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $_$
  SELECT ARRAY(
    SELECT u.id FROM unnest($1) u (id) JOIN pgduet._live_generation g ON g.is_active
    LEFT JOIN pgduet.code_chunks c ON c.chunk_id = u.id AND c.content_hash IS NOT NULL
    WHERE CASE
      WHEN c.chunk_id IS NULL THEN EXISTS (SELECT FROM pgduet.code_embeddings e WHERE e.chunk_id = u.id)
      ELSE NOT EXISTS (SELECT FROM pgduet.code_embeddings e WHERE e.chunk_id = u.id
          AND e.generation_id = g.generation_id AND e.content_hash = c.content_hash)
        AND NOT EXISTS (SELECT FROM pgduet._dead_letter d WHERE d.chunk_id = u.id
          AND d.generation_id = g.generation_id AND d.content_hash = c.content_hash)
    END)
$_$;


ALTER FUNCTION pgduet._unresolved(chunk_ids bigint[]) OWNER TO pgduet_owner;

--
-- Name: _vector_count(integer); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._vector_count(generation_id integer, OUT rows bigint, OUT changes bigint) RETURNS record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  -- The statistics forget at a crash and are behind at times: then the planner's count, for the pages of today.
  SELECT greatest(pg_stat_get_live_tuples(c.oid), CASE WHEN pg_stat_get_live_tuples(c.oid)
      < c.reltuples / 2 THEN c.reltuples / greatest(c.relpages, 1)
      * (pg_relation_size(c.oid) / current_setting('block_size')::integer) END, 0)::bigint,
    pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_tuples_updated(c.oid) + pg_stat_get_tuples_deleted(c.oid)
  FROM pg_class c WHERE c.oid = to_regclass('pgduet.code_embeddings_g' || $1)
$_$;


ALTER FUNCTION pgduet._vector_count(generation_id integer, OUT rows bigint, OUT changes bigint) OWNER TO pgduet_owner;

--
-- Name: _wake(); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._wake() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  IF current_setting('pgduet._woken', true) IS DISTINCT FROM 'yes' THEN
    PERFORM pg_notify('pgduet_pending', '') FROM pgduet._setting s WHERE s.key = 'notify' AND s.value = 'on';
    PERFORM set_config('pgduet._woken', 'yes', true);
  END IF;
END $$;


ALTER FUNCTION pgduet._wake() OWNER TO pgduet_owner;

--
-- Name: _wake_trainer(); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._wake_trainer() RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT pg_notify('pgduet_finetune', '') FROM pgduet._setting s WHERE s.key = 'notify' AND s.value = 'on'
$$;


ALTER FUNCTION pgduet._wake_trainer() OWNER TO pgduet_owner;

--
-- Name: _watch_1(); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._watch_1() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_before text;
  v_after text;
BEGIN
  BEGIN
    IF TG_OP IN ('UPDATE', 'DELETE') THEN
      v_before := ((OLD.id)::pg_catalog.text COLLATE "C");
    END IF;
    IF TG_OP IN ('UPDATE', 'INSERT') THEN
      v_after := ((NEW.id)::pg_catalog.text COLLATE "C");
    END IF;
    IF TG_OP = 'UPDATE' AND v_before = v_after AND (NEW.body::pg_catalog.text COLLATE "C") IS NOT DISTINCT FROM (OLD.body::pg_catalog.text COLLATE "C") THEN
      RETURN NULL;
    END IF;
  EXCEPTION WHEN OTHERS THEN
    v_before := NULL;
    v_after := NULL;
  END;
  IF v_before IS NULL OR v_after IS NULL OR v_before = v_after THEN
    INSERT INTO pgduet._source (watch_id, row_key) VALUES (1, coalesce(v_after, v_before));
  ELSE
    INSERT INTO pgduet._source (watch_id, row_key) VALUES (1, v_before), (1, v_after);
  END IF;
  IF current_setting('pgduet._woken', true) IS DISTINCT FROM 'yes' THEN
    PERFORM pgduet._wake();
    PERFORM set_config('pgduet._woken', 'yes', true);
  END IF;
  RETURN NULL;
END $$;


ALTER FUNCTION pgduet._watch_1() OWNER TO pgduet_owner;

--
-- Name: _watched_table(integer); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._watched_table(watch_id integer) RETURNS oid
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  SELECT t.tgrelid FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid AND c.relkind IN ('r', 'p')
  WHERE t.tgfoid = to_regprocedure(format('pgduet._watch_%s()', $1)) AND t.tgparentid = 0
    AND t.tgname = '_pgduet_watch_' || $1
$_$;


ALTER FUNCTION pgduet._watched_table(watch_id integer) OWNER TO pgduet_owner;

--
-- Name: _word_rows(text[], text, text, text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._word_rows(words text[], language text, repo text, path_like text) RETURNS double precision[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET max_parallel_workers_per_gather TO '0'
    AS $_$
DECLARE
  v_filter text := '($1 IS NULL OR c.language = $1) AND ($2 IS NULL OR c.repo = $2) AND ($3 IS NULL OR c.path LIKE $3)';
  v_plan jsonb;
BEGIN
  -- A first part that finds nothing: of one part alone the planner makes no list.
  EXECUTE 'EXPLAIN (FORMAT JSON) SELECT 1 FROM pgduet.code_chunks c WHERE c.chunk_id = 0' || (
    SELECT string_agg(format(' UNION ALL SELECT 1 FROM pgduet.code_chunks c'
      ' WHERE pgduet._lexemes(c.symbol, c.content) @@ %L AND %s', '''' || u.word || '''', v_filter), '' ORDER BY u.place)
    FROM unnest($1) WITH ORDINALITY u (word, place))
    INTO v_plan USING language, repo, path_like;
  RETURN ARRAY(SELECT (p.plan ->> 'Plan Rows')::double precision
    FROM jsonb_array_elements(v_plan #> '{0,Plan,Plans}') WITH ORDINALITY p (plan, place)
    WHERE p.place > 1 ORDER BY p.place);
END $_$;


ALTER FUNCTION pgduet._word_rows(words text[], language text, repo text, path_like text) OWNER TO pgduet_owner;

--
-- Name: _write_source(text, integer, text, text, bytea, text, text, text[], text[], text[], integer[], integer[], text[]); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet._write_source(owner text, watch_id integer, row_key text, row_version text, row_hash bytea, error text, path text, symbols text[], kinds text[], languages text[], start_lines integer[], end_lines integer[], contents text[]) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $_$
#variable_conflict use_column
DECLARE
  v_watch pgduet._watch;
  v_mode text := current_setting('pgduet.trigger_mode', true);
  v_stored text[];
  v_new pgduet._source_chunk[];
BEGIN
  -- Locked first, here and wherever a watch is forgotten: no chunk appears behind the back of unwatch().
  SELECT * INTO v_watch FROM pgduet._watch w WHERE w.watch_id = $2 FOR KEY SHARE;
  PERFORM FROM pgduet._source s WHERE s.watch_id = $2 AND s.row_key = $3 AND s.lease_owner = $1 FOR UPDATE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  v_stored := pgduet._chunk_keys($2, ARRAY[$3]);
  -- Side by side and not joined: joins of arrays are planned for ten rows, and there may be thousands.
  v_new := ARRAY(
    SELECT ROW(n.chunk_id, v_watch.repo, $7, n.symbol, n.kind, n.language, n.start_line, n.end_line,
      n.content)::pgduet._source_chunk
    FROM unnest(pgduet._match_chunks(v_watch.source, v_stored, $13), $8, $9, $10, $11, $12, $13) WITH ORDINALITY
      n (chunk_id, symbol, kind, language, start_line, end_line, content, place) ORDER BY n.place);
  PERFORM set_config('pgduet.trigger_mode', 'queue', true);
  PERFORM pgduet._replace_chunks(v_watch.source, $3, v_stored, v_new);
  PERFORM set_config('pgduet.trigger_mode', coalesce(v_mode, ''), true);
  INSERT INTO pgduet._source_row (watch_id, row_key, row_version, row_hash, chunks, error)
  VALUES ($2, $3, $4, $5, cardinality($13), $6)
  ON CONFLICT (row_key, watch_id) DO UPDATE SET (row_version, row_hash, chunks, error, done_at) =
    (excluded.row_version, excluded.row_hash, excluded.chunks, excluded.error, now());
  DELETE FROM pgduet._source s WHERE s.watch_id = $2 AND s.row_key = $3 AND s.lease_owner = $1;
  RETURN true;
END $_$;


ALTER FUNCTION pgduet._write_source(owner text, watch_id integer, row_key text, row_version text, row_hash bytea, error text, path text, symbols text[], kinds text[], languages text[], start_lines integer[], end_lines integer[], contents text[]) OWNER TO pgduet_owner;

--
-- Name: add_generation(text, text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet.add_generation(model text, name text DEFAULT NULL::text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $_$
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
END $_$;


ALTER FUNCTION pgduet.add_generation(model text, name text) OWNER TO pgduet_owner;

--
-- Name: FUNCTION add_generation(model text, name text); Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON FUNCTION pgduet.add_generation(model text, name text) IS 'Begin a generation: all chunks get vectors of another duet beside those that are searched. name: what to call it, the duet''s name by default';


--
-- Name: cancel_finetune(bigint); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet.cancel_finetune(run_id bigint) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '10s'
    AS $_$
DECLARE
  v_run pgduet.finetune_runs;
BEGIN
  SELECT r.* INTO v_run FROM pgduet.finetune_runs r WHERE r.run_id = $1 FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no run %', coalesce(run_id::text, 'NULL') USING ERRCODE = '42704',
      HINT = 'See pgduet.finetune_history.';
  ELSIF v_run.state NOT IN ('requested', 'running') THEN
    RETURN format('run %s is %s already', run_id, v_run.state);
  END IF;
  -- Whoever works on a run holds this lock: where it is free, the run was left by a trainer that is gone.
  IF v_run.state = 'running' AND NOT pg_try_advisory_xact_lock(70962564) THEN
    UPDATE pgduet.finetune_runs r SET cancel_asked_at = coalesce(r.cancel_asked_at, clock_timestamp())
    WHERE r.run_id = $1;
    PERFORM pgduet._wake_trainer();
    RETURN format('the trainer is told to end run %s', run_id);
  END IF;
  UPDATE pgduet.finetune_runs r SET state = 'cancelled', phase = NULL, ended_at = clock_timestamp(),
    cancel_asked_at = coalesce(r.cancel_asked_at, clock_timestamp()) WHERE r.run_id = $1;
  RETURN format('run %s is cancelled', run_id);
END $_$;


ALTER FUNCTION pgduet.cancel_finetune(run_id bigint) OWNER TO pgduet_owner;

--
-- Name: FUNCTION cancel_finetune(run_id bigint); Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON FUNCTION pgduet.cancel_finetune(run_id bigint) IS 'Take a fine-tuning run back, or end it within seconds where a trainer works on it; says which';


--
-- Name: chunk_code(text, text, text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet.chunk_code(content text, language text DEFAULT NULL::text, path text DEFAULT NULL::text) RETURNS TABLE(symbol text, kind text, language text, start_line integer, end_line integer, content text)
    LANGUAGE plpython3u STABLE SECURITY DEFINER COST 10000 ROWS 20
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  backend = GD.get("pgduet") or (plpy.execute("SELECT pgduet._load_backend()") and GD["pgduet"])
  return backend.chunk_code(plpy, content, language, path) if content is not None else []
$$;


ALTER FUNCTION pgduet.chunk_code(content text, language text, path text) OWNER TO pgduet_owner;

--
-- Name: FUNCTION chunk_code(content text, language text, path text); Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON FUNCTION pgduet.chunk_code(content text, language text, path text) IS 'Cuts source text into functions, methods, classes and blocks by its syntax tree; language is told from path where not given; line windows where no grammar is known';


--
-- Name: embed(text, text, text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet.embed(content text, role text DEFAULT 'document'::text, part text DEFAULT 'both'::text) RETURNS public.halfvec
    LANGUAGE plpython3u STABLE STRICT SECURITY DEFINER COST 100000
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  backend = GD.get("pgduet") or (plpy.execute("SELECT pgduet._load_backend()") and GD["pgduet"])
  return backend.embed(plpy, content, role, part)
$$;


ALTER FUNCTION pgduet.embed(content text, role text, part text) OWNER TO pgduet_owner;

--
-- Name: FUNCTION embed(content text, role text, part text); Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON FUNCTION pgduet.embed(content text, role text, part text) IS 'Vector of one text. role: document (to store, the default) or query. part: both (the fused vector of 2560, as stored), code (that half alone, 1536) or text (1024). NULL gives NULL; blank text is an error (22023)';


--
-- Name: embed_batch(text[], text, text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet.embed_batch(contents text[], role text DEFAULT 'document'::text, part text DEFAULT 'both'::text) RETURNS TABLE(ordinality integer, embedding public.halfvec)
    LANGUAGE plpgsql STABLE STRICT ROWS 64
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  -- Counted from 1 whatever the caller's array bounds are.
  v_contents text[] := ARRAY(SELECT u.content FROM unnest(contents) WITH ORDINALITY u (content, place) ORDER BY u.place);
  v_slice integer := pgduet._batch_texts();
BEGIN
  FOR v_done IN 0 .. cardinality(v_contents) - 1 BY v_slice LOOP
    RETURN QUERY SELECT v_done + r.ordinality, r.embedding
      FROM pgduet._embed_rows(v_contents[v_done + 1 : v_done + v_slice], role, 'infinity', part) r;
  END LOOP;
END $$;


ALTER FUNCTION pgduet.embed_batch(contents text[], role text, part text) OWNER TO pgduet_owner;

--
-- Name: FUNCTION embed_batch(contents text[], role text, part text); Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON FUNCTION pgduet.embed_batch(contents text[], role text, part text) IS 'Vectors of many texts in the order given, few calls to the model; role and part as for embed; NULL and blank texts give NULL';


--
-- Name: finetune(text, text, text, integer, boolean, boolean, jsonb); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet.finetune(name text DEFAULT NULL::text, objective text DEFAULT 'in-batch'::text, part text DEFAULT 'both'::text, steps integer DEFAULT 100, mine boolean DEFAULT true, promote boolean DEFAULT false, options jsonb DEFAULT '{}'::jsonb) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_own jsonb := jsonb_build_object('objective', objective, 'part', part, 'steps', steps, 'mine', mine,
    'promote', promote);
  v_twice text;
BEGIN
  PERFORM pgduet._check_finetune_options(options);
  SELECT k.key INTO v_twice FROM jsonb_object_keys(options) k (key) WHERE v_own ? k.key LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION '% is a parameter of its own', v_twice USING ERRCODE = '22023',
      HINT = format('Write %s => ... beside options.', v_twice);
  END IF;
  IF NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datname = current_database()
      AND a.application_name = 'pgduet trainer') THEN
    RAISE NOTICE 'no trainer is running: the run waits for `pgduet trainer`';
  END IF;
  RETURN pgduet._request_finetune(name, options || v_own, session_user);
END $$;


ALTER FUNCTION pgduet.finetune(name text, objective text, part text, steps integer, mine boolean, promote boolean, options jsonb) OWNER TO pgduet_owner;

--
-- Name: FUNCTION finetune(name text, objective text, part text, steps integer, mine boolean, promote boolean, options jsonb); Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON FUNCTION pgduet.finetune(name text, objective text, part text, steps integer, mine boolean, promote boolean, options jsonb) IS 'Ask for a fine-tuning run and return its number; a trainer (`pgduet trainer`) does it, see pgduet.finetune_history. name: of the new duet, by default that of the active generation''s with -ft- and the number. objective: in-batch or triplet. part: both, code or text. mine: look for triplets first. promote: search in the new generation once it is filled, where it is better. options: batch, rate, margin, max_tokens, patience, check_every, share, least_gain, seed, as `pgduet finetune --help` explains them';


--
-- Name: health(); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet.health() RETURNS TABLE(component text, status text, detail text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER COST 10000 ROWS 8
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_pending bigint;
BEGIN
  RETURN QUERY SELECT 'postgresql', 'ok', current_setting('server_version');
  RETURN QUERY SELECT 'pgvector', 'ok', x.extversion FROM pg_extension x WHERE x.extname = 'vector';
  BEGIN
    RETURN QUERY SELECT 'backend', 'ok', 'package version ' || pgduet.version();
    RETURN QUERY SELECT * FROM pgduet._sidecar_health();
  EXCEPTION WHEN OTHERS THEN
    RETURN QUERY SELECT 'backend', 'fail', SQLERRM;
  END;
  SELECT coalesce(sum(v.pending), 0)::bigint INTO v_pending FROM pgduet.coverage v;
  RETURN QUERY SELECT 'coverage', CASE WHEN v_pending = 0 THEN 'ok' ELSE 'warn' END, v_pending || ' chunks pending';
  RETURN QUERY SELECT 'worker', CASE WHEN count(*) = 0 THEN 'warn' ELSE 'ok' END, count(*) || ' running'
    || coalesce('; ' || max(w.detail), '') FROM pgduet._worker w WHERE w.seen_at > now() - interval '1 minute';
  RETURN QUERY SELECT 'failures', CASE WHEN count(*) = 0 THEN 'ok' ELSE 'warn' END,
    count(*) || ' chunks given up: see pgduet.failures' FROM pgduet._dead_letter d;
  RETURN QUERY SELECT 'index', CASE WHEN count(*) FILTER (WHERE i.status = 'warn') = 0 THEN 'ok' ELSE 'warn' END,
    coalesce(string_agg(i.aspect || ': ' || i.detail, '; ') FILTER (WHERE i.status = 'warn')
        || ': see pgduet.index_health()',
      min(i.detail) FILTER (WHERE i.aspect = 'index'), 'there is no active generation')
    FROM pgduet.index_health() i;
END $$;


ALTER FUNCTION pgduet.health() OWNER TO pgduet_owner;

--
-- Name: FUNCTION health(); Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON FUNCTION pgduet.health() IS 'State of each part: ok, warn or fail, with a detail';


--
-- Name: index_health(); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet.index_health() RETURNS TABLE(aspect text, status text, detail text, advice text)
    LANGUAGE sql STABLE SECURITY DEFINER ROWS 6
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT h.aspect || CASE WHEN g.state <> 'active' THEN ' of generation ' || g.name ELSE '' END, h.status, h.detail,
    h.advice
  FROM pgduet.generations g CROSS JOIN LATERAL pgduet._index_health(g.generation_id) WITH ORDINALITY h
  WHERE g.state IN ('building', 'ready', 'active')
  ORDER BY g.state <> 'active', g.generation_id, h.ordinality
$$;


ALTER FUNCTION pgduet.index_health() OWNER TO pgduet_owner;

--
-- Name: FUNCTION index_health(); Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON FUNCTION pgduet.index_health() IS 'What to know about the search index in words: status ok or warn, and what to do about a warning';


--
-- Name: index_recall(integer, integer, text, text, text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet.index_recall(sample integer DEFAULT 200, k integer DEFAULT 10, language text DEFAULT NULL::text, repo text DEFAULT NULL::text, path_like text DEFAULT NULL::text) RETURNS TABLE(query_kind text, queries integer, recall double precision, recall_low double precision, recall_high double precision, search_ms double precision, exact_ms double precision, way text, index_kind text, probes integer, ef_search integer, depth bigint)
    LANGUAGE plpgsql COST 1e+06 ROWS 2
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_generation integer := (SELECT g.generation_id FROM pgduet.generations g WHERE g.state = 'active');
  v_plan record;
BEGIN
  IF sample IS NULL OR sample NOT BETWEEN 1 AND 10000 THEN
    RAISE EXCEPTION 'sample must be 1 to 10000 queries, not %', coalesce(sample::text, 'NULL')
      USING ERRCODE = '22023', HINT = 'Ask for 200 or so; leave sample out for 200.';
  ELSIF k IS NULL OR k NOT BETWEEN 1 AND 1000 THEN
    RAISE EXCEPTION 'k must be 1 to 1000 neighbours, not %', coalesce(k::text, 'NULL')
      USING ERRCODE = '22023', HINT = 'Ask for 10 or so; leave k out for 10.';
  END IF;
  IF v_generation IS NULL THEN
    RETURN;
  END IF;
  SELECT * INTO v_plan FROM pgduet._search_plan(v_generation, $3, $4, $5, $2);
  way := v_plan.way;
  index_kind := v_plan.kind;
  probes := v_plan.probes;
  ef_search := v_plan.ef_search;
  depth := v_plan.depth;
  FOREACH query_kind IN ARRAY ARRAY['stored', 'real', 'symbol'] LOOP
    SELECT count(*), (pgduet._recall_interval(array_agg(s.recall), $2)).*,
      percentile_cont(0.5) WITHIN GROUP (ORDER BY s.ms), percentile_cont(0.5) WITHIN GROUP (ORDER BY s.exact_ms)
    INTO queries, recall, recall_low, recall_high, search_ms, exact_ms
    FROM (
      SELECT t.exact_ms, r.recall, r.ms
      FROM pgduet._recall_truth(v_generation, query_kind, $1, $2, $3, $4, $5, 'infinity') t
      CROSS JOIN LATERAL pgduet._recall_try(v_generation, v_plan.way, v_plan.kind, v_plan.probes, v_plan.ef_search,
        v_plan.depth, t.embedding, t.sketch, $2, $3, $4, $5, t.except_id, t.except_hash, t.nearest, t.kth) r
    ) s;
    CONTINUE WHEN queries = 0;
    RETURN NEXT;
    -- Names stand for what people ask, where nobody knows that.
    EXIT WHEN query_kind = 'real' AND queries >= least(20, $1);
  END LOOP;
END $_$;


ALTER FUNCTION pgduet.index_recall(sample integer, k integer, language text, repo text, path_like text) OWNER TO pgduet_owner;

--
-- Name: FUNCTION index_recall(sample integer, k integer, language text, repo text, path_like text); Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON FUNCTION pgduet.index_recall(sample integer, k integer, language text, repo text, path_like text) IS 'Measure how many of the k nearest chunks a search finds, with a sample of each kind of query: stored chunks, and what people asked (where the sidecar keeps it) or names of stored symbols. search_ms is the median time of the way that pgduet.similar_code takes with the filter given, exact_ms that of the exact answer. Takes up to a minute or two on large tables';


--
-- Name: promote(text, boolean, text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet.promote(name text, force boolean DEFAULT false, reason text DEFAULT NULL::text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '10s'
    AS $$
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


ALTER FUNCTION pgduet.promote(name text, force boolean, reason text) OWNER TO pgduet_owner;

--
-- Name: FUNCTION promote(name text, force boolean, reason text); Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON FUNCTION pgduet.promote(name text, force boolean, reason text) IS 'Search in another generation from now on. Refused while it lacks vectors or its index, where nobody found it better, or where the sidecar does not serve its duet; force with a reason overrules that';


--
-- Name: reconcile(); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet.reconcile(OUT enqueued bigint, OUT removed bigint) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_slice record;
  v_after bigint := -9223372036854775808;
BEGIN
  enqueued := 0;
  removed := 0;
  WHILE v_after IS NOT NULL LOOP
    SELECT * INTO v_slice FROM pgduet._reconcile_slice(v_after, 20000);
    enqueued := enqueued + v_slice.enqueued;
    removed := removed + v_slice.removed;
    v_after := v_slice.upto;
  END LOOP;
  IF enqueued > 0 THEN
    PERFORM pgduet._wake();
  END IF;
END $$;


ALTER FUNCTION pgduet.reconcile(OUT enqueued bigint, OUT removed bigint) OWNER TO pgduet_owner;

--
-- Name: FUNCTION reconcile(OUT enqueued bigint, OUT removed bigint); Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON FUNCTION pgduet.reconcile(OUT enqueued bigint, OUT removed bigint) IS 'Compares all chunks with all vectors, queues what lacks a current vector and removes vectors without a chunk; the worker does the same every few minutes';


--
-- Name: reindex(text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet.reindex(index_kind text DEFAULT NULL::text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_since timestamptz := (SELECT min(r.requested_at) FROM pgduet._index_request r WHERE r.done_at IS NULL);
  v_workers bigint := (SELECT count(*) FROM pgduet._worker w WHERE w.seen_at > clock_timestamp() - interval '1 minute');
BEGIN
  IF index_kind NOT IN ('sketch', 'halfvec', 'hnsw') THEN
    RAISE EXCEPTION 'there is no index kind %', quote_literal(index_kind)
      USING ERRCODE = '22023', HINT = 'The kinds are sketch, halfvec and hnsw; leave it out to keep the kind that is set.';
  END IF;
  IF index_kind IS NOT NULL THEN
    UPDATE pgduet._setting s SET value = index_kind, updated_at = now() WHERE s.key = 'index_kind';
  END IF;
  IF v_since IS NULL THEN
    INSERT INTO pgduet._index_request (requested_by) VALUES (session_user);
  END IF;
  PERFORM pg_notify('pgduet_index', '') FROM pgduet._setting s WHERE s.key = 'notify' AND s.value = 'on';
  RETURN concat(
    CASE WHEN v_since IS NULL THEN 'asked for; ' ELSE 'was asked for at ' || date_trunc('second', v_since) || '; ' END,
    CASE v_workers WHEN 0 THEN 'no worker is running: build it with `pgduet db index`, or start `pgduet worker`'
      ELSE 'once this is committed the worker builds it, if it may (it runs as the owner of the tables or a superuser, '
        'on a direct connection, without --no-index); see pgduet.index_status; `pgduet db index` builds it too' END);
END $$;


ALTER FUNCTION pgduet.reindex(index_kind text) OWNER TO pgduet_owner;

--
-- Name: FUNCTION reindex(index_kind text); Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON FUNCTION pgduet.reindex(index_kind text) IS 'Ask for the search index to be built anew, of another kind where one is named (sketch, halfvec, hnsw); a worker does it. Says what happens next.';


--
-- Name: retire(text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet.retire(name text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '10s'
    AS $$
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


ALTER FUNCTION pgduet.retire(name text) OWNER TO pgduet_owner;

--
-- Name: FUNCTION retire(name text); Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON FUNCTION pgduet.retire(name text) IS 'Give a generation up that is not active: it gets no more vectors. `pgduet generation drop` frees its space';


--
-- Name: retry_failed(text); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet.retry_failed(error_class text DEFAULT NULL::text) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  SELECT pgduet._wake();
  WITH revived AS (
    DELETE FROM pgduet._dead_letter d WHERE $1 IS NULL OR d.error_class = $1 RETURNING d.chunk_id
  ), queued AS (
    INSERT INTO pgduet._pending (chunk_id) SELECT DISTINCT r.chunk_id FROM revived r RETURNING chunk_id
  ), due AS (
    UPDATE pgduet._pending p SET next_attempt_at = clock_timestamp(), attempts = 0
    WHERE p.error_class IS NOT NULL AND p.leased_until IS NULL AND ($1 IS NULL OR p.error_class = $1)
    RETURNING p.chunk_id
  )
  SELECT (SELECT count(*) FROM queued) + (SELECT count(DISTINCT d.chunk_id) FROM due d)
$_$;


ALTER FUNCTION pgduet.retry_failed(error_class text) OWNER TO pgduet_owner;

--
-- Name: FUNCTION retry_failed(error_class text); Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON FUNCTION pgduet.retry_failed(error_class text) IS 'Queues again what was given up or waits for its next attempt, all or one error class (row_temporary, row_permanent); returns how many chunks';


--
-- Name: rollback(); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet.rollback() RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '10s'
    AS $$
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


ALTER FUNCTION pgduet.rollback() OWNER TO pgduet_owner;

--
-- Name: FUNCTION rollback(); Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON FUNCTION pgduet.rollback() IS 'Search in the generation again that the last promotion replaced; again: one promotion further back';


--
-- Name: similar_code(text, integer, text, text, text, double precision, boolean, boolean); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet.similar_code(query text, k integer DEFAULT 10, language text DEFAULT NULL::text, repo text DEFAULT NULL::text, path_like text DEFAULT NULL::text, min_similarity double precision DEFAULT NULL::double precision, distinct_content boolean DEFAULT true, lexical boolean DEFAULT false) RETURNS TABLE(chunk_id bigint, repo text, path text, symbol text, kind text, language text, start_line integer, end_line integer, content text, similarity double precision, source text, source_key text)
    LANGUAGE sql STABLE COST 1e+06 ROWS 10
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  SELECT * FROM pgduet._similar_code($1, $2, $3, $4, $5, $6, $7, $8)
$_$;


ALTER FUNCTION pgduet.similar_code(query text, k integer, language text, repo text, path_like text, min_similarity double precision, distinct_content boolean, lexical boolean) OWNER TO pgduet_owner;

--
-- Name: FUNCTION similar_code(query text, k integer, language text, repo text, path_like text, min_similarity double precision, distinct_content boolean, lexical boolean); Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON FUNCTION pgduet.similar_code(query text, k integer, language text, repo text, path_like text, min_similarity double precision, distinct_content boolean, lexical boolean) IS 'The k chunks nearest in meaning to a query, best first. language, repo, path_like (LIKE pattern) and min_similarity (cosine; its scale depends on the model) narrow the search; distinct_content shows copies once; lexical ranks by the words of the query too';


--
-- Name: similar_to(bigint, integer, text, text, text, double precision, boolean); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet.similar_to(chunk_id bigint, k integer DEFAULT 10, language text DEFAULT NULL::text, repo text DEFAULT NULL::text, path_like text DEFAULT NULL::text, min_similarity double precision DEFAULT NULL::double precision, distinct_content boolean DEFAULT true) RETURNS TABLE(chunk_id bigint, repo text, path text, symbol text, kind text, language text, start_line integer, end_line integer, content text, similarity double precision, source text, source_key text)
    LANGUAGE sql STABLE COST 10000 ROWS 10
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  SELECT * FROM pgduet._similar_to($1, $2, $3, $4, $5, $6, $7)
$_$;


ALTER FUNCTION pgduet.similar_to(chunk_id bigint, k integer, language text, repo text, path_like text, min_similarity double precision, distinct_content boolean) OWNER TO pgduet_owner;

--
-- Name: FUNCTION similar_to(chunk_id bigint, k integer, language text, repo text, path_like text, min_similarity double precision, distinct_content boolean); Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON FUNCTION pgduet.similar_to(chunk_id bigint, k integer, language text, repo text, path_like text, min_similarity double precision, distinct_content boolean) IS 'The k chunks nearest in meaning to a stored chunk, best first, without a model call; the chunk itself (and, with distinct_content, its copies) left out';


--
-- Name: unwatch(regclass); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet.unwatch(source regclass) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_id integer := (SELECT w.watch_id FROM pgduet._watch w WHERE pgduet._watched_table(w.watch_id) = $1
    OR (to_regclass(format('%I.%I', w.schema_name, w.table_name)) = $1 AND pgduet._watched_table(w.watch_id) IS NULL)
    LIMIT 1);
BEGIN
  IF v_id IS NULL THEN
    RAISE NOTICE 'table % is not watched', $1;
    RETURN 0;
  END IF;
  RETURN pgduet._forget_watch(v_id);
END $_$;


ALTER FUNCTION pgduet.unwatch(source regclass) OWNER TO pgduet_owner;

--
-- Name: FUNCTION unwatch(source regclass); Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON FUNCTION pgduet.unwatch(source regclass) IS 'Stops watching a table and deletes its chunks; returns how many. The table itself is left as it is';


--
-- Name: version(); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet.version() RETURNS text
    LANGUAGE plpython3u STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  backend = GD.get("pgduet") or (plpy.execute("SELECT pgduet._load_backend()") and GD["pgduet"])
  return backend.package_version()
$$;


ALTER FUNCTION pgduet.version() OWNER TO pgduet_owner;

--
-- Name: FUNCTION version(); Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON FUNCTION pgduet.version() IS 'Version of the package that PostgreSQL''s Python runs';


--
-- Name: watch(regclass, name, name, text, name, text, boolean); Type: FUNCTION; Schema: pgduet; Owner: pgduet_owner
--

CREATE FUNCTION pgduet.watch(source regclass, content_column name, path_column name DEFAULT NULL::name, language text DEFAULT NULL::text, language_column name DEFAULT NULL::name, repo text DEFAULT NULL::text, copy_protected boolean DEFAULT false) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_columns text[] := array_remove(ARRAY[$2, $3, $5]::text[], NULL);
  v_id integer;
BEGIN
  IF $1 IS NULL OR $2 IS NULL THEN
    RAISE EXCEPTION 'a table and its content column must be named' USING ERRCODE = '22004';
  END IF;
  PERFORM pgduet._check_watchable($1, $7);
  PERFORM pgduet._check_column($1, c.name) FROM unnest(v_columns) c (name);
  -- Whoever is writing to the table commits first: the look at the whole table then sees those rows.
  EXECUTE format('LOCK TABLE ONLY %s IN SHARE ROW EXCLUSIVE MODE', $1);
  PERFORM pgduet._grant_reading($1, ARRAY(SELECT k.column_name FROM pgduet._key_columns($1) k
    UNION SELECT unnest(v_columns)));
  v_id := pgduet._register_watch($1, jsonb_build_object('content_column', $2, 'path_column', $3, 'language', $4,
    'language_column', $5, 'repo', $6, 'copy_protected', $7, 'created_by', current_user));
  -- Row triggers, because PostgreSQL clones them to partitions, to those of tomorrow too.
  EXECUTE format('CREATE OR REPLACE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON %s
    FOR EACH ROW EXECUTE FUNCTION pgduet.%I()', '_pgduet_watch_' || v_id, $1, '_watch_' || v_id);
  EXECUTE format('CREATE OR REPLACE TRIGGER %I AFTER TRUNCATE ON %s
    FOR EACH STATEMENT EXECUTE FUNCTION pgduet.%I()', '_pgduet_watch_' || v_id || '_truncate', $1, '_watch_' || v_id);
  RETURN (SELECT w.source FROM pgduet._watch w WHERE w.watch_id = v_id);
END $_$;


ALTER FUNCTION pgduet.watch(source regclass, content_column name, path_column name, language text, language_column name, repo text, copy_protected boolean) OWNER TO pgduet_owner;

--
-- Name: FUNCTION watch(source regclass, content_column name, path_column name, language text, language_column name, repo text, copy_protected boolean); Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON FUNCTION pgduet.watch(source regclass, content_column name, path_column name, language text, language_column name, repo text, copy_protected boolean) IS 'Keeps the chunks and vectors of a table''s rows up to date from now on, and returns the value that code_chunks.source has for them; needs the table''s owner and a primary key. Again on the same table: new columns, and all rows cut anew. copy_protected => true copies a table with row security';


--
-- Name: _setting; Type: TABLE; Schema: pgduet; Owner: pgduet_owner
--

CREATE TABLE pgduet._setting (
    key text NOT NULL,
    value text NOT NULL,
    description text NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT _setting_check CHECK (
CASE key
    WHEN 'sidecar_address'::text THEN (value <> ''::text)
    WHEN 'deadline_ms'::text THEN ((value ~ '^[0-9]{1,9}$'::text) AND ((value)::integer >= 1))
    WHEN 'batch_deadline_ms'::text THEN ((value ~ '^[0-9]{1,9}$'::text) AND ((value)::integer >= 1))
    WHEN 'batch_texts'::text THEN ((value ~ '^[0-9]{1,4}$'::text) AND (((value)::integer >= 1) AND ((value)::integer <= 4096)))
    WHEN 'trigger_mode'::text THEN (value = ANY (ARRAY['auto'::text, 'sync'::text, 'queue'::text]))
    WHEN 'sync_max_rows'::text THEN (value ~ '^[0-9]{1,6}$'::text)
    WHEN 'sync_timeout_ms'::text THEN ((value ~ '^[0-9]{1,9}$'::text) AND ((value)::integer >= 1))
    WHEN 'notify'::text THEN (value = ANY (ARRAY['on'::text, 'off'::text]))
    WHEN 'index_kind'::text THEN (value = ANY (ARRAY['sketch'::text, 'halfvec'::text, 'hnsw'::text]))
    WHEN 'index_min_rows'::text THEN ((value ~ '^[0-9]{1,9}$'::text) AND ((value)::integer >= 100))
    WHEN 'index_growth'::text THEN ((value ~ '^[0-9]{1,3}([.][0-9]{1,3})?$'::text) AND ((value)::numeric >= 1.1))
    WHEN 'index_memory_mb'::text THEN ((value ~ '^[0-9]{1,6}$'::text) AND ((value)::integer >= 64))
    WHEN 'recall_target'::text THEN ((value ~ '^(0[.][0-9]{1,4}|1([.]0{1,4})?)$'::text) AND ((value)::numeric >= 0.5))
    WHEN 'lexical_index'::text THEN (value = ANY (ARRAY['on'::text, 'off'::text]))
    WHEN 'mining_positive'::text THEN ((value ~ '^0[.][0-9]{1,4}$'::text) AND ((value)::numeric > (0)::numeric))
    WHEN 'mining_negative'::text THEN (value ~ '^0[.][0-9]{1,4}$'::text)
    WHEN 'finetune_every'::text THEN (value ~ '^(never|[1-9][0-9]{0,3} (minute|hour|day|week|month)s?)$'::text)
    WHEN 'finetune_promote'::text THEN (value = ANY (ARRAY['on'::text, 'off'::text]))
    WHEN 'finetune_attempts'::text THEN (value ~ '^[1-9][0-9]?$'::text)
    ELSE false
END)
);


ALTER TABLE pgduet._setting OWNER TO pgduet_owner;

--
-- Name: TABLE _setting; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON TABLE pgduet._setting IS 'Settings, changed by an admin with `pgduet db set KEY VALUE`';


--
-- Name: _call_context; Type: VIEW; Schema: pgduet; Owner: pgduet_owner
--

CREATE VIEW pgduet._call_context AS
 SELECT ( SELECT s.value
           FROM pgduet._setting s
          WHERE (s.key = 'sidecar_address'::text)) AS sidecar_address,
    (( SELECT s.value
           FROM pgduet._setting s
          WHERE (s.key = 'deadline_ms'::text)))::integer AS deadline_ms,
    (( SELECT s.value
           FROM pgduet._setting s
          WHERE (s.key = 'batch_deadline_ms'::text)))::integer AS batch_deadline_ms,
    g.model,
    g.fingerprint,
    (EXTRACT(epoch FROM statement_timestamp()))::double precision AS statement,
        CASE
            WHEN (current_setting('statement_timeout'::text) <> '0'::text) THEN (EXTRACT(epoch FROM ((current_setting('statement_timeout'::text))::interval - (clock_timestamp() - statement_timestamp()))))::double precision
            ELSE NULL::double precision
        END AS remaining,
    current_setting('pgduet.traceparent'::text, true) AS traceparent
   FROM (( SELECT) one
     LEFT JOIN pgduet.generations g ON ((g.state = 'active'::text)));


ALTER TABLE pgduet._call_context OWNER TO pgduet_owner;

--
-- Name: _dead_letter; Type: TABLE; Schema: pgduet; Owner: pgduet_owner
--

CREATE TABLE pgduet._dead_letter (
    chunk_id bigint NOT NULL,
    generation_id integer NOT NULL,
    content_hash bytea NOT NULL,
    error_class text NOT NULL,
    error text NOT NULL,
    attempts integer NOT NULL,
    failed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT _dead_letter_error_class_check CHECK ((error_class = ANY (ARRAY['row_temporary'::text, 'row_permanent'::text])))
);


ALTER TABLE pgduet._dead_letter OWNER TO pgduet_owner;

--
-- Name: TABLE _dead_letter; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON TABLE pgduet._dead_letter IS 'Chunks that were given up; see pgduet.failures';


--
-- Name: _index_build; Type: TABLE; Schema: pgduet; Owner: pgduet_owner
--

CREATE TABLE pgduet._index_build (
    build_id bigint NOT NULL,
    generation_id integer NOT NULL,
    index_name text NOT NULL,
    lists integer,
    rows_at_build bigint NOT NULL,
    started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    finished_at timestamp with time zone,
    kind text DEFAULT 'sketch'::text NOT NULL,
    reason text,
    error text,
    changes_at_build bigint,
    probes integer,
    ef_search integer,
    depth integer,
    recall_target double precision,
    calibrated_at timestamp with time zone,
    CONSTRAINT _index_build_kind_check CHECK ((kind = ANY (ARRAY['sketch'::text, 'halfvec'::text, 'hnsw'::text])))
);


ALTER TABLE pgduet._index_build OWNER TO pgduet_owner;

--
-- Name: _index_build_build_id_seq; Type: SEQUENCE; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE pgduet._index_build ALTER COLUMN build_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME pgduet._index_build_build_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: _index_request; Type: TABLE; Schema: pgduet; Owner: pgduet_owner
--

CREATE TABLE pgduet._index_request (
    request_id bigint NOT NULL,
    requested_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    requested_by text NOT NULL,
    done_at timestamp with time zone,
    outcome text
);


ALTER TABLE pgduet._index_request OWNER TO pgduet_owner;

--
-- Name: _index_request_request_id_seq; Type: SEQUENCE; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE pgduet._index_request ALTER COLUMN request_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pgduet._index_request_request_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: _installation; Type: TABLE; Schema: pgduet; Owner: pgduet_owner
--

CREATE TABLE pgduet._installation (
    installed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    version text NOT NULL,
    sql_hash text NOT NULL
);


ALTER TABLE pgduet._installation OWNER TO pgduet_owner;

--
-- Name: _live_generation; Type: VIEW; Schema: pgduet; Owner: pgduet_owner
--

CREATE VIEW pgduet._live_generation AS
 SELECT g.generation_id,
    g.model,
    g.fingerprint,
    (g.state = 'active'::text) AS is_active
   FROM pgduet.generations g
  WHERE (g.state = ANY (ARRAY['active'::text, 'building'::text, 'ready'::text]));


ALTER TABLE pgduet._live_generation OWNER TO pgduet_owner;

--
-- Name: _migration; Type: TABLE; Schema: pgduet; Owner: pgduet_owner
--

CREATE TABLE pgduet._migration (
    version_num character varying(32) NOT NULL
);


ALTER TABLE pgduet._migration OWNER TO pgduet_owner;

--
-- Name: _mining; Type: TABLE; Schema: pgduet; Owner: pgduet_owner
--

CREATE TABLE pgduet._mining (
    mining_id bigint NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    finished_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    mined_by text DEFAULT SESSION_USER NOT NULL,
    generation_id integer NOT NULL,
    settings jsonb NOT NULL,
    report jsonb NOT NULL
);


ALTER TABLE pgduet._mining OWNER TO pgduet_owner;

--
-- Name: _mining_mining_id_seq; Type: SEQUENCE; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE pgduet._mining ALTER COLUMN mining_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pgduet._mining_mining_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: _pending; Type: TABLE; Schema: pgduet; Owner: pgduet_owner
--

CREATE TABLE pgduet._pending (
    seq bigint NOT NULL,
    chunk_id bigint,
    enqueued_at timestamp with time zone DEFAULT now() NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_attempt_at timestamp with time zone DEFAULT now() NOT NULL,
    leased_until timestamp with time zone,
    lease_owner text,
    error_class text,
    error text
)
WITH (autovacuum_vacuum_scale_factor='0.0', autovacuum_vacuum_threshold='10000', autovacuum_vacuum_insert_threshold='-1', fillfactor='80');


ALTER TABLE pgduet._pending OWNER TO pgduet_owner;

--
-- Name: TABLE _pending; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON TABLE pgduet._pending IS 'Queue of chunks whose vectors are to be made, refreshed or removed; see pgduet.queue_status';


--
-- Name: _pending_seq_seq; Type: SEQUENCE; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE pgduet._pending ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pgduet._pending_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: _promotion; Type: TABLE; Schema: pgduet; Owner: pgduet_owner
--

CREATE TABLE pgduet._promotion (
    promotion_id bigint NOT NULL,
    kind text NOT NULL,
    from_generation integer,
    to_generation integer NOT NULL,
    promoted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    promoted_by text NOT NULL,
    forced boolean DEFAULT false NOT NULL,
    reason text,
    undone_at timestamp with time zone,
    CONSTRAINT _promotion_kind_check CHECK ((kind = ANY (ARRAY['promote'::text, 'rollback'::text])))
);


ALTER TABLE pgduet._promotion OWNER TO pgduet_owner;

--
-- Name: TABLE _promotion; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON TABLE pgduet._promotion IS 'Every switch of the active generation: from, to, when, by whom, whether something stood against it, and why';


--
-- Name: _promotion_promotion_id_seq; Type: SEQUENCE; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE pgduet._promotion ALTER COLUMN promotion_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pgduet._promotion_promotion_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: _recall_sample; Type: TABLE; Schema: pgduet; Owner: pgduet_owner
--

CREATE TABLE pgduet._recall_sample (
    sample_id bigint NOT NULL,
    generation_id integer NOT NULL,
    index_name text NOT NULL,
    measured_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    query_kind text NOT NULL,
    queries integer NOT NULL,
    k integer NOT NULL,
    probes integer,
    ef_search integer,
    depth integer,
    recall double precision NOT NULL,
    recall_low double precision NOT NULL,
    recall_high double precision NOT NULL,
    index_ms double precision NOT NULL,
    exact_ms double precision NOT NULL,
    rows bigint NOT NULL,
    changes bigint NOT NULL
);


ALTER TABLE pgduet._recall_sample OWNER TO pgduet_owner;

--
-- Name: _recall_sample_sample_id_seq; Type: SEQUENCE; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE pgduet._recall_sample ALTER COLUMN sample_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME pgduet._recall_sample_sample_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: _source; Type: TABLE; Schema: pgduet; Owner: pgduet_owner
--

CREATE TABLE pgduet._source (
    seq bigint NOT NULL,
    watch_id integer NOT NULL,
    row_key text,
    enqueued_at timestamp with time zone DEFAULT now() NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_attempt_at timestamp with time zone DEFAULT now() NOT NULL,
    leased_until timestamp with time zone,
    lease_owner text,
    error text
)
WITH (autovacuum_vacuum_scale_factor='0.0', autovacuum_vacuum_threshold='10000', autovacuum_vacuum_insert_threshold='-1', fillfactor='80');


ALTER TABLE pgduet._source OWNER TO pgduet_owner;

--
-- Name: TABLE _source; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON TABLE pgduet._source IS 'Queue of changed rows of watched tables; see pgduet.watch_status';


--
-- Name: _source_row; Type: TABLE; Schema: pgduet; Owner: pgduet_owner
--

CREATE TABLE pgduet._source_row (
    watch_id integer NOT NULL,
    row_key text NOT NULL,
    row_hash bytea,
    row_version text NOT NULL,
    chunks integer NOT NULL,
    error text,
    done_at timestamp with time zone DEFAULT now() NOT NULL
);


ALTER TABLE pgduet._source_row OWNER TO pgduet_owner;

--
-- Name: TABLE _source_row; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON TABLE pgduet._source_row IS 'What was made of each row of the watched tables; see pgduet.watch_status and pgduet.watch_failures';


--
-- Name: _source_seq_seq; Type: SEQUENCE; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE pgduet._source ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pgduet._source_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: _triplet; Type: TABLE; Schema: pgduet; Owner: pgduet_owner
--

CREATE TABLE pgduet._triplet (
    mining_id bigint NOT NULL,
    triplet_id integer NOT NULL,
    negative_number smallint NOT NULL,
    split text NOT NULL,
    kind text NOT NULL,
    anchor text NOT NULL,
    positive text NOT NULL,
    negative text NOT NULL,
    negative_kind text NOT NULL,
    anchor_chunk bigint NOT NULL,
    positive_chunk bigint NOT NULL,
    negative_chunk bigint NOT NULL,
    positive_similarity double precision,
    positive_code double precision,
    positive_text double precision,
    negative_similarity double precision NOT NULL,
    negative_code double precision,
    negative_text double precision,
    CONSTRAINT _triplet_kind_check CHECK ((kind = ANY (ARRAY['docstring'::text, 'symbol'::text, 'cosine'::text]))),
    CONSTRAINT _triplet_negative_kind_check CHECK ((negative_kind = ANY (ARRAY['hard'::text, 'random'::text]))),
    CONSTRAINT _triplet_split_check CHECK ((split = ANY (ARRAY['train'::text, 'dev'::text, 'test'::text])))
);


ALTER TABLE pgduet._triplet OWNER TO pgduet_owner;

--
-- Name: _watch; Type: TABLE; Schema: pgduet; Owner: pgduet_owner
--

CREATE TABLE pgduet._watch (
    watch_id integer NOT NULL,
    source text NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    key_columns text[] NOT NULL,
    content_column text NOT NULL,
    path_column text,
    language_column text,
    language text,
    repo text,
    copy_protected boolean NOT NULL,
    long_keys bigint DEFAULT 0 NOT NULL,
    problem text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by text NOT NULL
);


ALTER TABLE pgduet._watch OWNER TO pgduet_owner;

--
-- Name: TABLE _watch; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON TABLE pgduet._watch IS 'Watched tables; see pgduet.watch_status';


--
-- Name: _watch_watch_id_seq; Type: SEQUENCE; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE pgduet._watch ALTER COLUMN watch_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pgduet._watch_watch_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: _worker; Type: TABLE; Schema: pgduet; Owner: pgduet_owner
--

CREATE TABLE pgduet._worker (
    worker text NOT NULL,
    host text NOT NULL,
    pid integer NOT NULL,
    version text NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL,
    state text NOT NULL,
    detail text,
    embedded bigint DEFAULT 0 NOT NULL,
    failed bigint DEFAULT 0 NOT NULL
);


ALTER TABLE pgduet._worker OWNER TO pgduet_owner;

--
-- Name: TABLE _worker; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON TABLE pgduet._worker IS 'Heartbeats; see pgduet.worker_status';


--
-- Name: code_chunks; Type: TABLE; Schema: pgduet; Owner: pgduet_owner
--

CREATE TABLE pgduet.code_chunks (
    chunk_id bigint NOT NULL,
    repo text,
    path text,
    symbol text,
    kind text,
    language text,
    start_line integer,
    end_line integer,
    content text,
    content_hash bytea GENERATED ALWAYS AS (pgduet._content_hash(content)) STORED,
    source text,
    source_key text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT code_chunks_check CHECK ((end_line >= start_line)),
    CONSTRAINT code_chunks_start_line_check CHECK ((start_line >= 1))
);


ALTER TABLE pgduet.code_chunks OWNER TO pgduet_owner;

--
-- Name: TABLE code_chunks; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON TABLE pgduet.code_chunks IS 'Pieces of code that are searched: write here by INSERT, COPY, ON CONFLICT or MERGE; vectors follow by trigger';


--
-- Name: COLUMN code_chunks.repo; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.code_chunks.repo IS 'Repository or collection the chunk belongs to';


--
-- Name: COLUMN code_chunks.path; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.code_chunks.path IS 'Path of the file within the repository';


--
-- Name: COLUMN code_chunks.symbol; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.code_chunks.symbol IS 'Dotted name of the function, method or class; of a block: what it stands in or creates, else NULL';


--
-- Name: COLUMN code_chunks.kind; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.code_chunks.kind IS 'function, method, class or block';


--
-- Name: COLUMN code_chunks.language; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.code_chunks.language IS 'Programming language in lower case, such as python';


--
-- Name: COLUMN code_chunks.start_line; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.code_chunks.start_line IS 'First line of the chunk in its file, counted from 1';


--
-- Name: COLUMN code_chunks.end_line; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.code_chunks.end_line IS 'Last line of the chunk in its file';


--
-- Name: COLUMN code_chunks.content; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.code_chunks.content IS 'The code itself; NULL or blank content is kept and never embedded';


--
-- Name: COLUMN code_chunks.content_hash; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.code_chunks.content_hash IS 'SHA-256 of the content; NULL where there is nothing to embed';


--
-- Name: COLUMN code_chunks.source; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.code_chunks.source IS 'Who keeps this chunk up to date, such as ingest:myrepo; NULL for rows written by hand';


--
-- Name: COLUMN code_chunks.source_key; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.code_chunks.source_key IS 'Key of the chunk within its source';


--
-- Name: code_embeddings; Type: TABLE; Schema: pgduet; Owner: pgduet_owner
--

CREATE TABLE pgduet.code_embeddings (
    chunk_id bigint NOT NULL,
    generation_id integer NOT NULL,
    content_hash bytea NOT NULL,
    embedding public.halfvec(2560) NOT NULL,
    sketch bit(2560) NOT NULL,
    repo text,
    path text,
    language text,
    code_tokens integer,
    text_tokens integer,
    truncated boolean DEFAULT false NOT NULL,
    embedded_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT code_embeddings_embedding_check CHECK ((public.l2_norm(embedding) > (0)::double precision))
)
PARTITION BY LIST (generation_id);
ALTER TABLE ONLY pgduet.code_embeddings ALTER COLUMN sketch SET STORAGE PLAIN;


ALTER TABLE pgduet.code_embeddings OWNER TO pgduet_owner;

--
-- Name: TABLE code_embeddings; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON TABLE pgduet.code_embeddings IS 'Vectors of the chunks, one partition for each generation; written by triggers and the worker only';


--
-- Name: COLUMN code_embeddings.embedding; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.code_embeddings.embedding IS 'Unit vector of 2560: code half of 1536, then text half of 1024';


--
-- Name: COLUMN code_embeddings.sketch; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.code_embeddings.sketch IS 'Signs of the rotated vector: candidates are found by Hamming distance on it';


--
-- Name: COLUMN code_embeddings.truncated; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.code_embeddings.truncated IS 'True where a half of the duet read only the beginning of the content';


--
-- Name: chunk_status; Type: VIEW; Schema: pgduet; Owner: pgduet_owner
--

CREATE VIEW pgduet.chunk_status WITH (security_invoker='true') AS
 SELECT c.chunk_id,
    c.repo,
    c.path,
    c.symbol,
        CASE
            WHEN (c.content_hash IS NULL) THEN 'skipped'::text
            WHEN (e.chunk_id IS NOT NULL) THEN 'embedded'::text
            WHEN (d.chunk_id IS NOT NULL) THEN 'failed'::text
            ELSE 'pending'::text
        END AS state,
        CASE
            WHEN (c.content IS NULL) THEN 'the content is NULL'::text
            WHEN (c.content_hash IS NULL) THEN 'the content is blank'::text
            WHEN e.truncated THEN (('only the beginning was read: the content has '::text || GREATEST(e.code_tokens, e.text_tokens)) || ' tokens'::text)
            WHEN (e.chunk_id IS NULL) THEN d.error
            ELSE NULL::text
        END AS reason,
    e.code_tokens,
    e.text_tokens,
    e.truncated,
    e.embedded_at
   FROM (((pgduet.code_chunks c
     LEFT JOIN pgduet.generations g ON ((g.state = 'active'::text)))
     LEFT JOIN pgduet.code_embeddings e ON (((e.chunk_id = c.chunk_id) AND (e.generation_id = g.generation_id) AND (e.content_hash = c.content_hash))))
     LEFT JOIN pgduet._dead_letter d ON (((d.chunk_id = c.chunk_id) AND (d.generation_id = g.generation_id) AND (d.content_hash = c.content_hash))));


ALTER TABLE pgduet.chunk_status OWNER TO pgduet_owner;

--
-- Name: VIEW chunk_status; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON VIEW pgduet.chunk_status IS 'State of every chunk: embedded, pending, skipped (NULL or blank content) or failed, with the reason; chunks that were cut: WHERE truncated';


--
-- Name: COLUMN chunk_status.code_tokens; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.chunk_status.code_tokens IS 'Tokens of the whole content as the code half counts them, special tokens included';


--
-- Name: COLUMN chunk_status.text_tokens; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.chunk_status.text_tokens IS 'Tokens of the whole content as the text half counts them, special tokens included';


--
-- Name: COLUMN chunk_status.truncated; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.chunk_status.truncated IS 'True where a half of the duet read only the beginning of the content: its end is not found by searches; store it in smaller chunks (pgduet.chunk_code, pgduet.watch, pgduet ingest)';


--
-- Name: code_chunks_chunk_id_seq; Type: SEQUENCE; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE pgduet.code_chunks ALTER COLUMN chunk_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME pgduet.code_chunks_chunk_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: code_embeddings_g1; Type: TABLE; Schema: pgduet; Owner: pgduet_owner
--

CREATE TABLE pgduet.code_embeddings_g1 (
    chunk_id bigint NOT NULL,
    generation_id integer NOT NULL,
    content_hash bytea NOT NULL,
    embedding public.halfvec(2560) NOT NULL,
    sketch bit(2560) NOT NULL,
    repo text,
    path text,
    language text,
    code_tokens integer,
    text_tokens integer,
    truncated boolean DEFAULT false NOT NULL,
    embedded_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT code_embeddings_embedding_check CHECK ((public.l2_norm(embedding) > (0)::double precision))
);
ALTER TABLE ONLY pgduet.code_embeddings_g1 ALTER COLUMN sketch SET STORAGE PLAIN;


ALTER TABLE pgduet.code_embeddings_g1 OWNER TO pgduet_owner;

--
-- Name: COLUMN code_embeddings_g1.embedding; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.code_embeddings_g1.embedding IS 'Unit vector of 2560: code half of 1536, then text half of 1024';


--
-- Name: COLUMN code_embeddings_g1.sketch; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.code_embeddings_g1.sketch IS 'Signs of the rotated vector: candidates are found by Hamming distance on it';


--
-- Name: COLUMN code_embeddings_g1.truncated; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.code_embeddings_g1.truncated IS 'True where a half of the duet read only the beginning of the content';


--
-- Name: coverage; Type: VIEW; Schema: pgduet; Owner: pgduet_owner
--

CREATE VIEW pgduet.coverage WITH (security_invoker='true') AS
 SELECT c.repo,
    c.language,
    count(*) AS chunks,
    count(e.chunk_id) AS embedded,
    count(*) FILTER (WHERE (c.content_hash IS NULL)) AS blank,
    count(*) FILTER (WHERE ((c.content_hash IS NOT NULL) AND (e.chunk_id IS NULL))) AS pending,
    count(*) FILTER (WHERE e.truncated) AS truncated
   FROM (pgduet.code_chunks c
     LEFT JOIN pgduet.code_embeddings e ON (((e.chunk_id = c.chunk_id) AND (e.content_hash = c.content_hash) AND (e.generation_id = ( SELECT g.generation_id
           FROM pgduet.generations g
          WHERE (g.state = 'active'::text))))))
  GROUP BY c.repo, c.language;


ALTER TABLE pgduet.coverage OWNER TO pgduet_owner;

--
-- Name: VIEW coverage; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON VIEW pgduet.coverage IS 'Chunks, vectors, blank and pending chunks by repository and language';


--
-- Name: failures; Type: VIEW; Schema: pgduet; Owner: pgduet_owner
--

CREATE VIEW pgduet.failures WITH (security_invoker='true') AS
 SELECT c.chunk_id,
    c.repo,
    c.path,
    c.symbol,
    f.state,
    f.error_class,
    f.error,
    f.attempts,
    f.failed_at,
    f.next_attempt_at
   FROM (( SELECT d.chunk_id,
            'failed'::text AS state,
            d.error_class,
            d.error,
            d.attempts,
            d.failed_at,
            NULL::timestamp with time zone AS next_attempt_at
           FROM pgduet._dead_letter d
        UNION ALL
         SELECT p.chunk_id,
            'retrying'::text,
            max(p.error_class) AS max,
            max(p.error) AS max,
            max(p.attempts) AS max,
            NULL::timestamp with time zone,
            min(p.next_attempt_at) AS min
           FROM pgduet._pending p
          WHERE (p.error_class IS NOT NULL)
          GROUP BY p.chunk_id) f
     JOIN pgduet.code_chunks c ON ((c.chunk_id = f.chunk_id)));


ALTER TABLE pgduet.failures OWNER TO pgduet_owner;

--
-- Name: VIEW failures; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON VIEW pgduet.failures IS 'Chunks that could not be embedded, and why: state retrying (tried again at next_attempt_at) or failed (given up until the content changes or retry_failed() is called)';


--
-- Name: COLUMN failures.error_class; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.failures.error_class IS 'row_temporary: may go well another time; row_permanent: this content can never be embedded';


--
-- Name: finetune_history; Type: VIEW; Schema: pgduet; Owner: pgduet_owner
--

CREATE VIEW pgduet.finetune_history WITH (security_invoker='true') AS
 SELECT r.run_id,
    r.name,
    r.state,
    r.status,
    r.phase,
    (r.options ->> 'objective'::text) AS objective,
    (r.options ->> 'part'::text) AS part,
    ((r.options -> 'mine'::text))::boolean AS mine,
    ((r.options -> 'promote'::text))::boolean AS promote,
    ( SELECT string_agg(concat(o.key, ' ', o.value), ', '::text ORDER BY o.key) AS string_agg
           FROM jsonb_each_text(r.options) o(key, value)
          WHERE (o.key <> ALL (ARRAY['objective'::text, 'part'::text, 'mine'::text, 'promote'::text]))) AS other_options,
    r.requested_by,
    r.requested_at,
    r.started_at,
    r.ended_at,
    (EXTRACT(epoch FROM (COALESCE(r.ended_at, clock_timestamp()) - r.started_at)))::double precision AS seconds,
    r.attempts,
        CASE
            WHEN (r.state = 'requested'::text) THEN r.next_attempt_at
            ELSE NULL::timestamp with time zone
        END AS next_attempt_at,
        CASE
            WHEN (r.state = 'running'::text) THEN r.trainer
            ELSE NULL::text
        END AS trainer,
        CASE
            WHEN (r.state = 'running'::text) THEN (EXTRACT(epoch FROM (clock_timestamp() - r.seen_at)))::double precision
            ELSE NULL::double precision
        END AS silent_seconds,
    r.step,
    r.steps,
    r.loss,
    r.gradient_norm,
    r.dev_score,
    (r.gate ->> 'metric'::text) AS metric,
        CASE
            WHEN (jsonb_typeof((r.gate -> 'questions'::text)) = 'number'::text) THEN ((r.gate -> 'questions'::text))::integer
            ELSE NULL::integer
        END AS questions,
        CASE
            WHEN (jsonb_typeof((r.gate -> 'before'::text)) = 'number'::text) THEN ((r.gate -> 'before'::text))::double precision
            ELSE NULL::double precision
        END AS score_before,
        CASE
            WHEN (jsonb_typeof((r.gate -> 'after'::text)) = 'number'::text) THEN ((r.gate -> 'after'::text))::double precision
            ELSE NULL::double precision
        END AS score,
        CASE
            WHEN (jsonb_typeof((r.gate -> 'ci_low'::text)) = 'number'::text) THEN ((r.gate -> 'ci_low'::text))::double precision
            ELSE NULL::double precision
        END AS gain_low,
        CASE
            WHEN (jsonb_typeof((r.gate -> 'ci_high'::text)) = 'number'::text) THEN ((r.gate -> 'ci_high'::text))::double precision
            ELSE NULL::double precision
        END AS gain_high,
    ((r.gate -> 'passed'::text))::boolean AS gate_passed,
    r.generation,
    g.state AS generation_state,
    r.error
   FROM (pgduet.finetune_runs r
     LEFT JOIN pgduet.generations g ON ((g.name = r.generation)));


ALTER TABLE pgduet.finetune_history OWNER TO pgduet_owner;

--
-- Name: VIEW finetune_history; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON VIEW pgduet.finetune_history IS 'Fine-tuning runs that were asked for in SQL or by schedule: how far each is and what came of it';


--
-- Name: COLUMN finetune_history.name; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.finetune_history.name IS 'Name of the new duet, and of its generation';


--
-- Name: COLUMN finetune_history.state; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.finetune_history.state IS 'requested: waits for a trainer, or for its next attempt; running; done; failed: given up; cancelled';


--
-- Name: COLUMN finetune_history.status; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.finetune_history.status IS 'What came of it: promotable, promoted, not better, too little data, not finite, collapsed, nothing to learn, or failed';


--
-- Name: COLUMN finetune_history.phase; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.finetune_history.phase IS 'What a trainer is doing: mining, training, loading (the new duet into the sidecar) or filling (its generation)';


--
-- Name: COLUMN finetune_history.requested_by; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.finetune_history.requested_by IS 'Role that asked for it, or scheduled';


--
-- Name: COLUMN finetune_history.seconds; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.finetune_history.seconds IS 'From the first attempt to the end, or until now';


--
-- Name: COLUMN finetune_history.attempts; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.finetune_history.attempts IS 'Attempts so far; what a trainer that was stopped gave back does not count';


--
-- Name: COLUMN finetune_history.silent_seconds; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.finetune_history.silent_seconds IS 'Since the trainer''s last sign of life: more than a minute means that it is gone, or that the database cannot be reached';


--
-- Name: COLUMN finetune_history.loss; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.finetune_history.loss IS 'Of the last step';


--
-- Name: COLUMN finetune_history.gradient_norm; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.finetune_history.gradient_norm IS 'Of the last step, before it was clipped';


--
-- Name: COLUMN finetune_history.dev_score; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.finetune_history.dev_score IS 'nDCG@10 on the dev side when last checked';


--
-- Name: COLUMN finetune_history.score; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.finetune_history.score IS 'What the new duet reached on the test side, by `metric`; score_before its parent';


--
-- Name: COLUMN finetune_history.gain_low; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.finetune_history.gain_low IS 'The gain lies between gain_low and gain_high with 95 %';


--
-- Name: COLUMN finetune_history.gate_passed; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.finetune_history.gate_passed IS 'Whether it is better by the margin that was set, with certainty';


--
-- Name: COLUMN finetune_history.error; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.finetune_history.error IS 'What went wrong last, or why it was not promoted';


--
-- Name: finetune_runs_run_id_seq; Type: SEQUENCE; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE pgduet.finetune_runs ALTER COLUMN run_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pgduet.finetune_runs_run_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: generation_status; Type: VIEW; Schema: pgduet; Owner: pgduet_owner
--

CREATE VIEW pgduet.generation_status WITH (security_invoker='true') AS
 SELECT g.generation_id,
    g.name,
    g.model,
    g.fingerprint,
    g.state,
    g.created_at,
    g.activated_at,
    n.vectors,
    p.name AS parent,
    n.lacking,
    n.failed,
        CASE
            WHEN (n.chunks > 0) THEN ((((n.chunks - n.lacking) - n.failed))::double precision / (n.chunks)::double precision)
            WHEN (n.chunks = 0) THEN (1)::double precision
            ELSE NULL::double precision
        END AS share_done,
    (i.index_name IS NOT NULL) AS has_index,
    ( SELECT r.recall
           FROM pgduet._recall_sample r
          WHERE ((r.index_name = i.index_name) AND (r.generation_id = g.generation_id))
          ORDER BY r.measured_at DESC, r.recall
         LIMIT 1) AS recall,
    s.metric,
    s.score_before,
    s.score,
    s.gate_passed,
    g.retired_at,
    g.dropped_at
   FROM ((((pgduet.generations g
     LEFT JOIN pgduet.generations p ON ((p.generation_id = g.parent)))
     CROSS JOIN LATERAL pgduet._generation_counts(g.generation_id, (g.state = ANY (ARRAY['building'::text, 'ready'::text, 'active'::text]))) n(vectors, chunks, lacking, failed))
     CROSS JOIN LATERAL pgduet._search_index(g.generation_id) i(index_name, kind, lists, probes, ef_search, depth, rows_at_build))
     CROSS JOIN LATERAL ( SELECT ((g.metrics -> 'gate'::text) ->> 'metric'::text) AS metric,
                CASE
                    WHEN (jsonb_typeof(((g.metrics -> 'gate'::text) -> 'before'::text)) = 'number'::text) THEN (((g.metrics -> 'gate'::text) -> 'before'::text))::double precision
                    ELSE NULL::double precision
                END AS score_before,
                CASE
                    WHEN (jsonb_typeof(((g.metrics -> 'gate'::text) -> 'after'::text)) = 'number'::text) THEN (((g.metrics -> 'gate'::text) -> 'after'::text))::double precision
                    ELSE NULL::double precision
                END AS score,
                CASE
                    WHEN (jsonb_typeof(((g.metrics -> 'gate'::text) -> 'passed'::text)) = 'boolean'::text) THEN (((g.metrics -> 'gate'::text) -> 'passed'::text))::boolean
                    ELSE NULL::boolean
                END AS gate_passed) s);


ALTER TABLE pgduet.generation_status OWNER TO pgduet_owner;

--
-- Name: VIEW generation_status; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON VIEW pgduet.generation_status IS 'Generations: what each holds and lacks, and how good its search is';


--
-- Name: COLUMN generation_status.state; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.generation_status.state IS 'building: being filled; ready: complete and kept current; active: searched; retired: given up; dropped: its vectors are gone';


--
-- Name: COLUMN generation_status.vectors; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.generation_status.vectors IS 'Vectors it holds, those of old content included';


--
-- Name: COLUMN generation_status.parent; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.generation_status.parent IS 'The generation that was active when this one was added';


--
-- Name: COLUMN generation_status.lacking; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.generation_status.lacking IS 'Chunks that have no current vector in it yet, without the failed ones';


--
-- Name: COLUMN generation_status.failed; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.generation_status.failed IS 'Chunks that were given up for it: see pgduet.failures';


--
-- Name: COLUMN generation_status.share_done; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.generation_status.share_done IS 'Share of the chunks that have their current vector, 0 to 1';


--
-- Name: COLUMN generation_status.recall; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.generation_status.recall IS 'Share of the ten nearest chunks that a search through its index finds, when last measured';


--
-- Name: COLUMN generation_status.score_before; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.generation_status.score_before IS 'The same for the generation it was compared with';


--
-- Name: COLUMN generation_status.score; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.generation_status.score IS 'What the evaluation found for this generation, by `metric`';


--
-- Name: COLUMN generation_status.gate_passed; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.generation_status.gate_passed IS 'Whether it is better by the margin that was set';


--
-- Name: generations_generation_id_seq; Type: SEQUENCE; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE pgduet.generations ALTER COLUMN generation_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME pgduet.generations_generation_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: index_status; Type: VIEW; Schema: pgduet; Owner: pgduet_owner
--

CREATE VIEW pgduet.index_status WITH (security_invoker='true') AS
 SELECT b.generation_id,
    b.index_name,
    b.lists,
    b.rows_at_build,
    b.started_at,
    b.finished_at,
    i.indisvalid AS valid,
    pg_relation_size((i.indexrelid)::regclass) AS bytes,
    b.kind,
    b.probes,
    b.ef_search,
    b.depth,
    n.rows AS rows_now,
    b.recall_target,
    r.recall,
    r.recall_low,
    r.recall_high,
    l.recall AS recall_before,
        CASE
            WHEN (r.recall_high < l.recall) THEN 'falling'::text
            WHEN (r.recall_low > l.recall) THEN 'rising'::text
            WHEN (l.recall IS NOT NULL) THEN 'steady'::text
            ELSE NULL::text
        END AS recall_trend,
    r.query_kind AS measured_with,
    r.index_ms AS search_ms,
    r.exact_ms,
    r.measured_at,
    b.reason,
    p.phase,
    (((100.0 * (
        CASE
            WHEN (p.tuples_total > 0) THEN p.tuples_done
            ELSE p.blocks_done
        END)::numeric) / (NULLIF(
        CASE
            WHEN (p.tuples_total > 0) THEN p.tuples_total
            ELSE p.blocks_total
        END, 0))::numeric))::double precision AS progress
   FROM ((((((pgduet._index_build b
     JOIN pg_class c ON (((c.relname = b.index_name) AND (c.relnamespace = ('pgduet'::regnamespace)::oid))))
     JOIN pg_index i ON ((i.indexrelid = c.oid)))
     CROSS JOIN LATERAL pgduet._vector_count(b.generation_id) n(rows, changes))
     LEFT JOIN LATERAL ( SELECT s.sample_id,
            s.generation_id,
            s.index_name,
            s.measured_at,
            s.query_kind,
            s.queries,
            s.k,
            s.probes,
            s.ef_search,
            s.depth,
            s.recall,
            s.recall_low,
            s.recall_high,
            s.index_ms,
            s.exact_ms,
            s.rows,
            s.changes
           FROM pgduet._recall_sample s
          WHERE ((s.index_name = b.index_name) AND (s.generation_id = b.generation_id))
          ORDER BY s.measured_at DESC, s.recall
         LIMIT 1) r ON (true))
     LEFT JOIN LATERAL ( SELECT s.recall
           FROM pgduet._recall_sample s
          WHERE ((s.index_name = b.index_name) AND (s.generation_id = b.generation_id) AND (s.query_kind = r.query_kind) AND (s.measured_at < r.measured_at))
          ORDER BY s.measured_at DESC
         LIMIT 1) l ON (true))
     LEFT JOIN pg_stat_progress_create_index p ON (((p.index_relid = i.indexrelid) AND (p.datname = current_database()))));


ALTER TABLE pgduet.index_status OWNER TO pgduet_owner;

--
-- Name: VIEW index_status; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON VIEW pgduet.index_status IS 'Indexes of searches that exist: what they were built on, how searches use them, and the share of the ten nearest chunks that these find';


--
-- Name: COLUMN index_status.probes; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.index_status.probes IS 'Lists that a search without a filter looks through; a filter or a large k takes more';


--
-- Name: COLUMN index_status.depth; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.index_status.depth IS 'Candidates from the lists whose cosine is computed exactly';


--
-- Name: COLUMN index_status.rows_now; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.index_status.rows_now IS 'Vectors of the generation now, as the statistics know them';


--
-- Name: COLUMN index_status.recall; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.index_status.recall IS 'Share of the ten nearest chunks that a search finds, of the hardest kind of query, when last measured; recall_low and recall_high hold it with 95 %';


--
-- Name: COLUMN index_status.recall_before; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.index_status.recall_before IS 'The same the time before, for the same kind of query';


--
-- Name: COLUMN index_status.recall_trend; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.index_status.recall_trend IS 'steady, falling or rising: whether the two differ by more than chance';


--
-- Name: COLUMN index_status.measured_with; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.index_status.measured_with IS 'Kind of query: stored (chunks), symbol (names of stored symbols) or real (what people asked)';


--
-- Name: COLUMN index_status.search_ms; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.index_status.search_ms IS 'Median time of a search through the index, without the model call, in milliseconds';


--
-- Name: COLUMN index_status.exact_ms; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.index_status.exact_ms IS 'Median time of the exact answer it was compared with, in milliseconds';


--
-- Name: COLUMN index_status.reason; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.index_status.reason IS 'Why it was built';


--
-- Name: COLUMN index_status.phase; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.index_status.phase IS 'What a running build is doing; seen by members of pg_read_all_stats';


--
-- Name: COLUMN index_status.progress; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.index_status.progress IS 'How much of that phase is done, in percent';


--
-- Name: queue_status; Type: VIEW; Schema: pgduet; Owner: pgduet_owner
--

CREATE VIEW pgduet.queue_status WITH (security_invoker='true') AS
 WITH queued AS (
         SELECT p.chunk_id,
            min(p.enqueued_at) AS since,
            max(p.attempts) AS attempts,
            min(p.next_attempt_at) AS next_attempt_at,
                CASE
                    WHEN bool_or((p.leased_until > clock_timestamp())) THEN 'in_work'::text
                    WHEN bool_or((p.error_class IS NOT NULL)) THEN 'retrying'::text
                    ELSE 'waiting'::text
                END AS state,
            max(p.error) AS error
           FROM pgduet._pending p
          GROUP BY p.chunk_id
        ), counted AS (
         SELECT q.state,
            count(*) AS chunks,
            min(q.since) AS since,
            min(q.next_attempt_at) AS next_attempt_at,
            max(q.error) AS example
           FROM queued q
          GROUP BY q.state
        UNION ALL
         SELECT 'failed'::text,
            count(DISTINCT d.chunk_id) AS count,
            min(d.failed_at) AS min,
            NULL::timestamp with time zone,
            max(d.error) AS max
           FROM pgduet._dead_letter d
        )
 SELECT s.state,
    s.meaning,
    COALESCE(n.chunks, (0)::bigint) AS chunks,
    (EXTRACT(epoch FROM (clock_timestamp() - n.since)))::double precision AS oldest_seconds,
    n.next_attempt_at,
    n.example AS last_error
   FROM (( VALUES (1,'waiting'::text,'will be embedded as soon as a worker and the sidecar are free'::text), (2,'in_work'::text,'a worker has it in hand'::text), (3,'retrying'::text,'failed at least once and will be tried again; see pgduet.failures'::text), (4,'failed'::text,'given up; see pgduet.failures, then SELECT pgduet.retry_failed()'::text)) s(place, state, meaning)
     LEFT JOIN counted n ON ((n.state = s.state)))
  ORDER BY s.place;


ALTER TABLE pgduet.queue_status OWNER TO pgduet_owner;

--
-- Name: VIEW queue_status; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON VIEW pgduet.queue_status IS 'Chunks without a current vector by state: waiting, in_work, retrying, failed; how old the oldest is and what went wrong';


--
-- Name: COLUMN queue_status.oldest_seconds; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.queue_status.oldest_seconds IS 'Age of the oldest chunk in this state, in seconds';


--
-- Name: triplets; Type: VIEW; Schema: pgduet; Owner: pgduet_owner
--

CREATE VIEW pgduet.triplets WITH (security_invoker='true') AS
 SELECT t.triplet_id,
    t.negative_number,
    t.split,
    t.kind,
    t.anchor,
    t.positive,
    t.negative,
    t.negative_kind,
    t.anchor_chunk,
    t.positive_chunk,
    t.negative_chunk,
    t.positive_similarity,
    t.positive_code,
    t.positive_text,
    t.negative_similarity,
    t.negative_code,
    t.negative_text,
    t.mining_id,
    m.generation_id,
    m.finished_at AS mined_at
   FROM ((((pgduet._triplet t
     JOIN pgduet._mining m ON ((m.mining_id = t.mining_id)))
     JOIN pgduet.code_chunks a ON ((a.chunk_id = t.anchor_chunk)))
     JOIN pgduet.code_chunks p ON ((p.chunk_id = t.positive_chunk)))
     JOIN pgduet.code_chunks n ON ((n.chunk_id = t.negative_chunk)))
  WHERE (m.mining_id = ( SELECT max(l.mining_id) AS max
           FROM pgduet._mining l));


ALTER TABLE pgduet.triplets OWNER TO pgduet_owner;

--
-- Name: VIEW triplets; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON VIEW pgduet.triplets IS 'What fine-tuning learns from, as the last `pgduet mine` found it: one row for each negative of a triplet';


--
-- Name: COLUMN triplets.split; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.triplets.split IS 'train, dev or test; no repository (or file), and no near-copy, is on two sides';


--
-- Name: COLUMN triplets.kind; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.triplets.kind IS 'Why anchor and positive belong together: docstring (or comment) and its code, the same symbol in another repository, or cosine';


--
-- Name: COLUMN triplets.negative_kind; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.triplets.negative_kind IS 'hard: near by the index; random: drawn, and under the threshold';


--
-- Name: COLUMN triplets.positive_similarity; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.triplets.positive_similarity IS 'Cosine of the stored vectors of anchor and positive, positive_code and positive_text that of each half; none for a docstring';


--
-- Name: COLUMN triplets.negative_similarity; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.triplets.negative_similarity IS 'Cosine of the stored vectors of the anchor''s chunk and the negative''s, negative_code and negative_text that of each half';


--
-- Name: watch_failures; Type: VIEW; Schema: pgduet; Owner: pgduet_owner
--

CREATE VIEW pgduet.watch_failures WITH (security_invoker='true') AS
 SELECT w.source,
    r.row_key,
    'failed'::text AS state,
    r.error,
    r.done_at AS failed_at,
    NULL::timestamp with time zone AS next_attempt_at
   FROM (pgduet._source_row r
     JOIN pgduet._watch w ON ((w.watch_id = r.watch_id)))
  WHERE (r.error IS NOT NULL)
UNION ALL
 SELECT w.source,
    s.row_key,
    'retrying'::text AS state,
    s.error,
    NULL::timestamp with time zone AS failed_at,
    s.next_attempt_at
   FROM (pgduet._source s
     JOIN pgduet._watch w ON ((w.watch_id = s.watch_id)))
  WHERE (s.error IS NOT NULL);


ALTER TABLE pgduet.watch_failures OWNER TO pgduet_owner;

--
-- Name: VIEW watch_failures; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON VIEW pgduet.watch_failures IS 'Rows of watched tables that could not be cut into chunks: retrying, or failed until their content changes or watch() is called again';


--
-- Name: watch_status; Type: VIEW; Schema: pgduet; Owner: pgduet_owner
--

CREATE VIEW pgduet.watch_status WITH (security_invoker='true') AS
 SELECT w.source,
    format('%I.%I'::text, w.schema_name, w.table_name) AS table_name,
    w.content_column,
    COALESCE(r.known, (0)::bigint) AS rows_known,
    COALESCE(q.waiting, (0)::bigint) AS rows_waiting,
    COALESCE(r.blank, (0)::bigint) AS rows_blank,
    (COALESCE(r.failed, (0)::bigint) + w.long_keys) AS rows_failed,
    COALESCE(r.chunks, (0)::bigint) AS chunks,
    COALESCE(q.rescan, false) AS rescan_waiting,
    (EXTRACT(epoch FROM (clock_timestamp() - q.since)))::double precision AS oldest_seconds,
        CASE
            WHEN (w.long_keys > 0) THEN (w.long_keys || ' rows have a key longer than 2,000 bytes and are left out'::text)
            ELSE COALESCE(r.error, q.error)
        END AS last_error,
    w.problem
   FROM ((pgduet._watch w
     LEFT JOIN ( SELECT r_1.watch_id,
            count(*) AS known,
            sum(r_1.chunks) AS chunks,
            count(*) FILTER (WHERE ((r_1.chunks = 0) AND (r_1.error IS NULL))) AS blank,
            count(r_1.error) AS failed,
            max(r_1.error) AS error
           FROM pgduet._source_row r_1
          GROUP BY r_1.watch_id) r ON ((r.watch_id = w.watch_id)))
     LEFT JOIN ( SELECT s.watch_id,
            count(DISTINCT s.row_key) AS waiting,
            min(s.enqueued_at) AS since,
            bool_or((s.row_key IS NULL)) AS rescan,
            max(s.error) AS error
           FROM pgduet._source s
          GROUP BY s.watch_id) q ON ((q.watch_id = w.watch_id)));


ALTER TABLE pgduet.watch_status OWNER TO pgduet_owner;

--
-- Name: VIEW watch_status; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON VIEW pgduet.watch_status IS 'Watched tables: rows known, waiting, blank and failed, chunks, and what keeps a table from being followed';


--
-- Name: COLUMN watch_status.source; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.watch_status.source IS 'Value of code_chunks.source; the name under which the table was first watched';


--
-- Name: COLUMN watch_status.table_name; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.watch_status.table_name IS 'Name of the table when last looked at';


--
-- Name: COLUMN watch_status.rows_blank; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.watch_status.rows_blank IS 'Rows whose content is NULL or blank: nothing to search for';


--
-- Name: COLUMN watch_status.rescan_waiting; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.watch_status.rescan_waiting IS 'True where the whole table is to be looked through: after watch() and TRUNCATE';


--
-- Name: COLUMN watch_status.problem; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON COLUMN pgduet.watch_status.problem IS 'What keeps the table from being followed and what to do; NULL where nothing does. Statements on the table succeed all the same';


--
-- Name: worker_status; Type: VIEW; Schema: pgduet; Owner: pgduet_owner
--

CREATE VIEW pgduet.worker_status WITH (security_invoker='true') AS
 SELECT w.worker,
    w.host,
    w.pid,
    w.version,
    w.state,
    w.detail,
    w.embedded,
    w.failed,
    w.started_at,
    w.seen_at,
    (EXTRACT(epoch FROM (clock_timestamp() - w.seen_at)))::double precision AS silent_seconds
   FROM pgduet._worker w;


ALTER TABLE pgduet.worker_status OWNER TO pgduet_owner;

--
-- Name: VIEW worker_status; Type: COMMENT; Schema: pgduet; Owner: pgduet_owner
--

COMMENT ON VIEW pgduet.worker_status IS 'Workers that run or ran within a day; one that has been silent for more than a minute is gone or hangs';


--
-- Name: note; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.note (
    id integer NOT NULL,
    body text
);


ALTER TABLE public.note OWNER TO postgres;

--
-- Name: code_embeddings_g1; Type: TABLE ATTACH; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE ONLY pgduet.code_embeddings ATTACH PARTITION pgduet.code_embeddings_g1 FOR VALUES IN (1);


--
-- Data for Name: _dead_letter; Type: TABLE DATA; Schema: pgduet; Owner: pgduet_owner
--

COPY pgduet._dead_letter (chunk_id, generation_id, content_hash, error_class, error, attempts, failed_at) FROM stdin;
99	1	\\x00	row_permanent	too long	1	2026-11-29 09:53:00.404464+00
\.


--
-- Data for Name: _index_build; Type: TABLE DATA; Schema: pgduet; Owner: pgduet_owner
--

COPY pgduet._index_build (build_id, generation_id, index_name, lists, rows_at_build, started_at, finished_at, kind, reason, error, changes_at_build, probes, ef_search, depth, recall_target, calibrated_at) FROM stdin;
1	1	code_embeddings_g1_sketch_ivfflat_1	1	3	2026-11-29 09:53:00.433883+00	2026-11-29 09:53:00.46927+00	sketch	it is the first	\N	0	1	\N	\N	\N	\N
\.


--
-- Data for Name: _index_request; Type: TABLE DATA; Schema: pgduet; Owner: pgduet_owner
--

COPY pgduet._index_request (request_id, requested_at, requested_by, done_at, outcome) FROM stdin;
\.


--
-- Data for Name: _installation; Type: TABLE DATA; Schema: pgduet; Owner: pgduet_owner
--

COPY pgduet._installation (installed_at, version, sql_hash) FROM stdin;
2026-11-29 09:52:59.444303+00	0.1.0	faf22bfa6e6d52e5c9688d9a42c47b875baaad248b36931bc8a0b0be9945c075
\.


--
-- Data for Name: _migration; Type: TABLE DATA; Schema: pgduet; Owner: pgduet_owner
--

COPY pgduet._migration (version_num) FROM stdin;
0007
\.


--
-- Data for Name: _mining; Type: TABLE DATA; Schema: pgduet; Owner: pgduet_owner
--

COPY pgduet._mining (mining_id, started_at, finished_at, mined_by, generation_id, settings, report) FROM stdin;
\.


--
-- Data for Name: _pending; Type: TABLE DATA; Schema: pgduet; Owner: pgduet_owner
--

COPY pgduet._pending (seq, chunk_id, enqueued_at, attempts, next_attempt_at, leased_until, lease_owner, error_class, error) FROM stdin;
4	5	2026-11-29 09:53:00.402518+00	0	2026-11-29 09:53:00.402518+00	\N	\N	\N	\N
\.


--
-- Data for Name: _promotion; Type: TABLE DATA; Schema: pgduet; Owner: pgduet_owner
--

COPY pgduet._promotion (promotion_id, kind, from_generation, to_generation, promoted_at, promoted_by, forced, reason, undone_at) FROM stdin;
\.


--
-- Data for Name: _recall_sample; Type: TABLE DATA; Schema: pgduet; Owner: pgduet_owner
--

COPY pgduet._recall_sample (sample_id, generation_id, index_name, measured_at, query_kind, queries, k, probes, ef_search, depth, recall, recall_low, recall_high, index_ms, exact_ms, rows, changes) FROM stdin;
\.


--
-- Data for Name: _setting; Type: TABLE DATA; Schema: pgduet; Owner: pgduet_owner
--

COPY pgduet._setting (key, value, description, updated_at) FROM stdin;
deadline_ms	5000	longest wait for a call with one text, in milliseconds	2026-11-29 09:52:58.347051+00
batch_deadline_ms	120000	longest wait for a call with many texts, in milliseconds	2026-11-29 09:52:58.347051+00
sync_max_rows	256	auto: most rows of one statement that are embedded inside it	2026-11-29 09:52:58.539139+00
sync_timeout_ms	2000	auto: longest that one transaction waits for the sidecar, in milliseconds	2026-11-29 09:52:58.539139+00
notify	on	on: a commit wakes the worker; off: the worker looks every few seconds, and two-phase commit is allowed	2026-11-29 09:52:58.539139+00
index_kind	sketch	sketch: IVFFLAT on the sketches; halfvec: IVFFLAT on the vectors; hnsw: HNSW on the sketches	2026-11-29 09:52:58.626044+00
index_min_rows	1000	vectors before the first index is built	2026-11-29 09:52:58.626044+00
index_growth	2.0	the index is rebuilt when there are so many times the vectors it was built on	2026-11-29 09:52:58.626044+00
index_memory_mb	1024	most memory that building the index may take, in MB	2026-11-29 09:52:58.626044+00
recall_target	0.97	share of the ten nearest chunks that a search through the index should find	2026-11-29 09:52:58.626044+00
lexical_index	off	on: keep a full-text index for similar_code(lexical => true)	2026-11-29 09:52:58.626044+00
mining_positive	0.85	cosine, of each half, from which two chunks mean the same, where that separates at all	2026-11-29 09:52:58.674407+00
mining_negative	0.3	cosine, of each half, under which two chunks have nothing in common, where that separates	2026-11-29 09:52:58.674407+00
finetune_every	never	a trainer asks for a run when none was asked for within this time, such as 7 days	2026-11-29 09:52:58.705996+00
finetune_promote	off	on: the runs of finetune_every are promoted where they are better	2026-11-29 09:52:58.705996+00
finetune_attempts	3	attempts until a run is given up that was killed or failed for no reason of its data	2026-11-29 09:52:58.705996+00
trigger_mode	queue	sync: embed inside the statement; queue: leave it to the worker; auto: small statements inside, as long as the sidecar is quick	2026-11-29 09:52:58.539139+00
batch_texts	32	texts in one call to the sidecar	2026-11-29 09:52:58.347051+00
sidecar_address	unix:/nonexistent/sidecar.sock	gRPC address of the sidecar: host:port or unix:/path/to.sock	2026-11-29 09:52:58.347051+00
\.


--
-- Data for Name: _source; Type: TABLE DATA; Schema: pgduet; Owner: pgduet_owner
--

COPY pgduet._source (seq, watch_id, row_key, enqueued_at, attempts, next_attempt_at, leased_until, lease_owner, error) FROM stdin;
\.


--
-- Data for Name: _source_row; Type: TABLE DATA; Schema: pgduet; Owner: pgduet_owner
--

COPY pgduet._source_row (watch_id, row_key, row_hash, row_version, chunks, error, done_at) FROM stdin;
1	1	\\xdb5241bb2bca893312a2aa39f2c5b23fb501994d8a850756753a25be2ed174d7	744	1	\N	2026-11-29 09:52:59.878437+00
\.


--
-- Data for Name: _triplet; Type: TABLE DATA; Schema: pgduet; Owner: pgduet_owner
--

COPY pgduet._triplet (mining_id, triplet_id, negative_number, split, kind, anchor, positive, negative, negative_kind, anchor_chunk, positive_chunk, negative_chunk, positive_similarity, positive_code, positive_text, negative_similarity, negative_code, negative_text) FROM stdin;
\.


--
-- Data for Name: _watch; Type: TABLE DATA; Schema: pgduet; Owner: pgduet_owner
--

COPY pgduet._watch (watch_id, source, schema_name, table_name, key_columns, content_column, path_column, language_column, language, repo, copy_protected, long_keys, problem, created_at, created_by) FROM stdin;
1	public.note	public	note	{id}	body	\N	\N	\N	\N	f	0	\N	2026-11-29 09:52:59.479952+00	postgres
\.


--
-- Data for Name: _worker; Type: TABLE DATA; Schema: pgduet; Owner: pgduet_owner
--

COPY pgduet._worker (worker, host, pid, version, started_at, seen_at, state, detail, embedded, failed) FROM stdin;
\.


--
-- Data for Name: code_chunks; Type: TABLE DATA; Schema: pgduet; Owner: pgduet_owner
--

COPY pgduet.code_chunks (chunk_id, repo, path, symbol, kind, language, start_line, end_line, content, source, source_key, created_at, updated_at) FROM stdin;
1	shop	http.py	call_again	function	python	1	3	def call_again(send): ...	\N	\N	2026-11-29 09:52:59.574924+00	2026-11-29 09:52:59.574924+00
2	shop	cart.py	total	function	python	1	2	def total(cart): ...	\N	\N	2026-11-29 09:52:59.574924+00	2026-11-29 09:52:59.574924+00
3	\N	\N	\N	\N	\N	\N	\N	 	\N	\N	2026-11-29 09:52:59.574924+00	2026-11-29 09:52:59.574924+00
4	\N	\N	part1	block	\N	1	1	def one(): pass	public.note	1	2026-11-29 09:52:59.878437+00	2026-11-29 09:52:59.878437+00
5	\N	\N	\N	\N	\N	\N	\N	waits for a worker	\N	\N	2026-11-29 09:53:00.402518+00	2026-11-29 09:53:00.402518+00
\.


--
-- Data for Name: code_embeddings_g1; Type: TABLE DATA; Schema: pgduet; Owner: pgduet_owner
--

COPY pgduet.code_embeddings_g1 (chunk_id, generation_id, content_hash, embedding, sketch, repo, path, language, code_tokens, text_tokens, truncated, embedded_at) FROM stdin;
1	1	\\x693e3c921379c6925491970294cf18014daf75eda4371aa0e847b9bb614deb03	[-0.00440979,-0.025482178,0.0034179688,-0.002632141,0.0066337585,-0.041809082,0.004211426,-0.015808105,-0.0058174133,-0.012786865,0.0056152344,-0.021224976,-0.026870728,-0.022277832,-0.0058174133,0.025939941,-0.013023376,-0.023025513,-0.01184082,-0.010475159,-0.03286743,0.0066337585,9.7215176e-05,-0.01663208,0.03753662,0.023025513,-0.0048103333,0.0016546249,0.007045746,0.010475159,-0.022644043,0.022277832,-0.018051147,-0.0006804466,0.014511108,0.027877808,-0.008094788,-0.015808105,-0.007461548,0.002632141,-0.0006804466,0.016357422,-0.0032215118,0.012313843,0.01864624,0.023406982,-0.0038146973,0.015281677,-0.020874023,0.012786865,-0.041809082,-0.03643799,-0.025482178,0.0038146973,0.031433105,-0.014007568,-0.004211426,0.009811401,0.012550354,0.0048103333,-0.00029158592,-0.023406982,0.008094788,-0.019256592,0.015281677,-0.00440979,0.0018491745,0.016357422,0.010925293,-0.03643799,-0.0012645721,0.00048589706,0.008300781,-0.021560669,-0.0058174133,0.010925293,-0.012077332,-0.0038146973,0.02053833,0.026870728,-0.009162903,-0.03753662,0.014007568,0.057281494,0.016082764,0.007461548,0.007461548,-0.01184082,-0.022644043,0.009597778,0.0048103333,0.013511658,-0.009376526,-0.0052108765,-0.009162903,0.0008749962,0.009811401,-0.027374268,-0.013023376,0.0018491745,-0.027374268,0.016906738,0.009811401,0.0032215118,0.0072517395,0.024627686,0.019577026,0.010253906,0.0107040405,0.0034179688,0.0008749962,0.0034179688,-0.016357422,0.003616333,0.0066337585,0.02053833,0.0038146973,0.0062217712,0.0016546249,0.011154175,0.007671356,-0.027877808,0.0014591217,-0.002632141,0.020217896,-0.027374268,0.017471313,-0.0048103333,0.013755798,0.04019165,-0.01663208,-0.014259338,0.0010700226,-0.015808105,-0.0048103333,0.0058174133,0.01864624,-0.0006804466,0.017181396,-0.0034179688,0.043792725,-0.014259338,-0.024215698,-0.013755798,0.027374268,-0.0006804466,-0.043792725,0.0034179688,0.00894165,-0.026397705,-0.010253906,0.013023376,0.0020446777,-0.015281677,0.0048103333,0.028411865,-0.0020446777,0.0022392273,0.016357422,-0.012786865,0.0066337585,0.014007568,-0.010925293,0.022277832,0.01184082,-0.0014591217,-0.057281494,-0.0024356842,0.0060195923,0.027374268,0.023025513,0.0020446777,-0.016906738,-0.022644043,0.017471313,-0.0058174133,-0.016082764,0.012313843,-0.02192688,0.050048828,0.009811401,-0.015022278,-0.026397705,-0.010475159,0.030776978,-0.03543091,-0.011154175,-0.013755798,0.016906738,-0.022644043,0.050048828,0.025482178,-0.002828598,-0.0054130554,0.023803711,0.025939941,0.006839752,0.016082764,0.012550354,0.0008749962,-0.057281494,0.012313843,0.0048103333,-0.003025055,0.026397705,0.011383057,0.021224976,0.012077332,-0.023803711,-0.023025513,-0.007045746,-0.006839752,0.01776123,-0.0012645721,-0.004211426,-0.0052108765,0.026870728,-0.026397705,0.017181396,0.002828598,0.023406982,0.03643799,-0.018051147,0.030776978,0.007461548,0.00048589706,-0.030151367,-0.03643799,-0.010032654,-0.014762878,0.007881165,0.019882202,0.009162903,-9.7215176e-05,0.016357422,0.019256592,-0.009376526,-0.03753662,0.015808105,-0.0038146973,0.043792725,0.0040130615,0.022644043,0.017181396,-0.0052108765,-0.007671356,-0.012786865,0.03286743,0.009162903,-0.021224976,-0.0046081543,-0.0048103333,0.007045746,-0.020217896,-0.014511108,0.021224976,0.0048103333,-0.03213501,-0.050048828,0.0038146973,-0.014259338,-0.03213501,-0.025482178,0.015808105,-0.024627686,-0.008728027,-0.0054130554,0.0020446777,0.0060195923,0.014007568,0.03753662,0.012786865,0.0006804466,0.0022392273,0.017181396,0.008300781,-0.014259338,0.0046081543,-0.01184082,-0.03753662,0.024215698,0.0463562,0.026870728,0.003616333,0.0014591217,0.009162903,0.03451538,0.015281677,-0.0016546249,0.026870728,0.03643799,0.020217896,-0.03366089,-0.030776978,0.012786865,-0.00029158592,0.020874023,-0.023406982,-0.007045746,-0.009162903,-0.0050086975,0.004211426,0.00894165,-0.03643799,0.012786865,0.014007568,-0.057281494,-0.015281677,-0.0463562,0.019882202,-0.003025055,0.0046081543,-0.026870728,-0.013267517,0.023025513,0.027877808,0.023803711,-0.021560669,-0.018051147,0.0034179688,0.0116119385,-0.00029158592,0.016357422,0.015808105,0.03543091,0.006839752,0.009597778,-0.0032215118,-0.0056152344,0.006427765,0.028411865,0.009376526,0.008728027,-0.0048103333,-0.0116119385,0.050048828,-0.008094788,0.01864624,-0.022277832,0.00440979,0.024627686,0.028961182,-0.019577026,-0.016906738,-0.007671356,-0.017471313,-0.0072517395,-0.029541016,-0.009597778,0.010475159,-0.02053833,-0.027877808,0.029541016,-0.009597778,-0.00048589706,0.0018491745,-0.006427765,0.015548706,-0.0016546249,0.0056152344,0.0018491745,0.015281677,-0.0058174133,0.0012645721,0.014511108,0.02053833,-0.004211426,-0.031433105,-0.028961182,-0.0048103333,-0.018951416,0.02053833,-0.015548706,0.0054130554,0.0022392273,-0.017471313,-0.020874023,0.030776978,-0.00440979,0.027877808,0.0066337585,0.019882202,-0.0024356842,0.027877808,0.013023376,-0.025482178,-0.009811401,0.007461548,-0.012313843,0.0046081543,-0.0107040405,0.024215698,0.057281494,0.03878784,-0.0012645721,-0.00894165,-0.012077332,0.04019165,0.030776978,0.018951416,0.0010700226,0.04019165,-0.02192688,0.0066337585,-0.03543091,0.027374268,-0.014259338,0.013511658,0.03366089,-0.00894165,0.010253906,0.01663208,0.010253906,0.050048828,-0.012550354,-0.03643799,-0.016082764,-0.023803711,0.002828598,-0.024215698,-0.003025055,0.012313843,-0.0048103333,0.020874023,0.03286743,0.0116119385,-0.018951416,-0.014511108,-0.024627686,0.0024356842,0.0040130615,-0.002632141,-0.010032654,0.0010700226,-0.00440979,-0.03286743,0.041809082,-0.04019165,-0.008514404,-0.007461548,-0.007045746,0.041809082,0.018951416,0.009597778,-0.022277832,0.009376526,0.0016546249,-0.008094788,0.015022278,0.030776978,0.0018491745,-0.015808105,0.019577026,-0.017181396,-0.018051147,0.03543091,-0.024627686,-0.008514404,-0.028411865,0.0020446777,0.019882202,-0.0052108765,-0.00048589706,0.0022392273,-0.019882202,0.043792725,0.009811401,-0.027374268,-0.00029158592,0.020217896,0.019882202,0.023025513,-0.012077332,0.0010700226,0.021224976,-0.012550354,0.023803711,-0.0014591217,0.0024356842,-0.014511108,0.0022392273,-0.014259338,0.009376526,-0.012786865,0.025939941,0.016906738,0.026397705,-0.002828598,-0.0018491745,0.041809082,0.010475159,0.027877808,0.009162903,-0.014007568,0.019577026,-0.007881165,-0.014511108,0.0052108765,-0.00894165,-0.031433105,-0.021224976,-0.0060195923,-0.020874023,0.030776978,-0.03213501,0.012550354,-0.04019165,0.0034179688,-0.00048589706,0.0022392273,0.028961182,0.0050086975,-0.0012645721,0.0072517395,0.0058174133,-0.0012645721,0.008728027,0.015022278,0.020874023,-0.019577026,0.02192688,0.013023376,0.0008749962,-0.0058174133,0.009376526,-0.03643799,-0.026397705,-0.018051147,0.0038146973,-0.014762878,0.016357422,0.012313843,0.019882202,-0.014007568,-0.03286743,0.015808105,0.029541016,0.00029158592,-0.0107040405,0.014259338,0.0052108765,0.026870728,0.019577026,0.026397705,0.0046081543,-0.008728027,0.018051147,0.019882202,0.010925293,0.010253906,-0.0060195923,0.024627686,9.7215176e-05,-0.03878784,-0.03878784,-0.018051147,0.01663208,-0.01864624,0.023025513,-0.0062217712,0.012786865,0.0014591217,0.021224976,-0.004211426,0.015281677,0.01184082,-0.01663208,-0.0018491745,-0.018951416,-0.02192688,-0.00894165,-0.02192688,0.015281677,-0.016082764,-0.028961182,0.027374268,0.006427765,0.022644043,0.010253906,-0.0018491745,0.0022392273,0.002828598,-0.02053833,0.012313843,0.018951416,-0.03451538,0.022277832,0.043792725,-0.0050086975,0.013023376,0.017471313,0.01663208,0.00894165,-0.006839752,0.050048828,0.0040130615,0.0058174133,0.03213501,0.03366089,-0.0046081543,0.0066337585,0.013267517,-0.03753662,0.008514404,0.01184082,0.0032215118,-0.0024356842,-0.0463562,-0.01663208,-0.041809082,0.0060195923,-0.009376526,-0.012786865,-0.013267517,0.018341064,0.020874023,0.008728027,0.010475159,-0.016357422,-0.025939941,-0.012550354,0.010475159,0.013023376,0.017181396,0.003025055,-0.041809082,0.023406982,-0.003025055,0.020874023,-0.0038146973,-0.010253906,-0.021224976,0.0032215118,-0.0050086975,-0.007671356,0.018051147,0.019882202,-0.02192688,0.020217896,0.0032215118,0.018341064,0.008728027,-0.019577026,0.0050086975,0.0066337585,0.03643799,-0.0018491745,0.0048103333,0.013267517,-0.012313843,-0.03366089,0.023803711,-0.030776978,-0.02053833,-0.019882202,0.027877808,-0.0046081543,-0.009162903,0.010475159,-0.043792725,-0.00440979,0.0046081543,-0.01184082,-0.03753662,-0.011154175,-0.017471313,0.00029158592,0.024627686,-0.010475159,0.018341064,-0.0032215118,-0.023406982,0.057281494,-0.0060195923,-0.0010700226,0.015281677,-0.019882202,-0.021224976,0.014259338,-0.010253906,0.020874023,-0.031433105,-0.023406982,-0.009376526,0.01864624,0.0024356842,-0.008514404,-0.0006804466,-0.04019165,-0.014762878,0.0058174133,0.0038146973,-0.0046081543,-0.003616333,-0.00440979,-0.03286743,-0.021224976,-0.012786865,-0.020874023,0.0008749962,0.03366089,0.03451538,-0.009597778,0.03543091,-0.019256592,-0.003025055,-0.01184082,0.018341064,9.7215176e-05,-0.0056152344,0.015808105,-0.01663208,0.009811401,0.0107040405,0.026397705,-0.027877808,0.017181396,0.0116119385,-0.026397705,-0.023025513,-0.006839752,-0.010475159,-0.0052108765,-0.025054932,-0.0024356842,0.0066337585,-0.043792725,-0.0060195923,-0.0034179688,-0.015808105,0.050048828,-0.0012645721,-0.01864624,0.015022278,-0.028411865,-0.0054130554,0.04019165,0.03543091,-0.008728027,-0.0024356842,0.010475159,-0.023406982,0.030151367,-0.020874023,-0.013755798,-0.019256592,0.009811401,0.015808105,0.03543091,-0.023406982,0.0054130554,0.0066337585,-0.03286743,0.029541016,0.019577026,0.0006804466,-0.02053833,-0.009376526,0.030151367,0.0050086975,-0.022644043,-0.018051147,0.025054932,0.018341064,0.00029158592,-0.00440979,-0.025054932,-0.0022392273,-0.022644043,-0.022277832,-0.002632141,0.009811401,-0.020874023,0.0062217712,-0.015808105,0.01776123,-0.009162903,0.013755798,0.0054130554,0.013267517,-0.008094788,-0.0014591217,-0.0046081543,0.020874023,0.016906738,-0.0020446777,0.016357422,0.021224976,-0.013023376,0.002632141,-0.011154175,0.0072517395,-0.01864624,-0.012313843,-0.0058174133,-0.013267517,0.0032215118,0.026397705,-0.012786865,0.00048589706,-0.031433105,-0.015281677,0.023406982,0.03753662,0.008728027,0.01184082,0.016906738,-0.019577026,0.007671356,0.016357422,-0.016082764,0.012313843,-0.01776123,-0.03213501,0.007671356,0.041809082,-0.015022278,-0.0006804466,-0.057281494,0.015548706,0.0052108765,-0.0116119385,0.012550354,-0.043792725,0.014511108,0.0020446777,0.0016546249,0.031433105,0.029541016,0.010925293,0.0040130615,0.01776123,0.014762878,0.009597778,-0.03753662,-0.00029158592,-0.004211426,-0.003025055,0.0040130615,0.019577026,-0.015548706,0.031433105,0.023025513,0.012077332,-0.019577026,0.0006804466,-0.016082764,0.025482178,-0.016357422,0.0072517395,-0.014259338,0.0010700226,0.015022278,-0.0010700226,-0.010925293,-0.017471313,-0.0022392273,0.0040130615,-0.011383057,-0.050048828,-0.028411865,-0.00029158592,0.03286743,0.0072517395,-0.028411865,-0.013023376,0.050048828,-0.0066337585,-0.014762878,0.02192688,0.007045746,0.02053833,0.03286743,0.0056152344,-0.03286743,0.006839752,-0.0072517395,0.009376526,0.057281494,-0.02192688,0.025939941,-0.014007568,-0.004211426,-0.027877808,0.013267517,0.022277832,0.0050086975,-0.0040130615,-0.030776978,0.009376526,0.03366089,-0.028961182,0.006427765,-0.0046081543,0.020217896,-0.029541016,-0.030776978,-0.0116119385,0.0016546249,0.012313843,0.007045746,-0.0116119385,0.002828598,-0.0022392273,-0.013267517,-0.008514404,-0.057281494,-0.014511108,-0.010253906,0.004211426,0.007045746,0.020874023,0.0012645721,-0.014762878,0.025482178,0.018341064,0.050048828,0.015548706,0.030151367,0.0048103333,-0.008514404,0.002632141,-0.012786865,0.012077332,0.006839752,-0.027374268,-0.02053833,0.0012645721,0.012077332,0.006839752,-0.0058174133,0.00029158592,-0.0072517395,-0.022277832,-0.022277832,-0.014511108,-0.013755798,-0.0008749962,-0.021560669,-0.0062217712,-0.015022278,-0.015548706,-0.0107040405,-0.012313843,0.04019165,0.03543091,-0.031433105,-0.0016546249,-0.0006804466,-0.021224976,-0.0066337585,0.011383057,-0.0024356842,0.016082764,-0.014762878,0.018341064,0.016906738,0.022644043,0.023406982,-0.007045746,0.01776123,0.0008749962,0.017181396,-0.018051147,0.0024356842,-0.0032215118,0.0046081543,0.028961182,0.00029158592,0.015548706,0.0052108765,-0.007671356,-0.01776123,0.02192688,0.050048828,-0.008300781,0.02053833,-0.021224976,-0.041809082,0.03451538,0.0052108765,-0.021560669,0.0016546249,0.03213501,-0.008094788,0.03753662,0.01184082,0.007671356,0.01776123,-0.014259338,-0.00029158592,0.03366089,-0.01184082,0.002828598,0.00029158592,0.0048103333,0.0060195923,-0.01663208,-0.012077332,-0.024215698,0.015548706,-0.003616333,-0.0020446777,0.013023376,0.015548706,0.026870728,0.012313843,0.010032654,-0.00440979,-0.025482178,0.0022392273,0.01864624,0.031433105,0.012313843,-0.0054130554,-0.002632141,-0.011154175,-0.006839752,0.014007568,0.023406982,-0.008728027,-0.0060195923,0.057281494,-0.00894165,0.0016546249,-0.0058174133,-0.03878784,-0.012313843,-0.03643799,0.0054130554,0.0107040405,0.03753662,-0.04019165,-0.043792725,0.003616333,-0.008728027,-0.0012645721,0.0032215118,-0.024627686,0.013511658,-0.0014591217,0.029541016,0.023803711,-0.009811401,0.03213501,-0.009376526,-0.030776978,-0.00440979,0.014762878,-0.0032215118,0.021560669,0.012550354,0.00048589706,-0.0056152344,-0.006839752,-0.017471313,-0.0052108765,0.002828598,-0.01864624,-0.0034179688,-0.008728027,0.0016546249,-0.016082764,-0.012786865,0.0020446777,0.0046081543,-0.0054130554,0.0046081543,0.00894165,0.007045746,0.003616333,-0.023803711,0.016906738,0.010032654,0.043792725,-0.009597778,-0.02192688,-0.028411865,0.030776978,0.041809082,-0.0060195923,-0.022277832,-0.011154175,0.0058174133,0.016082764,0.018951416,-0.021560669,9.7215176e-05,0.004211426,-0.012786865,-0.019256592,0.012077332,-0.03366089,0.029541016,-0.004211426,0.015281677,0.0048103333,0.043792725,-0.01864624,-0.021560669,-0.010032654,0.009162903,-0.02053833,-0.009811401,-0.024215698,-0.006427765,0.03366089,0.013755798,-0.011154175,0.0052108765,-0.013511658,-0.00894165,0.012077332,-0.007045746,-0.003616333,0.006427765,0.01776123,0.006427765,-0.01776123,0.03643799,-0.017471313,0.016082764,0.0020446777,0.009811401,0.0024356842,0.027374268,-0.00894165,-0.01864624,-9.7215176e-05,-0.03366089,0.0032215118,-0.0062217712,0.0040130615,0.030776978,-0.009811401,0.0054130554,0.022644043,-0.023406982,0.018951416,0.00029158592,-0.010475159,0.017181396,0.007881165,0.017471313,0.012077332,-0.020217896,-0.01776123,0.013267517,-0.01776123,-0.022644043,0.0060195923,0.017181396,0.031433105,-0.022644043,-0.03366089,0.0040130615,0.015022278,0.0022392273,-0.018051147,0.0052108765,-0.0056152344,-0.023025513,0.014511108,-0.031433105,-0.0018491745,-0.02192688,-0.057281494,0.0038146973,-0.018341064,0.012786865,0.0014591217,-0.025482178,-0.023406982,-0.010253906,-0.002828598,-0.021224976,0.024627686,0.013755798,-0.00048589706,0.0052108765,0.01663208,-0.008514404,0.03213501,0.022277832,-0.002632141,0.00440979,-0.019882202,0.0016546249,0.010925293,-0.003616333,0.0014591217,-0.02192688,0.002632141,0.024627686,-0.008514404,-0.0014591217,-0.021224976,0.023406982,-0.0014591217,0.0040130615,-0.013755798,-0.026397705,-0.024215698,0.0006804466,-0.015281677,-0.03366089,0.013267517,0.003025055,0.009597778,-0.0034179688,-0.0048103333,-0.008094788,-0.012550354,0.012313843,0.0008749962,-0.006839752,-0.00048589706,-0.0463562,0.022277832,-0.008728027,0.0107040405,0.0018491745,-0.01663208,-0.0058174133,0.015281677,-0.015548706,-0.017181396,-0.020874023,0.016906738,-0.012786865,-0.01864624,0.015808105,0.0048103333,0.0006804466,-0.024215698,0.026870728,0.019882202,-0.03213501,0.0016546249,0.016082764,0.009376526,0.0032215118,-0.03213501,-0.0107040405,0.004211426,0.023803711,0.050048828,-0.0463562,0.023406982,0.003616333,-0.019577026,0.016082764,0.00440979,-0.016357422,0.0060195923,-0.0054130554,-0.026397705,-0.0048103333,-0.0012645721,0.026870728,0.012550354,0.00048589706,-0.024215698,0.03451538,-0.03366089,-0.008514404,-0.03543091,0.026397705,-0.007461548,-0.007671356,0.009162903,-0.03643799,0.006839752,0.019882202,0.028961182,-0.025482178,0.011154175,-0.03366089,-0.00029158592,0.014762878,-0.012786865,-0.022277832,-0.0060195923,0.0048103333,-0.0012645721,0.01776123,0.026870728,-0.0056152344,0.013755798,-0.0016546249,-0.002828598,0.03753662,-0.03286743,0.0006804466,0.008300781,-0.012077332,-0.009376526,0.020874023,-0.007671356,0.008514404,0.029541016,0.00029158592,0.007671356,0.0032215118,-0.009811401,0.025939941,-0.020874023,0.023803711,-0.027877808,-0.021560669,-0.0072517395,-0.008728027,0.015548706,0.014007568,0.03213501,-0.018051147,0.03366089,-0.0107040405,-0.014511108,0.008728027,0.0038146973,-0.021560669,-0.012077332,0.0062217712,0.03286743,0.024627686,0.03643799,0.00029158592,-0.025482178,0.014007568,0.0060195923,-0.03286743,0.0062217712,-0.022277832,-0.028411865,0.016357422,-0.002632141,-0.050048828,-0.007671356,-0.0022392273,0.03366089,-0.012313843,-0.009597778,-0.012550354,0.025939941,0.026870728,0.0010700226,0.011383057,-0.011383057,0.0012645721,0.014007568,0.020874023,0.031433105,0.0066337585,-0.027374268,-0.02053833,-0.0012645721,0.01184082,0.0058174133,-0.0038146973,0.009811401,-0.02192688,0.026870728,-0.002632141,0.016082764,0.01776123,0.027374268,-0.012313843,0.025482178,0.002828598,-0.013755798,0.0032215118,-0.009597778,-0.0463562,0.03643799,0.020874023,0.0010700226,-0.025939941,0.0008749962,0.0072517395,0.008514404,-0.0058174133,0.009811401,-0.0046081543,0.010925293,0.018341064,-0.016082764,-0.0040130615,0.03643799,9.7215176e-05,-0.002632141,-0.023803711,0.02192688,0.00048589706,-0.0010700226,-0.01663208,-0.024627686,0.012077332,-0.013023376,0.007461548,-0.015548706,-0.027374268,0.011383057,0.0116119385,0.03643799,0.007461548,-0.0058174133,0.0056152344,-0.015281677,-0.021224976,0.02192688,0.0058174133,-0.019577026,0.0032215118,0.01184082,-0.008094788,-0.03753662,-0.012313843,-0.025482178,-0.015022278,0.012313843,-0.012786865,9.7215176e-05,0.021224976,-0.0072517395,0.015548706,0.00894165,-0.014259338,-0.03753662,0.012313843,-0.0056152344,-0.025054932,-0.01663208,0.014259338,-0.015548706,0.024627686,0.030151367,0.023025513,0.003025055,0.021560669,-0.0006804466,-0.03451538,0.009376526,-0.0020446777,-0.011383057,0.014007568,0.002828598,-0.00440979,-0.019577026,-0.007881165,0.007045746,-0.03878784,0.041809082,0.021560669,0.009597778,-0.041809082,0.01864624,0.024215698,0.022644043,0.0046081543,-0.0040130615,-0.014762878,-0.0048103333,0.0062217712,0.031433105,0.050048828,0.0054130554,0.03878784,0.03366089,-0.057281494,0.01776123,-0.016357422,0.0062217712,-0.0008749962,-0.050048828,0.014762878,0.020874023,0.018051147,0.020217896,-0.027374268,0.002632141,0.003616333,0.0050086975,0.009811401,0.00048589706,0.03753662,0.0020446777,0.019882202,0.014762878,0.03286743,0.0010700226,-0.017471313,0.0032215118,0.041809082,-0.03878784,0.003025055,-0.028411865,0.007045746,-0.03286743,-0.03366089,-0.014762878,0.019577026,0.021560669,-0.018951416,-0.01864624,-0.010253906,0.013511658,0.0024356842,0.0107040405,0.010925293,0.009162903,0.019577026,0.00440979,-0.023025513,0.015548706,0.023025513,0.007881165,-0.024215698,0.023803711,-0.0060195923,-0.009811401,-0.03753662,0.023025513,0.007461548,0.012550354,-0.010032654,0.0056152344,0.057281494,0.017181396,0.022644043,-0.003616333,-0.007881165,-0.050048828,0.0024356842,-0.013023376,0.017181396,0.019577026,-0.012077332,0.013023376,0.015022278,0.022277832,0.009162903,0.0014591217,0.026870728,0.012786865,-0.041809082,0.050048828,-0.0107040405,-0.01663208,0.03878784,0.030151367,-0.015808105,0.009597778,-0.012077332,-0.01663208,0.0052108765,-0.018341064,0.011383057,0.041809082,-0.018341064,-0.00440979,-0.012313843,0.012786865,-0.0040130615,-0.00029158592,0.0014591217,0.006427765,9.7215176e-05,-0.012077332,-0.0116119385,-0.0116119385,0.022644043,-0.007461548,0.008514404,9.7215176e-05,-0.008094788,0.019256592,-0.0052108765,-0.0107040405,-0.003025055,-0.009162903,-0.009162903,0.029541016,-0.012550354,-0.01184082,0.011154175,-0.027374268,0.010032654,-0.0054130554,0.008514404,0.009162903,0.029541016,0.019882202,-9.7215176e-05,-0.0014591217,-0.0040130615,-0.027877808,0.0060195923,0.0006804466,0.006427765,-0.0024356842,0.029541016,-0.02192688,-0.009811401,-0.0056152344,-0.0048103333,-0.0032215118,0.025939941,-0.03451538,0.050048828,0.004211426,0.013755798,-0.015808105,-0.0052108765,0.024627686,0.0050086975,0.0010700226,-0.006427765,0.014007568,-0.02192688,0.0058174133,-0.019882202,-0.0107040405,0.025054932,-0.013511658,-0.023025513,0.007045746,0.01184082,-0.043792725,0.0072517395,0.013755798,0.0008749962,-0.012550354,0.030776978,0.019256592,0.014007568,-0.029541016,0.009162903,-0.03753662,-0.015022278,0.0056152344,0.007045746,-0.025939941,-0.014259338,-0.014762878,-0.013511658,-0.013023376,0.0116119385,-0.00894165,0.024215698,0.009376526,0.022644043,0.0052108765,-0.010925293,0.024215698,0.0014591217,0.023803711,-0.009597778,-0.015808105,0.009811401,0.0012645721,-0.0054130554,0.027877808,0.01776123,0.009597778,-0.022277832,-0.019577026,0.0048103333,0.019577026,0.027877808,0.026397705,0.027374268,-0.0060195923,0.030151367,-0.0012645721,0.03753662,-0.003616333,0.00894165,0.00048589706,0.012550354,-0.019882202,0.01663208,0.024627686,0.013023376,-0.057281494,-0.007461548,-0.011154175,0.03753662,-0.0006804466,-0.010475159,0.009811401,0.011154175,0.014007568,0.043792725,0.04019165,0.024627686,0.022277832,0.011383057,-0.010925293,-0.003616333,0.014511108,0.027374268,-0.008728027,0.03286743,0.009597778,0.027877808,0.013511658,0.007461548,0.023406982,-0.0032215118,0.010475159,0.016357422,0.0032215118,0.01184082,0.013267517,0.008094788,0.012786865,-0.03366089,0.020874023,-0.0050086975,-0.015022278,0.008094788,-0.012786865,-0.003616333,-0.015548706,0.018341064,-0.0050086975,0.003616333,-0.024627686,-0.018341064,0.0054130554,-0.00048589706,-0.00894165,-0.010925293,0.009811401,0.025054932,0.021560669,-0.030776978,0.0056152344,0.012077332,0.012313843,0.018051147,-0.018051147,0.008728027,-0.03366089,-0.010032654,0.007671356,-0.041809082,0.02053833,0.028961182,0.009597778,0.013511658,-0.0018491745,-0.016906738,-0.027374268,0.019882202,0.018341064,0.023406982,-0.0072517395,0.0072517395,-0.00894165,0.03643799,-0.03451538,0.0072517395,-0.0052108765,-0.027374268,0.017471313,0.026397705,0.0060195923,0.0066337585,-0.023025513,0.0012645721,0.003025055,0.009162903,0.03753662,0.019256592,-0.0058174133,-0.002828598,-0.007461548,-0.041809082,-0.025482178,-0.02192688,-0.027877808,0.021560669,0.017471313,-0.007461548,0.0107040405,-0.015022278,0.0072517395,-0.020874023,0.0050086975,0.015281677,-0.0058174133,0.00894165,-0.009811401,0.011383057,-0.015022278,0.00048589706,-0.03451538,-0.0014591217,-0.003025055,0.019577026,-0.0046081543,-0.041809082,-0.015548706,-0.022277832,0.0040130615,0.014007568,0.012077332,-0.017181396,0.028411865,0.003616333,0.028961182,-0.021560669,-0.018051147,-0.021560669,0.010925293,0.00894165,-0.022277832,0.002828598,0.01184082,0.023406982,0.0024356842,-0.0038146973,-0.007881165,0.0010700226,0.029541016,-0.018951416,0.0024356842,-0.024627686,0.015022278,0.03878784,0.00440979,0.017181396,0.03753662,-0.011383057,-0.027374268,0.014259338,-0.009811401,0.017471313,0.03286743,0.021560669,0.03366089,-0.024215698,0.009162903,-0.028961182,0.019882202,0.003616333,-0.027877808,-0.029541016,-0.01663208,0.003616333,0.0054130554,0.024627686,-0.0024356842,0.057281494,-0.024627686,-0.03366089,-0.009597778,0.015548706,0.020874023,-0.03451538,0.014762878,0.00894165,0.016082764,0.0058174133,0.012786865,0.0066337585,0.014511108,-0.028961182,-0.003616333,-0.03643799,-0.025054932,-0.003616333,-0.0018491745,-0.020874023,-0.03451538,-0.03286743,0.025482178,0.0010700226,-0.012550354,-0.014762878,-0.008728027,0.03366089,-0.0018491745,-0.00048589706,-0.025939941,0.0116119385,-0.0060195923,0.008300781,-0.025482178,-0.019577026,0.015548706,-0.0016546249,0.015022278,-0.028961182,0.0022392273,0.0022392273,-0.008514404,-0.007881165,0.01864624,0.015548706,-0.013755798,0.022644043,0.014007568,0.031433105,0.021560669,-0.0048103333,0.012077332,-0.00440979,0.011383057,0.0020446777,-0.027877808,0.0018491745,-0.002632141,-0.01776123,0.0046081543,0.0032215118,0.01864624,0.003616333,0.014259338,0.016082764,-0.014511108,-0.00048589706,-0.012077332,-0.027374268,0.013511658,-0.01864624,0.006839752,-0.031433105,-0.016906738,0.025482178,0.013023376,0.010032654,-0.03286743,0.0022392273,0.022277832,0.00440979,0.03213501,0.027374268,-0.00440979,0.011154175,-0.012313843,-0.019256592,-0.0034179688,-0.0060195923,-0.014007568,0.008094788,0.041809082,-0.0012645721,0.024627686,-0.023406982,0.007671356,-0.03451538,-0.0022392273,0.017471313,-0.023406982,0.025054932,-0.029541016,0.0060195923,0.0016546249,-0.014259338,-0.03451538,0.0022392273,0.00440979,-0.021560669,-0.043792725,0.019577026,0.03753662,0.0018491745,0.027877808,0.028961182,-0.00029158592,-0.002828598,-0.0116119385,0.0008749962,0.024215698,-0.029541016,-0.013755798,0.011154175,-0.012313843,-0.015022278,0.016082764,0.009376526,0.0016546249,0.031433105,-0.030151367,-0.023406982,-0.0066337585,-0.03366089,-0.057281494,-0.009811401,0.009162903,0.0058174133,0.009376526,0.0040130615,-0.021224976,-0.027374268,-0.017181396,-0.031433105,-0.014007568,0.029541016,-0.002828598,-0.018051147,-0.0062217712,-9.7215176e-05,0.02053833,-0.016082764,0.006427765,0.008300781,-0.03543091,0.026870728,-0.017471313,0.019577026,-0.02053833,0.0016546249,-0.02192688,-0.022644043,-0.007881165,0.0107040405,-0.03543091,-0.0022392273,-0.0034179688,-0.018951416,0.020217896,-0.0006804466,0.0032215118,-0.0012645721,-0.0058174133,0.012077332,0.014511108,-0.009597778,-0.028961182,0.009811401,-0.043792725,0.01663208,0.014007568,0.008514404,-0.028411865,-0.013755798,0.030776978,-0.0020446777,-0.03451538,0.022277832,0.0020446777,0.019882202,-0.04019165,0.0040130615,0.03543091,0.0012645721,0.013267517,0.025939941,0.03543091,0.007461548,-0.008728027,0.020217896,-0.018051147,-0.020217896,-0.010475159,-0.0050086975,-0.057281494,-0.003025055,-0.0066337585,-0.013023376,-0.021224976,-0.0010700226,-0.006839752,-0.0056152344,-0.041809082,-0.019882202,0.01663208,-0.0072517395,-0.016906738,0.043792725,0.020874023,-0.018051147,-0.023025513,0.0058174133,-0.009597778,0.0032215118,-0.0040130615,-0.01776123,-0.02192688,-0.012550354,0.0018491745,-0.00029158592,-0.007461548,0.027877808,-0.029541016,0.014511108,0.007881165,-0.019256592,-9.7215176e-05,-0.014511108,-0.018341064,0.0054130554,-0.03753662,0.043792725,0.00029158592,0.0006804466,-0.015808105,0.002828598,0.007881165,-0.0038146973,0.015548706,-0.03286743,0.03543091,0.023803711,0.0024356842,-0.03366089,-0.019882202,0.0024356842,0.027877808,-0.017181396,-0.00048589706,0.024215698,-0.021224976,0.009162903,-0.025482178,-0.002828598,-0.014511108,-0.009597778,-0.01663208,0.024215698,-0.00440979,0.017181396,-0.007881165,-0.0010700226,0.00048589706,0.0032215118,0.0107040405,-0.012786865,-0.002828598,-0.011383057,0.014007568,0.009811401,-0.017471313,0.041809082,-0.0052108765,-0.014259338,-0.0038146973,0.03213501,-0.010925293,0.0020446777,-0.0022392273,-0.0062217712,0.057281494,-0.0006804466,0.03543091,0.029541016,0.0107040405,-0.0018491745,0.0463562,0.031433105,-0.008094788,0.026870728,-0.0054130554,0.00440979,0.003616333,-0.013023376,-0.0018491745,-0.025939941,-0.02192688,0.00029158592,0.0054130554,-0.01864624,0.03878784,0.0060195923,0.0020446777,0.0010700226,0.041809082,-0.0010700226,-0.03366089,-0.0016546249,0.014259338,0.01184082,-0.0032215118,0.0056152344,-0.026870728,-0.031433105,-0.015022278,0.014007568,0.012077332,0.015022278,-0.00440979,-0.01776123,0.018951416,-0.00029158592,0.0024356842,0.012313843,0.0463562,0.0072517395,0.006839752,0.03543091,0.008094788,-0.012313843,-0.007045746,0.024215698,-0.014762878,-0.024215698,0.023803711,-0.0022392273,-0.009597778,0.0107040405,0.0463562,0.0024356842,-0.008728027,0.0463562,-0.0016546249,-0.008094788,-0.0463562,-0.00048589706,-0.007881165,-0.030151367,-0.006427765,0.015808105,0.009162903,-0.024215698,-0.018951416,-0.015022278,0.007045746,0.019256592,0.014511108,-0.0024356842,-0.019256592,-0.003025055,-0.0018491745,-0.0048103333,-0.027374268,0.0050086975,-0.03543091,-0.019256592,-0.02053833,0.00440979,0.018341064,0.0048103333,-0.0058174133,-0.025054932,0.031433105,0.022644043,0.014511108,-0.00048589706,-0.02192688,0.008094788,0.021224976,-0.006839752,-0.057281494,-0.03286743,0.0048103333,0.028411865,0.010925293,0.021560669,0.0038146973,-0.0463562,-0.022644043,-0.007461548,0.020874023,-0.0022392273,-0.021560669,0.01663208,-0.026870728,-0.014259338,-0.0032215118,-0.008728027,-0.017471313,-0.012550354,0.030151367,0.03213501,0.0116119385,-0.002632141,-0.004211426,0.022644043,-0.00894165,0.03366089,0.002828598,0.013267517,-0.028411865,-0.031433105,-0.012077332,-0.0054130554,-0.014259338,0.011154175,0.04019165,0.013755798,-0.017181396,-0.027374268,-0.0058174133,0.003025055,0.0046081543,-0.012786865,0.015022278,0.014762878,-0.0052108765,0.025939941,-0.007671356,-0.028411865,0.030151367,0.010925293,-0.015022278,-0.012786865,-0.01864624,-0.020874023,-0.008728027,0.008094788,0.023803711,0.006839752,-0.0056152344,-0.031433105,0.03543091,0.008514404,0.0024356842,0.0116119385,0.00894165,-0.0052108765,0.027374268,-0.026870728,0.021224976,0.015022278,0.015808105,0.011154175,-0.03643799,0.010253906,0.006839752,-0.012077332,0.030151367,0.014511108,0.016357422,0.0008749962,-0.009376526,-0.023025513,-0.013755798,-0.026397705,-0.00894165,-0.012077332,0.006427765,-0.023803711,-0.013755798,0.018951416,-0.007881165,-0.009597778,-0.04019165,-0.010925293,-0.030776978,0.009162903,0.014259338,-0.0062217712,-0.012786865,-0.0463562,-0.01663208,0.031433105,0.0006804466,0.019256592,-0.011154175,-0.031433105,0.01776123,-0.025482178,0.014511108,0.024215698,0.015281677,-0.014511108,0.0034179688,0.017181396,0.025939941,-0.017471313,0.0046081543,0.010032654,0.050048828,0.009376526,0.0032215118,-0.026397705,-0.012313843,0.0022392273,-0.0056152344,-0.0048103333,0.025939941,0.012786865,0.026397705,0.012077332,-0.026397705,0.04019165,-0.031433105,0.050048828,-0.003025055,0.043792725,-0.011383057,-0.020874023,0.057281494,-0.031433105,0.0116119385,0.0020446777,-0.03878784,0.008300781,-0.012313843,-0.010925293,0.0072517395,0.019882202,-0.030776978,-0.013511658,0.015281677,-0.014259338,-0.01663208,-0.041809082,0.016906738,-0.009162903,-0.0048103333,-0.0046081543,0.019256592,-0.020217896,0.050048828,0.0050086975,0.019882202,0.017181396,0.00894165,0.03286743,0.024215698,-0.007045746,-0.022644043,-0.00440979,0.0012645721,0.027877808,0.024215698,-0.017471313,0.014511108,-0.0038146973,0.013755798,0.0040130615,0.03878784,-0.023803711,-0.0060195923,-0.014007568,0.02192688,0.017471313,0.013511658,0.0072517395,-0.009811401,-0.020217896,-0.009162903,0.00048589706,0.02053833,-0.030776978,-0.0116119385,-0.03753662,0.017471313,-0.03451538,-0.007045746,0.02053833,0.015548706,0.021560669,-0.003616333,-0.013267517,-0.0018491745,0.0107040405,0.0048103333,-0.0463562,-0.0022392273,-0.0012645721,0.024215698,-0.0012645721,-0.014511108,-0.050048828,0.028411865,-0.02192688,-0.010475159,0.0048103333,-0.002632141,-0.026397705,-0.014511108,-0.017471313,0.03878784,0.01184082,0.026870728,0.022277832,0.0116119385,-0.018341064,-0.007671356,-0.009162903,9.7215176e-05,-0.03543091,0.0012645721,-0.014762878,-0.018951416,-0.002828598,-0.018341064,-0.019256592,-0.02192688,-0.01663208,-0.013023376,0.026397705,-0.0058174133,0.050048828,0.013511658,0.010032654,0.00048589706,0.050048828,-0.026870728,-0.027877808,-0.007881165,-0.017181396,-0.003025055,-0.009811401,0.010475159,0.014762878,-0.03213501,0.057281494,0.025482178,-0.0058174133,-0.0072517395,-0.0006804466,0.0116119385,-0.0020446777,-0.007671356,-0.004211426,0.022644043,-0.0060195923,0.026397705,-0.03213501,-0.025482178,0.029541016,-0.018051147,-0.0032215118,0.01184082,0.012550354,-0.008300781,0.008514404,-0.050048828,0.041809082,-0.01184082,-0.019577026,-0.0060195923,0.0018491745,-0.006427765,-0.00440979,0.014762878,0.014007568,0.010032654,-0.0032215118,-0.0020446777,-0.020874023,-0.01776123,-0.015281677,-0.0107040405,0.011154175,-0.015548706,0.026870728,-0.0020446777,0.007461548,0.030776978,0.03753662,0.029541016,0.026397705,0.011154175,0.0022392273,-0.0062217712,0.01864624,-0.024627686,0.0052108765,-0.04019165,-0.014007568,-0.0016546249,-0.008728027]	0010101000100001000001101101110100110001010111010100011001110010101110011001001100111110011100011001011111111111011111111010101011001001101010001001100110110110110110001111001001011000100010110011111101101111000010001011110111000011101100101111000110001001100100010001111111110100111111110111001010000110110001010011100110111110011110010101110000000100100101011101110000010110010111011001010111000111110101011011110000100101110001100100100001110110111010010001100101100111011010101010111001111010010000010101011101101110111010001011100111011111101111011000101011101100000010011110110110110111101111101101110000100011110001111010100010011011110111011001000100100100001101001001001010001100001100000001110100011010111011000000010000100100110010100011101101110011001110000001010101110001101101010000110100111110110100110001101011111111110000110111010101011000010000110010011111010110100011100110101000111010000001111011111101011001110100000000000011000001010111101110101111100110100110110111100101111000100111110011110000110010100001110010010101101000101110000100010011011110111000110001110110010101110001000011010010011101011111000010110110110111100100111001110100100001011000001101101101011010110001010001001110000110001011001000100111011011110011101101101000011101000100101110100100010110100101100101111101010000111010011001111101101001000010001111011111000110101011101101001110111010110011001100010100111101001101100000101101100100010111110010011000101110111100011111101010011110111111111110110101000110001111111011101000111011110001011011111110100110100101100010011100010110100000100101011110000111010000010111001110101001001101110111010011000001011110111001101110011111010101110111000100111111110011011111101111111010010001010010001110111101001011110001110101010011110111110000000110101011010101000100001110111000110111100110101111100101111010110001110100011011111110000000001100010001010010101100110111101011010011111100001010011101111101000001101010010101100110011111000110010011110000001111000001000010110101010001000010100110010111001001110111111101000000000000001001100101000010010110000101110110101110011001010000010100111000110100010100101110110101100001101111100011010001110010111111100100100111010000000110001110000001000111001110011000111110001001000000111001011100000111000110110100110000011100111110101111011011110000001001000001100001110010111011101111100100111101010100101101001100100010001011111110001110101110001111000110001001110001100010001001000011111000101000000001011111000000110110001000101001001101010001001110000001010111111101010000	shop	http.py	python	5	5	f	2026-11-29 09:52:59.873973+00
2	1	\\x9beb8211eea32b166431682a098a2fc86b1f3eed0582b2a672533e90e013ba96	[0.025848389,-0.007358551,-0.036956787,0.0082092285,-0.022232056,0.004673004,0.0032672882,0.01108551,-0.0004930496,-0.024139404,0.012016296,-0.028823853,-0.01550293,-0.035003662,0.0050811768,-0.025848389,-0.032592773,-0.002073288,-0.0077781677,0.010398865,0.017425537,0.019851685,0.004070282,0.040740967,0.015235901,-0.0010852814,-0.005695343,0.009727478,0.032592773,-0.0030670166,0.021514893,0.044433594,0.022979736,-0.035949707,-0.014976501,0.025405884,-0.028823853,0.03414917,-0.005695343,-0.038085938,-0.023361206,-0.009292603,-0.00068998337,-0.017425537,-0.016311646,-0.013214111,0.018310547,9.858608e-05,-0.022232056,-0.0050811768,0.005695343,0.0018758774,0.004070282,0.0004930496,0.0028686523,-0.022232056,-0.009727478,-0.019851685,-0.035949707,-0.00029563904,0.012252808,-0.050750732,0.014457703,-0.0030670166,-0.033355713,0.011779785,-0.0059013367,0.0054893494,-0.011543274,-0.026779175,0.026779175,-0.019851685,-0.0022716522,0.027755737,0.008636475,0.0054893494,0.024551392,-0.014717102,0.004878998,-0.0004930496,-0.01272583,0.016860962,-0.022232056,0.025848389,-0.0069351196,0.012489319,0.025848389,0.005695343,-0.008422852,0.035949707,-0.03189087,-0.004272461,-0.002670288,0.016586304,0.0075683594,-0.0028686523,-0.022598267,-0.022598267,0.0054893494,0.011779785,-0.0004930496,0.024551392,0.01272583,0.014976501,0.019226074,0.0065193176,0.018310547,0.01953125,-0.01108551,-0.004470825,-0.025405884,0.006313324,0.017715454,-9.858608e-05,0.011543274,0.012969971,0.012016296,-0.00995636,-0.019851685,-0.026306152,-0.013702393,-0.023742676,0.008422852,0.004070282,0.0036678314,-0.044433594,-0.00907135,0.044433594,0.017425537,-0.025405884,-0.00088739395,-0.0082092285,-0.029968262,0.013458252,0.03414917,-0.003868103,0.03414917,0.035949707,0.023742676,0.018310547,0.0069351196,0.028274536,-0.0054893494,-0.016860962,0.009506226,-0.018600464,0.0075683594,-0.012969971,-0.022598267,0.00029563904,0.006313324,0.01272583,-0.006313324,-0.012016296,0.036956787,-0.0052833557,0.004673004,-0.00029563904,0.0014801025,0.016036987,0.006729126,-0.0050811768,-0.016586304,0.007358551,0.010398865,0.033355713,-0.027267456,0.005695343,0.024139404,0.013954163,-0.016036987,0.026779175,-0.029968262,-0.0028686523,-0.015235901,0.0079956055,-0.0075683594,0.019226074,-0.029373169,0.0061073303,0.024551392,0.009506226,-0.0061073303,0.00995636,0.002670288,0.047027588,-0.0030670166,0.017150879,0.014457703,-0.022232056,0.008636475,0.010856628,-0.019226074,0.016311646,0.009506226,-0.017425537,0.011543274,-0.01953125,0.0069351196,0.033355713,0.018310547,-0.018600464,-0.017150879,0.03933716,-0.025848389,-0.008422852,0.01890564,0.030578613,-0.021881104,-0.016036987,-0.01890564,0.0030670166,-0.012252808,-0.010398865,0.027755737,0.03414917,0.011779785,0.027267456,-0.035949707,0.023361206,-0.021514893,0.0077781677,-0.0075683594,-0.009506226,0.020507812,-0.0028686523,0.014457703,0.011314392,0.01550293,-0.010398865,-0.01890564,0.012969971,-0.021514893,0.00907135,-0.0059013367,0.0054893494,-0.006313324,0.004673004,0.038085938,-0.020507812,-0.019851685,0.005695343,-0.006729126,-0.008422852,0.01953125,-0.017150879,0.0036678314,-0.0014801025,0.028274536,0.0018758774,0.01576233,0.002073288,-0.009506226,-0.0061073303,-0.0079956055,0.044433594,0.01550293,-0.0010852814,-0.015235901,0.0024700165,-0.013702393,-0.014457703,0.019226074,0.016311646,0.01108551,0.015235901,-0.022979736,-0.0061073303,0.047027588,-0.01576233,0.022598267,-0.01890564,-0.017425537,0.027755737,-0.0079956055,-0.010627747,0.010177612,-0.019851685,-0.042419434,0.021514893,9.858608e-05,-0.009292603,-0.018600464,-0.013458252,-0.0069351196,0.014457703,-0.01953125,-0.004272461,0.004470825,-0.012252808,-0.0061073303,0.03189087,0.006313324,0.024139404,-0.014457703,-0.029968262,0.02017212,0.0034675598,-0.019226074,-0.004070282,0.0032672882,0.00068998337,-0.0211792,-0.031219482,-0.0059013367,-0.032592773,0.025848389,-0.01550293,0.0010852814,0.002073288,0.0065193176,-0.024139404,0.023742676,-0.047027588,-0.016586304,-0.0034675598,0.0211792,0.020828247,0.02017212,-0.005695343,-0.01272583,-0.0022716522,0.030578613,0.013214111,-0.0032672882,-0.009727478,-0.018310547,0.0211792,-0.006313324,0.0065193176,0.004673004,0.035949707,0.024139404,0.004878998,0.0050811768,-0.016860962,0.00068998337,-0.016860962,0.0028686523,-0.004878998,-0.008422852,-0.011779785,0.050750732,0.005695343,0.020507812,-0.016586304,0.03414917,0.0022716522,-0.012252808,-0.016036987,0.011314392,-0.023361206,-0.009506226,0.003868103,0.014976501,0.012489319,0.020507812,0.020828247,0.024551392,0.0004930496,-0.023361206,-0.012489319,0.032592773,-0.030578613,-0.017150879,-0.019851685,-0.028274536,0.019226074,-0.013954163,0.010856628,-0.011314392,-0.013702393,0.031219482,-0.009506226,-0.0030670166,-0.02017212,-0.047027588,-0.021881104,-0.012969971,0.012489319,-0.015235901,0.004878998,-0.0030670166,0.0034675598,-0.0014801025,-0.026779175,0.001282692,-0.040740967,-0.0050811768,-0.016586304,-0.0059013367,-9.858608e-05,0.01550293,-0.003868103,0.0032672882,0.008422852,0.008422852,-0.0059013367,0.022232056,-0.012969971,-0.001282692,-0.01576233,0.024551392,-0.006313324,0.011779785,0.001282692,0.014976501,-0.010177612,-0.024139404,0.012489319,0.005695343,-0.018600464,0.030578613,0.02017212,-0.0016775131,-0.012969971,-0.011779785,-0.029968262,-0.05810547,-0.0075683594,-0.047027588,0.0211792,0.0036678314,0.014205933,0.018310547,0.00995636,0.0061073303,0.0014801025,0.009506226,0.030578613,-0.0054893494,-0.022979736,0.042419434,0.022232056,-0.0028686523,-0.009292603,-0.005695343,-0.012969971,-0.026306152,0.028274536,-0.020507812,-0.026779175,0.013458252,-0.0211792,-0.0065193176,-0.0018758774,-0.013954163,-0.01890564,-0.010627747,0.03933716,-0.009727478,-0.010856628,-0.017150879,0.019851685,0.016860962,0.01272583,-0.0211792,0.0079956055,0.050750732,-0.011314392,0.00029563904,-0.0018758774,0.029968262,-0.016036987,-0.028823853,0.019851685,0.0069351196,0.016036987,-0.036956787,-0.002073288,-0.0034675598,0.0024700165,0.023361206,0.026306152,0.014717102,0.003868103,-0.004470825,-0.0075683594,0.001282692,9.858608e-05,0.006313324,0.022598267,0.011314392,-0.00088739395,-0.024139404,0.030578613,-0.022979736,-0.012016296,-0.021514893,-0.029968262,-0.014205933,-0.010856628,0.0022716522,-0.035003662,-0.014976501,0.005695343,-0.017425537,0.002073288,-0.047027588,-0.0077781677,0.0036678314,-0.050750732,0.017150879,-0.028274536,-0.012252808,0.022232056,0.023361206,-0.029373169,0.0079956055,-0.042419434,-0.035003662,0.0075683594,-0.0014801025,-0.013214111,-0.014205933,9.858608e-05,0.0069351196,0.016860962,9.858608e-05,-0.0052833557,0.021514893,0.011314392,-0.0069351196,-0.031219482,-0.036956787,0.040740967,0.021881104,-0.05810547,-0.004878998,-0.00088739395,0.004070282,0.012016296,-0.026779175,-0.006729126,-0.032592773,0.040740967,0.027267456,-0.029968262,0.00995636,0.030578613,0.016311646,0.017425537,0.022598267,0.004470825,-0.014205933,-0.009292603,-0.017425537,-0.0014801025,0.013702393,-0.010856628,-0.010856628,0.030578613,-0.013214111,0.011543274,-0.023361206,0.008422852,-0.014717102,-0.012252808,-0.0024700165,0.019851685,0.022598267,-0.008422852,-0.017715454,-0.004470825,-0.025848389,-0.008422852,0.018600464,0.0077781677,-0.0022716522,0.020828247,-0.011543274,0.0061073303,0.003868103,-0.011543274,0.016860962,-0.033355713,-0.00907135,0.050750732,0.010856628,0.05810547,-0.01550293,-0.0061073303,0.0050811768,-0.031219482,-0.01550293,0.001282692,-0.013702393,-0.011779785,-0.033355713,0.018005371,-0.028823853,0.031219482,0.014457703,0.004470825,-0.028823853,-0.0028686523,0.01576233,-0.00088739395,0.004070282,-0.023361206,-0.012489319,-0.0016775131,0.004878998,-0.014457703,0.029968262,0.0059013367,-0.035949707,0.00907135,0.024551392,0.01890564,0.023742676,-0.018310547,-0.004470825,0.024139404,0.040740967,0.0059013367,0.0065193176,-0.0052833557,-0.0059013367,-0.0211792,-0.024551392,0.0075683594,0.0004930496,-0.010177612,0.023361206,0.01953125,-0.035949707,-0.013214111,0.026779175,-0.03189087,-0.002670288,0.003868103,-0.024551392,-0.02017212,-0.015235901,0.002073288,-0.025848389,0.00068998337,-0.008636475,-0.00088739395,0.02017212,0.03933716,0.025848389,-0.032592773,-0.011543274,0.023361206,-0.01576233,-0.029968262,0.006729126,-0.019851685,-0.004070282,0.033355713,0.0069351196,0.019851685,0.001282692,-0.012489319,-0.005695343,-0.004070282,0.012489319,0.0004930496,0.018310547,0.0211792,-0.009506226,-0.0018758774,-0.01550293,-0.012489319,0.02017212,0.030578613,0.021881104,0.0211792,-0.00995636,-0.028274536,-0.020828247,0.021881104,-0.021881104,0.036956787,-0.019226074,-0.013702393,-0.03414917,-0.015235901,-0.01953125,-0.029968262,-0.004272461,0.012969971,0.006729126,-0.025848389,0.017715454,0.011779785,0.014457703,-0.022598267,0.00907135,-0.042419434,-0.001282692,0.004878998,0.0030670166,0.008850098,0.0022716522,0.012252808,-0.019226074,0.05810547,0.047027588,-0.033355713,0.03414917,0.014717102,-0.0050811768,0.001282692,0.0050811768,-0.022598267,-0.00068998337,0.047027588,-0.029968262,0.038085938,-0.014205933,0.010856628,0.050750732,0.0079956055,-0.029373169,-0.01953125,-0.0082092285,-0.029373169,0.00029563904,-0.0034675598,0.016036987,0.016860962,0.011779785,-0.01953125,-0.027267456,-0.0004930496,0.029968262,0.022979736,0.0022716522,0.03414917,-0.018310547,-0.027267456,0.03933716,0.002670288,-0.017715454,0.009506226,0.0075683594,0.038085938,-0.0010852814,0.03933716,-0.009727478,0.00068998337,0.020828247,0.0050811768,-0.007144928,-0.013702393,-0.011543274,0.03189087,0.0061073303,0.006313324,-0.03933716,-0.020828247,0.026779175,-0.0050811768,0.002073288,0.024551392,0.0082092285,0.006729126,-0.004878998,0.029373169,-0.0036678314,0.002073288,0.0032672882,-0.010627747,0.029373169,0.012252808,0.018310547,-0.018005371,0.0052833557,-0.035003662,-0.0211792,-0.002670288,0.028274536,-0.002670288,0.006313324,0.007144928,0.026779175,0.024978638,0.00029563904,0.022598267,-0.013214111,-0.006313324,-0.020507812,0.006313324,0.016586304,0.0018758774,-0.005695343,-0.018600464,0.035949707,-0.002670288,0.035003662,0.007358551,-0.006313324,-0.0082092285,-0.0050811768,0.013702393,0.010398865,0.018600464,0.00088739395,-0.038085938,0.009727478,0.0028686523,-0.014205933,-0.036956787,0.00995636,-0.008422852,-0.024551392,0.011779785,-0.0018758774,0.0032672882,0.004878998,0.003868103,-0.0018758774,0.0034675598,-0.024139404,0.013214111,-0.023361206,0.021514893,-0.008850098,0.0022716522,0.0030670166,0.0075683594,0.01576233,0.0079956055,0.022979736,0.006729126,0.030578613,-0.014976501,-0.02017212,-0.0034675598,0.020828247,-0.00907135,0.032592773,-0.014205933,-0.004673004,0.007144928,-0.0016775131,0.032592773,0.012489319,-0.006729126,-0.01108551,-0.027755737,0.007144928,0.028274536,0.004673004,-0.0004930496,0.006729126,0.032592773,0.0065193176,-0.05810547,0.012252808,-0.025405884,0.014717102,0.021881104,-0.002073288,0.03414917,-0.01953125,0.0014801025,0.026779175,-0.004878998,-0.010398865,0.040740967,-0.0032672882,-0.029968262,0.008636475,-0.024551392,-0.003868103,-0.013954163,0.015235901,0.036956787,0.0054893494,0.023361206,-0.047027588,0.026306152,0.012016296,-0.010398865,-0.019851685,0.0032672882,0.0016775131,-0.010856628,-0.0018758774,-0.021881104,-0.03189087,-0.0075683594,-0.004470825,0.004070282,-0.0077781677,-0.019226074,0.024139404,-0.022979736,-0.050750732,0.050750732,0.019226074,-0.0069351196,0.014717102,0.012252808,0.025848389,-0.00088739395,0.01108551,-0.011779785,-0.03933716,-0.027755737,0.004272461,-0.017425537,0.040740967,-0.0032672882,0.006313324,-0.014976501,0.022598267,-0.03933716,0.009292603,-0.0059013367,-0.025848389,-0.009506226,0.00088739395,-0.024139404,-0.044433594,-0.028274536,0.019226074,-0.019851685,0.042419434,0.0052833557,0.029968262,0.0028686523,0.035003662,-0.026779175,0.019226074,-0.0075683594,-0.012489319,-0.012489319,-0.013458252,0.014717102,0.0079956055,0.012489319,0.040740967,-0.0077781677,-0.024551392,-0.00088739395,0.026779175,-0.002670288,0.032592773,0.0034675598,-0.009292603,0.0050811768,0.012489319,-0.020828247,0.013954163,-0.013214111,0.042419434,-0.0059013367,0.029373169,-0.017150879,0.0075683594,0.027267456,0.029968262,0.0034675598,0.009506226,-0.026779175,-0.014717102,0.0077781677,-0.0075683594,0.029968262,0.008636475,0.013214111,0.024551392,-0.009506226,0.012489319,0.012252808,-0.002670288,0.008422852,-0.00995636,-0.01576233,-0.035949707,0.032592773,0.012252808,-0.010398865,-0.0069351196,0.0030670166,0.002073288,-0.0004930496,-0.016036987,0.026779175,-0.009292603,-0.03933716,9.858608e-05,-0.006313324,0.012969971,-0.0052833557,-0.00029563904,0.0069351196,0.01953125,0.013702393,-0.015235901,-0.0075683594,-0.012252808,-0.017425537,-0.035003662,-0.033355713,-0.0014801025,0.0004930496,-0.024978638,-0.018005371,-0.0004930496,-0.047027588,0.006313324,-0.040740967,0.0024700165,-0.0079956055,0.0054893494,-0.012252808,0.01550293,0.02017212,-0.004878998,-0.010627747,-0.009292603,-0.033355713,-0.013214111,0.019226074,0.009292603,-0.044433594,-0.004878998,-0.016311646,-0.033355713,-0.010627747,-0.016586304,-0.019851685,0.0054893494,-0.014457703,-0.0075683594,-0.0032672882,0.016311646,0.031219482,0.01550293,-0.014457703,0.015235901,0.021514893,0.021514893,0.012489319,-0.0010852814,-0.028274536,-0.007144928,0.0032672882,-0.0030670166,0.0018758774,-0.05810547,0.0022716522,0.028274536,0.001282692,-0.0024700165,-0.003868103,-0.050750732,0.014457703,-0.018310547,-0.0082092285,0.0036678314,0.01953125,-0.022979736,0.014717102,-0.0016775131,-0.01576233,0.00088739395,-0.021514893,-0.026306152,-0.0079956055,-0.01890564,-9.858608e-05,-0.007358551,-0.023361206,-0.019226074,-0.03933716,-0.013458252,0.025405884,0.022232056,0.012252808,-0.029373169,-0.014717102,0.018600464,0.017150879,-0.016586304,0.022979736,-9.858608e-05,-0.030578613,-0.027755737,0.026306152,-0.0016775131,0.010627747,-0.029968262,0.0075683594,-0.0024700165,0.003868103,-0.024551392,0.0024700165,0.016586304,-0.025848389,-0.0082092285,0.013214111,-0.01953125,-0.011779785,0.00029563904,-0.03414917,0.01108551,-0.01890564,-0.028274536,0.030578613,0.0010852814,-0.008422852,-0.0061073303,-0.0082092285,0.00907135,-0.012016296,0.036956787,-0.026779175,0.016860962,0.001282692,-0.016036987,0.0054893494,-0.05810547,0.0069351196,-0.032592773,0.0010852814,-0.011779785,0.028823853,0.012016296,-0.009727478,-0.009727478,-0.0069351196,-0.012252808,0.016860962,-0.0079956055,-0.01550293,-0.004470825,0.027267456,-0.050750732,-0.05810547,-0.016860962,0.021881104,9.858608e-05,0.030578613,-0.031219482,0.029968262,-0.018005371,-0.016036987,0.010177612,-0.05810547,-0.031219482,0.01576233,-0.0036678314,-0.042419434,0.0079956055,0.01576233,-0.026306152,0.016586304,-0.013458252,0.017425537,-0.020507812,0.028274536,-0.024139404,-0.026306152,0.014717102,-0.025405884,0.026779175,-0.013214111,0.019226074,-0.017150879,-0.01953125,-0.006729126,0.015235901,0.023742676,-0.008850098,0.0061073303,0.020507812,-0.010177612,-0.0034675598,-0.023742676,0.028274536,0.01953125,-0.004070282,-0.009292603,-0.008636475,-0.027755737,0.002073288,0.0016775131,0.003868103,-0.0028686523,0.044433594,0.028823853,0.02017212,-0.050750732,-0.010856628,0.014205933,-0.031219482,-0.002670288,-0.009506226,-0.0016775131,0.008850098,0.004470825,0.004272461,-0.0069351196,-0.028823853,0.050750732,-0.025848389,-0.0024700165,-0.023742676,-0.011543274,-0.027267456,0.002073288,-0.0082092285,-0.01272583,-0.002670288,-0.012969971,0.005695343,0.017150879,-0.009292603,0.01953125,0.024978638,-0.017150879,-0.038085938,0.0059013367,-0.008422852,-0.0004930496,-0.0030670166,-0.0061073303,0.023742676,0.004070282,0.012016296,-0.009727478,-0.008850098,-0.0016775131,0.002670288,-0.015235901,0.004878998,0.014205933,-0.020507812,0.008850098,-0.031219482,-0.002670288,0.024551392,-0.01890564,0.0054893494,0.019851685,-0.035949707,-0.010177612,0.028274536,0.03189087,-0.0061073303,-0.004070282,0.03189087,0.033355713,0.0022716522,-0.00068998337,-0.00907135,0.020507812,0.0082092285,0.01108551,0.0054893494,-0.0065193176,-0.004673004,0.019226074,0.0061073303,0.006313324,-0.042419434,-0.028274536,-0.002073288,0.0024700165,0.047027588,-0.006313324,-0.0032672882,-0.025405884,0.0036678314,-0.00907135,-0.010627747,0.0016775131,-0.01272583,0.024139404,0.0050811768,0.023742676,0.016586304,-0.010398865,-0.033355713,-0.00995636,-0.014717102,-0.021881104,-0.0082092285,0.015235901,-0.038085938,0.029968262,-0.0054893494,-0.024551392,0.027267456,0.028823853,0.044433594,-0.001282692,0.01576233,-0.004272461,-0.014205933,-0.007358551,0.00088739395,-0.005695343,0.010627747,0.018005371,-0.010177612,-0.00029563904,-0.018310547,-0.010856628,0.019851685,0.01890564,-0.014976501,0.018005371,0.0030670166,0.0024700165,0.012969971,-0.011779785,-0.009727478,-0.00088739395,-0.0069351196,0.002670288,0.019226074,0.017425537,-0.014457703,0.029968262,-0.01953125,-0.0050811768,-0.01550293,0.016586304,-0.015235901,0.044433594,0.0082092285,0.011543274,0.006729126,0.010856628,-0.0028686523,-0.023361206,-0.0077781677,0.0014801025,-0.0004930496,0.029373169,0.012489319,-0.012969971,-0.024139404,-9.858608e-05,-0.019226074,0.018600464,-0.0036678314,-0.040740967,-0.033355713,0.009292603,-0.024978638,-0.03189087,-0.013214111,-0.0016775131,0.010856628,9.858608e-05,-0.00088739395,-0.009506226,-0.031219482,0.004070282,-0.033355713,0.017715454,-0.0050811768,0.021514893,-0.0052833557,0.00029563904,-0.0016775131,-0.00995636,-0.005695343,-0.01272583,0.035949707,-0.002073288,0.008422852,-0.023361206,-0.008636475,-0.004878998,-0.03189087,-0.003868103,0.032592773,0.040740967,0.025405884,-0.0075683594,0.0016775131,0.018600464,-0.012016296,-0.0050811768,-0.021881104,-0.03414917,0.014717102,0.006313324,-0.010177612,-0.044433594,0.024551392,-0.014717102,0.010627747,-0.0018758774,0.022979736,0.0010852814,-0.012969971,-0.0065193176,0.006729126,-0.005695343,-0.012969971,-0.009292603,-0.028823853,-0.0069351196,0.036956787,-0.016860962,-0.012016296,-0.01108551,-0.014717102,-0.024139404,-0.050750732,0.0016775131,0.03189087,0.0054893494,0.002670288,0.010856628,-0.012969971,0.016311646,0.016860962,0.016860962,0.023742676,-0.022979736,-0.028823853,0.011314392,0.023742676,0.016311646,-0.014717102,-0.002073288,-0.0065193176,-0.0075683594,-0.019226074,0.025405884,0.0018758774,0.003868103,0.03414917,-0.020507812,-0.013214111,0.0018758774,0.008636475,0.0050811768,0.008636475,-0.005695343,-0.004070282,0.042419434,-0.031219482,0.030578613,0.016036987,0.015235901,0.033355713,-0.024139404,0.03189087,-0.016036987,0.026306152,-0.027267456,0.002670288,0.0014801025,0.0030670166,0.0211792,0.009506226,0.006729126,0.024978638,-0.035949707,0.012016296,0.0211792,0.014976501,0.0036678314,-0.026306152,-0.0069351196,-0.01953125,-0.018005371,-0.011779785,0.010856628,-0.001282692,0.031219482,0.031219482,-0.0211792,0.03933716,0.0022716522,-0.021881104,0.007358551,0.020507812,-0.020507812,-0.01108551,0.0014801025,-0.008636475,0.0010852814,0.012016296,-0.016860962,0.015235901,0.0014801025,-0.007144928,-0.028274536,0.03189087,0.021881104,0.008422852,0.018310547,-0.032592773,-0.0024700165,0.024139404,-0.02017212,0.002670288,-0.001282692,-0.016586304,-0.0014801025,-0.01890564,-0.012016296,-0.01550293,0.05810547,0.014976501,-0.018310547,-0.018600464,-0.016586304,0.01550293,-0.001282692,0.0016775131,0.013458252,-0.021514893,-0.026306152,-0.012016296,-0.042419434,-0.032592773,0.021881104,-0.018600464,0.017715454,-0.024551392,0.016311646,-0.002670288,0.018005371,-0.024551392,0.002670288,0.022232056,-0.008636475,0.03414917,0.019226074,0.026779175,0.014976501,0.012252808,-0.004673004,0.044433594,0.004470825,0.010627747,0.021514893,-0.050750732,0.018600464,0.0014801025,-0.00995636,0.0016775131,0.01550293,0.012016296,0.036956787,-0.016036987,0.036956787,0.012016296,0.0016775131,-0.01890564,-0.0004930496,0.016311646,0.035003662,-0.002670288,0.00995636,-0.0028686523,0.03189087,0.012252808,0.024978638,0.038085938,-0.021881104,-0.013458252,-0.009292603,0.01272583,-0.019226074,0.021514893,0.01890564,-0.015235901,0.042419434,-0.01953125,0.00088739395,-0.006729126,-0.018310547,-0.0075683594,0.01890564,0.030578613,0.031219482,0.0069351196,-0.01550293,0.028274536,-0.010398865,-0.011543274,-0.016036987,0.0077781677,-0.0032672882,-0.036956787,-0.009506226,-0.004673004,-0.012969971,0.012489319,0.022979736,-0.008636475,0.023742676,0.047027588,-0.031219482,-0.024139404,0.0036678314,0.024139404,0.038085938,-0.011779785,-0.014976501,0.0024700165,-0.018310547,-0.018005371,-0.0052833557,-0.002670288,0.02017212,0.002670288,0.004272461,-0.00029563904,0.0082092285,0.014457703,-0.010856628,-0.011779785,-0.017715454,-0.0077781677,0.021514893,-0.008422852,-0.013954163,-0.002073288,0.022979736,0.015235901,0.00907135,0.0050811768,-0.007358551,-0.040740967,0.011314392,0.013954163,0.0075683594,-0.031219482,-0.029373169,0.05810547,0.0036678314,0.010177612,-0.026779175,0.01576233,-0.013702393,0.014976501,-0.007358551,-0.005695343,0.014205933,-0.009506226,-0.016036987,-0.021514893,0.026779175,0.0054893494,-0.0069351196,0.014976501,0.021881104,0.014717102,-0.0032672882,0.0036678314,-0.03414917,-0.004272461,-0.017150879,0.008850098,0.0034675598,0.008850098,0.00068998337,-0.01550293,0.01576233,-0.015235901,-0.022232056,0.008636475,0.044433594,-0.004878998,-0.002670288,-0.00029563904,0.013954163,-0.0061073303,0.023742676,0.0016775131,0.028823853,0.003868103,-0.038085938,0.0059013367,-0.0036678314,-0.0065193176,0.00068998337,0.0082092285,0.01108551,0.014205933,0.009292603,0.009292603,-0.016860962,0.044433594,-0.026306152,0.0036678314,0.01108551,0.003868103,-0.042419434,0.020828247,0.004070282,-0.011314392,-0.05810547,-0.014976501,0.032592773,-0.012489319,0.010627747,0.01953125,-0.03414917,-0.03933716,-0.00068998337,0.035003662,0.002073288,0.008422852,0.031219482,0.028274536,-0.014717102,-0.019851685,-0.011543274,0.0059013367,0.0077781677,0.032592773,-0.030578613,0.009727478,0.00907135,0.012969971,-0.00907135,0.01108551,-0.004470825,-0.0069351196,0.016311646,0.023742676,-0.002670288,0.0069351196,-0.024551392,-0.029373169,-0.010398865,0.002670288,-0.013954163,0.01272583,-0.022979736,0.013458252,-0.0079956055,-0.0034675598,0.020828247,0.03414917,0.0022716522,-0.0052833557,0.024978638,-0.004470825,0.013214111,-0.018600464,-0.00029563904,0.0016775131,-0.012969971,0.024978638,0.012016296,0.022598267,-0.01108551,0.00029563904,-0.044433594,-0.019226074,0.0018758774,0.03933716,0.025405884,-0.01550293,0.014717102,0.022979736,0.01576233,0.013214111,-0.029373169,0.013702393,0.023361206,0.018310547,0.009727478,0.001282692,0.029968262,-0.006729126,0.00029563904,-0.022979736,-0.024978638,0.0211792,0.025405884,-0.026779175,0.006313324,-0.014717102,-0.002670288,-0.004470825,0.018005371,-0.014457703,0.0016775131,0.0010852814,-0.011779785,-0.031219482,-0.012252808,-0.031219482,0.036956787,-0.026779175,-0.018005371,0.011314392,-0.013954163,0.022979736,-0.00088739395,0.023742676,0.024139404,-0.01108551,-0.022598267,0.023742676,-0.008422852,-0.009727478,-0.030578613,-0.004070282,0.033355713,-0.011779785,-0.017150879,-0.028274536,0.016036987,-0.032592773,0.002073288,-0.01576233,-0.0079956055,0.016860962,0.01550293,0.05810547,0.007358551,0.0022716522,0.014976501,0.0036678314,0.03189087,0.015235901,-0.035949707,-0.0010852814,-0.002073288,-0.05810547,-0.00068998337,-0.019226074,0.024139404,0.040740967,-0.011314392,0.020828247,-0.017150879,0.008850098,0.002073288,-0.028823853,-0.0016775131,-0.013702393,0.009727478,-0.00088739395,-0.025405884,0.0059013367,0.03414917,-0.018005371,0.006313324,-0.003868103,0.036956787,-0.038085938,-0.013214111,-0.00068998337,-0.020828247,-0.024978638,0.014205933,-0.015235901,0.029968262,-0.028274536,-0.01108551,0.03933716,-0.01953125,-0.009727478,0.0010852814,0.018310547,0.025405884,-0.004272461,0.002073288,-0.026779175,-0.016311646,-0.0028686523,0.0065193176,-0.035003662,-0.018600464,-0.0034675598,0.0082092285,-0.018005371,0.029373169,-0.038085938,-0.011779785,0.019851685,0.014457703,0.016311646,-0.008850098,0.0030670166,0.0211792,-0.011314392,-0.015235901,-0.016036987,-0.017715454,-0.036956787,-0.01550293,0.02017212,0.047027588,-0.006313324,0.023361206,0.00907135,-0.0014801025,0.03414917,0.018310547,0.033355713,-0.022598267,-0.004272461,-0.005695343,0.0082092285,-0.018310547,0.016036987,0.0059013367,-0.0022716522,0.019226074,-0.0052833557,-0.033355713,0.025848389,-0.016860962,0.010177612,-0.007358551,0.0036678314,0.019226074,-0.0059013367,-0.006313324,-0.020828247,0.0004930496,0.013702393,0.014976501,0.006729126,0.00907135,-0.023361206,0.013214111,0.03933716,0.024139404,0.047027588,0.017715454,0.002073288,0.008850098,0.014205933,-0.03414917,-0.010627747,0.031219482,-0.012252808,-0.0069351196,-0.022979736,-0.036956787,-0.010627747,0.018310547,-0.0032672882,0.0022716522,0.035949707,-0.019226074,-0.0032672882,-0.004272461,-0.006313324,-0.008422852,0.019851685,0.004070282,-0.013702393,0.0054893494,0.00995636,-0.008636475,-0.014717102,-0.016860962,-0.012489319,-0.0054893494,-0.030578613,0.006729126,0.013214111,-0.0077781677,-0.00088739395,0.024139404,-0.006313324,0.0069351196,-0.0065193176,-0.0079956055,-0.01953125,-0.033355713,-0.026779175,0.036956787,0.006313324,0.016586304,0.014457703,-0.006313324,0.0034675598,0.010177612,0.031219482,0.029968262,0.010856628,0.025848389,-0.004470825,0.002073288,0.00068998337,0.007144928,-0.025405884,0.014976501,0.004070282,-0.027755737,-0.027755737,0.008636475,0.0036678314,0.013458252,-0.0211792,-0.025848389,-0.013214111,0.010177612,0.007358551,0.0032672882,0.0059013367,0.010856628,0.008850098,-0.007144928,-0.010177612,-0.018310547,-0.0052833557,-0.014205933,0.002670288,-0.022232056,0.018310547,-0.006729126,-0.0054893494,-0.0032672882,0.01108551,-0.013214111,0.012969971,-0.009292603,0.017715454,0.004673004,-0.0014801025,0.014717102,-0.013214111,-0.026779175,0.012252808,-0.0052833557,0.018310547,-0.018600464,-0.01576233,0.024978638,0.008850098,0.014976501,-0.033355713,0.026306152,0.002073288,-0.0022716522,0.023742676,0.027267456,-0.011543274,0.017425537,-0.050750732,0.008422852,0.004272461,0.03933716,-0.004673004,-0.0014801025,-0.00907135,-0.009506226,0.022979736,0.0052833557,-0.029373169,-0.022232056,0.004070282,-0.0024700165,0.05810547,-0.016860962,0.0211792,-0.004673004,-0.029968262,0.010398865,0.047027588,-0.025848389,-0.025405884,0.021514893,-0.003868103,0.019851685,0.010398865,-0.005695343,0.022598267,-0.014205933,-0.0022716522,-0.017425537,-0.025848389,-0.011779785,-0.004878998,-0.050750732,0.035949707,-0.042419434,0.025405884,0.007144928,0.018600464,0.025405884,-0.012016296,0.0004930496,-0.014976501,-0.01272583,-0.004673004,-0.00029563904,0.026306152,0.0018758774,0.027267456,0.016860962,0.0061073303,-0.033355713,-0.030578613,-0.005695343,0.010627747,0.033355713,-0.00068998337,0.026779175,-0.00088739395,0.016860962,-0.004470825,0.00995636,-0.00068998337,-0.02017212,0.035949707,0.0069351196,-0.00088739395,0.018600464,0.009506226,-0.02017212,-0.016860962,-0.004272461,0.021514893,0.008422852,-0.009292603,-0.0059013367,-0.027267456,0.0014801025,-0.013214111,0.0079956055,0.044433594,-0.002670288,0.0036678314,0.017425537,-0.028274536,-0.003868103,0.03414917,0.024551392,-0.033355713,-0.0010852814,0.03189087,-0.0030670166,-0.035003662,-0.001282692,0.022979736,0.032592773,0.029968262,-0.006729126,0.016860962,-0.0077781677,0.011779785,-0.012252808,-0.0061073303,0.047027588,-0.024551392,-0.030578613,0.012969971,-0.026306152,0.040740967,0.008850098,-0.018310547,-0.015235901,-0.010627747,-0.036956787,0.047027588,0.004673004,0.0069351196,0.025405884,-0.023742676,0.009727478,-0.023361206,0.026306152,0.032592773,0.008422852,0.014976501,-0.013458252,-9.858608e-05,0.0079956055,0.025848389,0.001282692,-0.016311646,-0.026779175,-0.007358551,-0.0034675598,0.036956787,-0.017715454,-0.01272583,0.024139404,0.0030670166,-0.035003662,-0.022598267,-0.006313324,0.013458252,0.014976501,0.0077781677,-0.014205933,-0.0016775131,0.005695343,-0.0016775131,0.018310547,0.0082092285,-0.028274536,-0.0022716522,0.011314392,-0.014457703,-0.008850098,0.0050811768,0.0032672882,0.0075683594,-0.008850098,0.029373169,0.01550293,-0.0061073303,0.011543274,-0.028274536,0.036956787,-0.020828247,0.010627747,0.00907135,-0.0004930496,0.017150879,0.00068998337,-0.0014801025,0.01108551,-0.011779785,-0.01953125,0.035003662,0.014976501,0.004070282,-0.019851685,-0.024551392,-0.009727478,0.05810547,0.005695343,0.0059013367,0.0065193176,0.029373169,-0.027755737,-0.032592773,-0.011779785,0.018005371,0.01550293,0.004470825,0.022232056,-0.022979736,-0.001282692,-0.01550293,0.0069351196,0.0211792,0.026779175,0.022232056,-0.036956787,0.044433594,-0.004070282,0.023361206,-0.036956787,-0.007358551,0.038085938,-0.0024700165,-0.03414917,0.004272461,0.033355713,-0.0018758774,-0.00068998337,0.010398865,-0.0082092285,0.01576233,0.00088739395,0.0052833557,-0.012489319,0.012969971,-0.020828247,-0.02017212,-0.01890564,-0.017425537,0.011543274,-0.019851685,0.019851685,0.024139404,-0.008422852,0.00088739395,-0.006729126,-0.020507812,-0.011779785,9.858608e-05,-0.0030670166,-0.027755737,-0.028823853,0.028823853,-0.008850098,-0.004673004,0.024139404,-0.008422852,-0.009292603,-0.004878998,-0.044433594,-0.019851685,0.022232056,-0.024978638,-0.0077781677,0.0059013367,-0.0016775131,-0.0082092285,0.012252808,0.0032672882,0.010627747,0.002670288,0.019851685,0.0024700165,0.0022716522,-0.0024700165,0.016036987,0.012969971,0.006729126,0.004070282,0.011543274,0.022979736,0.0075683594,0.0010852814,0.022598267,-0.004070282,0.022232056,0.0034675598,-0.027267456,-0.012489319,-0.02017212,-0.026779175,0.0010852814,-0.0014801025,0.009727478,0.006313324,-0.047027588,0.0018758774,-0.009727478,0.0036678314,-0.0022716522,-0.024978638,0.027755737,-0.03414917,0.01108551,-0.021514893,-0.014205933,0.006729126,-0.023742676,0.0077781677,0.01890564,-0.0036678314,-0.007144928,-0.012016296,-0.008850098,-0.020507812,0.03933716,-0.009292603,0.035003662,0.004878998,0.010856628,0.008422852,-0.016860962,0.023361206,-0.0032672882,-0.013954163,0.03933716,-0.002073288,-0.013214111,0.0032672882,0.002670288,0.040740967,-0.013214111,-0.022979736,0.006313324,0.0022716522,0.017715454,0.012016296,0.012252808,0.0018758774,0.031219482,-0.014717102,-0.020828247,0.00088739395,-0.00995636,-0.0054893494,-0.014205933,0.016036987,0.025405884,9.858608e-05,0.022979736,0.009292603,-0.0065193176,-0.030578613,0.024551392,0.036956787,-0.008636475,0.0022716522,0.040740967,0.023361206,0.00995636,-0.0004930496,-0.006313324,0.0054893494,0.01576233,0.012016296,0.010627747,0.010627747,-0.02017212,0.02017212,-0.010856628,-0.019226074,-0.02017212,-0.0050811768,0.035949707,-0.00995636,-0.002073288,-0.03933716,-0.012252808,-0.023361206,-0.028823853,-0.0030670166,-0.020507812,0.019851685,-0.01108551,0.006729126,-0.011779785,-0.0077781677,0.03414917,0.029968262,-0.013458252,0.016860962,0.035003662,-0.012489319,9.858608e-05,-0.013954163,0.0059013367,0.03189087,-0.02017212,-0.011314392,-0.047027588,0.006729126,-0.0050811768,-0.030578613,-0.0059013367,0.009506226,0.009506226,-0.008850098,0.0022716522,0.004272461,-0.00088739395,0.014457703,0.008636475,0.014205933,-0.032592773,-0.0004930496,0.01953125,-0.0018758774,-0.029968262,-0.0052833557,0.0211792,0.015235901,0.029968262,-0.025848389,0.0079956055,0.010177612,0.023361206,-0.00029563904,0.008636475,-0.040740967,0.0077781677,0.017150879,0.024978638,0.016311646,-0.009727478,-0.024551392,-0.0069351196,-0.017715454,0.018310547,0.01576233,-0.0022716522,0.036956787,-0.0024700165,-0.016586304,0.01953125,-0.011779785,0.003868103,0.020828247,0.013702393,0.021881104,-0.0075683594,0.0028686523,0.004470825,0.02017212,0.012489319,-0.014976501,0.047027588,0.01576233,-0.016311646,0.0050811768,-0.014457703,-0.013458252,-0.010627747,-0.00995636,0.00029563904,0.0034675598,0.013214111,0.010398865,-0.014976501,-0.0034675598,-0.01550293,0.015235901,0.033355713,0.028274536,0.017150879,0.009292603,-0.011779785,0.009292603,0.016860962,0.014457703,0.012969971,0.040740967,0.002073288,-0.010177612,-0.050750732,0.047027588,0.018310547,0.033355713,0.0211792,0.004470825,-0.014976501,-0.0018758774,0.01890564,-0.00029563904,-0.03414917,-0.018005371,0.014457703,-0.016311646,0.0014801025,0.004878998,0.021514893,0.021881104,0.0024700165,-0.009727478,0.0016775131,0.009727478,0.03414917,0.01576233,-0.002073288,-0.01550293,-0.035003662,0.014205933,0.006313324,0.01953125,0.0028686523,-0.004878998,-0.044433594,0.013214111,0.013214111,-0.013458252,-0.0004930496,0.0010852814,0.012016296,0.01272583,0.019226074,0.009727478,-0.040740967]	1001011100100010000111111001101110010100000000110011111000001010010100100111101001010111010001100011011111110001101110000011100110000110111111001010011100101011100111011101000101011101110110110110101110010011000100111101010010111001010101100100101011110001100100111100101001001001100001001001110011001100001011101000111000110001011111101010001110110010011111110010000101001000000101010010000010111010001011100110110000000111111111001100000100100000010001110110101001110001111100111110010000001001010010100110100100011110110001100011000110111111000010010101000110000011010110100111001001000101110010100010110111100111100001101100100100010100111001001001111000111100001111000101000000011011101001111101101101100101011100001011100011110011011101011100011100101111010110111010001011111100011100101100011110110010010111010101011111111000101001011000111011101011010110010010001111011001100000010010011011101000101010101000100010111110100001111000101101101010101111100101111011010001100110010010100111000000010000101010110000011000000010001110111100010101110001001101001000000000011100110100010101010110010010100110001010110101010110000100010001110100100100110101010010101000110110001100001110111001000011100100000100001101100100001110001011010010110011001110011110011100011000100101111000000101001110100010110000110111100001110100010111110001011000010001000011000101010100001010000011101100001100101011001000001000000111110111100111000001111001111001011110101011111110111100000101101101100101101100111100101000000110001011000001010101011011111011110110111101110011010111100010110101000111101000100000110110011100100001110110000100011110011100111010100100011011101000111101001100010111101001111110101110110001011000111110001110111010011010001010100111010100101110100111011110111111010011010001011000010010101100100001000101001111111110000001101011000100110101000001010010011101000100010100111011000000110110111000101101001010110001111101111111100100000101100000110110000001100101000001111011111101110110011100011111100000101000101011010010100111011011010111000011001010100110010110100000001011110100001111100011010101001101100011000101101100110010001110101001001011000011110101111001110000100110001110010110010011101101010110110100111000111110001111000111101010010011001011101000010110100010001001000001001001111111011111111101100001011010100101001011000001011110100100111001111111001000111110011011110011111010000100000000101001101101011000100011011011100100011101110101111000011010010111101111011010000111100011111011111100111110010001011111011110001111001100111110	shop	cart.py	python	5	5	f	2026-11-29 09:52:59.873973+00
4	1	\\x60130b4fe047ba4939f46fcf21a086be30a17928dbc42f3668fa18d5e9b9254f	[-0.0075950623,0.03945923,-0.015556335,-0.028381348,0.02305603,0.024642944,0.04257202,0.016098022,0.0008907318,-0.018676758,0.0075950623,0.018981934,-0.021957397,0.020248413,-0.019927979,0.0006928444,0.026397705,-0.013259888,0.031341553,-0.028930664,0.020568848,0.0020809174,-0.015289307,0.0078086853,0.004085541,0.0024795532,0.017486572,0.002281189,-0.008018494,-0.004085541,-0.002878189,-0.006542206,-0.0024795532,0.020568848,0.021255493,-0.003479004,0.002281189,0.018081665,0.014511108,-0.024642944,0.020248413,0.038208008,0.009986877,0.014259338,-0.014511108,-0.0036811829,0.0051002502,0.006752014,-0.01158905,0.0020809174,0.006542206,-0.0030784607,0.0008907318,0.021606445,0.020904541,0.014511108,0.03945923,0.013755798,-0.047180176,0.006752014,-0.0026798248,-0.015289307,-0.016098022,0.019927979,-0.004085541,0.016921997,0.0051002502,-0.015556335,0.013015747,0.03945923,0.030075073,0.009101868,-0.01928711,-0.007385254,0.0026798248,0.025497437,0.020248413,0.00592041,-0.0038814545,0.0057144165,0.0234375,-0.009986877,-0.014259338,-0.02305603,-0.0234375,0.010437012,-0.0014858246,0.0026798248,0.0038814545,0.025497437,-0.0051002502,0.025939941,0.016098022,-0.036071777,-0.006542206,0.003479004,-0.024230957,0.0234375,0.015556335,-0.003479004,0.027862549,0.023834229,-0.01158905,0.05831909,0.005302429,0.0008907318,-0.0046920776,-0.00592041,-0.019607544,0.006336212,0.02305603,-0.0042877197,0.016921997,0.013015747,0.03201294,0.00029683113,0.012535095,-0.010215759,-0.026397705,-0.0038814545,0.02507019,0.0069618225,-0.012535095,-0.014007568,0.009544373,0.050933838,-0.0008907318,0.009544373,0.018081665,-0.004085541,-0.020904541,-0.021957397,-0.024230957,0.0069618225,0.025939941,0.011352539,-0.0036811829,-0.012535095,0.04458618,-0.0016841888,0.02305603,-0.03427124,-0.009765625,-0.006336212,-0.0038814545,-0.037109375,-0.014007568,0.038208008,-0.0008907318,0.0038814545,-0.0038814545,0.030075073,0.027359009,-0.021957397,0.033477783,0.006752014,-0.0018825531,-0.009101868,-0.0234375,0.0046920776,-0.0020809174,-0.014770508,-0.038208008,-0.008666992,0.013259888,0.012290955,-0.021606445,-0.0026798248,-0.006336212,0.016647339,-0.02230835,-0.02947998,-0.004085541,0.025497437,-0.013259888,0.018676758,-0.03945923,0.009544373,0.0069618225,-0.025497437,-0.020568848,0.02267456,0.01928711,0.0051002502,-0.015823364,0.0044898987,-0.0006928444,0.014770508,0.008239746,0.030075073,-0.003479004,-0.008239746,0.011123657,-0.024230957,0.024230957,0.006336212,-0.00592041,0.019607544,0.014511108,0.01158905,-0.010437012,0.015289307,-0.028930664,0.05831909,-0.027359009,-0.0036811829,-0.0008907318,-0.02507019,-0.01928711,-0.008888245,-0.01928711,0.013015747,-0.005508423,0.028930664,-0.006126404,-0.0030784607,-0.019927979,0.024642944,-0.020568848,0.0036811829,-0.015289307,-0.023834229,0.028381348,0.02305603,-0.047180176,0.002878189,-0.01637268,-0.0046920776,0.014007568,0.015029907,0.016921997,0.024642944,0.002878189,-0.00592041,-0.009986877,0.05831909,-0.0069618225,-0.0234375,-0.014007568,-0.04257202,0.015289307,-0.0042877197,0.04458618,-0.026870728,0.015029907,0.017486572,0.0006928444,-0.010665894,0.021255493,-0.03427124,-0.0032787323,0.013259888,-0.021606445,-0.040893555,-0.010437012,0.016921997,0.008239746,0.020248413,-0.0020809174,0.016098022,0.018081665,-0.021255493,-0.026397705,0.01637268,0.02267456,-0.003479004,-0.01637268,0.006126404,0.0048942566,0.016921997,-0.017211914,-0.016921997,-0.0020809174,0.033477783,-0.014770508,-0.021606445,0.002878189,-0.0010890961,-0.0020809174,-0.037109375,-0.008018494,-0.037109375,0.0024795532,-0.010665894,-0.03515625,0.006126404,-0.009765625,-0.0044898987,-0.014259338,0.010437012,-0.015823364,-0.0010890961,-0.010665894,0.015556335,0.0069618225,0.00932312,-0.0038814545,-0.018981934,-0.0069618225,0.01777649,-0.0014858246,-0.00029683113,-0.024642944,-0.016921997,0.0057144165,-0.012290955,-0.00592041,-0.008666992,0.002878189,0.021606445,0.040893555,-0.020248413,0.010665894,-0.017486572,-0.004085541,-0.0026798248,-0.030685425,-0.027862549,0.016098022,0.006542206,-0.017486572,0.01637268,0.019607544,-0.024230957,0.01637268,-0.050933838,0.025939941,-0.021255493,0.006126404,-0.010215759,-0.014007568,-9.894371e-05,-0.020904541,-0.028930664,-0.020904541,0.008018494,0.014259338,0.009544373,-0.0008907318,0.00592041,0.02230835,0.021606445,0.007171631,0.03201294,-0.018981934,-0.009986877,-0.00932312,0.0044898987,0.008453369,0.009765625,-0.005508423,-0.0234375,-0.02267456,0.023834229,0.014007568,0.014259338,0.009101868,0.020904541,-0.0026798248,0.030075073,-0.011123657,0.0012874603,0.00049495697,-0.012535095,-0.006752014,-0.0057144165,0.021606445,0.00932312,0.016647339,0.0006928444,0.04257202,-0.02947998,0.03427124,0.016647339,0.0046920776,0.010665894,0.016098022,-0.01158905,-0.008453369,-0.00592041,0.010215759,0.050933838,0.015556335,-0.009544373,-0.002281189,0.03945923,0.015029907,0.012290955,0.033477783,-0.019607544,-0.0069618225,-0.019927979,-0.023834229,0.008888245,-0.038208008,-0.0048942566,-0.02947998,0.03427124,-0.03427124,0.006126404,0.0024795532,-0.0026798248,0.006752014,0.013504028,-0.010894775,-0.005302429,0.023834229,-0.0016841888,-0.008239746,-0.019927979,-0.015823364,0.002281189,-0.009986877,0.0014858246,0.016647339,0.028381348,0.008888245,0.033477783,-0.0006928444,0.027359009,-0.030075073,-0.009765625,-0.008453369,0.002878189,-0.015556335,0.00049495697,-0.0018825531,-0.011123657,-0.020904541,-0.0042877197,-0.013755798,0.0014858246,-0.002281189,-0.0078086853,0.0075950623,0.031341553,0.009544373,-0.040893555,0.018981934,0.02305603,0.00932312,0.009986877,-0.015029907,0.026397705,0.00049495697,0.017486572,0.013259888,0.016098022,0.013015747,-0.0032787323,0.032714844,-0.050933838,-0.037109375,0.012535095,0.016098022,-0.005508423,-0.03515625,-0.0032787323,-0.004085541,0.011123657,-0.020248413,9.894371e-05,-0.0234375,-0.003479004,0.0234375,0.017486572,0.010437012,0.026870728,0.024642944,0.026870728,-0.012054443,-0.010437012,0.007171631,-0.008239746,0.010665894,0.03201294,0.009986877,0.006752014,0.0044898987,-0.023834229,0.026870728,-0.030685425,0.026397705,0.020248413,-0.016921997,0.018981934,0.008666992,0.0046920776,-0.04257202,-0.008888245,0.0048942566,-0.016921997,-0.018981934,0.028381348,0.0006928444,-0.017211914,0.0030784607,-9.894371e-05,-0.0234375,0.005302429,0.036071777,0.018371582,-0.0044898987,-0.025497437,-0.002878189,0.030685425,0.019927979,0.0018825531,-0.0006928444,-0.011352539,0.030685425,-0.02230835,0.01777649,0.0044898987,0.0038814545,0.008666992,-0.028930664,-0.009101868,0.01158905,-0.011352539,0.0008907318,-0.0042877197,0.038208008,-0.00592041,-0.019607544,0.012290955,0.021606445,-0.014259338,-0.012290955,-0.02507019,-0.05831909,-0.009765625,0.031341553,0.028930664,0.00029683113,-0.04257202,0.0030784607,-0.010215759,0.014770508,0.019607544,-0.002281189,-0.012771606,-0.030685425,-0.006542206,0.003479004,-0.021957397,-0.019927979,0.0038814545,-0.013015747,0.03515625,0.0075950623,-0.00592041,0.030685425,0.026870728,0.0038814545,-0.016098022,-0.027359009,0.018981934,0.026397705,0.013755798,9.894371e-05,0.040893555,-0.021606445,-0.006336212,-0.00029683113,-0.010894775,0.031341553,0.0057144165,0.020568848,0.021957397,0.033477783,-0.026870728,-0.006752014,-0.017486572,-0.009544373,0.016098022,-0.026870728,0.018676758,-0.050933838,0.036071777,-0.00049495697,0.04458618,0.004085541,-0.008666992,0.00049495697,-0.019607544,0.008888245,-0.002878189,0.036071777,-0.012054443,0.028930664,-0.005302429,0.020248413,-0.011123657,0.03201294,-0.038208008,-0.040893555,-0.02947998,-0.009765625,-0.028930664,0.015556335,-0.010894775,0.008888245,-0.0038814545,-0.0234375,-0.026870728,0.020248413,-0.0030784607,-0.002878189,-0.015823364,0.005302429,-0.03515625,-0.011123657,0.020904541,0.015029907,-0.0026798248,-0.0008907318,-0.012290955,0.026870728,0.032714844,0.014511108,-0.021255493,0.004085541,-0.05831909,0.01158905,0.005508423,0.03201294,0.038208008,0.018371582,0.008888245,-0.005508423,-0.05831909,0.020248413,0.013259888,-0.036071777,0.025497437,-0.030075073,0.036071777,-0.017211914,0.019927979,-0.020904541,-0.04257202,0.013755798,0.0042877197,-0.00592041,-0.0006928444,-0.0044898987,0.030075073,-0.031341553,0.013259888,-0.0020809174,-0.012771606,-0.0006928444,-0.0010890961,-0.0012874603,-0.017486572,-0.004085541,0.013259888,0.024230957,-0.032714844,0.010894775,0.037109375,0.017211914,-0.0078086853,-0.006336212,-0.0016841888,-0.020568848,9.894371e-05,-0.009101868,0.025939941,-0.005302429,-0.050933838,-0.020904541,-0.012771606,-0.008888245,0.021255493,-0.0016841888,0.007385254,0.009544373,-0.009544373,0.019927979,0.009765625,-0.0044898987,0.050933838,-0.021255493,0.03515625,0.011352539,0.003479004,0.024230957,0.021255493,0.0030784607,-0.008666992,0.0020809174,-0.009101868,0.013259888,0.019607544,-0.013755798,-0.005302429,0.017486572,0.006126404,0.030075073,0.0006928444,-0.019927979,-0.010894775,0.0048942566,-0.008453369,-0.006336212,0.0016841888,-0.036071777,0.026870728,0.014770508,0.018081665,0.014511108,0.038208008,0.0038814545,-0.009544373,-0.021255493,0.0012874603,0.019927979,-0.01158905,-0.0024795532,0.028930664,-0.0075950623,0.03427124,-0.050933838,-0.015289307,0.020248413,0.013504028,-0.012054443,-0.018081665,0.013259888,0.038208008,0.015289307,0.009986877,0.012054443,-0.040893555,-0.020568848,0.036071777,0.02947998,-0.006752014,-0.006336212,-0.027862549,-0.015556335,0.03945923,-0.03427124,0.004085541,-0.004085541,-0.03427124,-0.010665894,-0.028930664,0.0020809174,-0.0012874603,0.030685425,-0.00029683113,0.008666992,0.008666992,0.02230835,-0.002281189,-0.0069618225,0.028930664,0.036071777,0.0012874603,-0.016647339,-0.026870728,-0.008666992,0.025497437,0.0234375,-0.015289307,-0.014007568,-0.012771606,-0.012290955,-0.02947998,0.030075073,-0.010215759,0.010215759,-0.047180176,0.01158905,-0.016098022,-0.027862549,-0.027359009,0.009765625,0.03515625,0.04458618,0.010665894,0.010215759,0.012054443,0.011352539,-0.04458618,0.0234375,-0.018371582,0.019927979,-0.03427124,-0.012290955,-0.021255493,0.014007568,0.03427124,-0.018676758,-0.026397705,0.03515625,-0.014007568,0.026397705,0.002281189,-0.0012874603,0.016921997,-0.013015747,0.009986877,0.024642944,-0.013259888,0.03201294,-0.00592041,-0.0016841888,-0.005302429,-0.0010890961,-0.015029907,-0.04458618,-0.004085541,-0.012771606,0.010215759,0.028930664,0.047180176,-0.010665894,0.028930664,-0.0030784607,-0.020568848,-0.018676758,0.003479004,0.027359009,0.014007568,0.005508423,-0.00029683113,0.0036811829,-0.010665894,-0.0026798248,-0.007171631,-0.012054443,-0.008453369,0.009544373,0.020248413,-0.012290955,0.028381348,0.017211914,0.002281189,-0.013259888,-0.004085541,0.04458618,-0.037109375,0.016098022,-0.02305603,-0.014007568,-0.017211914,0.02507019,-0.021957397,-0.013504028,0.020568848,0.02267456,-0.002281189,-0.016098022,-0.0018825531,0.0078086853,0.026397705,-0.032714844,0.025939941,0.023834229,0.0051002502,-0.008888245,0.005302429,0.050933838,0.0030784607,0.0024795532,-0.03945923,-0.013755798,-0.031341553,0.0014858246,-0.010894775,-0.003479004,0.009765625,0.0024795532,-0.008888245,-0.009765625,0.006126404,-0.026870728,0.011817932,0.014511108,0.014511108,0.0008907318,-0.007171631,0.040893555,0.018981934,-0.01928711,-0.0048942566,0.021255493,0.021606445,0.017486572,-0.028381348,-0.025939941,0.021606445,-0.020904541,0.023834229,-0.037109375,0.01637268,-0.0008907318,0.0051002502,0.009101868,-0.037109375,0.018676758,0.012290955,-0.0038814545,0.011817932,-0.02947998,0.006542206,-0.0075950623,0.033477783,-0.026397705,0.010894775,0.008239746,-0.011123657,-0.006542206,0.0008907318,0.0010890961,0.010437012,0.01928711,-0.024230957,-0.021957397,0.00029683113,0.011352539,-0.015823364,-0.0069618225,0.005508423,-0.015029907,0.023834229,0.00932312,0.0044898987,-0.0046920776,0.018676758,0.0024795532,0.004085541,-0.0042877197,0.037109375,0.010215759,0.015029907,0.012054443,-0.019927979,0.026397705,-0.006126404,0.010215759,-0.0057144165,-0.023834229,0.0057144165,0.008888245,0.030685425,-0.05831909,0.007171631,0.017486572,0.02305603,0.00029683113,0.0008907318,0.013755798,-0.050933838,-0.0030784607,-0.020248413,-0.010894775,-0.0234375,-0.013259888,-0.013755798,0.017486572,0.02507019,-0.006126404,0.010894775,0.010215759,0.037109375,-0.013015747,0.00049495697,-0.0069618225,-0.0057144165,-0.012535095,-0.04458618,0.0057144165,0.008453369,-0.007385254,0.020568848,0.01637268,-0.008453369,0.02267456,-0.01928711,0.016098022,0.026870728,0.009986877,-0.023834229,-0.002281189,-0.026397705,0.019927979,0.031341553,-0.016098022,-0.002281189,-0.015029907,-0.018676758,-0.028381348,-0.010437012,0.0036811829,-0.01637268,0.04257202,0.015029907,-0.03945923,0.028930664,0.017486572,-9.894371e-05,0.027359009,0.014007568,-0.02230835,0.026870728,0.015289307,-0.020568848,0.015029907,0.01158905,0.0008907318,-0.00932312,0.0014858246,0.006752014,-0.007385254,-0.018081665,-0.002878189,0.010665894,0.004085541,0.03945923,0.0038814545,-0.016647339,-0.011352539,0.016098022,0.013755798,-0.019927979,0.02305603,0.02267456,-0.01637268,0.023834229,-0.012290955,0.020904541,-0.040893555,-0.0042877197,-0.011123657,0.040893555,-0.024230957,-0.011352539,0.020568848,-0.0030784607,-0.012054443,0.01158905,-0.002281189,0.007385254,0.0046920776,0.028381348,0.009765625,-0.050933838,-0.025497437,-0.037109375,-0.03427124,-0.020904541,-0.026870728,-0.019607544,0.027359009,-0.016921997,-0.009101868,0.006542206,0.005302429,-0.0020809174,-9.894371e-05,0.03427124,0.009544373,-0.04458618,-0.020904541,-0.005302429,0.025939941,0.007385254,0.016647339,-0.014259338,0.008453369,0.010215759,-0.018981934,0.005508423,-0.008666992,-0.0006928444,0.021255493,-0.010215759,0.010437012,0.025497437,0.050933838,-0.0024795532,0.010665894,0.0057144165,0.0024795532,0.008888245,-0.0036811829,-0.006126404,0.0018825531,-9.894371e-05,0.0051002502,-0.010437012,0.01158905,0.0018825531,0.030075073,-0.02305603,0.012535095,-0.030075073,0.019607544,-0.016647339,-0.006542206,0.014007568,-0.00592041,-0.015289307,-0.0038814545,-0.03515625,0.003479004,0.03427124,-0.0016841888,0.008453369,-0.030075073,-0.012771606,-0.0014858246,-0.018981934,0.0075950623,-0.050933838,-0.03427124,0.002878189,0.014007568,0.0010890961,0.011123657,-0.015556335,-0.027862549,0.0069618225,-0.03427124,0.012535095,-0.028381348,0.020568848,0.00932312,0.04458618,-0.015556335,-0.031341553,0.012054443,-0.04257202,-0.0006928444,-0.002281189,0.02507019,0.009101868,0.027862549,-0.00592041,-0.027359009,-0.03515625,-0.0020809174,-0.0046920776,0.047180176,-0.002878189,0.024230957,-0.0048942566,-0.0042877197,0.0078086853,-0.0038814545,-0.0234375,-0.007171631,-0.025497437,-0.03201294,-0.010665894,-0.009544373,0.01777649,-0.0075950623,0.011352539,0.03201294,-0.0012874603,-0.013755798,-0.033477783,0.0051002502,0.02267456,-0.014259338,0.014511108,-9.894371e-05,0.006126404,-0.0030784607,-0.00049495697,0.00932312,0.021255493,-0.027862549,-0.007171631,-0.021255493,0.019607544,-0.0032787323,0.0024795532,0.02947998,0.038208008,0.03945923,-0.0010890961,-0.011817932,0.008666992,0.012771606,-0.016921997,-0.002878189,-0.024642944,-0.002281189,-0.032714844,-0.018371582,0.005302429,0.008239746,-0.040893555,0.013504028,-0.014259338,-0.04257202,-0.01637268,0.008666992,-0.016098022,0.008453369,-0.026397705,0.0024795532,-0.02947998,0.04257202,0.017211914,-0.038208008,-0.005508423,-0.012771606,-0.03201294,-0.00029683113,-0.01158905,-0.047180176,0.026870728,-0.02507019,0.008239746,0.007171631,0.010437012,0.0024795532,-0.008239746,0.0014858246,0.02267456,-0.024642944,0.0075950623,0.036071777,-0.015029907,0.011123657,-0.019607544,-0.010215759,-0.0048942566,-0.025497437,0.015556335,-0.006126404,-0.013015747,-0.002878189,0.0020809174,0.004085541,0.014770508,0.0030784607,-0.010437012,-0.013755798,0.0057144165,0.017486572,-0.0012874603,0.010894775,0.019607544,0.026870728,-0.020248413,0.010437012,0.03515625,-0.0046920776,-0.024230957,-0.012771606,0.028930664,-0.0024795532,0.0010890961,-0.018081665,-0.016098022,-0.031341553,-0.020904541,-0.030685425,-0.0018825531,0.0014858246,0.012054443,-0.011817932,0.036071777,0.018081665,-0.007171631,0.018081665,-0.013015747,-0.008453369,0.033477783,-0.00932312,-0.025939941,0.018081665,0.015823364,-0.010665894,0.03515625,-0.021255493,0.016921997,-0.018371582,0.00049495697,0.047180176,0.0036811829,0.021957397,0.0020809174,0.008666992,-0.010894775,0.04257202,-0.00049495697,0.037109375,-0.05831909,-0.01158905,-0.014770508,-0.020568848,0.0020809174,-0.020568848,-0.014511108,0.011123657,0.0018825531,-0.008018494,-0.014770508,-0.038208008,-0.005508423,-0.025497437,0.0016841888,-0.014770508,0.028930664,0.033477783,0.024230957,-0.019927979,-0.03201294,-0.031341553,-0.031341553,0.015289307,0.0030784607,-0.013015747,-0.019607544,-0.010437012,-0.0046920776,0.027862549,0.028381348,0.014007568,-0.0010890961,-0.006752014,-0.009544373,-0.012054443,0.002281189,-0.024642944,-0.0036811829,-0.013259888,-0.008888245,-0.007385254,-0.012771606,0.028381348,-0.008239746,0.008239746,-0.012290955,0.00592041,-0.013755798,0.010665894,0.0026798248,0.018676758,-0.0036811829,-0.006542206,-0.008888245,0.0042877197,-0.0048942566,-0.006126404,-0.00029683113,0.00049495697,-0.0010890961,-0.050933838,-0.014007568,-0.0026798248,-0.0069618225,-0.03201294,-0.0234375,0.0012874603,0.009765625,-0.0012874603,-0.026397705,0.0051002502,0.0010890961,0.0020809174,-0.0069618225,-0.003479004,0.012054443,0.0018825531,0.0032787323,0.0046920776,-0.010665894,0.002878189,-0.009765625,-0.011817932,0.0018825531,-0.031341553,-0.010894775,-0.047180176,-0.008453369,-0.0069618225,0.0075950623,-0.009986877,0.024642944,0.0010890961,-0.025497437,0.02305603,0.002878189,0.008666992,0.013504028,0.0036811829,0.010894775,-0.013259888,-0.014770508,-0.0057144165,-0.013504028,-9.894371e-05,-0.02267456,0.008018494,-0.016921997,0.009101868,0.0012874603,0.02507019,0.0030784607,0.014007568,0.021255493,-0.0032787323,-0.007385254,0.009101868,-0.04257202,0.030685425,-0.018081665,-0.014007568,-0.05831909,-0.0234375,-0.015029907,-0.00029683113,-0.015556335,0.010437012,-0.004085541,-0.00592041,0.020568848,0.032714844,0.015823364,-0.016647339,-0.026870728,0.00029683113,0.0051002502,0.027359009,-0.032714844,-0.0046920776,-0.0010890961,0.024642944,-0.014007568,0.0069618225,0.008018494,0.0012874603,0.026397705,0.017211914,0.0048942566,-0.014007568,-0.03201294,0.027359009,-0.00592041,0.00592041,0.015029907,-0.011123657,-0.04257202,-0.02230835,-0.016921997,-0.04458618,0.006542206,-0.017486572,-0.04458618,-0.037109375,0.04257202,0.00029683113,0.002281189,-0.014770508,0.03945923,0.03945923,-0.0016841888,-0.038208008,-0.013015747,-0.010437012,0.008239746,0.02305603,-0.015029907,-0.013259888,0.009986877,0.00029683113,0.015823364,0.0006928444,-0.018981934,-0.014007568,0.002281189,0.0051002502,0.028930664,0.00592041,-0.018676758,-0.027359009,-0.019607544,0.038208008,0.0014858246,-0.0016841888,-0.0032787323,0.032714844,0.040893555,-0.010894775,-0.025939941,-0.006752014,-0.008239746,0.0042877197,-0.008239746,-0.02230835,0.013755798,0.023834229,-0.03515625,0.020568848,-0.0008907318,0.016921997,-0.014007568,-0.014007568,0.01928711,-0.017211914,-0.017486572,0.008453369,0.0038814545,-0.02507019,-0.006752014,-0.008666992,-0.006126404,-0.03945923,-0.00029683113,-0.004085541,-0.00029683113,0.020248413,0.019927979,-0.037109375,0.00029683113,-0.0032787323,-0.02947998,-0.014511108,-0.008666992,-0.028930664,-0.03201294,0.01637268,-0.011352539,-0.011123657,0.014007568,-0.024230957,-0.02230835,-0.012054443,-0.020248413,-0.0032787323,0.0012874603,0.012535095,-0.025497437,-0.00029683113,-0.0012874603,-0.021957397,-0.0014858246,0.02947998,0.03201294,0.009544373,0.017211914,-0.009101868,-0.017211914,0.0051002502,0.030685425,-0.005508423,0.00029683113,0.028930664,-0.013504028,-0.016098022,-0.0020809174,-0.0051002502,-0.025497437,0.016647339,0.018081665,-0.038208008,-0.050933838,-0.026397705,-0.010437012,0.018081665,0.010215759,0.036071777,-0.02507019,0.010437012,0.006752014,0.01777649,-9.894371e-05,-0.0010890961,-0.025939941,-0.013755798,-0.011123657,-0.0036811829,0.0044898987,-0.007385254,0.020248413,0.037109375,0.011123657,0.0044898987,0.0016841888,-0.006752014,0.0046920776,-0.030075073,0.011123657,-0.04458618,0.020568848,0.007385254,0.023834229,0.013504028,0.007385254,0.018981934,-0.011817932,0.0026798248,-0.0032787323,0.010437012,0.025939941,0.00049495697,-0.017211914,-0.02267456,-0.008239746,-0.040893555,-0.004085541,-0.015556335,-0.0006928444,0.02947998,0.013755798,0.0044898987,-0.016098022,0.006752014,-0.030685425,-0.0024795532,-0.01928711,-0.008888245,0.011817932,0.021957397,-0.018081665,0.015029907,-0.021957397,0.018676758,-0.008239746,0.012535095,-0.002281189,-0.002878189,-0.005302429,-0.02267456,-0.0036811829,-0.0038814545,-0.014259338,0.013259888,0.025497437,0.008239746,-0.0012874603,0.009765625,0.0024795532,-0.005302429,0.015556335,-0.04257202,-0.016647339,-0.025939941,0.033477783,-0.019927979,0.008453369,-0.0057144165,-0.03201294,0.026870728,0.0024795532,0.0008907318,0.026397705,0.026397705,-0.018081665,-0.028381348,-0.006126404,0.018981934,0.020248413,0.008239746,-0.024642944,0.032714844,-0.011352539,0.030685425,0.02947998,-0.021957397,-0.014770508,-0.03427124,-0.025497437,-0.02230835,0.020904541,0.012054443,0.038208008,-0.018081665,-0.03515625,0.008018494,-0.038208008,-0.009986877,0.010665894,0.047180176,0.011123657,-0.007171631,0.017211914,0.010894775,-0.006542206,0.010894775,0.015289307,-0.0234375,0.01928711,-0.010665894,-0.017486572,-0.018371582,0.020904541,-0.026870728,0.028930664,-0.0051002502,0.030075073,-0.008888245,-0.015556335,-0.01777649,-0.036071777,0.013259888,0.014259338,0.002281189,0.0069618225,-0.0075950623,0.009765625,0.023834229,-0.016098022,-0.030685425,0.00592041,-0.010215759,-0.0048942566,-0.037109375,-0.009544373,-0.025497437,-0.028930664,0.0044898987,0.0024795532,0.0044898987,-0.013259888,-0.02267456,-0.037109375,0.028930664,-0.0234375,0.009544373,-0.010215759,0.025939941,0.03427124,0.010894775,0.03427124,-0.019927979,0.0032787323,-0.020248413,0.0018825531,-0.024230957,0.02305603,0.031341553,-0.024642944,0.0014858246,0.0051002502,-0.009765625,-0.006336212,0.014007568,0.006542206,0.01928711,0.050933838,-0.011352539,0.009765625,0.012771606,-0.021606445,-0.025497437,0.014007568,-0.037109375,0.03201294,-0.013259888,-0.006542206,-0.027862549,-0.019927979,-0.010437012,-0.007385254,-0.01928711,0.027359009,-0.008666992,0.015823364,0.013015747,-0.018371582,0.015289307,0.04458618,0.006126404,-0.03515625,0.030685425,-0.009986877,-0.025939941,-0.015556335,0.018981934,0.018371582,0.00029683113,0.010665894,-0.028381348,-0.024642944,-0.0030784607,0.003479004,0.02305603,0.0024795532,0.012535095,0.0036811829,-0.028381348,0.010665894,0.037109375,0.0038814545,-0.036071777,-0.03201294,0.0024795532,-0.0078086853,0.0051002502,0.03945923,0.008453369,0.021606445,0.025497437,-0.006336212,0.033477783,0.0010890961,-0.017486572,0.05831909,-0.019927979,0.013259888,0.00592041,-0.037109375,-0.006336212,0.0038814545,-0.026870728,0.020248413,-0.0008907318,0.050933838,-0.006752014,-0.007385254,0.0010890961,-0.030685425,-0.02230835,0.019607544,-0.01637268,-0.0032787323,0.0075950623,-0.0030784607,-0.02230835,0.0046920776,0.013015747,-0.019927979,0.008666992,0.0020809174,-0.009765625,0.008239746,0.015823364,-0.014007568,0.0020809174,-0.013015747,0.04458618,0.005508423,0.021606445,-0.00029683113,-0.018981934,0.006542206,0.02507019,-0.011352539,-0.025497437,-0.008018494,-0.007385254,0.016098022,0.018081665,-0.0042877197,-0.0042877197,0.014259338,0.009544373,-0.04257202,-0.028381348,-0.003479004,0.0014858246,0.008888245,0.017211914,0.012771606,-0.012054443,-0.007171631,0.002281189,0.019607544,0.006126404,0.023834229,0.0038814545,-0.013504028,0.0016841888,-0.01158905,9.894371e-05,-0.006126404,-0.01928711,-0.0030784607,0.028381348,0.006126404,0.018371582,0.0234375,0.016647339,-0.00932312,-0.016098022,-0.0014858246,-0.0020809174,0.01928711,0.0030784607,0.032714844,-0.01158905,0.0036811829,0.012771606,-0.009101868,0.037109375,0.028381348,0.02230835,-0.014007568,-0.036071777,0.016647339,-0.0010890961,0.047180176,-0.011123657,-0.01637268,-0.014259338,0.016647339,-0.008453369,0.018981934,-0.009544373,-0.031341553,0.006752014,-0.0051002502,0.017211914,0.03945923,0.014770508,0.032714844,-0.017486572,0.04257202,0.03515625,0.021255493,0.03945923,0.03515625,-0.009101868,-0.01158905,0.040893555,-0.0078086853,-0.019927979,0.020568848,-0.0012874603,0.0075950623,0.011817932,0.01637268,0.01637268,0.028930664,0.0016841888,0.017211914,-0.023834229,0.005302429,-0.005508423,-0.04458618,-0.04257202,0.027862549,-0.011352539,-0.01928711,-0.036071777,0.015289307,0.007171631,0.002281189,0.0057144165,-0.0026798248,0.024642944,0.004085541,0.024230957,-0.020248413,-0.0048942566,0.016921997,0.019927979,-0.018081665,0.00932312,-0.008018494,0.004085541,-0.01928711,-0.03427124,-0.0024795532,-0.015556335,-0.010215759,0.047180176,-0.016098022,0.0038814545,0.03427124,-0.027359009,-0.00932312,-0.030075073,0.0010890961,0.0234375,0.019927979,-0.027359009,-0.0051002502,-0.003479004,-0.016921997,-0.02947998,0.00932312,-0.0026798248,-0.0038814545,0.017486572,0.0014858246,0.013015747,-0.023834229,-0.011123657,0.0046920776,-0.0075950623,-0.0051002502,0.0018825531,0.014511108,-0.021606445,-0.018371582,-0.0048942566,0.0048942566,-0.037109375,-0.007171631,0.025497437,-0.009986877,-0.0016841888,0.021255493,-0.030075073,-0.01637268,-0.026870728,0.0006928444,-0.011352539,-0.006752014,-0.016647339,0.024230957,-0.03515625,0.0046920776,-0.028930664,0.027862549,0.0057144165,-0.013755798,-0.0020809174,-0.010894775,-0.016647339,0.01777649,-0.021957397,-0.02230835,-0.031341553,-0.0042877197,-0.002281189,0.01637268,-0.016098022,-0.008888245,0.030075073,-0.0020809174,0.013259888,0.011817932,-0.003479004,0.017211914,-0.03515625,9.894371e-05,0.016921997,0.016921997,0.014770508,0.026870728,-0.0024795532,0.009986877,0.008018494,0.008666992,0.0057144165,0.0030784607,0.002878189,0.050933838,-0.013015747,-0.017211914,0.00029683113,0.020568848,-0.0048942566,0.0016841888,0.015823364,0.02305603,0.011817932,-0.016921997,0.024642944,0.033477783,-0.0018825531,0.02230835,0.0069618225,0.0018825531,-0.004085541,-0.013755798,0.012771606,-0.009101868,-0.011817932,0.014511108,0.03945923,0.02947998,0.013755798,0.02230835,-0.005302429,0.013259888,0.015556335,-0.020248413,0.019927979,-0.021255493,0.006752014,0.0024795532,-0.010894775,-0.015289307,-0.003479004,0.026397705,0.02947998,-0.027862549,-0.0044898987,-0.017211914,-0.0234375,0.00049495697,0.01777649,-0.033477783,-0.007385254,-0.012771606,0.01928711,0.02947998,-0.008888245,0.0234375,-0.005508423,0.019607544,-0.016098022,-9.894371e-05,0.00592041,0.025939941,0.00592041,-0.0014858246,0.014007568,-0.016921997,-0.0075950623,-0.011123657,-0.0016841888,0.019607544,-0.040893555,-0.01777649,0.021255493,-0.033477783,-0.009101868,-0.025497437,-0.020248413,0.024230957,0.009765625,0.0010890961,0.005302429,-0.013259888,-0.02305603,0.021606445,0.008239746,0.02267456,0.00049495697,0.01928711,0.014511108,0.002281189,-0.014770508,0.025939941,0.008239746,0.031341553,0.012771606,-0.015823364,-0.007171631,0.04458618,-0.010437012,0.009101868,0.026870728,-0.013015747,0.024642944,-0.00029683113,0.021957397,0.021957397,-0.006542206,0.023834229,0.018676758,0.020248413,0.004085541,-0.0042877197,0.0078086853,0.0234375,0.019607544,-0.0030784607,-0.036071777,0.025497437,0.012535095,0.010437012,-0.014007568,-0.015289307,0.008666992,0.04257202,0.016647339,0.0032787323,-0.0069618225,0.028930664,-0.012535095,0.0048942566,-0.018371582,-0.0046920776,0.03515625,-0.0030784607,0.030685425,-0.032714844,0.004085541,-0.017486572,0.014007568,-0.0018825531,-0.005508423,-0.038208008,-0.008018494,-0.01777649,-0.025939941,-0.030075073,-0.020904541,-0.008888245,0.005302429,-0.0048942566,-0.005302429,0.031341553,-0.004085541,-0.013015747,0.0014858246,-0.032714844,-0.014259338,-0.0038814545,0.028930664,-0.04458618,-0.011352539,-0.013755798,-0.02267456,-0.002878189,0.011352539,0.0020809174,-0.02947998,-0.0038814545,0.0036811829,-0.018371582,-0.019607544,0.03515625,-0.030685425,-0.0020809174,0.0042877197,-0.0078086853,-0.015029907,-0.021957397,0.021606445,0.010437012,0.002281189,0.0030784607,0.021606445,0.02230835,-0.02947998,0.006336212,0.020248413,-0.002281189,-0.01928711,-0.030075073,0.0018825531,0.005508423,0.006336212,0.03515625,-0.013015747,-0.014259338,-0.007385254,-0.020904541,0.023834229,0.015556335,-0.014259338,-0.032714844,-0.02230835,0.012054443,0.017211914,0.019927979,0.0024795532,-0.047180176,0.0234375,0.03427124,0.0014858246,-0.011123657,0.008888245,-0.013259888,0.028930664,0.02267456,0.027359009,-0.0018825531,0.047180176,0.009101868,-0.0042877197,0.036071777,0.026397705,-0.015289307,0.0014858246,0.016098022,-0.0012874603,0.021606445,-0.005508423,0.021255493,-0.024642944,0.027862549,0.03515625,0.025939941,-0.008239746,-0.005508423,-0.018081665,-0.010894775,-0.027359009,-0.015556335,0.02947998,0.023834229,-0.010894775,0.0030784607,-0.010215759,0.008453369,0.02507019,0.031341553,0.02305603,-0.0006928444,-0.036071777,-0.023834229,-0.0024795532,0.0014858246,-0.007385254,0.010437012,0.009101868,0.0042877197,-0.0032787323,0.008666992,-0.011123657,0.014770508,0.03945923,0.015556335,0.017211914,0.006126404,-0.0026798248,0.019927979,-0.012771606,-0.025497437,-0.0075950623,-0.018081665,0.028381348,-0.008239746,-0.018676758,0.014259338,-0.0032787323,0.012771606,-0.0057144165,-0.018676758,-0.0030784607,0.0016841888,-0.00932312,-0.02230835,-0.016098022,0.006752014,0.005508423,-0.008888245,0.021606445,0.01158905,-0.03515625,-0.0069618225,0.020248413,-0.032714844,0.0069618225,-0.02267456,-0.026397705,-0.014511108,0.006336212,-0.0020809174,-0.030075073,0.018371582,0.033477783,-0.01928711,-0.012771606,0.02230835,0.01777649,0.016647339,-0.02267456,-0.013015747,0.012054443,0.006542206,0.018371582,-0.01777649,-0.007385254,0.017211914,-0.014770508,-0.015556335,0.00592041,-0.030685425,-0.026397705,0.040893555,0.017486572,0.0012874603,0.0051002502,-0.008018494,0.012771606,-0.0016841888,0.0069618225,-0.019927979,0.016098022,-0.003479004,0.0042877197,-0.03201294,-0.0016841888,0.027359009,0.02947998,-0.00592041,0.003479004,0.037109375,0.020568848,-0.0075950623,0.03945923,-0.009986877,-0.005508423,0.0024795532,-0.012054443,0.0078086853,0.018981934,0.017211914,-0.0012874603,0.015823364,0.016098022,-0.020904541,-0.007385254,0.021606445,0.038208008,-0.032714844,-0.030075073,-0.03945923,-0.009765625,-0.021957397,0.03945923,-0.005508423,9.894371e-05,-0.0057144165,-0.013755798,0.012535095,-0.016921997,-0.014511108,-0.006752014,-0.002878189,0.015556335,-0.017211914,-0.013755798,-0.019607544,-0.03515625,0.024230957,-0.009765625,0.037109375,-0.010665894,-0.019927979,0.020248413,0.023834229,-0.02305603,0.009544373,0.008888245,-0.008888245,0.017211914,0.021606445,-0.017211914,0.015289307,0.02230835,0.00592041,0.005508423,-0.012054443,0.0042877197,0.027359009,0.017486572,0.015556335,0.013259888,-0.033477783,-0.010665894,-0.008888245,0.0069618225,-0.006542206,-0.0051002502,0.018676758,0.0032787323,0.010894775,0.006336212,0.0012874603,-0.008018494,0.016098022,-0.008888245,-0.018081665,0.020904541,0.01928711,-0.012535095,0.017211914,0.009544373,-0.00049495697,0.018981934,9.894371e-05,-0.012535095,-0.007385254,0.012290955,-0.011817932,-0.014770508,-0.005302429,0.050933838,0.013755798,0.013259888,-0.008888245,0.025497437,-0.016921997,0.03515625,0.006126404,0.008888245,-0.011352539,-0.008888245,0.008239746,0.015289307,0.0048942566,-0.005508423,0.0032787323,-0.0078086853,0.024642944,-0.032714844,0.024230957,-0.006542206,0.0038814545,-0.0018825531,-0.0069618225,-0.025939941,-0.0020809174,-0.0008907318,0.04257202,-0.033477783,-0.0057144165,0.00932312,0.012535095,-0.00592041,-0.0014858246,-0.0036811829,0.02507019,-0.038208008,-0.00049495697,0.014007568,-0.006126404,0.009101868,0.020904541,-0.027862549,-0.0008907318,-0.015823364,0.017486572,0.017211914,0.030685425,0.0078086853,0.050933838,-0.00932312,0.009986877,-0.0008907318,-0.050933838,-0.014511108,0.011123657,-0.007171631,-0.0024795532,-0.009986877,0.02267456,0.015029907,0.0038814545,-0.015289307,-0.014511108,0.03201294,0.016098022,-0.036071777,-0.013259888,-9.894371e-05,0.016647339,0.0234375,0.008018494,-0.015823364,0.015556335,-0.008888245,-0.018081665,0.01637268,0.005508423,0.013015747,0.015556335,0.040893555,-0.0051002502]	0100111110110101101011011111000001101110111100110110111111010001011011110011110110000101110110010110110111000110111110001100110110000111001010000001010110110001000011000100010101100111010111001011011101010000000101000101001101001111100100001010111010010001110110011001110001001000001001000100011100010000100011101000001101101010100000011101111100011100011111010110001111101111100011100111100001000101101100100001011111010001010000010011101111011111101001100001010011111100101111101011011100100110100111000111001011110010101001100000111010110000100101101110011111000011111000010101011010101010101000001010001000100110001110101111110011010101001100010100000001101110000101000001011011010111111010110011110010010111111001100101001100111110011000010100001010111001110001100000101010001111111010100011001011010110100000000111010001111010000011011100101000100110001101110111100010011001011110110011100101010110110101010110011110011001011101110111101010011101111110000000110111010000110110101110001100000010110110110110111011000111100110110101000100100101111000000010011001100011101101001011101111001010111010100100001101000010011110010101110010001110000010100100000001011000110101001100010111100110000001101000101010110000000101111011011010000100011110011011101100010100000011011010010011010101111110101000010011000001011100001100001110000100000010101011100010001000000011001110011110100100000101101111110000001011111100101000000010011100111000101111110010110000010001110110000110011110011110001100110000100110101001001100000000110100000010010000011000001111001101100000110000111011100000010111110101011111101011100000001110100001101010100000001110110100010100111110001110101100000111001001110110110100010101000011110110010000001110001010111101010110110011110110010100000001011011101000111100011111011100101111101101011001010100100100100110110110101110011000011001100011110011111010100011111000011101101110010100010100101111011111001001011111110100010001111011100110101000001011000111000001001110010011000100100100010001010110000100000100101101011111011111110011011110110111001001111101101011000110000110001101010011101000010010000111100111111101111001011010110111101110011100111101010010101010000000001001001000100000110010010010001111110110001111000011000111101110101110110110110101011100000011010111100001011101011111010000100101000100011011001010001001100111001110010010011110101010100110111010010111011001100000101001000010000101001101101101111011111000100111110100110110110010001110101110011101010101000001001100010010110001111101000100011100110001110100111110	\N	\N	\N	5	5	f	2026-11-29 09:53:00.086483+00
\.


--
-- Data for Name: finetune_runs; Type: TABLE DATA; Schema: pgduet; Owner: pgduet_owner
--

COPY pgduet.finetune_runs (run_id, name, options, state, status, requested_by, requested_at, attempts, next_attempt_at, cancel_asked_at, started_at, ended_at, trainer, phase, seen_at, begun, step, steps, loss, gradient_norm, dev_score, generation, gate, error) FROM stdin;
\.


--
-- Data for Name: generations; Type: TABLE DATA; Schema: pgduet; Owner: pgduet_owner
--

COPY pgduet.generations (generation_id, name, model, fingerprint, state, parent, metrics, created_at, activated_at, retired_at, dropped_at) FROM stdin;
1	small	small	stub-fingerprint-1	active	\N	{}	2026-11-29 09:52:58.990361+00	2026-11-29 09:52:58.990361+00	\N	\N
\.


--
-- Data for Name: note; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.note (id, body) FROM stdin;
1	def one(): pass
\.


--
-- Name: _index_build_build_id_seq; Type: SEQUENCE SET; Schema: pgduet; Owner: pgduet_owner
--

SELECT pg_catalog.setval('pgduet._index_build_build_id_seq', 1, true);


--
-- Name: _index_request_request_id_seq; Type: SEQUENCE SET; Schema: pgduet; Owner: pgduet_owner
--

SELECT pg_catalog.setval('pgduet._index_request_request_id_seq', 1, false);


--
-- Name: _mining_mining_id_seq; Type: SEQUENCE SET; Schema: pgduet; Owner: pgduet_owner
--

SELECT pg_catalog.setval('pgduet._mining_mining_id_seq', 1, false);


--
-- Name: _pending_seq_seq; Type: SEQUENCE SET; Schema: pgduet; Owner: pgduet_owner
--

SELECT pg_catalog.setval('pgduet._pending_seq_seq', 4, true);


--
-- Name: _promotion_promotion_id_seq; Type: SEQUENCE SET; Schema: pgduet; Owner: pgduet_owner
--

SELECT pg_catalog.setval('pgduet._promotion_promotion_id_seq', 1, false);


--
-- Name: _recall_sample_sample_id_seq; Type: SEQUENCE SET; Schema: pgduet; Owner: pgduet_owner
--

SELECT pg_catalog.setval('pgduet._recall_sample_sample_id_seq', 1, false);


--
-- Name: _source_seq_seq; Type: SEQUENCE SET; Schema: pgduet; Owner: pgduet_owner
--

SELECT pg_catalog.setval('pgduet._source_seq_seq', 2, true);


--
-- Name: _watch_watch_id_seq; Type: SEQUENCE SET; Schema: pgduet; Owner: pgduet_owner
--

SELECT pg_catalog.setval('pgduet._watch_watch_id_seq', 1, true);


--
-- Name: code_chunks_chunk_id_seq; Type: SEQUENCE SET; Schema: pgduet; Owner: pgduet_owner
--

SELECT pg_catalog.setval('pgduet.code_chunks_chunk_id_seq', 5, true);


--
-- Name: finetune_runs_run_id_seq; Type: SEQUENCE SET; Schema: pgduet; Owner: pgduet_owner
--

SELECT pg_catalog.setval('pgduet.finetune_runs_run_id_seq', 1, false);


--
-- Name: generations_generation_id_seq; Type: SEQUENCE SET; Schema: pgduet; Owner: pgduet_owner
--

SELECT pg_catalog.setval('pgduet.generations_generation_id_seq', 1, true);


--
-- Name: _dead_letter _dead_letter_pkey; Type: CONSTRAINT; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE ONLY pgduet._dead_letter
    ADD CONSTRAINT _dead_letter_pkey PRIMARY KEY (chunk_id, generation_id);


--
-- Name: _index_build _index_build_pkey; Type: CONSTRAINT; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE ONLY pgduet._index_build
    ADD CONSTRAINT _index_build_pkey PRIMARY KEY (build_id);


--
-- Name: _index_request _index_request_pkey; Type: CONSTRAINT; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE ONLY pgduet._index_request
    ADD CONSTRAINT _index_request_pkey PRIMARY KEY (request_id);


--
-- Name: _migration _migration_pkc; Type: CONSTRAINT; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE ONLY pgduet._migration
    ADD CONSTRAINT _migration_pkc PRIMARY KEY (version_num);


--
-- Name: _mining _mining_pkey; Type: CONSTRAINT; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE ONLY pgduet._mining
    ADD CONSTRAINT _mining_pkey PRIMARY KEY (mining_id);


--
-- Name: _pending _pending_pkey; Type: CONSTRAINT; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE ONLY pgduet._pending
    ADD CONSTRAINT _pending_pkey PRIMARY KEY (seq);


--
-- Name: _promotion _promotion_pkey; Type: CONSTRAINT; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE ONLY pgduet._promotion
    ADD CONSTRAINT _promotion_pkey PRIMARY KEY (promotion_id);


--
-- Name: _recall_sample _recall_sample_pkey; Type: CONSTRAINT; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE ONLY pgduet._recall_sample
    ADD CONSTRAINT _recall_sample_pkey PRIMARY KEY (sample_id);


--
-- Name: _setting _setting_pkey; Type: CONSTRAINT; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE ONLY pgduet._setting
    ADD CONSTRAINT _setting_pkey PRIMARY KEY (key);


--
-- Name: _source _source_pkey; Type: CONSTRAINT; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE ONLY pgduet._source
    ADD CONSTRAINT _source_pkey PRIMARY KEY (seq);


--
-- Name: _source_row _source_row_pkey; Type: CONSTRAINT; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE ONLY pgduet._source_row
    ADD CONSTRAINT _source_row_pkey PRIMARY KEY (row_key, watch_id);


--
-- Name: _triplet _triplet_pkey; Type: CONSTRAINT; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE ONLY pgduet._triplet
    ADD CONSTRAINT _triplet_pkey PRIMARY KEY (mining_id, triplet_id, negative_number);


--
-- Name: _watch _watch_pkey; Type: CONSTRAINT; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE ONLY pgduet._watch
    ADD CONSTRAINT _watch_pkey PRIMARY KEY (watch_id);


--
-- Name: _watch _watch_source_key; Type: CONSTRAINT; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE ONLY pgduet._watch
    ADD CONSTRAINT _watch_source_key UNIQUE (source);


--
-- Name: _worker _worker_pkey; Type: CONSTRAINT; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE ONLY pgduet._worker
    ADD CONSTRAINT _worker_pkey PRIMARY KEY (worker);


--
-- Name: code_chunks code_chunks_pkey; Type: CONSTRAINT; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE ONLY pgduet.code_chunks
    ADD CONSTRAINT code_chunks_pkey PRIMARY KEY (chunk_id);


--
-- Name: code_chunks code_chunks_source_source_key_key; Type: CONSTRAINT; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE ONLY pgduet.code_chunks
    ADD CONSTRAINT code_chunks_source_source_key_key UNIQUE (source, source_key);


--
-- Name: code_embeddings code_embeddings_pkey; Type: CONSTRAINT; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE ONLY pgduet.code_embeddings
    ADD CONSTRAINT code_embeddings_pkey PRIMARY KEY (chunk_id, generation_id);


--
-- Name: code_embeddings_g1 code_embeddings_g1_pkey; Type: CONSTRAINT; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE ONLY pgduet.code_embeddings_g1
    ADD CONSTRAINT code_embeddings_g1_pkey PRIMARY KEY (chunk_id, generation_id);


--
-- Name: finetune_runs finetune_runs_pkey; Type: CONSTRAINT; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE ONLY pgduet.finetune_runs
    ADD CONSTRAINT finetune_runs_pkey PRIMARY KEY (run_id);


--
-- Name: generations generations_name_key; Type: CONSTRAINT; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE ONLY pgduet.generations
    ADD CONSTRAINT generations_name_key UNIQUE (name);


--
-- Name: generations generations_pkey; Type: CONSTRAINT; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE ONLY pgduet.generations
    ADD CONSTRAINT generations_pkey PRIMARY KEY (generation_id);


--
-- Name: note note_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.note
    ADD CONSTRAINT note_pkey PRIMARY KEY (id);


--
-- Name: _pending_chunk; Type: INDEX; Schema: pgduet; Owner: pgduet_owner
--

CREATE INDEX _pending_chunk ON pgduet._pending USING btree (chunk_id, seq);


--
-- Name: _recall_sample_index; Type: INDEX; Schema: pgduet; Owner: pgduet_owner
--

CREATE INDEX _recall_sample_index ON pgduet._recall_sample USING btree (index_name, measured_at);


--
-- Name: _source_owner; Type: INDEX; Schema: pgduet; Owner: pgduet_owner
--

CREATE INDEX _source_owner ON pgduet._source USING btree (lease_owner) WHERE (lease_owner IS NOT NULL);


--
-- Name: _source_row_key; Type: INDEX; Schema: pgduet; Owner: pgduet_owner
--

CREATE INDEX _source_row_key ON pgduet._source USING btree (row_key, watch_id, seq);


--
-- Name: code_chunks_repo_path; Type: INDEX; Schema: pgduet; Owner: pgduet_owner
--

CREATE INDEX code_chunks_repo_path ON pgduet.code_chunks USING btree (repo, path);


--
-- Name: code_embeddings_content; Type: INDEX; Schema: pgduet; Owner: pgduet_owner
--

CREATE INDEX code_embeddings_content ON ONLY pgduet.code_embeddings USING btree (content_hash);


--
-- Name: code_embeddings_g1_content_hash_idx; Type: INDEX; Schema: pgduet; Owner: pgduet_owner
--

CREATE INDEX code_embeddings_g1_content_hash_idx ON pgduet.code_embeddings_g1 USING btree (content_hash);


--
-- Name: code_embeddings_language; Type: INDEX; Schema: pgduet; Owner: pgduet_owner
--

CREATE INDEX code_embeddings_language ON ONLY pgduet.code_embeddings USING btree (language);


--
-- Name: code_embeddings_g1_language_idx; Type: INDEX; Schema: pgduet; Owner: pgduet_owner
--

CREATE INDEX code_embeddings_g1_language_idx ON pgduet.code_embeddings_g1 USING btree (language);


--
-- Name: code_embeddings_repo_path; Type: INDEX; Schema: pgduet; Owner: pgduet_owner
--

CREATE INDEX code_embeddings_repo_path ON ONLY pgduet.code_embeddings USING btree (repo, path text_pattern_ops);


--
-- Name: code_embeddings_g1_repo_path_idx; Type: INDEX; Schema: pgduet; Owner: pgduet_owner
--

CREATE INDEX code_embeddings_g1_repo_path_idx ON pgduet.code_embeddings_g1 USING btree (repo, path text_pattern_ops);


--
-- Name: code_embeddings_g1_sketch_ivfflat_1; Type: INDEX; Schema: pgduet; Owner: pgduet_owner
--

CREATE INDEX code_embeddings_g1_sketch_ivfflat_1 ON pgduet.code_embeddings_g1 USING ivfflat (sketch public.bit_hamming_ops) WITH (lists='1');


--
-- Name: finetune_runs_one_running; Type: INDEX; Schema: pgduet; Owner: pgduet_owner
--

CREATE UNIQUE INDEX finetune_runs_one_running ON pgduet.finetune_runs USING btree (state) WHERE (state = 'running'::text);


--
-- Name: finetune_runs_open; Type: INDEX; Schema: pgduet; Owner: pgduet_owner
--

CREATE UNIQUE INDEX finetune_runs_open ON pgduet.finetune_runs USING btree (name) WHERE (state = ANY (ARRAY['requested'::text, 'running'::text]));


--
-- Name: generations_one_active; Type: INDEX; Schema: pgduet; Owner: pgduet_owner
--

CREATE UNIQUE INDEX generations_one_active ON pgduet.generations USING btree (state) WHERE (state = 'active'::text);


--
-- Name: code_embeddings_g1_content_hash_idx; Type: INDEX ATTACH; Schema: pgduet; Owner: pgduet_owner
--

ALTER INDEX pgduet.code_embeddings_content ATTACH PARTITION pgduet.code_embeddings_g1_content_hash_idx;


--
-- Name: code_embeddings_g1_language_idx; Type: INDEX ATTACH; Schema: pgduet; Owner: pgduet_owner
--

ALTER INDEX pgduet.code_embeddings_language ATTACH PARTITION pgduet.code_embeddings_g1_language_idx;


--
-- Name: code_embeddings_g1_pkey; Type: INDEX ATTACH; Schema: pgduet; Owner: pgduet_owner
--

ALTER INDEX pgduet.code_embeddings_pkey ATTACH PARTITION pgduet.code_embeddings_g1_pkey;


--
-- Name: code_embeddings_g1_repo_path_idx; Type: INDEX ATTACH; Schema: pgduet; Owner: pgduet_owner
--

ALTER INDEX pgduet.code_embeddings_repo_path ATTACH PARTITION pgduet.code_embeddings_g1_repo_path_idx;


--
-- Name: code_chunks _pgduet_delete; Type: TRIGGER; Schema: pgduet; Owner: pgduet_owner
--

CREATE TRIGGER _pgduet_delete AFTER DELETE ON pgduet.code_chunks REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION pgduet._chunks_changed();


--
-- Name: code_chunks _pgduet_insert; Type: TRIGGER; Schema: pgduet; Owner: pgduet_owner
--

CREATE TRIGGER _pgduet_insert AFTER INSERT ON pgduet.code_chunks REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pgduet._chunks_changed();


--
-- Name: code_chunks _pgduet_touch; Type: TRIGGER; Schema: pgduet; Owner: pgduet_owner
--

CREATE TRIGGER _pgduet_touch BEFORE UPDATE ON pgduet.code_chunks FOR EACH ROW EXECUTE FUNCTION pgduet._chunk_touched();


--
-- Name: code_chunks _pgduet_truncate; Type: TRIGGER; Schema: pgduet; Owner: pgduet_owner
--

CREATE TRIGGER _pgduet_truncate AFTER TRUNCATE ON pgduet.code_chunks FOR EACH STATEMENT EXECUTE FUNCTION pgduet._chunks_truncated();


--
-- Name: code_chunks _pgduet_update; Type: TRIGGER; Schema: pgduet; Owner: pgduet_owner
--

CREATE TRIGGER _pgduet_update AFTER UPDATE ON pgduet.code_chunks REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pgduet._chunks_changed();


--
-- Name: note _pgduet_watch_1; Type: TRIGGER; Schema: public; Owner: postgres
--

CREATE TRIGGER _pgduet_watch_1 AFTER INSERT OR DELETE OR UPDATE ON public.note FOR EACH ROW EXECUTE FUNCTION pgduet._watch_1();


--
-- Name: note _pgduet_watch_1_truncate; Type: TRIGGER; Schema: public; Owner: postgres
--

CREATE TRIGGER _pgduet_watch_1_truncate AFTER TRUNCATE ON public.note FOR EACH STATEMENT EXECUTE FUNCTION pgduet._watch_1();


--
-- Name: _triplet; Type: ROW SECURITY; Schema: pgduet; Owner: pgduet_owner
--

ALTER TABLE pgduet._triplet ENABLE ROW LEVEL SECURITY;

--
-- Name: _triplet _triplet_mined; Type: POLICY; Schema: pgduet; Owner: pgduet_owner
--

CREATE POLICY _triplet_mined ON pgduet._triplet FOR INSERT WITH CHECK (true);


--
-- Name: _triplet _triplet_replaced; Type: POLICY; Schema: pgduet; Owner: pgduet_owner
--

CREATE POLICY _triplet_replaced ON pgduet._triplet FOR DELETE USING (true);


--
-- Name: _triplet _triplet_seen; Type: POLICY; Schema: pgduet; Owner: pgduet_owner
--

CREATE POLICY _triplet_seen ON pgduet._triplet FOR SELECT USING (((EXISTS ( SELECT
   FROM pgduet.code_chunks c
  WHERE (c.chunk_id = _triplet.anchor_chunk))) AND (EXISTS ( SELECT
   FROM pgduet.code_chunks c
  WHERE (c.chunk_id = _triplet.positive_chunk))) AND (EXISTS ( SELECT
   FROM pgduet.code_chunks c
  WHERE (c.chunk_id = _triplet.negative_chunk)))));


--
-- Name: SCHEMA pgduet; Type: ACL; Schema: -; Owner: pgduet_owner
--

GRANT USAGE ON SCHEMA pgduet TO pgduet_reader;
GRANT USAGE ON SCHEMA pgduet TO pgduet_worker;
GRANT USAGE ON SCHEMA pgduet TO pg_monitor;


--
-- Name: FUNCTION _base_type(type oid); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._base_type(type oid) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._base_type(type oid) TO pgduet_admin;


--
-- Name: FUNCTION _batch_texts(); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._batch_texts() FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._batch_texts() TO pgduet_reader;


--
-- Name: FUNCTION _beat(worker text, host text, pid integer, version text, state text, detail text, embedded bigint, failed bigint); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._beat(worker text, host text, pid integer, version text, state text, detail text, embedded bigint, failed bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._beat(worker text, host text, pid integer, version text, state text, detail text, embedded bigint, failed bigint) TO pgduet_worker;


--
-- Name: FUNCTION _beat_finetune(run_id bigint, trainer text, phase text, step integer, loss double precision, gradient_norm double precision, dev_score double precision, error text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._beat_finetune(run_id bigint, trainer text, phase text, step integer, loss double precision, gradient_norm double precision, dev_score double precision, error text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._beat_finetune(run_id bigint, trainer text, phase text, step integer, loss double precision, gradient_norm double precision, dev_score double precision, error text) TO pgduet_admin;


--
-- Name: FUNCTION _begin_finetune(run_id bigint, trainer text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._begin_finetune(run_id bigint, trainer text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._begin_finetune(run_id bigint, trainer text) TO pgduet_admin;


--
-- Name: FUNCTION _bury(generation_id integer, chunk_id bigint, content_hash bytea, error_class text, error text, attempts integer, seqs bigint[]); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._bury(generation_id integer, chunk_id bigint, content_hash bytea, error_class text, error text, attempts integer, seqs bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._bury(generation_id integer, chunk_id bigint, content_hash bytea, error_class text, error text, attempts integer, seqs bigint[]) TO pgduet_worker;


--
-- Name: FUNCTION _castable_keys(source oid, row_keys text[]); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._castable_keys(source oid, row_keys text[]) FROM PUBLIC;


--
-- Name: FUNCTION _changed_query(operation text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._changed_query(operation text) FROM PUBLIC;


--
-- Name: FUNCTION _check_column(source regclass, column_name text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._check_column(source regclass, column_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._check_column(source regclass, column_name text) TO pgduet_admin;


--
-- Name: FUNCTION _check_finetune_options(options jsonb); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._check_finetune_options(options jsonb) FROM PUBLIC;


--
-- Name: FUNCTION _check_k(k integer); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._check_k(k integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._check_k(k integer) TO pgduet_reader;


--
-- Name: FUNCTION _check_pattern(path_like text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._check_pattern(path_like text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._check_pattern(path_like text) TO pgduet_reader;


--
-- Name: FUNCTION _check_watch(watch_id integer); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._check_watch(watch_id integer) FROM PUBLIC;


--
-- Name: FUNCTION _check_watchable(source regclass, copy_protected boolean); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._check_watchable(source regclass, copy_protected boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._check_watchable(source regclass, copy_protected boolean) TO pgduet_admin;


--
-- Name: FUNCTION _chunk_keys(watch_id integer, row_keys text[]); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._chunk_keys(watch_id integer, row_keys text[]) FROM PUBLIC;


--
-- Name: FUNCTION _chunk_touched(); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._chunk_touched() FROM PUBLIC;


--
-- Name: FUNCTION _chunks_changed(); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._chunks_changed() FROM PUBLIC;


--
-- Name: FUNCTION _chunks_truncated(); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._chunks_truncated() FROM PUBLIC;


--
-- Name: FUNCTION _claim(worker text, batch integer, lease double precision); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._claim(worker text, batch integer, lease double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._claim(worker text, batch integer, lease double precision) TO pgduet_worker;


--
-- Name: FUNCTION _claim_sources(owner text, batch integer, lease double precision); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._claim_sources(owner text, batch integer, lease double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._claim_sources(owner text, batch integer, lease double precision) TO pgduet_worker;


--
-- Name: FUNCTION _complete(generation_id integer, fingerprint text, chunk_ids bigint[], hashes bytea[], embeddings public.halfvec[], sketches bit[], code_tokens integer[], text_tokens integer[], truncated boolean[], worker text, settled_ids bigint[], settled_seqs bigint[]); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._complete(generation_id integer, fingerprint text, chunk_ids bigint[], hashes bytea[], embeddings public.halfvec[], sketches bit[], code_tokens integer[], text_tokens integer[], truncated boolean[], worker text, settled_ids bigint[], settled_seqs bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._complete(generation_id integer, fingerprint text, chunk_ids bigint[], hashes bytea[], embeddings public.halfvec[], sketches bit[], code_tokens integer[], text_tokens integer[], truncated boolean[], worker text, settled_ids bigint[], settled_seqs bigint[]) TO pgduet_worker;


--
-- Name: FUNCTION _content_hash(content text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._content_hash(content text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._content_hash(content text) TO pgduet_writer;


--
-- Name: FUNCTION _contents(chunk_ids bigint[]); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._contents(chunk_ids bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._contents(chunk_ids bigint[]) TO pgduet_worker;


--
-- Name: FUNCTION _create_generation(name text, model text, state text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._create_generation(name text, model text, state text) FROM PUBLIC;


--
-- Name: FUNCTION _drop_orphans(chunk_ids bigint[]); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._drop_orphans(chunk_ids bigint[]) FROM PUBLIC;


--
-- Name: FUNCTION _drop_source_rows(watch_id integer, row_keys text[]); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._drop_source_rows(watch_id integer, row_keys text[]) FROM PUBLIC;


--
-- Name: FUNCTION _embed_rows(contents text[], role text, seconds double precision, part text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._embed_rows(contents text[], role text, seconds double precision, part text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._embed_rows(contents text[], role text, seconds double precision, part text) TO pgduet_reader;


--
-- Name: FUNCTION _embed_within(chunk_ids bigint[], seconds double precision); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._embed_within(chunk_ids bigint[], seconds double precision) FROM PUBLIC;


--
-- Name: FUNCTION _end_finetune(run_id bigint, trainer text, state text, status text, error text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._end_finetune(run_id bigint, trainer text, state text, status text, error text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._end_finetune(run_id bigint, trainer text, state text, status text, error text) TO pgduet_admin;


--
-- Name: FUNCTION _fail(worker text, seqs bigint[], error_class text, error text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._fail(worker text, seqs bigint[], error_class text, error text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._fail(worker text, seqs bigint[], error_class text, error text) TO pgduet_worker;


--
-- Name: FUNCTION _fail_source(owner text, watch_id integer, row_key text, error text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._fail_source(owner text, watch_id integer, row_key text, error text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._fail_source(owner text, watch_id integer, row_key text, error text) TO pgduet_worker;


--
-- Name: FUNCTION _finish(seqs bigint[]); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._finish(seqs bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._finish(seqs bigint[]) TO pgduet_worker;


--
-- Name: FUNCTION _forget_failures(chunk_ids bigint[]); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._forget_failures(chunk_ids bigint[]) FROM PUBLIC;


--
-- Name: FUNCTION _forget_watch(watch_id integer); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._forget_watch(watch_id integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._forget_watch(watch_id integer) TO pgduet_admin;


--
-- Name: FUNCTION _gate_objection(metrics jsonb); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._gate_objection(metrics jsonb) FROM PUBLIC;


--
-- Name: TABLE generations; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT ON TABLE pgduet.generations TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.generations TO pg_monitor;


--
-- Name: FUNCTION _generation(name text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._generation(name text) FROM PUBLIC;


--
-- Name: FUNCTION _generation_counts(generation_id integer, is_live boolean, OUT vectors bigint, OUT chunks bigint, OUT lacking bigint, OUT failed bigint); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._generation_counts(generation_id integer, is_live boolean, OUT vectors bigint, OUT chunks bigint, OUT lacking bigint, OUT failed bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._generation_counts(generation_id integer, is_live boolean, OUT vectors bigint, OUT chunks bigint, OUT lacking bigint, OUT failed bigint) TO pgduet_reader;
GRANT ALL ON FUNCTION pgduet._generation_counts(generation_id integer, is_live boolean, OUT vectors bigint, OUT chunks bigint, OUT lacking bigint, OUT failed bigint) TO pg_monitor;


--
-- Name: FUNCTION _grant_reading(source regclass, columns text[]); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._grant_reading(source regclass, columns text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._grant_reading(source regclass, columns text[]) TO pgduet_admin;


--
-- Name: FUNCTION _has_fingerprint(); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._has_fingerprint() FROM PUBLIC;


--
-- Name: FUNCTION _hybrid(query text, embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, distinct_content boolean, OUT ids bigint[], OUT distances double precision[]); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._hybrid(query text, embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, distinct_content boolean, OUT ids bigint[], OUT distances double precision[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._hybrid(query text, embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, distinct_content boolean, OUT ids bigint[], OUT distances double precision[]) TO pgduet_reader;


--
-- Name: FUNCTION _index_health(generation_id integer); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._index_health(generation_id integer) FROM PUBLIC;


--
-- Name: FUNCTION _index_objection(generation_id integer); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._index_objection(generation_id integer) FROM PUBLIC;


--
-- Name: FUNCTION _judge(name text, gate jsonb); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._judge(name text, gate jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._judge(name text, gate jsonb) TO pgduet_admin;


--
-- Name: FUNCTION _judged_finetune(run_id bigint, trainer text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._judged_finetune(run_id bigint, trainer text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._judged_finetune(run_id bigint, trainer text) TO pgduet_admin;


--
-- Name: FUNCTION _key_cast(place bigint, type_name text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._key_cast(place bigint, type_name text) FROM PUBLIC;


--
-- Name: FUNCTION _key_columns(source oid); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._key_columns(source oid) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._key_columns(source oid) TO pgduet_admin;


--
-- Name: FUNCTION _key_expression(source oid, row_name text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._key_expression(source oid, row_name text) FROM PUBLIC;


--
-- Name: FUNCTION _key_settings(source oid); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._key_settings(source oid) FROM PUBLIC;


--
-- Name: FUNCTION _lacking(generation_id integer, most bigint); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._lacking(generation_id integer, most bigint) FROM PUBLIC;


--
-- Name: FUNCTION _leave(worker text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._leave(worker text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._leave(worker text) TO pgduet_worker;


--
-- Name: FUNCTION _lexemes(symbol text, content text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._lexemes(symbol text, content text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._lexemes(symbol text, content text) TO pgduet_reader;


--
-- Name: FUNCTION _lexical(query text, embedding public.halfvec, most integer, language text, repo text, path_like text, distinct_content boolean, OUT ids bigint[], OUT distances double precision[]); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._lexical(query text, embedding public.halfvec, most integer, language text, repo text, path_like text, distinct_content boolean, OUT ids bigint[], OUT distances double precision[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._lexical(query text, embedding public.halfvec, most integer, language text, repo text, path_like text, distinct_content boolean, OUT ids bigint[], OUT distances double precision[]) TO pgduet_reader;


--
-- Name: FUNCTION _lexical_statement(generation_id integer, indexed boolean); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._lexical_statement(generation_id integer, indexed boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._lexical_statement(generation_id integer, indexed boolean) TO pgduet_reader;


--
-- Name: FUNCTION _load_backend(); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._load_backend() FROM PUBLIC;


--
-- Name: FUNCTION _lock_generations(); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._lock_generations() FROM PUBLIC;


--
-- Name: FUNCTION _make_watch_function(watch_id integer, source oid); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._make_watch_function(watch_id integer, source oid) FROM PUBLIC;


--
-- Name: FUNCTION _match_chunks(source text, source_keys text[], contents text[]); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._match_chunks(source text, source_keys text[], contents text[]) FROM PUBLIC;


--
-- Name: FUNCTION _matching_rows(generation_id integer, language text, repo text, path_like text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._matching_rows(generation_id integer, language text, repo text, path_like text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._matching_rows(generation_id integer, language text, repo text, path_like text) TO pgduet_reader;


--
-- Name: FUNCTION _model_objection(); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._model_objection() FROM PUBLIC;


--
-- Name: FUNCTION _neighbours(chunk_ids bigint[], k integer); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._neighbours(chunk_ids bigint[], k integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._neighbours(chunk_ids bigint[], k integer) TO pgduet_reader;


--
-- Name: FUNCTION _next_due(); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._next_due() FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._next_due() TO pgduet_worker;


--
-- Name: FUNCTION _objections(generation_id integer, most bigint); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._objections(generation_id integer, most bigint) FROM PUBLIC;


--
-- Name: FUNCTION _pair_cosines(first bigint[], second bigint[]); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._pair_cosines(first bigint[], second bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._pair_cosines(first bigint[], second bigint[]) TO pgduet_reader;


--
-- Name: FUNCTION _put_back_finetune(run_id bigint, trainer text, error text, pause double precision, resume boolean, failed_at timestamp with time zone); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._put_back_finetune(run_id bigint, trainer text, error text, pause double precision, resume boolean, failed_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._put_back_finetune(run_id bigint, trainer text, error text, pause double precision, resume boolean, failed_at timestamp with time zone) TO pgduet_admin;


--
-- Name: FUNCTION _query_words(query text, OUT words text[], OUT identifiers text[]); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._query_words(query text, OUT words text[], OUT identifiers text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._query_words(query text, OUT words text[], OUT identifiers text[]) TO pgduet_reader;


--
-- Name: FUNCTION _ranked(embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, distinct_content boolean, except_id bigint, except_hash bytea, OUT ids bigint[], OUT distances double precision[]); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._ranked(embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, distinct_content boolean, except_id bigint, except_hash bytea, OUT ids bigint[], OUT distances double precision[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._ranked(embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, distinct_content boolean, except_id bigint, except_hash bytea, OUT ids bigint[], OUT distances double precision[]) TO pgduet_reader;


--
-- Name: FUNCTION _read_statement(watch_id integer, source oid); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._read_statement(watch_id integer, source oid) FROM PUBLIC;


--
-- Name: FUNCTION _recall_interval(recalls double precision[], k integer, OUT recall double precision, OUT recall_low double precision, OUT recall_high double precision); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._recall_interval(recalls double precision[], k integer, OUT recall double precision, OUT recall_low double precision, OUT recall_high double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._recall_interval(recalls double precision[], k integer, OUT recall double precision, OUT recall_low double precision, OUT recall_high double precision) TO pgduet_reader;


--
-- Name: FUNCTION _recall_queries(generation_id integer, query_kind text, sample integer, language text, repo text, path_like text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._recall_queries(generation_id integer, query_kind text, sample integer, language text, repo text, path_like text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._recall_queries(generation_id integer, query_kind text, sample integer, language text, repo text, path_like text) TO pgduet_reader;


--
-- Name: FUNCTION _recall_source(generation_id integer, sample integer, language text, repo text, path_like text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._recall_source(generation_id integer, sample integer, language text, repo text, path_like text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._recall_source(generation_id integer, sample integer, language text, repo text, path_like text) TO pgduet_reader;


--
-- Name: FUNCTION _recall_truth(generation_id integer, query_kind text, sample integer, k integer, language text, repo text, path_like text, seconds double precision); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._recall_truth(generation_id integer, query_kind text, sample integer, k integer, language text, repo text, path_like text, seconds double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._recall_truth(generation_id integer, query_kind text, sample integer, k integer, language text, repo text, path_like text, seconds double precision) TO pgduet_reader;


--
-- Name: FUNCTION _recall_try(generation_id integer, way text, kind text, probes integer, ef_search integer, depth bigint, embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, except_id bigint, except_hash bytea, nearest integer, kth double precision, OUT recall double precision, OUT ms double precision); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._recall_try(generation_id integer, way text, kind text, probes integer, ef_search integer, depth bigint, embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, except_id bigint, except_hash bytea, nearest integer, kth double precision, OUT recall double precision, OUT ms double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._recall_try(generation_id integer, way text, kind text, probes integer, ef_search integer, depth bigint, embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, except_id bigint, except_hash bytea, nearest integer, kth double precision, OUT recall double precision, OUT ms double precision) TO pgduet_reader;


--
-- Name: FUNCTION _recent_queries(most integer); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._recent_queries(most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._recent_queries(most integer) TO pgduet_worker;
GRANT ALL ON FUNCTION pgduet._recent_queries(most integer) TO pgduet_admin;


--
-- Name: FUNCTION _reconcile_slice(after bigint, slice integer, OUT upto bigint, OUT enqueued bigint, OUT removed bigint); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._reconcile_slice(after bigint, slice integer, OUT upto bigint, OUT enqueued bigint, OUT removed bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._reconcile_slice(after bigint, slice integer, OUT upto bigint, OUT enqueued bigint, OUT removed bigint) TO pgduet_worker;


--
-- Name: FUNCTION _register_watch(source regclass, registration jsonb); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._register_watch(source regclass, registration jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._register_watch(source regclass, registration jsonb) TO pgduet_admin;


--
-- Name: FUNCTION _release(worker text, seqs bigint[], seconds double precision, detail text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._release(worker text, seqs bigint[], seconds double precision, detail text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._release(worker text, seqs bigint[], seconds double precision, detail text) TO pgduet_worker;


--
-- Name: FUNCTION _release_all(worker text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._release_all(worker text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._release_all(worker text) TO pgduet_worker;


--
-- Name: FUNCTION _release_sources(owner text, seconds double precision); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._release_sources(owner text, seconds double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._release_sources(owner text, seconds double precision) TO pgduet_worker;


--
-- Name: FUNCTION _replace_chunks(source text, row_key text, stored text[], new pgduet._source_chunk[]); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._replace_chunks(source text, row_key text, stored text[], new pgduet._source_chunk[]) FROM PUBLIC;


--
-- Name: FUNCTION _request_finetune(name text, options jsonb, requested_by text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._request_finetune(name text, options jsonb, requested_by text) FROM PUBLIC;


--
-- Name: FUNCTION _rescan_watch(watch_id integer, slice integer); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._rescan_watch(watch_id integer, slice integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._rescan_watch(watch_id integer, slice integer) TO pgduet_worker;


--
-- Name: FUNCTION _resolve(chunk_ids bigint[]); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._resolve(chunk_ids bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._resolve(chunk_ids bigint[]) TO pgduet_worker;


--
-- Name: FUNCTION _resolve_sources(owner text, watch_id integer, row_keys text[]); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._resolve_sources(owner text, watch_id integer, row_keys text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._resolve_sources(owner text, watch_id integer, row_keys text[]) TO pgduet_worker;


--
-- Name: FUNCTION _row_hash(content text, path text, language text, repo text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._row_hash(content text, path text, language text, repo text) FROM PUBLIC;


--
-- Name: FUNCTION _scan(generation_id integer, way text, kind text, probes integer, ef_search integer, depth bigint, embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, distinct_content boolean, except_id bigint, except_hash bytea, OUT ids bigint[], OUT distances double precision[]); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._scan(generation_id integer, way text, kind text, probes integer, ef_search integer, depth bigint, embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, distinct_content boolean, except_id bigint, except_hash bytea, OUT ids bigint[], OUT distances double precision[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._scan(generation_id integer, way text, kind text, probes integer, ef_search integer, depth bigint, embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, distinct_content boolean, except_id bigint, except_hash bytea, OUT ids bigint[], OUT distances double precision[]) TO pgduet_reader;


--
-- Name: FUNCTION _schedule_finetune(); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._schedule_finetune() FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._schedule_finetune() TO pgduet_admin;


--
-- Name: FUNCTION _search_index(generation_id integer, OUT index_name name, OUT kind text, OUT lists integer, OUT probes integer, OUT ef_search integer, OUT depth integer, OUT rows_at_build bigint); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._search_index(generation_id integer, OUT index_name name, OUT kind text, OUT lists integer, OUT probes integer, OUT ef_search integer, OUT depth integer, OUT rows_at_build bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._search_index(generation_id integer, OUT index_name name, OUT kind text, OUT lists integer, OUT probes integer, OUT ef_search integer, OUT depth integer, OUT rows_at_build bigint) TO pgduet_reader;
GRANT ALL ON FUNCTION pgduet._search_index(generation_id integer, OUT index_name name, OUT kind text, OUT lists integer, OUT probes integer, OUT ef_search integer, OUT depth integer, OUT rows_at_build bigint) TO pg_monitor;


--
-- Name: FUNCTION _search_plan(generation_id integer, language text, repo text, path_like text, k integer, OUT way text, OUT kind text, OUT probes integer, OUT ef_search integer, OUT depth bigint); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._search_plan(generation_id integer, language text, repo text, path_like text, k integer, OUT way text, OUT kind text, OUT probes integer, OUT ef_search integer, OUT depth bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._search_plan(generation_id integer, language text, repo text, path_like text, k integer, OUT way text, OUT kind text, OUT probes integer, OUT ef_search integer, OUT depth bigint) TO pgduet_reader;


--
-- Name: FUNCTION _search_statement(generation_id integer, way text, kind text, depth bigint, secured boolean); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._search_statement(generation_id integer, way text, kind text, depth bigint, secured boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._search_statement(generation_id integer, way text, kind text, depth bigint, secured boolean) TO pgduet_reader;


--
-- Name: FUNCTION _settle(worker text, chunk_ids bigint[], seqs bigint[]); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._settle(worker text, chunk_ids bigint[], seqs bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._settle(worker text, chunk_ids bigint[], seqs bigint[]) TO pgduet_worker;


--
-- Name: FUNCTION _settle_generations(); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._settle_generations() FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._settle_generations() TO pgduet_worker;
GRANT ALL ON FUNCTION pgduet._settle_generations() TO pgduet_admin;


--
-- Name: FUNCTION _shown(ids bigint[], distances double precision[], min_similarity double precision); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._shown(ids bigint[], distances double precision[], min_similarity double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._shown(ids bigint[], distances double precision[], min_similarity double precision) TO pgduet_reader;


--
-- Name: FUNCTION _sidecar_health(); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._sidecar_health() FROM PUBLIC;


--
-- Name: FUNCTION _similar_code(query text, k integer, only_language text, only_repo text, path_like text, min_similarity double precision, distinct_content boolean, lexical boolean); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._similar_code(query text, k integer, only_language text, only_repo text, path_like text, min_similarity double precision, distinct_content boolean, lexical boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._similar_code(query text, k integer, only_language text, only_repo text, path_like text, min_similarity double precision, distinct_content boolean, lexical boolean) TO pgduet_reader;


--
-- Name: FUNCTION _similar_to(from_chunk bigint, k integer, only_language text, only_repo text, path_like text, min_similarity double precision, distinct_content boolean); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._similar_to(from_chunk bigint, k integer, only_language text, only_repo text, path_like text, min_similarity double precision, distinct_content boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._similar_to(from_chunk bigint, k integer, only_language text, only_repo text, path_like text, min_similarity double precision, distinct_content boolean) TO pgduet_reader;


--
-- Name: FUNCTION _sliced_query(query text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._sliced_query(query text) FROM PUBLIC;


--
-- Name: FUNCTION _store(generation_id integer, fingerprint text, chunk_ids bigint[], hashes bytea[], embeddings public.halfvec[], sketches bit[], code_tokens integer[], text_tokens integer[], truncated boolean[]); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._store(generation_id integer, fingerprint text, chunk_ids bigint[], hashes bytea[], embeddings public.halfvec[], sketches bit[], code_tokens integer[], text_tokens integer[], truncated boolean[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._store(generation_id integer, fingerprint text, chunk_ids bigint[], hashes bytea[], embeddings public.halfvec[], sketches bit[], code_tokens integer[], text_tokens integer[], truncated boolean[]) TO pgduet_worker;


--
-- Name: FUNCTION _stored_queries(generation_id integer, sample integer, language text, repo text, path_like text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._stored_queries(generation_id integer, sample integer, language text, repo text, path_like text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._stored_queries(generation_id integer, sample integer, language text, repo text, path_like text) TO pgduet_reader;


--
-- Name: FUNCTION _switch_generation(generation_id integer); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._switch_generation(generation_id integer) FROM PUBLIC;


--
-- Name: FUNCTION _switch_remark(generation_id integer, lacking bigint); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._switch_remark(generation_id integer, lacking bigint) FROM PUBLIC;


--
-- Name: FUNCTION _symbol_queries(generation_id integer, sample integer, language text, repo text, path_like text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._symbol_queries(generation_id integer, sample integer, language text, repo text, path_like text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._symbol_queries(generation_id integer, sample integer, language text, repo text, path_like text) TO pgduet_reader;


--
-- Name: FUNCTION _symbol_words(symbol text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._symbol_words(symbol text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._symbol_words(symbol text) TO pgduet_reader;


--
-- Name: FUNCTION _sync_budget(transaction text, budget double precision, spent double precision, missed boolean); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._sync_budget(transaction text, budget double precision, spent double precision, missed boolean) FROM PUBLIC;


--
-- Name: FUNCTION _table_expression(source oid); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._table_expression(source oid) FROM PUBLIC;


--
-- Name: TABLE finetune_runs; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT ON TABLE pgduet.finetune_runs TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.finetune_runs TO pg_monitor;


--
-- Name: FUNCTION _take_finetune(trainer text, pause double precision); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._take_finetune(trainer text, pause double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._take_finetune(trainer text, pause double precision) TO pgduet_admin;


--
-- Name: FUNCTION _trigger_mode(); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._trigger_mode() FROM PUBLIC;


--
-- Name: FUNCTION _try_embed(chunk_ids bigint[]); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._try_embed(chunk_ids bigint[]) FROM PUBLIC;


--
-- Name: FUNCTION _unresolved(chunk_ids bigint[]); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._unresolved(chunk_ids bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._unresolved(chunk_ids bigint[]) TO pgduet_worker;


--
-- Name: FUNCTION _vector_count(generation_id integer, OUT rows bigint, OUT changes bigint); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._vector_count(generation_id integer, OUT rows bigint, OUT changes bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._vector_count(generation_id integer, OUT rows bigint, OUT changes bigint) TO pgduet_reader;
GRANT ALL ON FUNCTION pgduet._vector_count(generation_id integer, OUT rows bigint, OUT changes bigint) TO pg_monitor;


--
-- Name: FUNCTION _wake(); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._wake() FROM PUBLIC;


--
-- Name: FUNCTION _wake_trainer(); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._wake_trainer() FROM PUBLIC;


--
-- Name: FUNCTION _watch_1(); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._watch_1() FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._watch_1() TO pgduet_admin;


--
-- Name: FUNCTION _watched_table(watch_id integer); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._watched_table(watch_id integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._watched_table(watch_id integer) TO pgduet_admin;


--
-- Name: FUNCTION _word_rows(words text[], language text, repo text, path_like text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._word_rows(words text[], language text, repo text, path_like text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._word_rows(words text[], language text, repo text, path_like text) TO pgduet_reader;


--
-- Name: FUNCTION _write_source(owner text, watch_id integer, row_key text, row_version text, row_hash bytea, error text, path text, symbols text[], kinds text[], languages text[], start_lines integer[], end_lines integer[], contents text[]); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet._write_source(owner text, watch_id integer, row_key text, row_version text, row_hash bytea, error text, path text, symbols text[], kinds text[], languages text[], start_lines integer[], end_lines integer[], contents text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._write_source(owner text, watch_id integer, row_key text, row_version text, row_hash bytea, error text, path text, symbols text[], kinds text[], languages text[], start_lines integer[], end_lines integer[], contents text[]) TO pgduet_worker;


--
-- Name: FUNCTION add_generation(model text, name text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet.add_generation(model text, name text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.add_generation(model text, name text) TO pgduet_admin;


--
-- Name: FUNCTION cancel_finetune(run_id bigint); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet.cancel_finetune(run_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.cancel_finetune(run_id bigint) TO pgduet_admin;


--
-- Name: FUNCTION chunk_code(content text, language text, path text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet.chunk_code(content text, language text, path text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.chunk_code(content text, language text, path text) TO pgduet_reader;


--
-- Name: FUNCTION embed(content text, role text, part text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet.embed(content text, role text, part text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.embed(content text, role text, part text) TO pgduet_reader;


--
-- Name: FUNCTION embed_batch(contents text[], role text, part text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet.embed_batch(contents text[], role text, part text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.embed_batch(contents text[], role text, part text) TO pgduet_reader;


--
-- Name: FUNCTION finetune(name text, objective text, part text, steps integer, mine boolean, promote boolean, options jsonb); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet.finetune(name text, objective text, part text, steps integer, mine boolean, promote boolean, options jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.finetune(name text, objective text, part text, steps integer, mine boolean, promote boolean, options jsonb) TO pgduet_admin;


--
-- Name: FUNCTION health(); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet.health() FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.health() TO pg_monitor;
GRANT ALL ON FUNCTION pgduet.health() TO pgduet_reader;


--
-- Name: FUNCTION index_health(); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet.index_health() FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.index_health() TO pgduet_reader;
GRANT ALL ON FUNCTION pgduet.index_health() TO pg_monitor;


--
-- Name: FUNCTION index_recall(sample integer, k integer, language text, repo text, path_like text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet.index_recall(sample integer, k integer, language text, repo text, path_like text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.index_recall(sample integer, k integer, language text, repo text, path_like text) TO pgduet_reader;


--
-- Name: FUNCTION promote(name text, force boolean, reason text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet.promote(name text, force boolean, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.promote(name text, force boolean, reason text) TO pgduet_admin;


--
-- Name: FUNCTION reconcile(OUT enqueued bigint, OUT removed bigint); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet.reconcile(OUT enqueued bigint, OUT removed bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.reconcile(OUT enqueued bigint, OUT removed bigint) TO pgduet_admin;
GRANT ALL ON FUNCTION pgduet.reconcile(OUT enqueued bigint, OUT removed bigint) TO pgduet_worker;


--
-- Name: FUNCTION reindex(index_kind text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet.reindex(index_kind text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.reindex(index_kind text) TO pgduet_admin;


--
-- Name: FUNCTION retire(name text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet.retire(name text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.retire(name text) TO pgduet_admin;


--
-- Name: FUNCTION retry_failed(error_class text); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet.retry_failed(error_class text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.retry_failed(error_class text) TO pgduet_admin;
GRANT ALL ON FUNCTION pgduet.retry_failed(error_class text) TO pgduet_worker;


--
-- Name: FUNCTION rollback(); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet.rollback() FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.rollback() TO pgduet_admin;


--
-- Name: FUNCTION similar_code(query text, k integer, language text, repo text, path_like text, min_similarity double precision, distinct_content boolean, lexical boolean); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet.similar_code(query text, k integer, language text, repo text, path_like text, min_similarity double precision, distinct_content boolean, lexical boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.similar_code(query text, k integer, language text, repo text, path_like text, min_similarity double precision, distinct_content boolean, lexical boolean) TO pgduet_reader;


--
-- Name: FUNCTION similar_to(chunk_id bigint, k integer, language text, repo text, path_like text, min_similarity double precision, distinct_content boolean); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet.similar_to(chunk_id bigint, k integer, language text, repo text, path_like text, min_similarity double precision, distinct_content boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.similar_to(chunk_id bigint, k integer, language text, repo text, path_like text, min_similarity double precision, distinct_content boolean) TO pgduet_reader;


--
-- Name: FUNCTION unwatch(source regclass); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet.unwatch(source regclass) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.unwatch(source regclass) TO pgduet_admin;


--
-- Name: FUNCTION version(); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet.version() FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.version() TO pgduet_reader;


--
-- Name: FUNCTION watch(source regclass, content_column name, path_column name, language text, language_column name, repo text, copy_protected boolean); Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

REVOKE ALL ON FUNCTION pgduet.watch(source regclass, content_column name, path_column name, language text, language_column name, repo text, copy_protected boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.watch(source regclass, content_column name, path_column name, language text, language_column name, repo text, copy_protected boolean) TO pgduet_admin;


--
-- Name: TABLE _setting; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT ON TABLE pgduet._setting TO pgduet_admin;
GRANT SELECT ON TABLE pgduet._setting TO pgduet_worker;


--
-- Name: COLUMN _setting.value; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT UPDATE(value) ON TABLE pgduet._setting TO pgduet_admin;


--
-- Name: COLUMN _setting.updated_at; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT UPDATE(updated_at) ON TABLE pgduet._setting TO pgduet_admin;


--
-- Name: TABLE _dead_letter; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT ON TABLE pgduet._dead_letter TO pgduet_reader;
GRANT SELECT ON TABLE pgduet._dead_letter TO pg_monitor;


--
-- Name: TABLE _index_build; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT ON TABLE pgduet._index_build TO pgduet_reader;
GRANT SELECT ON TABLE pgduet._index_build TO pg_monitor;


--
-- Name: TABLE _index_request; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT ON TABLE pgduet._index_request TO pgduet_admin;
GRANT SELECT ON TABLE pgduet._index_request TO pgduet_worker;


--
-- Name: TABLE _installation; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT ON TABLE pgduet._installation TO pgduet_admin;


--
-- Name: TABLE _mining; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT ON TABLE pgduet._mining TO pgduet_reader;
GRANT INSERT ON TABLE pgduet._mining TO pgduet_admin;
GRANT INSERT ON TABLE pgduet._mining TO pgduet_worker;


--
-- Name: TABLE _pending; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT ON TABLE pgduet._pending TO pgduet_reader;
GRANT SELECT ON TABLE pgduet._pending TO pg_monitor;


--
-- Name: TABLE _promotion; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT ON TABLE pgduet._promotion TO pgduet_admin;


--
-- Name: TABLE _recall_sample; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT ON TABLE pgduet._recall_sample TO pgduet_reader;
GRANT SELECT ON TABLE pgduet._recall_sample TO pg_monitor;


--
-- Name: TABLE _source; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT ON TABLE pgduet._source TO pgduet_reader;
GRANT SELECT ON TABLE pgduet._source TO pg_monitor;


--
-- Name: TABLE _source_row; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT ON TABLE pgduet._source_row TO pgduet_reader;
GRANT SELECT ON TABLE pgduet._source_row TO pg_monitor;


--
-- Name: TABLE _triplet; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT ON TABLE pgduet._triplet TO pgduet_reader;
GRANT INSERT,DELETE ON TABLE pgduet._triplet TO pgduet_admin;
GRANT INSERT,DELETE ON TABLE pgduet._triplet TO pgduet_worker;


--
-- Name: TABLE _watch; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT ON TABLE pgduet._watch TO pgduet_reader;
GRANT SELECT ON TABLE pgduet._watch TO pg_monitor;


--
-- Name: TABLE _worker; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT ON TABLE pgduet._worker TO pgduet_reader;
GRANT SELECT ON TABLE pgduet._worker TO pg_monitor;


--
-- Name: TABLE code_chunks; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT ON TABLE pgduet.code_chunks TO pgduet_reader;
GRANT INSERT,DELETE,TRUNCATE,UPDATE ON TABLE pgduet.code_chunks TO pgduet_writer;


--
-- Name: COLUMN code_chunks.chunk_id; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT(chunk_id) ON TABLE pgduet.code_chunks TO pg_monitor;


--
-- Name: COLUMN code_chunks.repo; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT(repo) ON TABLE pgduet.code_chunks TO pg_monitor;


--
-- Name: COLUMN code_chunks.language; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT(language) ON TABLE pgduet.code_chunks TO pg_monitor;


--
-- Name: COLUMN code_chunks.content_hash; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT(content_hash) ON TABLE pgduet.code_chunks TO pg_monitor;


--
-- Name: TABLE code_embeddings; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT ON TABLE pgduet.code_embeddings TO pgduet_reader;


--
-- Name: COLUMN code_embeddings.chunk_id; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT(chunk_id) ON TABLE pgduet.code_embeddings TO pg_monitor;


--
-- Name: COLUMN code_embeddings.generation_id; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT(generation_id) ON TABLE pgduet.code_embeddings TO pg_monitor;


--
-- Name: COLUMN code_embeddings.content_hash; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT(content_hash) ON TABLE pgduet.code_embeddings TO pg_monitor;


--
-- Name: COLUMN code_embeddings.truncated; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT(truncated) ON TABLE pgduet.code_embeddings TO pg_monitor;


--
-- Name: TABLE chunk_status; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT ON TABLE pgduet.chunk_status TO pgduet_reader;


--
-- Name: TABLE coverage; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT ON TABLE pgduet.coverage TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.coverage TO pg_monitor;


--
-- Name: TABLE failures; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT ON TABLE pgduet.failures TO pgduet_reader;


--
-- Name: TABLE finetune_history; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT ON TABLE pgduet.finetune_history TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.finetune_history TO pg_monitor;


--
-- Name: TABLE generation_status; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT ON TABLE pgduet.generation_status TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.generation_status TO pg_monitor;


--
-- Name: TABLE index_status; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT ON TABLE pgduet.index_status TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.index_status TO pg_monitor;


--
-- Name: TABLE queue_status; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT ON TABLE pgduet.queue_status TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.queue_status TO pg_monitor;


--
-- Name: TABLE triplets; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT ON TABLE pgduet.triplets TO pgduet_reader;


--
-- Name: TABLE watch_failures; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT ON TABLE pgduet.watch_failures TO pgduet_reader;


--
-- Name: TABLE watch_status; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT ON TABLE pgduet.watch_status TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.watch_status TO pg_monitor;


--
-- Name: TABLE worker_status; Type: ACL; Schema: pgduet; Owner: pgduet_owner
--

GRANT SELECT ON TABLE pgduet.worker_status TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.worker_status TO pg_monitor;


--
-- Name: COLUMN note.xmin; Type: ACL; Schema: public; Owner: postgres
--

GRANT SELECT(xmin) ON TABLE public.note TO pgduet_owner;


--
-- Name: COLUMN note.id; Type: ACL; Schema: public; Owner: postgres
--

GRANT SELECT(id) ON TABLE public.note TO pgduet_owner;


--
-- Name: COLUMN note.body; Type: ACL; Schema: public; Owner: postgres
--

GRANT SELECT(body) ON TABLE public.note TO pgduet_owner;


--
-- PostgreSQL database dump complete
--


