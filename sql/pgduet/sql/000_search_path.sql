-- Everything in these files is idempotent and runs in file order after every migration, in one transaction. A superuser
-- runs it, often in databases where others may create things: nothing but the server's own is found without its schema.
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL client_min_messages = warning;

-- pgvector may live in any schema, public too: its types are found after this, while functions are being created that
-- have them in their signatures. No other statement runs before the path is set back: a function or an operator of
-- somebody's making could suit it better than the server's own.
CREATE OR REPLACE FUNCTION pgduet._see_pgvector() RETURNS void
LANGUAGE sql AS $$
  SELECT pg_catalog.set_config('search_path', 'pg_catalog, ' OPERATOR(pg_catalog.||) pg_catalog.quote_ident(n.nspname), true)
  FROM pg_catalog.pg_extension x JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) x.extnamespace
  WHERE x.extname OPERATOR(pg_catalog.=) 'vector'::pg_catalog.name
$$;
