-- Watched user tables: registering and forgetting them.

-- Refuses tables whose rows cannot be followed or should not be copied.
CREATE OR REPLACE FUNCTION pgduet._check_watchable(source regclass, copy_protected boolean) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
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
  ELSIF NOT (SELECT bool_and(k.is_readable) FROM pgduet._key_columns($1) k) THEN
    v_refusal := 'a domain stands inside the type of its primary key';
    v_hint := 'pgduet would run the checks of that domain with its own rights: take the type behind it.';
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
END $$;

CREATE OR REPLACE FUNCTION pgduet._check_column(source regclass, column_name text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
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
END $$;

-- Lets the worker's functions, which run as pgduet_owner, read these columns and no others.
CREATE OR REPLACE FUNCTION pgduet._grant_reading(source regclass, columns text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
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
END $$;

-- Writes the registration and asks for a look at the whole table. SECURITY DEFINER, because admins have no right on
-- the tables behind. Alone it gives nothing away: only a table that carries the watch's trigger is ever read, and of it
-- only the columns that its owner granted.
CREATE OR REPLACE FUNCTION pgduet._register_watch(source regclass, registration jsonb) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_new record;
  v_id integer;
  v_taken boolean;
BEGIN
  -- Two at the same time would give two watches the same name. The mode lets workers write: one that has a watch's row
  -- already may have to wait for this table no more.
  LOCK TABLE pgduet._watch IN SHARE UPDATE EXCLUSIVE MODE;
  SELECT n.nspname AS schema_name, c.relname AS table_name, format('%I.%I', n.nspname, c.relname) AS source,
    ARRAY(SELECT k.column_name FROM pgduet._key_columns($1) k ORDER BY k.place) AS key_columns,
    r.content_column, r.path_column, r.language_column, r.language, r.repo, r.copy_protected, r.created_by
  INTO v_new
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, jsonb_populate_record(NULL::pgduet._watch, $2) r
  WHERE c.oid = $1;
  LOOP
    -- A table that was dropped and made again takes its old watch over.
    v_id := (SELECT w.watch_id FROM pgduet._watch w WHERE pgduet._watched_table(w.watch_id) = $1
      OR (w.source = v_new.source AND pgduet._watched_table(w.watch_id) IS NULL)
      ORDER BY pgduet._watched_table(w.watch_id) LIMIT 1);
    IF v_id IS NULL THEN
      v_taken := EXISTS (SELECT FROM pgduet._watch w WHERE w.source = v_new.source);
      INSERT INTO pgduet._watch (source, schema_name, table_name, key_columns, content_column, copy_protected,
        created_by)
      -- The table that had this name when it was registered has another by now, and keeps its chunks.
      VALUES (CASE WHEN v_taken THEN v_new.source || ' (' || gen_random_uuid() || ')' ELSE v_new.source END,
        '', '', '{}', '', false, '') RETURNING _watch.watch_id INTO v_id;
    END IF;
    PERFORM FROM pgduet._watch w WHERE w.watch_id = v_id FOR UPDATE;
    -- A worker or unwatch() may have forgotten it while this waited.
    EXIT WHEN FOUND;
  END LOOP;
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
END $$;

CREATE OR REPLACE FUNCTION pgduet.watch(source regclass, content_column name, path_column name DEFAULT NULL,
  language text DEFAULT NULL, language_column name DEFAULT NULL, repo text DEFAULT NULL,
  copy_protected boolean DEFAULT false) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
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
END $$;

-- Forgets a watch with all that came of it; returns how many chunks went. Its function takes the triggers along.
CREATE OR REPLACE FUNCTION pgduet._forget_watch(watch_id integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = on AS $$
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
END $$;

CREATE OR REPLACE FUNCTION pgduet.unwatch(source regclass) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_id integer;
BEGIN
  IF (SELECT c.relkind IN ('r', 'p') AND pg_has_role(c.relowner, 'USAGE') FROM pg_class c WHERE c.oid = $1) THEN
    -- First as in watch(), for the two to wait for each other in one order. Who reads or writes is not held up yet.
    EXECUTE format('LOCK TABLE ONLY %s IN SHARE UPDATE EXCLUSIVE MODE', $1);
  END IF;
  v_id := (SELECT w.watch_id FROM pgduet._watch w WHERE pgduet._watched_table(w.watch_id) = $1
    OR (to_regclass(format('%I.%I', w.schema_name, w.table_name)) = $1 AND pgduet._watched_table(w.watch_id) IS NULL)
    LIMIT 1);
  IF v_id IS NULL THEN
    RAISE NOTICE 'table % is not watched', $1;
    RETURN 0;
  END IF;
  RETURN pgduet._forget_watch(v_id);
END $$;
