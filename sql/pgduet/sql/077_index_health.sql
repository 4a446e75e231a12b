-- What to know and to do about the search index, in words.

CREATE OR REPLACE FUNCTION pgduet._index_health(generation_id integer)
RETURNS TABLE (aspect text, status text, detail text, advice text)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 4 SET search_path = pg_catalog, pg_temp AS $$
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
END $$;

CREATE OR REPLACE FUNCTION pgduet.index_health() RETURNS TABLE (aspect text, status text, detail text, advice text)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 6 SET search_path = pg_catalog, pg_temp AS $$
  SELECT h.aspect || CASE WHEN g.state <> 'active' THEN ' of generation ' || g.name ELSE '' END, h.status, h.detail,
    h.advice
  FROM pgduet.generations g CROSS JOIN LATERAL pgduet._index_health(g.generation_id) WITH ORDINALITY h
  WHERE g.state IN ('building', 'ready', 'active')
  ORDER BY g.state <> 'active', g.generation_id, h.ordinality
$$;
