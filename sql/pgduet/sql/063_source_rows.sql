-- Reading the rows of watched tables: by key, and all of them.

-- Stands for all that the chunks of a row are made of.
CREATE OR REPLACE FUNCTION pgduet._row_hash(content text, path text, language text, repo text) RETURNS bytea
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT sha256(coalesce(pgduet._content_hash(content), '')
    || convert_to(json_build_array(path, language, repo)::text, 'UTF8'))
$$;

-- Keys of the chunks of these rows: the row's key, then with a number behind it from the second chunk on.
CREATE OR REPLACE FUNCTION pgduet._chunk_keys(watch_id integer, row_keys text[]) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT ARRAY(SELECT CASE n.n WHEN 1 THEN r.row_key ELSE r.row_key || E'\x1f' || n.n END
    FROM pgduet._source_row r CROSS JOIN generate_series(1, r.chunks) n (n)
    WHERE r.watch_id = $1 AND r.row_key = ANY ($2) ORDER BY r.row_key, n.n)
$$;

-- ONLY: the triggers of a parent say nothing of the tables that inherit from it.
CREATE OR REPLACE FUNCTION pgduet._table_expression(source oid) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE c.relkind WHEN 'r' THEN 'ONLY ' ELSE '' END || c.oid::regclass FROM pg_class c WHERE c.oid = $1
$$;

-- Keeps a table as it is until the transaction ends: what is found out about its types holds as long. False where it
-- is gone.
CREATE OR REPLACE FUNCTION pgduet._hold_table(source oid) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_table text := pgduet._table_expression($1);
BEGIN
  IF v_table IS NOT NULL THEN
    EXECUTE format('SELECT FROM %s LIMIT 0', v_table);
  END IF;
  RETURN v_table IS NOT NULL;
END $$;

-- The keys and the values of their columns, as k (row_key, v1, v2 ...), the keys being $1. Of a domain it is the type
-- behind it, so that no check of somebody's making runs with pgduet's rights; nor does a cast: where a type is not
-- built-in the keys stand in the statement as literals, which the type's input function reads.
CREATE OR REPLACE FUNCTION pgduet._key_values(source oid, row_keys text[]) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_columns record;
  v_rows text;
BEGIN
  SELECT string_agg('v' || k.place, ', ' ORDER BY k.place) AS names, bool_and(k.is_builtin) AS builtin,
    bool_and(k.is_readable) AS readable, string_agg(format('(CASE WHEN starts_with(u.row_key, ''['')'
      ' THEN u.row_key::json ->> %s ELSE u.row_key END)::%s', k.place - 1, k.type_name), ', '
      ORDER BY k.place) AS casts,
    string_agg(format('NULL::%s', k.type_name), ', ' ORDER BY k.place) AS nulls
  INTO v_columns FROM pgduet._key_columns($1) k;
  IF NOT v_columns.readable THEN
    RAISE EXCEPTION 'a domain stands inside the type of its primary key' USING ERRCODE = '42804';
  ELSIF v_columns.builtin THEN
    v_rows := format('SELECT u.row_key, %s FROM unnest($1) u (row_key)', v_columns.casts);
  ELSIF cardinality($2) = 0 THEN
    v_rows := format('SELECT NULL::text, %s WHERE cardinality($1) > 0', v_columns.nulls);
  ELSE
    v_rows := 'VALUES ' || (SELECT string_agg(format('(%L, %s)', u.row_key, (
        SELECT string_agg(format('%L::%s', CASE WHEN starts_with(u.row_key, '[')
          THEN u.row_key::json ->> (k.place - 1)::integer ELSE u.row_key END, k.type_name), ', ' ORDER BY k.place)
        FROM pgduet._key_columns($1) k)), ', ')
      FROM unnest($2) u (row_key));
  END IF;
  RETURN format('(%s) k (row_key, %s)', v_rows, v_columns.names);
END $$;

