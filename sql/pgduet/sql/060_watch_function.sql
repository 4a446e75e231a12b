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

-- Columns of the primary key in its order, with the base type and the equality that its index uses. The text of a plain
-- type is short, free of brackets and the same under all settings.
CREATE OR REPLACE FUNCTION pgduet._key_columns(source oid)
RETURNS TABLE (place bigint, column_name text, type_name text, equals text, is_builtin boolean, is_plain boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
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
$$;

-- Expression that names a row: the key's plain text, or a JSON array where it has several columns or could be taken
-- for something else. NULL for what is too long for an index. Only built-in types are cast: others could bring a cast
-- of their owner's along.
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

-- Writes the trigger function of a watch. It never makes the user's statement fail: where a column was renamed it asks
-- for a look at the whole table, which reports it. The exception block writes nothing, so that it takes no transaction
-- id. SECURITY DEFINER, because whoever writes to the table needs no right on the queue.
CREATE OR REPLACE FUNCTION pgduet._make_watch_function(watch_id integer, source oid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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
END $$;

-- The table that carries the watch's trigger, whatever it is called now; NULL where there is none.
CREATE OR REPLACE FUNCTION pgduet._watched_table(watch_id integer) RETURNS oid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT t.tgrelid FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid AND c.relkind IN ('r', 'p')
  WHERE t.tgfoid = to_regprocedure(format('pgduet._watch_%s()', $1)) AND t.tgparentid = 0
    AND t.tgname = '_pgduet_watch_' || $1
$$;
