-- Takes away what examples/snippets.sql made, chunks and vectors included; again at any time.
--
--   psql -f examples/snippets_drop.sql
\set ON_ERROR_STOP on
SET client_min_messages = warning;

SELECT pgduet.unwatch(t.source) AS chunks_gone
FROM (SELECT to_regclass('example.snippets') AS source) t WHERE t.source IS NOT NULL;
DROP TABLE IF EXISTS example.near_duplicates, example.snippets;
DROP FUNCTION IF EXISTS example.notice_near_duplicates();
DROP SCHEMA IF EXISTS example;