-- A statement that reads rows by key, compared by the operator of the key's own index: $1 keys, $2 language, $3 repo.
CREATE OR REPLACE FUNCTION pgduet._read_statement(watch_id integer, source oid, row_keys text[]) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT format($sql$
    SELECT k.row_key, t.row_version, t.content, t.path, t.language,
      pgduet._row_hash(t.content, t.path, t.language, $3) AS row_hash
    FROM %6$s LEFT JOIN LATERAL (
      SELECT t.xmin::text AS row_version, %1$s AS content, %2$s AS path, coalesce(%3$s, $2) AS language
      FROM %4$s t WHERE %5$s) t ON true$sql$,
    pgduet._text_expression($2, w.content_column, 't'),
    coalesce(pgduet._text_expression($2, w.path_column, 't'), 'NULL::text'),
    coalesce(pgduet._text_expression($2, w.language_column, 't'), 'NULL::text'), pgduet._table_expression($2),
    (SELECT string_agg(format('t.%I %s k.v%s', k.column_name, k.equals, k.place), ' AND ')
     FROM pgduet._key_columns($2) k),
    pgduet._key_values($2, $3))
  FROM pgduet._watch w WHERE w.watch_id = $1
$$;

-- Those of the keys that can be keys of the table: its column may have had another type when they were noted.
CREATE OR REPLACE FUNCTION pgduet._castable_keys(source oid, row_keys text[]) RETURNS text[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE format('SELECT count(k) FROM %s', pgduet._key_values($1, $2)) USING $2;
  RETURN $2;
EXCEPTION WHEN data_exception THEN
  IF cardinality($2) = 1 THEN
    RETURN '{}';
  END IF;
  RETURN ARRAY(SELECT c.key FROM unnest($2) k (row_key)
    CROSS JOIN unnest(pgduet._castable_keys($1, ARRAY[k.row_key])) c (key));
END $$;

-- Does for rows all that needs no sidecar, and returns the others with their content, 16 MB at most at once and always
-- one, without content where it is blank. Rows that are as they were are done; of those that are gone the chunks are
-- deleted. What is neither returned nor done stays with its owner.
CREATE OR REPLACE FUNCTION pgduet._resolve_sources(owner text, watch_id integer, row_keys text[])
RETURNS TABLE (row_key text, row_version text, content text, path text, language text, row_hash bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = off SET lock_timeout = '2s'
SET TimeZone = 'UTC' SET DateStyle = 'ISO' SET IntervalStyle = 'postgres' SET bytea_output = 'hex'
SET extra_float_digits = 1 SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET jit = off AS $$
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
  IF v_watch.watch_id IS NULL OR NOT pgduet._hold_table(v_table) THEN
    -- Unwatched or dropped this very moment.
    RETURN;
  END IF;
  v_keys := ARRAY(SELECT DISTINCT m.row_key FROM (SELECT s.row_key FROM pgduet._source s WHERE s.lease_owner = $1
    AND s.watch_id = $2 AND s.row_key = ANY ($3) FOR UPDATE) m);
  v_castable := pgduet._castable_keys(v_table, v_keys);
  v_gone := ARRAY(SELECT unnest(v_keys) EXCEPT SELECT unnest(v_castable));
  v_statement := pgduet._read_statement($2, v_table, v_castable);
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
END $$;

-- Has rows cut again whose chunks somebody deleted, whatever policies chunks have: who calls this reads the watched
-- table without.
CREATE OR REPLACE FUNCTION pgduet._forget_chunkless(watch_id integer) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp SET row_security = on SET enable_nestloop = off SET jit = off AS $$
  UPDATE pgduet._source_row r SET row_hash = NULL, row_version = '' FROM pgduet._watch w
  WHERE w.watch_id = $1 AND r.watch_id = $1 AND r.chunks > 0 AND r.row_version <> '' AND NOT EXISTS (
    SELECT FROM pgduet.code_chunks c WHERE c.source = w.source AND c.source_key = r.row_key)
$$;

-- Queues rows of the table that were never worked on or that no trigger told of, and rows that are gone from it, `slice`
-- at most; where there are more it asks for another look after these.
CREATE OR REPLACE FUNCTION pgduet._rescan_watch(watch_id integer, slice integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = off SET lock_timeout = '2s'
SET TimeZone = 'UTC' SET DateStyle = 'ISO' SET IntervalStyle = 'postgres' SET bytea_output = 'hex'
SET extra_float_digits = 1 SET enable_nestloop = off SET jit = off AS $$
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
  IF NOT FOUND OR NOT pgduet._hold_table(v_table) THEN
    RETURN 0;
  END IF;
  -- Asked for before this look began: it sees all that they are about.
  DELETE FROM pgduet._source s WHERE s.seq IN (
    SELECT q.seq FROM pgduet._source q WHERE q.watch_id = $1 AND q.row_key IS NULL FOR UPDATE SKIP LOCKED);
  PERFORM pgduet._forget_chunkless($1);
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
END $$;
