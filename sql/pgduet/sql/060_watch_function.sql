-- The trigger function of a watched table, written for its columns: a record's field read by its literal name costs a
-- microsecond, by dynamic SQL or as JSON many times that, and JSON would run casts that the table's owner made.

-- The type behind a domain: casting to a domain would run its owner's checks.
CREATE OR REPLACE FUNCTION pgduet._base_type(type oid) RETURNS oid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH RECURSIVE step AS (
    SELECT t.oid, t.typbasetype FROM pg_type t WHERE t.oid = $1
    UNION ALL SELECT t.oid, t.typbasetype FROM step s JOIN pg_type t ON t.oid = s.typbasetype
  )
  SELECT s.oid FROM step s WHERE s.typbasetype = 0
$$;

-- Whether a text can be read as a value of a type without running what somebody made: a domain inside a composite type,
-- an array or a range has checks.
CREATE OR REPLACE FUNCTION pgduet._is_readable(type oid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH RECURSIVE part AS (
    SELECT $1 AS oid
    UNION SELECT n.oid FROM part p JOIN pg_type t ON t.oid = p.oid CROSS JOIN LATERAL (
      SELECT t.typelem WHERE t.typcategory = 'A'
      UNION ALL SELECT a.atttypid FROM pg_attribute a WHERE a.attrelid = t.typrelid AND t.typrelid <> 0 AND a.attnum > 0
      UNION ALL SELECT r.rngsubtype FROM pg_range r WHERE t.oid IN (r.rngtypid, r.rngmultitypid)) n (oid)
  )
  SELECT NOT EXISTS (SELECT FROM part p JOIN pg_type t ON t.oid = p.oid WHERE t.typtype = 'd')
$$;

-- Columns of the primary key in its order, with the base type and the equality that its index uses. The text of a plain
-- type is short, free of brackets and the same under all settings.
CREATE OR REPLACE FUNCTION pgduet._key_columns(source oid)
RETURNS TABLE (place bigint, column_name text, type_name text, equals text, is_builtin boolean, is_plain boolean,
  is_readable boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT k.place, a.attname::text, format('%I.%I', tn.nspname, t.typname),
    format('OPERATOR(%I.%s)', pn.nspname, p.oprname), t.typnamespace = 'pg_catalog'::regnamespace,
    t.oid = ANY ('{int2,int4,int8,uuid,bool}'::regtype[]::oid[]),
    t.typnamespace = 'pg_catalog'::regnamespace OR pgduet._is_readable(t.oid)
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
$$;

-- The text of a column, or of its key: only built-in types are cast, others could bring a cast of their owner's along.
-- Of those the output function is called, which belongs to the server or to an extension.
CREATE OR REPLACE FUNCTION pgduet._text_expression(source oid, column_name text, row_name text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT format(CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace THEN '((%1$s.%2$I)::pg_catalog.text COLLATE "C")'
    ELSE '(CASE WHEN %1$s.%2$I IS NOT NULL THEN pg_catalog.format(''%%s'', %1$s.%2$I) END COLLATE "C")' END, $3, $2)
  FROM pg_attribute a JOIN pg_type t ON t.oid = pgduet._base_type(a.atttypid)
  WHERE a.attrelid = $1 AND a.attname = $2 AND NOT a.attisdropped
$$;

-- Expression that names a row: the key's plain text, or a JSON array where it has several columns or could be taken
-- for something else. NULL for what is too long for an index. As in _text_expression only built-in types are cast.
CREATE OR REPLACE FUNCTION pgduet._key_expression(source oid, row_name text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
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
      CASE WHEN pg_catalog.left(%2$s, 1) = ''['' OR pg_catalog.strpos(%2$s, pg_catalog.chr(31)) > 0 THEN %1$s ELSE %2$s END END',
      v_key, v_texts[1])
    ELSE format('CASE WHEN pg_catalog.octet_length(%1$s) <= 2000 THEN %1$s END', v_key) END;
END $$;

-- Settings without which the same value would have different texts; plain types do without.
CREATE OR REPLACE FUNCTION pgduet._key_settings(source oid) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE
    WHEN bool_and(k.is_plain OR k.type_name IN ('pg_catalog.text', 'pg_catalog."varchar"', 'pg_catalog.varchar')) THEN ''
    ELSE 'SET TimeZone = ''UTC'' SET DateStyle = ''ISO'' SET IntervalStyle = ''postgres'' SET bytea_output = ''hex''
      SET extra_float_digits = 1' END
  FROM pgduet._key_columns($1) k
$$;

-- Whether columns of a record have the types that those of the table have now.
CREATE OR REPLACE FUNCTION pgduet._types_expression(source oid, column_names text[], row_name text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT string_agg(format('pg_catalog.pg_typeof(%s.%I) = %L::pg_catalog.regtype', $3, a.attname, a.atttypid::regtype),
    ' AND ' ORDER BY a.attname)
  FROM pg_attribute a WHERE a.attrelid = $1 AND NOT a.attisdropped AND a.attname = ANY ($2)
$$;

-- The body of the trigger function of a watch. It never makes the user's statement fail: where a column was renamed it
-- asks for a look at the whole table, which reports it. So it does where a column has another type than it was written
-- for: casting that could run a cast of its owner's. What is not reached is not planned either. The exception block
-- writes nothing, so that it takes no transaction id. NULL where the table or one of the columns is gone.
CREATE OR REPLACE FUNCTION pgduet._watch_body(watch_id integer, source oid) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_watch pgduet._watch := (SELECT w FROM pgduet._watch w WHERE w.watch_id = $1);
  v_texts text[] := array_remove(ARRAY[v_watch.path_column, v_watch.language_column, v_watch.content_column], NULL);
  v_compared text := (SELECT string_agg(format('%s IS NOT DISTINCT FROM %s',
      pgduet._text_expression($2, c.name, 'NEW'), pgduet._text_expression($2, c.name, 'OLD')), ' AND ' ORDER BY c.place)
    FROM unnest(v_texts) WITH ORDINALITY c (name, place));
  v_columns text[] := v_texts || ARRAY(SELECT k.column_name FROM pgduet._key_columns($2) k);
BEGIN
  IF cardinality(v_columns) = cardinality(v_texts)
    OR EXISTS (SELECT FROM unnest(v_columns) c (name) WHERE pgduet._text_expression($2, c.name, 'NEW') IS NULL) THEN
    RETURN NULL;
  END IF;
  RETURN format($function$
DECLARE
  v_before text;
  v_after text;
BEGIN
  -- A dump is being restored: see _pgduet_insert.
  IF TG_OP = 'INSERT' AND current_setting('check_function_bodies') = 'off' AND current_setting('row_security') = 'off'
  THEN
    RETURN NULL;
  END IF;
  BEGIN
    IF TG_OP IN ('UPDATE', 'DELETE') THEN
      IF NOT (%5$s) THEN
        RAISE EXCEPTION 'another type';
      END IF;
      v_before := %1$s;
    END IF;
    IF TG_OP IN ('UPDATE', 'INSERT') THEN
      IF NOT (%6$s) THEN
        RAISE EXCEPTION 'another type';
      END IF;
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
END $function$, pgduet._key_expression($2, 'OLD'), pgduet._key_expression($2, 'NEW'), v_compared, $1,
    pgduet._types_expression($2, v_columns, 'OLD'), pgduet._types_expression($2, v_columns, 'NEW'));
END $$;

-- SECURITY DEFINER, because whoever writes to the table needs no right on the queue.
CREATE OR REPLACE FUNCTION pgduet._make_watch_function(watch_id integer, source oid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_body text := pgduet._watch_body($1, $2);
BEGIN
  IF v_body IS NULL THEN
    RETURN;
  END IF;
  EXECUTE format('CREATE OR REPLACE FUNCTION pgduet.%I() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp %s AS %L',
    '_watch_' || $1, pgduet._key_settings($2), v_body);
  EXECUTE format('REVOKE ALL ON FUNCTION pgduet.%I() FROM PUBLIC', '_watch_' || $1);
  -- Whoever watches a table makes its trigger, which takes this right.
  EXECUTE format('GRANT EXECUTE ON FUNCTION pgduet.%I() TO pgduet_admin', '_watch_' || $1);
END $$;

-- The table that carries the watch's trigger, whatever it is called now; NULL where there is none.
CREATE OR REPLACE FUNCTION pgduet._watched_table(watch_id integer) RETURNS oid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT t.tgrelid FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid AND c.relkind IN ('r', 'p')
  WHERE t.tgfoid = to_regprocedure(format('pgduet._watch_%s()', $1)) AND t.tgparentid = 0
    AND t.tgname = '_pgduet_watch_' || $1
$$;
