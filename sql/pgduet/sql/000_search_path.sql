-- Everything in these files is idempotent and runs in file order after every migration, in one transaction.
-- pgvector may live in any schema: its types are found by this search_path while functions are being created.
SELECT pg_catalog.set_config('search_path', 'pg_catalog, ' || pg_catalog.quote_ident(n.nspname), true)
FROM pg_catalog.pg_extension x JOIN pg_catalog.pg_namespace n ON n.oid = x.extnamespace
WHERE x.extname = 'vector';
SET LOCAL client_min_messages = warning;
