-- Building an index CONCURRENTLY takes statements outside a transaction, which no function has: it is asked for here
-- and done by a worker or by `pgduet db index`.
CREATE OR REPLACE FUNCTION pgduet.reindex(index_kind text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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
