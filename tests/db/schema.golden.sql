CREATE SCHEMA pgduet;
ALTER SCHEMA pgduet OWNER TO pgduet_owner;
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
CREATE FUNCTION pgduet._base_type(type oid) RETURNS oid
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._base_type(type oid) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._batch_texts() RETURNS integer
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._batch_texts() OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._beat(worker text, host text, pid integer, version text, state text, detail text, embedded bigint, failed bigint) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._beat(worker text, host text, pid integer, version text, state text, detail text, embedded bigint, failed bigint) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._beat_finetune(run_id bigint, trainer text, phase text, step integer, loss double precision, gradient_norm double precision, dev_score double precision, error text) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._beat_finetune(run_id bigint, trainer text, phase text, step integer, loss double precision, gradient_norm double precision, dev_score double precision, error text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._begin_finetune(run_id bigint, trainer text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._begin_finetune(run_id bigint, trainer text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._begin_map(generation_id integer, before bigint, x_axis real[], y_axis real[], x_mean double precision, y_mean double precision, shown double precision, rows bigint, centres jsonb) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._begin_map(generation_id integer, before bigint, x_axis real[], y_axis real[], x_mean double precision, y_mean double precision, shown double precision, rows bigint, centres jsonb) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._bury(generation_id integer, chunk_id bigint, content_hash bytea, error_class text, error text, attempts integer, seqs bigint[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._bury(generation_id integer, chunk_id bigint, content_hash bytea, error_class text, error text, attempts integer, seqs bigint[]) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._castable_keys(source oid, row_keys text[]) RETURNS text[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._castable_keys(source oid, row_keys text[]) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._changed_query(operation text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._changed_query(operation text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._check_column(source regclass, column_name text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._check_column(source regclass, column_name text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._check_finetune_options(options jsonb) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._check_finetune_options(options jsonb) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._check_k(k integer) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._check_k(k integer) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._check_pattern(path_like text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._check_pattern(path_like text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._check_watch(watch_id integer) RETURNS oid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._check_watch(watch_id integer) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._check_watchable(source regclass, copy_protected boolean) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._check_watchable(source regclass, copy_protected boolean) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._chunk_keys(watch_id integer, row_keys text[]) RETURNS text[]
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._chunk_keys(watch_id integer, row_keys text[]) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._chunk_touched() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._chunk_touched() OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._chunks_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'on'
    AS ...;
ALTER FUNCTION pgduet._chunks_changed() OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._chunks_truncated() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._chunks_truncated() OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._claim(worker text, batch integer, lease double precision) RETURNS TABLE(chunk_id bigint, seqs bigint[], attempts integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS ...;
ALTER FUNCTION pgduet._claim(worker text, batch integer, lease double precision) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._claim_sources(owner text, batch integer, lease double precision) RETURNS TABLE(watch_id integer, row_key text, attempts integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_sort TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS ...;
ALTER FUNCTION pgduet._claim_sources(owner text, batch integer, lease double precision) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._complete(generation_id integer, fingerprint text, chunk_ids bigint[], hashes bytea[], embeddings public.halfvec[], sketches bit[], code_tokens integer[], text_tokens integer[], truncated boolean[], worker text, settled_ids bigint[], settled_seqs bigint[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '5s'
    AS ...;
ALTER FUNCTION pgduet._complete(generation_id integer, fingerprint text, chunk_ids bigint[], hashes bytea[], embeddings public.halfvec[], sketches bit[], code_tokens integer[], text_tokens integer[], truncated boolean[], worker text, settled_ids bigint[], settled_seqs bigint[]) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._content_hash(content text) RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    RETURN CASE WHEN (btrim(content, ' 	
             ​‌‍
  ⁠　﻿'::text) <> ''::text) THEN sha256(convert_to(content, 'UTF8'::name)) ELSE NULL::bytea END;
ALTER FUNCTION pgduet._content_hash(content text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._contents(chunk_ids bigint[]) RETURNS TABLE(chunk_id bigint, content_hash bytea, content text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS ...;
ALTER FUNCTION pgduet._contents(chunk_ids bigint[]) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._coverage_now() RETURNS TABLE(repo text, language text, chunks bigint, embedded bigint, blank bigint, pending bigint, truncated bigint)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS ...;
ALTER FUNCTION pgduet._coverage_now() OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._create_generation(name text, model text, state text) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._create_generation(name text, model text, state text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._drop_orphans(chunk_ids bigint[]) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._drop_orphans(chunk_ids bigint[]) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._drop_source_rows(watch_id integer, row_keys text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'on'
    SET enable_seqscan TO 'off'
    AS ...;
ALTER FUNCTION pgduet._drop_source_rows(watch_id integer, row_keys text[]) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._duplicates_now() RETURNS TABLE(content_hash text, repos bigint, copies bigint, repo_names text, chunk_id bigint, repo text, path text, symbol text, kind text, language text, characters bigint)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS ...;
ALTER FUNCTION pgduet._duplicates_now() OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._embed_most(chunk_ids bigint[], seconds double precision) RETURNS TABLE(chunk_id bigint, failure text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._embed_most(chunk_ids bigint[], seconds double precision) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._embed_rows(contents text[], role text, seconds double precision, part text DEFAULT 'both'::text) RETURNS TABLE(ordinality integer, embedding public.halfvec, sketch bit, code_tokens integer, text_tokens integer, truncated boolean, failure text, fingerprint text)
    LANGUAGE plpython3u STABLE STRICT SECURITY DEFINER COST 1e+06 ROWS 64
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._embed_rows(contents text[], role text, seconds double precision, part text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._embed_within(chunk_ids bigint[], seconds double precision) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._embed_within(chunk_ids bigint[], seconds double precision) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._end_finetune(run_id bigint, trainer text, state text, status text, error text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._end_finetune(run_id bigint, trainer text, state text, status text, error text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._fail(worker text, seqs bigint[], error_class text, error text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._fail(worker text, seqs bigint[], error_class text, error text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._fail_source(owner text, watch_id integer, row_key text, error text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._fail_source(owner text, watch_id integer, row_key text, error text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._finish(seqs bigint[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._finish(seqs bigint[]) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._finish_map(map_id bigint, rows bigint, changes bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._finish_map(map_id bigint, rows bigint, changes bigint) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._forget_chunkless(watch_id integer) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'on'
    SET enable_nestloop TO 'off'
    SET jit TO 'off'
    AS ...;
ALTER FUNCTION pgduet._forget_chunkless(watch_id integer) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._forget_failures(chunk_ids bigint[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._forget_failures(chunk_ids bigint[]) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._forget_sidecars(sidecars text[], seconds double precision) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._forget_sidecars(sidecars text[], seconds double precision) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._forget_watch(watch_id integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'on'
    AS ...;
ALTER FUNCTION pgduet._forget_watch(watch_id integer) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._freshness_now() RETURNS TABLE(repo text, chunks bigint, pending bigint, failed bigint, oldest_pending_at timestamp with time zone, last_changed_at timestamp with time zone, last_embedded_at timestamp with time zone)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS ...;
ALTER FUNCTION pgduet._freshness_now() OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._gate_objection(metrics jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._gate_objection(metrics jsonb) OWNER TO pgduet_owner;
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
CREATE FUNCTION pgduet._generation(name text) RETURNS pgduet.generations
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._generation(name text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._generation_counts(generation_id integer, is_live boolean, OUT vectors bigint, OUT chunks bigint, OUT lacking bigint, OUT failed bigint) RETURNS record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS ...;
ALTER FUNCTION pgduet._generation_counts(generation_id integer, is_live boolean, OUT vectors bigint, OUT chunks bigint, OUT lacking bigint, OUT failed bigint) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._grant_reading(source regclass, columns text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._grant_reading(source regclass, columns text[]) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._guard_files() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._guard_files() OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._has_fingerprint() RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._has_fingerprint() OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._hold_table(source oid) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._hold_table(source oid) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._hybrid(query text, embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, distinct_content boolean, OUT ids bigint[], OUT distances double precision[]) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._hybrid(query text, embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, distinct_content boolean, OUT ids bigint[], OUT distances double precision[]) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._index_health(generation_id integer) RETURNS TABLE(aspect text, status text, detail text, advice text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 4
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._index_health(generation_id integer) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._index_objection(generation_id integer) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._index_objection(generation_id integer) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._is_readable(type oid) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._is_readable(type oid) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._judge(name text, gate jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._judge(name text, gate jsonb) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._judged_finetune(run_id bigint, trainer text) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._judged_finetune(run_id bigint, trainer text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._key_columns(source oid) RETURNS TABLE(place bigint, column_name text, type_name text, equals text, is_builtin boolean, is_plain boolean, is_readable boolean)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._key_columns(source oid) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._key_expression(source oid, row_name text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._key_expression(source oid, row_name text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._key_settings(source oid) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._key_settings(source oid) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._key_values(source oid, row_keys text[]) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._key_values(source oid, row_keys text[]) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._lacking(generation_id integer, most bigint DEFAULT NULL::bigint) RETURNS SETOF bigint
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._lacking(generation_id integer, most bigint) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._leave(worker text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._leave(worker text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._lexemes(symbol text, content text) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE COST 10000 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET client_min_messages TO 'error'
    AS ...;
ALTER FUNCTION pgduet._lexemes(symbol text, content text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._lexical(query text, embedding public.halfvec, most integer, language text, repo text, path_like text, distinct_content boolean, OUT ids bigint[], OUT distances double precision[]) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET work_mem TO '16MB'
    SET jit TO 'off'
    SET enable_seqscan TO 'on'
    AS ...;
ALTER FUNCTION pgduet._lexical(query text, embedding public.halfvec, most integer, language text, repo text, path_like text, distinct_content boolean, OUT ids bigint[], OUT distances double precision[]) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._lexical_statement(generation_id integer, indexed boolean) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._lexical_statement(generation_id integer, indexed boolean) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._load_backend() RETURNS boolean
    LANGUAGE plpython3u SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._load_backend() OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._lock_generations() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._lock_generations() OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._lock_snapshots() RETURNS boolean
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._lock_snapshots() OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._make_watch_function(watch_id integer, source oid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._make_watch_function(watch_id integer, source oid) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._map_due() RETURNS TABLE(generation_id integer, map_id bigint, newest bigint, rows bigint, changes bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._map_due() OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._map_sample(generation_id integer, most integer, rows bigint) RETURNS SETOF bytea
    LANGUAGE plpgsql SECURITY DEFINER ROWS 5000
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._map_sample(generation_id integer, most integer, rows bigint) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._map_slice(map_id bigint, after bigint, slice integer, OUT upto bigint, OUT busy boolean) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_custom_plan'
    SET jit TO 'off'
    AS ...;
ALTER FUNCTION pgduet._map_slice(map_id bigint, after bigint, slice integer, OUT upto bigint, OUT busy boolean) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._match_chunks(source text, source_keys text[], contents text[]) RETURNS bigint[]
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_nestloop TO 'off'
    SET jit TO 'off'
    AS ...;
ALTER FUNCTION pgduet._match_chunks(source text, source_keys text[], contents text[]) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._matching_rows(generation_id integer, language text, repo text, path_like text) RETURNS double precision
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._matching_rows(generation_id integer, language text, repo text, path_like text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._model_objection() RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._model_objection() OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._neighbours(chunk_ids bigint[], k integer) RETURNS TABLE(chunk_id bigint, neighbour_id bigint)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._neighbours(chunk_ids bigint[], k integer) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._next_due() RETURNS double precision
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._next_due() OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._note_finetune_steps(run_id bigint, trainer text, steps jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '100ms'
    AS ...;
ALTER FUNCTION pgduet._note_finetune_steps(run_id bigint, trainer text, steps jsonb) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._note_snapshot(name text, seconds double precision) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._note_snapshot(name text, seconds double precision) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._objections(generation_id integer, most bigint DEFAULT NULL::bigint) RETURNS TABLE(aspect text, objection text, advice text)
    LANGUAGE plpgsql STABLE ROWS 3
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._objections(generation_id integer, most bigint) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._pair_cosines(first bigint[], second bigint[]) RETURNS TABLE(place bigint, similarity double precision, code double precision, text double precision)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._pair_cosines(first bigint[], second bigint[]) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._put_back_finetune(run_id bigint, trainer text, error text, pause double precision, resume boolean, failed_at timestamp with time zone DEFAULT clock_timestamp()) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._put_back_finetune(run_id bigint, trainer text, error text, pause double precision, resume boolean, failed_at timestamp with time zone) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._query_words(query text, OUT words text[], OUT identifiers text[]) RETURNS record
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._query_words(query text, OUT words text[], OUT identifiers text[]) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._ranked(embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, distinct_content boolean, except_id bigint, except_hash bytea, OUT ids bigint[], OUT distances double precision[]) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._ranked(embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, distinct_content boolean, except_id bigint, except_hash bytea, OUT ids bigint[], OUT distances double precision[]) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._read_statement(watch_id integer, source oid, row_keys text[]) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._read_statement(watch_id integer, source oid, row_keys text[]) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._recall_interval(recalls double precision[], k integer, OUT recall double precision, OUT recall_low double precision, OUT recall_high double precision) RETURNS record
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._recall_interval(recalls double precision[], k integer, OUT recall double precision, OUT recall_low double precision, OUT recall_high double precision) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._recall_queries(generation_id integer, query_kind text, sample integer, language text, repo text, path_like text) RETURNS TABLE(embedding public.halfvec, sketch bit, except_id bigint, except_hash bytea)
    LANGUAGE plpgsql ROWS 100
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._recall_queries(generation_id integer, query_kind text, sample integer, language text, repo text, path_like text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._recall_source(generation_id integer, sample integer, language text, repo text, path_like text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._recall_source(generation_id integer, sample integer, language text, repo text, path_like text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._recall_truth(generation_id integer, query_kind text, sample integer, k integer, language text, repo text, path_like text, seconds double precision) RETURNS TABLE(embedding public.halfvec, sketch bit, except_id bigint, except_hash bytea, nearest integer, kth double precision, exact_ms double precision)
    LANGUAGE plpgsql ROWS 100
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._recall_truth(generation_id integer, query_kind text, sample integer, k integer, language text, repo text, path_like text, seconds double precision) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._recall_try(generation_id integer, way text, kind text, probes integer, ef_search integer, depth bigint, embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, except_id bigint, except_hash bytea, nearest integer, kth double precision, OUT recall double precision, OUT ms double precision) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._recall_try(generation_id integer, way text, kind text, probes integer, ef_search integer, depth bigint, embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, except_id bigint, except_hash bytea, nearest integer, kth double precision, OUT recall double precision, OUT ms double precision) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._recent_queries(most integer) RETURNS TABLE(embedding public.halfvec, sketch bit)
    LANGUAGE plpython3u STABLE STRICT SECURITY DEFINER COST 100000 ROWS 100
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._recent_queries(most integer) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._reconcile_slice(after bigint, slice integer, OUT upto bigint, OUT enqueued bigint, OUT removed bigint) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_custom_plan'
    SET jit TO 'off'
    AS ...;
ALTER FUNCTION pgduet._reconcile_slice(after bigint, slice integer, OUT upto bigint, OUT enqueued bigint, OUT removed bigint) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._refresh_snapshot(name text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS ...;
ALTER FUNCTION pgduet._refresh_snapshot(name text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._register_watch(source regclass, registration jsonb) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._register_watch(source regclass, registration jsonb) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._release(worker text, seqs bigint[], seconds double precision, detail text DEFAULT NULL::text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._release(worker text, seqs bigint[], seconds double precision, detail text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._release_all(worker text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._release_all(worker text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._release_sources(owner text, seconds double precision) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._release_sources(owner text, seconds double precision) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._replace_chunks(source text, row_key text, stored text[], new pgduet._source_chunk[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS ...;
ALTER FUNCTION pgduet._replace_chunks(source text, row_key text, stored text[], new pgduet._source_chunk[]) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._request_finetune(name text, options jsonb, requested_by text) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._request_finetune(name text, options jsonb, requested_by text) OWNER TO pgduet_owner;
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
    AS ...;
ALTER FUNCTION pgduet._rescan_watch(watch_id integer, slice integer) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._resolve(chunk_ids bigint[]) RETURNS TABLE(generation_id integer, model text, fingerprint text, is_active boolean, chunk_id bigint, content_hash bytea)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS ...;
ALTER FUNCTION pgduet._resolve(chunk_ids bigint[]) OWNER TO pgduet_owner;
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
    AS ...;
ALTER FUNCTION pgduet._resolve_sources(owner text, watch_id integer, row_keys text[]) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._row_hash(content text, path text, language text, repo text) RETURNS bytea
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._row_hash(content text, path text, language text, repo text) OWNER TO pgduet_owner;
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
    AS ...;
ALTER FUNCTION pgduet._scan(generation_id integer, way text, kind text, probes integer, ef_search integer, depth bigint, embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, distinct_content boolean, except_id bigint, except_hash bytea, OUT ids bigint[], OUT distances double precision[]) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._schedule_finetune() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._schedule_finetune() OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._search_index(generation_id integer, OUT index_name name, OUT kind text, OUT lists integer, OUT probes integer, OUT ef_search integer, OUT depth integer, OUT rows_at_build bigint) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._search_index(generation_id integer, OUT index_name name, OUT kind text, OUT lists integer, OUT probes integer, OUT ef_search integer, OUT depth integer, OUT rows_at_build bigint) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._search_plan(generation_id integer, language text, repo text, path_like text, k integer, OUT way text, OUT kind text, OUT probes integer, OUT ef_search integer, OUT depth bigint) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._search_plan(generation_id integer, language text, repo text, path_like text, k integer, OUT way text, OUT kind text, OUT probes integer, OUT ef_search integer, OUT depth bigint) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._search_statement(generation_id integer, way text, kind text, depth bigint, secured boolean) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._search_statement(generation_id integer, way text, kind text, depth bigint, secured boolean) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._see_pgvector() RETURNS void
    LANGUAGE sql
    AS ...;
ALTER FUNCTION pgduet._see_pgvector() OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._settle(worker text, chunk_ids bigint[], seqs bigint[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS ...;
ALTER FUNCTION pgduet._settle(worker text, chunk_ids bigint[], seqs bigint[]) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._settle_generations() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._settle_generations() OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._shown(ids bigint[], distances double precision[], min_similarity double precision) RETURNS TABLE(chunk_id bigint, repo text, path text, symbol text, kind text, language text, start_line integer, end_line integer, content text, similarity double precision, source text, source_key text)
    LANGUAGE plpgsql STABLE ROWS 10
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._shown(ids bigint[], distances double precision[], min_similarity double precision) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._sidecar_health() RETURNS TABLE(component text, status text, detail text)
    LANGUAGE plpython3u STABLE SECURITY DEFINER ROWS 2
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._sidecar_health() OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._similar_code(query text, k integer, only_language text, only_repo text, path_like text, min_similarity double precision, distinct_content boolean, lexical boolean) RETURNS TABLE(chunk_id bigint, repo text, path text, symbol text, kind text, language text, start_line integer, end_line integer, content text, similarity double precision, source text, source_key text)
    LANGUAGE plpgsql STABLE ROWS 10
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._similar_code(query text, k integer, only_language text, only_repo text, path_like text, min_similarity double precision, distinct_content boolean, lexical boolean) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._similar_to(from_chunk bigint, k integer, only_language text, only_repo text, path_like text, min_similarity double precision, distinct_content boolean) RETURNS TABLE(chunk_id bigint, repo text, path text, symbol text, kind text, language text, start_line integer, end_line integer, content text, similarity double precision, source text, source_key text)
    LANGUAGE plpgsql STABLE ROWS 10
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._similar_to(from_chunk bigint, k integer, only_language text, only_repo text, path_like text, min_similarity double precision, distinct_content boolean) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._sliced_query(query text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._sliced_query(query text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._snapshot_due(name text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._snapshot_due(name text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._store(generation_id integer, fingerprint text, chunk_ids bigint[], hashes bytea[], embeddings public.halfvec[], sketches bit[], code_tokens integer[], text_tokens integer[], truncated boolean[]) RETURNS bigint[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS ...;
ALTER FUNCTION pgduet._store(generation_id integer, fingerprint text, chunk_ids bigint[], hashes bytea[], embeddings public.halfvec[], sketches bit[], code_tokens integer[], text_tokens integer[], truncated boolean[]) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._store_stages(sidecar text, since timestamp with time zone, stages jsonb, slowest jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._store_stages(sidecar text, since timestamp with time zone, stages jsonb, slowest jsonb) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._stored_queries(generation_id integer, sample integer, language text, repo text, path_like text) RETURNS TABLE(embedding public.halfvec, sketch bit, except_id bigint, except_hash bytea)
    LANGUAGE plpgsql ROWS 100
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._stored_queries(generation_id integer, sample integer, language text, repo text, path_like text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._switch_generation(generation_id integer) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._switch_generation(generation_id integer) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._switch_remark(generation_id integer, lacking bigint) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._switch_remark(generation_id integer, lacking bigint) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._symbol_queries(generation_id integer, sample integer, language text, repo text, path_like text) RETURNS TABLE(embedding public.halfvec, sketch bit, except_id bigint, except_hash bytea)
    LANGUAGE plpgsql ROWS 100
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._symbol_queries(generation_id integer, sample integer, language text, repo text, path_like text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._symbol_words(symbol text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._symbol_words(symbol text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._sync_budget(transaction text, budget double precision, spent double precision, missed boolean) RETURNS double precision
    LANGUAGE plpython3u SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._sync_budget(transaction text, budget double precision, spent double precision, missed boolean) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._table_expression(source oid) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._table_expression(source oid) OWNER TO pgduet_owner;
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
CREATE FUNCTION pgduet._take_finetune(trainer text, pause double precision) RETURNS SETOF pgduet.finetune_runs
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._take_finetune(trainer text, pause double precision) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._text_expression(source oid, column_name text, row_name text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._text_expression(source oid, column_name text, row_name text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._trigger_mode() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._trigger_mode() OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._truncation_checked() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._truncation_checked() OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._try_embed(chunk_ids bigint[]) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._try_embed(chunk_ids bigint[]) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._types_expression(source oid, column_names text[], row_name text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._types_expression(source oid, column_names text[], row_name text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._unresolved(chunk_ids bigint[]) RETURNS bigint[]
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS ...;
ALTER FUNCTION pgduet._unresolved(chunk_ids bigint[]) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._vector_count(generation_id integer, OUT rows bigint, OUT changes bigint) RETURNS record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._vector_count(generation_id integer, OUT rows bigint, OUT changes bigint) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._wake() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._wake() OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._wake_trainer() RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._wake_trainer() OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._watch_body(watch_id integer, source oid) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._watch_body(watch_id integer, source oid) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._watched_table(watch_id integer) RETURNS oid
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet._watched_table(watch_id integer) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._word_rows(words text[], language text, repo text, path_like text) RETURNS double precision[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET max_parallel_workers_per_gather TO '0'
    AS ...;
ALTER FUNCTION pgduet._word_rows(words text[], language text, repo text, path_like text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet._write_source(owner text, watch_id integer, row_key text, row_version text, row_hash bytea, error text, path text, symbols text[], kinds text[], languages text[], start_lines integer[], end_lines integer[], contents text[]) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS ...;
ALTER FUNCTION pgduet._write_source(owner text, watch_id integer, row_key text, row_version text, row_hash bytea, error text, path text, symbols text[], kinds text[], languages text[], start_lines integer[], end_lines integer[], contents text[]) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet.add_generation(model text, name text DEFAULT NULL::text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    AS ...;
ALTER FUNCTION pgduet.add_generation(model text, name text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet.cancel_finetune(run_id bigint) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '10s'
    AS ...;
ALTER FUNCTION pgduet.cancel_finetune(run_id bigint) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet.chunk_code(content text, language text DEFAULT NULL::text, path text DEFAULT NULL::text) RETURNS TABLE(symbol text, kind text, language text, start_line integer, end_line integer, content text)
    LANGUAGE plpython3u STABLE SECURITY DEFINER COST 10000 ROWS 20
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet.chunk_code(content text, language text, path text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet.embed(content text, role text DEFAULT 'document'::text, part text DEFAULT 'both'::text) RETURNS public.halfvec
    LANGUAGE plpython3u STABLE STRICT SECURITY DEFINER COST 100000
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet.embed(content text, role text, part text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet.embed_batch(contents text[], role text DEFAULT 'document'::text, part text DEFAULT 'both'::text) RETURNS TABLE(ordinality integer, embedding public.halfvec)
    LANGUAGE plpgsql STABLE STRICT ROWS 64
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet.embed_batch(contents text[], role text, part text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet.finetune(name text DEFAULT NULL::text, objective text DEFAULT 'in-batch'::text, part text DEFAULT 'both'::text, steps integer DEFAULT 100, mine boolean DEFAULT true, promote boolean DEFAULT false, options jsonb DEFAULT '{}'::jsonb) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet.finetune(name text, objective text, part text, steps integer, mine boolean, promote boolean, options jsonb) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet.health() RETURNS TABLE(component text, status text, detail text)
    LANGUAGE plpgsql STABLE COST 10000 ROWS 9
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet.health() OWNER TO pgduet_owner;
CREATE FUNCTION pgduet.index_health() RETURNS TABLE(aspect text, status text, detail text, advice text)
    LANGUAGE sql STABLE SECURITY DEFINER ROWS 6
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet.index_health() OWNER TO pgduet_owner;
CREATE FUNCTION pgduet.index_recall(sample integer DEFAULT 200, k integer DEFAULT 10, language text DEFAULT NULL::text, repo text DEFAULT NULL::text, path_like text DEFAULT NULL::text) RETURNS TABLE(query_kind text, queries integer, recall double precision, recall_low double precision, recall_high double precision, search_ms double precision, exact_ms double precision, way text, index_kind text, probes integer, ef_search integer, depth bigint)
    LANGUAGE plpgsql COST 1e+06 ROWS 2
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet.index_recall(sample integer, k integer, language text, repo text, path_like text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet.promote(name text, force boolean DEFAULT false, reason text DEFAULT NULL::text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '10s'
    AS ...;
ALTER FUNCTION pgduet.promote(name text, force boolean, reason text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet.reconcile(OUT enqueued bigint, OUT removed bigint) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet.reconcile(OUT enqueued bigint, OUT removed bigint) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet.reindex(index_kind text DEFAULT NULL::text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet.reindex(index_kind text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet.retire(name text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '10s'
    AS ...;
ALTER FUNCTION pgduet.retire(name text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet.retry_failed(error_class text DEFAULT NULL::text) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet.retry_failed(error_class text) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet.rollback() RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '10s'
    AS ...;
ALTER FUNCTION pgduet.rollback() OWNER TO pgduet_owner;
CREATE FUNCTION pgduet.similar_code(query text, k integer DEFAULT 10, language text DEFAULT NULL::text, repo text DEFAULT NULL::text, path_like text DEFAULT NULL::text, min_similarity double precision DEFAULT NULL::double precision, distinct_content boolean DEFAULT true, lexical boolean DEFAULT false) RETURNS TABLE(chunk_id bigint, repo text, path text, symbol text, kind text, language text, start_line integer, end_line integer, content text, similarity double precision, source text, source_key text)
    LANGUAGE sql STABLE COST 1e+06 ROWS 10
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet.similar_code(query text, k integer, language text, repo text, path_like text, min_similarity double precision, distinct_content boolean, lexical boolean) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet.similar_to(chunk_id bigint, k integer DEFAULT 10, language text DEFAULT NULL::text, repo text DEFAULT NULL::text, path_like text DEFAULT NULL::text, min_similarity double precision DEFAULT NULL::double precision, distinct_content boolean DEFAULT true) RETURNS TABLE(chunk_id bigint, repo text, path text, symbol text, kind text, language text, start_line integer, end_line integer, content text, similarity double precision, source text, source_key text)
    LANGUAGE sql STABLE COST 10000 ROWS 10
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet.similar_to(chunk_id bigint, k integer, language text, repo text, path_like text, min_similarity double precision, distinct_content boolean) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet.unwatch(source regclass) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet.unwatch(source regclass) OWNER TO pgduet_owner;
CREATE FUNCTION pgduet.version() RETURNS text
    LANGUAGE plpython3u STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet.version() OWNER TO pgduet_owner;
CREATE FUNCTION pgduet.watch(source regclass, content_column name, path_column name DEFAULT NULL::name, language text DEFAULT NULL::text, language_column name DEFAULT NULL::name, repo text DEFAULT NULL::text, copy_protected boolean DEFAULT false) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS ...;
ALTER FUNCTION pgduet.watch(source regclass, content_column name, path_column name, language text, language_column name, repo text, copy_protected boolean) OWNER TO pgduet_owner;
CREATE TABLE pgduet._setting (
    key text NOT NULL,
    value text NOT NULL,
    description text NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT _setting_check CHECK (
CASE key
    WHEN 'sidecar_address'::text THEN (value <> ''::text)
    WHEN 'sidecar_ca_file'::text THEN ((value = ''::text) OR (value ~~ '/%'::text))
    WHEN 'sidecar_certificate_file'::text THEN ((value = ''::text) OR (value ~~ '/%'::text))
    WHEN 'sidecar_key_file'::text THEN ((value = ''::text) OR (value ~~ '/%'::text))
    WHEN 'sidecar_token_file'::text THEN ((value = ''::text) OR (value ~~ '/%'::text))
    WHEN 'sidecar_server_name'::text THEN (value ~ '^[A-Za-z0-9.:_-]*$'::text)
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
    WHEN 'snapshot_seconds'::text THEN (value ~ '^[0-9]{1,6}$'::text)
    WHEN 'code_map'::text THEN (value = ANY (ARRAY['on'::text, 'off'::text]))
    ELSE false
END)
);
ALTER TABLE pgduet._setting OWNER TO pgduet_owner;
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
    current_setting('pgduet.traceparent'::text, true) AS traceparent,
    ARRAY( SELECT ((s.key || '='::text) || s.value)
           FROM pgduet._setting s
          WHERE ((s.value <> ''::text) AND (s.key = ANY (ARRAY['sidecar_ca_file'::text, 'sidecar_certificate_file'::text, 'sidecar_key_file'::text, 'sidecar_token_file'::text, 'sidecar_server_name'::text])))) AS sidecar_credentials
   FROM (( SELECT) one
     LEFT JOIN pgduet.generations g ON ((g.state = 'active'::text)));
ALTER TABLE pgduet._call_context OWNER TO pgduet_owner;
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
ALTER TABLE pgduet._index_build ALTER COLUMN build_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME pgduet._index_build_build_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE pgduet._index_request (
    request_id bigint NOT NULL,
    requested_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    requested_by text NOT NULL,
    done_at timestamp with time zone,
    outcome text
);
ALTER TABLE pgduet._index_request OWNER TO pgduet_owner;
ALTER TABLE pgduet._index_request ALTER COLUMN request_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pgduet._index_request_request_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE pgduet._installation (
    installed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    version text NOT NULL,
    sql_hash text NOT NULL
);
ALTER TABLE pgduet._installation OWNER TO pgduet_owner;
CREATE VIEW pgduet._live_generation AS
 SELECT g.generation_id,
    g.model,
    g.fingerprint,
    (g.state = 'active'::text) AS is_active
   FROM pgduet.generations g
  WHERE (g.state = ANY (ARRAY['active'::text, 'building'::text, 'ready'::text]));
ALTER TABLE pgduet._live_generation OWNER TO pgduet_owner;
CREATE TABLE pgduet._map (
    map_id bigint NOT NULL,
    generation_id integer NOT NULL,
    x_axis real[] NOT NULL,
    y_axis real[] NOT NULL,
    x_mean double precision NOT NULL,
    y_mean double precision NOT NULL,
    shown double precision NOT NULL,
    rows_at_fit bigint NOT NULL,
    fitted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    ready_at timestamp with time zone,
    rows_seen bigint,
    changes_seen bigint
);
ALTER TABLE pgduet._map OWNER TO pgduet_owner;
CREATE TABLE pgduet._map_centre (
    map_id bigint NOT NULL,
    cluster integer NOT NULL,
    centre real[] NOT NULL
);
ALTER TABLE pgduet._map_centre OWNER TO pgduet_owner;
ALTER TABLE pgduet._map ALTER COLUMN map_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pgduet._map_map_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE pgduet._map_point (
    map_id bigint NOT NULL,
    chunk_id bigint NOT NULL,
    content_hash bytea NOT NULL,
    x double precision NOT NULL,
    y double precision NOT NULL,
    cluster integer NOT NULL,
    computed_at timestamp with time zone NOT NULL
);
ALTER TABLE pgduet._map_point OWNER TO pgduet_owner;
CREATE TABLE pgduet._migration (
    version_num character varying(32) NOT NULL
);
ALTER TABLE pgduet._migration OWNER TO pgduet_owner;
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
ALTER TABLE pgduet._mining ALTER COLUMN mining_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pgduet._mining_mining_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
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
ALTER TABLE pgduet._pending ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pgduet._pending_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
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
ALTER TABLE pgduet._promotion ALTER COLUMN promotion_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pgduet._promotion_promotion_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
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
ALTER TABLE pgduet._recall_sample ALTER COLUMN sample_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME pgduet._recall_sample_sample_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE pgduet._snapshot (
    name text NOT NULL,
    refreshed_at timestamp with time zone NOT NULL,
    seconds double precision NOT NULL
);
ALTER TABLE pgduet._snapshot OWNER TO pgduet_owner;
CREATE TABLE pgduet._snapshot_coverage (
    repo text,
    language text,
    chunks bigint NOT NULL,
    embedded bigint NOT NULL,
    blank bigint NOT NULL,
    pending bigint NOT NULL,
    truncated bigint NOT NULL
);
ALTER TABLE pgduet._snapshot_coverage OWNER TO pgduet_owner;
CREATE TABLE pgduet._snapshot_duplicate (
    content_hash text NOT NULL,
    repos bigint NOT NULL,
    copies bigint NOT NULL,
    repo_names text NOT NULL,
    chunk_id bigint NOT NULL,
    repo text NOT NULL,
    path text,
    symbol text,
    kind text,
    language text,
    characters bigint NOT NULL
);
ALTER TABLE pgduet._snapshot_duplicate OWNER TO pgduet_owner;
CREATE TABLE pgduet._snapshot_freshness (
    repo text,
    chunks bigint NOT NULL,
    pending bigint NOT NULL,
    failed bigint NOT NULL,
    oldest_pending_at timestamp with time zone,
    last_changed_at timestamp with time zone,
    last_embedded_at timestamp with time zone
);
ALTER TABLE pgduet._snapshot_freshness OWNER TO pgduet_owner;
CREATE TABLE pgduet._snapshot_generation (
    generation_id integer NOT NULL,
    vectors bigint NOT NULL,
    chunks bigint,
    lacking bigint,
    failed bigint
);
ALTER TABLE pgduet._snapshot_generation OWNER TO pgduet_owner;
CREATE TABLE pgduet._snapshot_slow (
    sidecar text NOT NULL,
    request_id text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    ms double precision NOT NULL,
    tokens bigint,
    measured_at timestamp with time zone NOT NULL
);
ALTER TABLE pgduet._snapshot_slow OWNER TO pgduet_owner;
CREATE TABLE pgduet._snapshot_stage (
    sidecar text NOT NULL,
    stage text NOT NULL,
    lane text NOT NULL,
    calls bigint NOT NULL,
    mean_ms double precision NOT NULL,
    p50_ms double precision,
    p95_ms double precision,
    p99_ms double precision,
    over_100_ms bigint NOT NULL,
    over_1000_ms bigint NOT NULL,
    since timestamp with time zone NOT NULL,
    measured_at timestamp with time zone NOT NULL
);
ALTER TABLE pgduet._snapshot_stage OWNER TO pgduet_owner;
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
ALTER TABLE pgduet._source ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pgduet._source_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
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
ALTER TABLE pgduet._watch ALTER COLUMN watch_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pgduet._watch_watch_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
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
ALTER TABLE pgduet.code_chunks ALTER COLUMN chunk_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME pgduet.code_chunks_chunk_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
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
CREATE VIEW pgduet.code_map WITH (security_invoker='true') AS
 SELECT c.chunk_id,
    c.repo,
    c.path,
    c.symbol,
    c.kind,
    c.language,
    p.x,
    p.y,
    p.cluster,
    g.name AS generation,
    p.computed_at,
    (EXTRACT(epoch FROM (clock_timestamp() - p.computed_at)))::double precision AS age_seconds
   FROM (((pgduet.generations g
     JOIN pgduet._map m ON (((m.generation_id = g.generation_id) AND (m.map_id = ( SELECT max(l.map_id) AS max
           FROM pgduet._map l
          WHERE ((l.generation_id = g.generation_id) AND (l.ready_at IS NOT NULL)))))))
     JOIN pgduet._map_point p ON ((p.map_id = m.map_id)))
     JOIN pgduet.code_chunks c ON (((c.chunk_id = p.chunk_id) AND (c.content_hash = p.content_hash))))
  WHERE (g.state = 'active'::text);
ALTER TABLE pgduet.code_map OWNER TO pgduet_owner;
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
CREATE VIEW pgduet.snapshot_status WITH (security_invoker='true') AS
 SELECT s.name,
    s.refreshed_at,
    s.seconds,
    (EXTRACT(epoch FROM (clock_timestamp() - s.refreshed_at)))::double precision AS age_seconds
   FROM pgduet._snapshot s;
ALTER TABLE pgduet.snapshot_status OWNER TO pgduet_owner;
CREATE VIEW pgduet.coverage_snapshot WITH (security_invoker='true') AS
 SELECT v.repo,
    v.language,
    v.chunks,
    v.embedded,
    v.blank,
    v.pending,
    v.truncated,
    p.refreshed_at,
    p.age_seconds
   FROM (pgduet._snapshot_coverage v
     JOIN pgduet.snapshot_status p ON ((p.name = 'coverage'::text)))
UNION ALL
 SELECT v.repo,
    v.language,
    v.chunks,
    v.embedded,
    v.blank,
    v.pending,
    v.truncated,
    now() AS refreshed_at,
    0 AS age_seconds
   FROM pgduet._coverage_now() v(repo, language, chunks, embedded, blank, pending, truncated)
  WHERE row_security_active('pgduet.code_chunks'::text);
ALTER TABLE pgduet.coverage_snapshot OWNER TO pgduet_owner;
CREATE VIEW pgduet.duplicates WITH (security_invoker='true') AS
 SELECT v.content_hash,
    v.repos,
    v.copies,
    v.repo_names,
    v.chunk_id,
    v.repo,
    v.path,
    v.symbol,
    v.kind,
    v.language,
    v.characters,
    p.refreshed_at,
    p.age_seconds
   FROM (pgduet._snapshot_duplicate v
     JOIN pgduet.snapshot_status p ON ((p.name = 'duplicates'::text)))
UNION ALL
 SELECT v.content_hash,
    v.repos,
    v.copies,
    v.repo_names,
    v.chunk_id,
    v.repo,
    v.path,
    v.symbol,
    v.kind,
    v.language,
    v.characters,
    now() AS refreshed_at,
    0 AS age_seconds
   FROM pgduet._duplicates_now() v(content_hash, repos, copies, repo_names, chunk_id, repo, path, symbol, kind, language, characters)
  WHERE row_security_active('pgduet.code_chunks'::text);
ALTER TABLE pgduet.duplicates OWNER TO pgduet_owner;
CREATE VIEW pgduet.failure_classes WITH (security_invoker='true') AS
 SELECT f.state,
    f.error_class,
    count(DISTINCT f.chunk_id) AS chunks,
    max(f.attempts) AS most_attempts,
    min(f.failed_at) AS first_failed_at,
    max(f.failed_at) AS last_failed_at,
    min(f.next_attempt_at) AS next_attempt_at,
    max(f.error) AS example
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
            p.error_class,
            p.error,
            p.attempts,
            NULL::timestamp with time zone,
            p.next_attempt_at
           FROM pgduet._pending p
          WHERE (p.error_class IS NOT NULL)) f
     JOIN pgduet.code_chunks c ON ((c.chunk_id = f.chunk_id)))
  GROUP BY f.state, f.error_class;
ALTER TABLE pgduet.failure_classes OWNER TO pgduet_owner;
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
CREATE TABLE pgduet.finetune_steps (
    run_id bigint NOT NULL,
    step integer NOT NULL,
    loss double precision NOT NULL,
    gradient_norm double precision,
    learning_rate double precision,
    dev_score double precision,
    noted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT finetune_steps_step_check CHECK ((step > 0))
);
ALTER TABLE pgduet.finetune_steps OWNER TO pgduet_owner;
CREATE VIEW pgduet.finetune_curves WITH (security_invoker='true') AS
 SELECT r.run_id,
    r.name,
    r.state,
    r.steps,
    s.step,
    s.loss,
    s.gradient_norm,
    s.learning_rate,
    s.dev_score,
    s.noted_at
   FROM (pgduet.finetune_steps s
     JOIN pgduet.finetune_runs r ON ((r.run_id = s.run_id)));
ALTER TABLE pgduet.finetune_curves OWNER TO pgduet_owner;
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
ALTER TABLE pgduet.finetune_runs ALTER COLUMN run_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pgduet.finetune_runs_run_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE VIEW pgduet.freshness WITH (security_invoker='true') AS
 SELECT v.repo,
    v.chunks,
    v.pending,
    v.failed,
    v.oldest_pending_at,
    COALESCE((EXTRACT(epoch FROM (v.refreshed_at - v.oldest_pending_at)))::double precision, (0)::double precision) AS lag_seconds,
    v.last_changed_at,
    v.last_embedded_at,
    v.refreshed_at,
    v.age_seconds
   FROM ( SELECT s.repo,
            s.chunks,
            s.pending,
            s.failed,
            s.oldest_pending_at,
            s.last_changed_at,
            s.last_embedded_at,
            p.refreshed_at,
            p.age_seconds
           FROM (pgduet._snapshot_freshness s
             JOIN pgduet.snapshot_status p ON ((p.name = 'freshness'::text)))
        UNION ALL
         SELECT n.repo,
            n.chunks,
            n.pending,
            n.failed,
            n.oldest_pending_at,
            n.last_changed_at,
            n.last_embedded_at,
            now() AS now,
            0
           FROM pgduet._freshness_now() n(repo, chunks, pending, failed, oldest_pending_at, last_changed_at, last_embedded_at)
          WHERE row_security_active('pgduet.code_chunks'::text)) v;
ALTER TABLE pgduet.freshness OWNER TO pgduet_owner;
CREATE VIEW pgduet.generation_scores WITH (security_invoker='true') AS
 SELECT g.generation_id,
    g.name,
    g.model,
    g.fingerprint,
    g.state,
    p.name AS parent,
    n.vectors,
    n.chunks,
    n.lacking,
    n.failed,
        CASE
            WHEN (n.chunks > 0) THEN ((((n.chunks - n.lacking) - n.failed))::double precision / (n.chunks)::double precision)
            WHEN (n.chunks = 0) THEN (1)::double precision
            ELSE NULL::double precision
        END AS share_done,
    s.metric,
    s.score_before,
    s.score,
    (s.score - s.score_before) AS gain,
    s.gate_passed,
    ( SELECT r.recall
           FROM pgduet._recall_sample r
          WHERE (r.generation_id = g.generation_id)
          ORDER BY r.measured_at DESC, r.recall
         LIMIT 1) AS recall,
    g.created_at,
    g.activated_at,
    g.retired_at,
    g.dropped_at,
    n.refreshed_at,
    n.age_seconds
   FROM (((pgduet.generations g
     LEFT JOIN pgduet.generations p ON ((p.generation_id = g.parent)))
     LEFT JOIN ( SELECT c.generation_id,
            c.vectors,
            c.chunks,
            c.lacking,
            c.failed,
            t.refreshed_at,
            t.age_seconds
           FROM (pgduet._snapshot_generation c
             JOIN pgduet.snapshot_status t ON ((t.name = 'generations'::text)))
        UNION ALL
         SELECT l.generation_id,
            c.vectors,
            c.chunks,
            c.lacking,
            c.failed,
            now() AS now,
            0
           FROM (pgduet.generations l
             CROSS JOIN LATERAL pgduet._generation_counts(l.generation_id, (l.state = ANY (ARRAY['building'::text, 'ready'::text, 'active'::text]))) c(vectors, chunks, lacking, failed))
          WHERE row_security_active('pgduet.code_chunks'::text)) n ON ((n.generation_id = g.generation_id)))
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
ALTER TABLE pgduet.generation_scores OWNER TO pgduet_owner;
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
ALTER TABLE pgduet.generations ALTER COLUMN generation_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME pgduet.generations_generation_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE VIEW pgduet.index_builds WITH (security_invoker='true') AS
 SELECT b.build_id,
    g.name AS generation,
    b.index_name,
    b.kind,
        CASE
            WHEN (b.finished_at IS NULL) THEN 'building'::text
            WHEN (b.error IS NOT NULL) THEN 'failed'::text
            ELSE 'built'::text
        END AS state,
    b.reason,
    b.error,
    b.lists,
    b.rows_at_build,
    b.started_at,
    b.finished_at,
    (EXTRACT(epoch FROM (b.finished_at - b.started_at)))::double precision AS seconds,
    b.probes,
    b.ef_search,
    b.depth,
    b.recall_target,
    b.calibrated_at,
    (to_regclass(('pgduet.'::text || quote_ident(b.index_name))) IS NOT NULL) AS still_there
   FROM (pgduet._index_build b
     JOIN pgduet.generations g ON ((g.generation_id = b.generation_id)));
ALTER TABLE pgduet.index_builds OWNER TO pgduet_owner;
CREATE VIEW pgduet.index_findings WITH (security_invoker='true') AS
 SELECT h.aspect,
    h.status,
    h.detail,
    h.advice
   FROM pgduet.index_health() h(aspect, status, detail, advice);
ALTER TABLE pgduet.index_findings OWNER TO pgduet_owner;
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
CREATE VIEW pgduet.recall_history WITH (security_invoker='true') AS
 SELECT r.sample_id,
    g.name AS generation,
    r.index_name,
    r.query_kind,
    r.measured_at,
    r.queries,
    r.k,
    r.recall,
    r.recall_low,
    r.recall_high,
    (r.recall - lag(r.recall) OVER (PARTITION BY r.generation_id, r.query_kind ORDER BY r.measured_at)) AS recall_change,
    r.probes,
    r.ef_search,
    r.depth,
    r.index_ms AS search_ms,
    r.exact_ms,
    r.rows
   FROM (pgduet._recall_sample r
     JOIN pgduet.generations g ON ((g.generation_id = r.generation_id)));
ALTER TABLE pgduet.recall_history OWNER TO pgduet_owner;
CREATE VIEW pgduet.search_times WITH (security_invoker='true') AS
 SELECT t.sidecar,
    t.stage,
    t.lane,
    t.calls,
    t.mean_ms,
    t.p50_ms,
    t.p95_ms,
    t.p99_ms,
    t.over_100_ms,
    t.over_1000_ms,
    t.since,
    t.measured_at,
    (EXTRACT(epoch FROM (clock_timestamp() - t.measured_at)))::double precision AS age_seconds
   FROM pgduet._snapshot_stage t;
ALTER TABLE pgduet.search_times OWNER TO pgduet_owner;
CREATE VIEW pgduet.slowest_searches WITH (security_invoker='true') AS
 SELECT t.asked_at,
    t.ms,
    t.tokens,
    t.request_id,
    t.sidecar,
    t.measured_at,
    (EXTRACT(epoch FROM (clock_timestamp() - t.measured_at)))::double precision AS age_seconds
   FROM pgduet._snapshot_slow t;
ALTER TABLE pgduet.slowest_searches OWNER TO pgduet_owner;
CREATE VIEW pgduet.triplets WITH (security_invoker='true') AS
 SELECT t.triplet_id,
    (t.negative_number)::integer AS negative_number,
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
ALTER TABLE ONLY pgduet.code_embeddings ATTACH PARTITION pgduet.code_embeddings_g1 FOR VALUES IN (1);
ALTER TABLE ONLY pgduet._dead_letter
    ADD CONSTRAINT _dead_letter_pkey PRIMARY KEY (chunk_id, generation_id);
ALTER TABLE ONLY pgduet._index_build
    ADD CONSTRAINT _index_build_pkey PRIMARY KEY (build_id);
ALTER TABLE ONLY pgduet._index_request
    ADD CONSTRAINT _index_request_pkey PRIMARY KEY (request_id);
ALTER TABLE ONLY pgduet._map_centre
    ADD CONSTRAINT _map_centre_pkey PRIMARY KEY (map_id, cluster);
ALTER TABLE ONLY pgduet._map
    ADD CONSTRAINT _map_pkey PRIMARY KEY (map_id);
ALTER TABLE ONLY pgduet._map_point
    ADD CONSTRAINT _map_point_pkey PRIMARY KEY (chunk_id, map_id);
ALTER TABLE ONLY pgduet._migration
    ADD CONSTRAINT _migration_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY pgduet._mining
    ADD CONSTRAINT _mining_pkey PRIMARY KEY (mining_id);
ALTER TABLE ONLY pgduet._pending
    ADD CONSTRAINT _pending_pkey PRIMARY KEY (seq);
ALTER TABLE ONLY pgduet._promotion
    ADD CONSTRAINT _promotion_pkey PRIMARY KEY (promotion_id);
ALTER TABLE ONLY pgduet._recall_sample
    ADD CONSTRAINT _recall_sample_pkey PRIMARY KEY (sample_id);
ALTER TABLE ONLY pgduet._setting
    ADD CONSTRAINT _setting_pkey PRIMARY KEY (key);
ALTER TABLE ONLY pgduet._snapshot_duplicate
    ADD CONSTRAINT _snapshot_duplicate_pkey PRIMARY KEY (content_hash);
ALTER TABLE ONLY pgduet._snapshot_generation
    ADD CONSTRAINT _snapshot_generation_pkey PRIMARY KEY (generation_id);
ALTER TABLE ONLY pgduet._snapshot
    ADD CONSTRAINT _snapshot_pkey PRIMARY KEY (name);
ALTER TABLE ONLY pgduet._snapshot_stage
    ADD CONSTRAINT _snapshot_stage_pkey PRIMARY KEY (sidecar, stage, lane);
ALTER TABLE ONLY pgduet._source
    ADD CONSTRAINT _source_pkey PRIMARY KEY (seq);
ALTER TABLE ONLY pgduet._source_row
    ADD CONSTRAINT _source_row_pkey PRIMARY KEY (row_key, watch_id);
ALTER TABLE ONLY pgduet._triplet
    ADD CONSTRAINT _triplet_pkey PRIMARY KEY (mining_id, triplet_id, negative_number);
ALTER TABLE ONLY pgduet._watch
    ADD CONSTRAINT _watch_pkey PRIMARY KEY (watch_id);
ALTER TABLE ONLY pgduet._watch
    ADD CONSTRAINT _watch_source_key UNIQUE (source);
ALTER TABLE ONLY pgduet._worker
    ADD CONSTRAINT _worker_pkey PRIMARY KEY (worker);
ALTER TABLE ONLY pgduet.code_chunks
    ADD CONSTRAINT code_chunks_pkey PRIMARY KEY (chunk_id);
ALTER TABLE ONLY pgduet.code_chunks
    ADD CONSTRAINT code_chunks_source_source_key_key UNIQUE (source, source_key);
ALTER TABLE ONLY pgduet.code_embeddings
    ADD CONSTRAINT code_embeddings_pkey PRIMARY KEY (chunk_id, generation_id);
ALTER TABLE ONLY pgduet.code_embeddings_g1
    ADD CONSTRAINT code_embeddings_g1_pkey PRIMARY KEY (chunk_id, generation_id);
ALTER TABLE ONLY pgduet.finetune_runs
    ADD CONSTRAINT finetune_runs_pkey PRIMARY KEY (run_id);
ALTER TABLE ONLY pgduet.finetune_steps
    ADD CONSTRAINT finetune_steps_pkey PRIMARY KEY (run_id, step);
ALTER TABLE ONLY pgduet.generations
    ADD CONSTRAINT generations_name_key UNIQUE (name);
ALTER TABLE ONLY pgduet.generations
    ADD CONSTRAINT generations_pkey PRIMARY KEY (generation_id);
CREATE INDEX _pending_chunk ON pgduet._pending USING btree (chunk_id, seq);
CREATE INDEX _recall_sample_index ON pgduet._recall_sample USING btree (index_name, measured_at);
CREATE INDEX _source_owner ON pgduet._source USING btree (lease_owner) WHERE (lease_owner IS NOT NULL);
CREATE INDEX _source_row_key ON pgduet._source USING btree (row_key, watch_id, seq);
CREATE INDEX code_chunks_repo_path ON pgduet.code_chunks USING btree (repo, path);
CREATE INDEX code_embeddings_content ON ONLY pgduet.code_embeddings USING btree (content_hash);
CREATE INDEX code_embeddings_g1_content_hash_idx ON pgduet.code_embeddings_g1 USING btree (content_hash);
CREATE INDEX code_embeddings_language ON ONLY pgduet.code_embeddings USING btree (language);
CREATE INDEX code_embeddings_g1_language_idx ON pgduet.code_embeddings_g1 USING btree (language);
CREATE INDEX code_embeddings_repo_path ON ONLY pgduet.code_embeddings USING btree (repo, path text_pattern_ops);
CREATE INDEX code_embeddings_g1_repo_path_idx ON pgduet.code_embeddings_g1 USING btree (repo, path text_pattern_ops);
CREATE UNIQUE INDEX finetune_runs_one_running ON pgduet.finetune_runs USING btree (state) WHERE (state = 'running'::text);
CREATE UNIQUE INDEX finetune_runs_open ON pgduet.finetune_runs USING btree (name) WHERE (state = ANY (ARRAY['requested'::text, 'running'::text]));
CREATE UNIQUE INDEX generations_one_active ON pgduet.generations USING btree (state) WHERE (state = 'active'::text);
ALTER INDEX pgduet.code_embeddings_content ATTACH PARTITION pgduet.code_embeddings_g1_content_hash_idx;
ALTER INDEX pgduet.code_embeddings_language ATTACH PARTITION pgduet.code_embeddings_g1_language_idx;
ALTER INDEX pgduet.code_embeddings_pkey ATTACH PARTITION pgduet.code_embeddings_g1_pkey;
ALTER INDEX pgduet.code_embeddings_repo_path ATTACH PARTITION pgduet.code_embeddings_g1_repo_path_idx;
CREATE TRIGGER _guard_files BEFORE UPDATE ON pgduet._setting FOR EACH ROW WHEN (((new.key ~~ 'sidecar\_%\_file'::text) AND (new.value IS DISTINCT FROM old.value))) EXECUTE FUNCTION pgduet._guard_files();
CREATE TRIGGER _pgduet_check_truncate BEFORE TRUNCATE ON pgduet.code_chunks FOR EACH STATEMENT EXECUTE FUNCTION pgduet._truncation_checked();
CREATE TRIGGER _pgduet_delete AFTER DELETE ON pgduet.code_chunks REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION pgduet._chunks_changed();
CREATE TRIGGER _pgduet_insert AFTER INSERT ON pgduet.code_chunks REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT WHEN (((current_setting('check_function_bodies'::text) <> 'off'::text) OR (current_setting('row_security'::text) <> 'off'::text))) EXECUTE FUNCTION pgduet._chunks_changed();
CREATE TRIGGER _pgduet_touch BEFORE UPDATE ON pgduet.code_chunks FOR EACH ROW EXECUTE FUNCTION pgduet._chunk_touched();
CREATE TRIGGER _pgduet_truncate AFTER TRUNCATE ON pgduet.code_chunks FOR EACH STATEMENT EXECUTE FUNCTION pgduet._chunks_truncated();
CREATE TRIGGER _pgduet_update AFTER UPDATE ON pgduet.code_chunks REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pgduet._chunks_changed();
ALTER TABLE ONLY pgduet.finetune_steps
    ADD CONSTRAINT finetune_steps_run_id_fkey FOREIGN KEY (run_id) REFERENCES pgduet.finetune_runs(run_id) ON DELETE CASCADE;
CREATE POLICY _chunks_kept ON pgduet.code_chunks TO pgduet_owner, pgduet_worker USING (true) WITH CHECK (true);
ALTER TABLE pgduet._dead_letter ENABLE ROW LEVEL SECURITY;
CREATE POLICY _dead_letter_counted ON pgduet._dead_letter FOR SELECT TO pg_monitor, pgduet_worker USING (true);
CREATE POLICY _dead_letter_seen ON pgduet._dead_letter FOR SELECT USING ((( SELECT (NOT row_security_active('pgduet.code_chunks'::text))) OR (EXISTS ( SELECT
   FROM pgduet.code_chunks c
  WHERE (c.chunk_id = _dead_letter.chunk_id)))));
CREATE POLICY _embeddings_counted ON pgduet.code_embeddings FOR SELECT TO pg_monitor USING (true);
CREATE POLICY _embeddings_kept ON pgduet.code_embeddings TO pgduet_owner, pgduet_worker USING (true) WITH CHECK (true);
CREATE POLICY _embeddings_seen ON pgduet.code_embeddings FOR SELECT USING ((
CASE
    WHEN ( SELECT (NOT row_security_active('pgduet.code_chunks'::text))) THEN true
    ELSE ( SELECT true
       FROM pgduet.code_chunks c
      WHERE (c.chunk_id = code_embeddings.chunk_id))
END IS NOT NULL));
ALTER TABLE pgduet._map_point ENABLE ROW LEVEL SECURITY;
ALTER TABLE pgduet._pending ENABLE ROW LEVEL SECURITY;
CREATE POLICY _pending_counted ON pgduet._pending FOR SELECT TO pg_monitor, pgduet_worker USING (true);
CREATE POLICY _pending_seen ON pgduet._pending FOR SELECT USING ((( SELECT (NOT row_security_active('pgduet.code_chunks'::text))) OR (EXISTS ( SELECT
   FROM pgduet.code_chunks c
  WHERE (c.chunk_id = _pending.chunk_id)))));
CREATE POLICY _seen ON pgduet._map_point FOR SELECT USING (((NOT row_security_active('pgduet.code_chunks'::text)) OR (EXISTS ( SELECT
   FROM pgduet.code_chunks c
  WHERE (c.chunk_id = _map_point.chunk_id)))));
CREATE POLICY _seen ON pgduet._snapshot_coverage FOR SELECT USING ((NOT row_security_active('pgduet.code_chunks'::text)));
CREATE POLICY _seen ON pgduet._snapshot_duplicate FOR SELECT USING ((NOT row_security_active('pgduet.code_chunks'::text)));
CREATE POLICY _seen ON pgduet._snapshot_freshness FOR SELECT USING ((NOT row_security_active('pgduet.code_chunks'::text)));
CREATE POLICY _seen ON pgduet._snapshot_generation FOR SELECT USING ((NOT row_security_active('pgduet.code_chunks'::text)));
ALTER TABLE pgduet._snapshot_coverage ENABLE ROW LEVEL SECURITY;
ALTER TABLE pgduet._snapshot_duplicate ENABLE ROW LEVEL SECURITY;
ALTER TABLE pgduet._snapshot_freshness ENABLE ROW LEVEL SECURITY;
ALTER TABLE pgduet._snapshot_generation ENABLE ROW LEVEL SECURITY;
ALTER TABLE pgduet._source ENABLE ROW LEVEL SECURITY;
CREATE POLICY _source_counted ON pgduet._source FOR SELECT TO pg_monitor, pgduet_worker USING (true);
ALTER TABLE pgduet._source_row ENABLE ROW LEVEL SECURITY;
CREATE POLICY _source_row_counted ON pgduet._source_row FOR SELECT TO pg_monitor, pgduet_worker USING (true);
CREATE POLICY _source_row_seen ON pgduet._source_row FOR SELECT USING ((( SELECT (NOT row_security_active('pgduet.code_chunks'::text))) OR (EXISTS ( SELECT
   FROM (pgduet._watch w
     JOIN pgduet.code_chunks c ON ((c.source = w.source)))
  WHERE ((w.watch_id = _source_row.watch_id) AND (c.source_key = _source_row.row_key))))));
CREATE POLICY _source_seen ON pgduet._source FOR SELECT USING ((( SELECT (NOT row_security_active('pgduet.code_chunks'::text))) OR (EXISTS ( SELECT
   FROM (pgduet._watch w
     JOIN pgduet.code_chunks c ON ((c.source = w.source)))
  WHERE ((w.watch_id = _source.watch_id) AND (c.source_key = _source.row_key))))));
ALTER TABLE pgduet._triplet ENABLE ROW LEVEL SECURITY;
CREATE POLICY _triplet_mined ON pgduet._triplet FOR INSERT WITH CHECK (true);
CREATE POLICY _triplet_replaced ON pgduet._triplet FOR DELETE USING (true);
CREATE POLICY _triplet_seen ON pgduet._triplet FOR SELECT USING (((EXISTS ( SELECT
   FROM pgduet.code_chunks c
  WHERE (c.chunk_id = _triplet.anchor_chunk))) AND (EXISTS ( SELECT
   FROM pgduet.code_chunks c
  WHERE (c.chunk_id = _triplet.positive_chunk))) AND (EXISTS ( SELECT
   FROM pgduet.code_chunks c
  WHERE (c.chunk_id = _triplet.negative_chunk)))));
ALTER TABLE pgduet._watch ENABLE ROW LEVEL SECURITY;
CREATE POLICY _watch_kept ON pgduet._watch FOR SELECT TO pg_monitor, pgduet_admin, pgduet_worker USING (true);
CREATE POLICY _watch_seen ON pgduet._watch FOR SELECT USING ((( SELECT (NOT row_security_active('pgduet.code_chunks'::text))) OR (EXISTS ( SELECT
   FROM pgduet.code_chunks c
  WHERE (c.source = _watch.source)))));
ALTER TABLE pgduet.code_embeddings ENABLE ROW LEVEL SECURITY;
ALTER TABLE pgduet.code_embeddings_g1 ENABLE ROW LEVEL SECURITY;
GRANT USAGE ON SCHEMA pgduet TO pg_monitor;
GRANT USAGE ON SCHEMA pgduet TO pgduet_reader;
GRANT USAGE ON SCHEMA pgduet TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._base_type(type oid) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._base_type(type oid) TO pgduet_admin;
REVOKE ALL ON FUNCTION pgduet._batch_texts() FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._batch_texts() TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._beat(worker text, host text, pid integer, version text, state text, detail text, embedded bigint, failed bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._beat(worker text, host text, pid integer, version text, state text, detail text, embedded bigint, failed bigint) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._beat_finetune(run_id bigint, trainer text, phase text, step integer, loss double precision, gradient_norm double precision, dev_score double precision, error text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._beat_finetune(run_id bigint, trainer text, phase text, step integer, loss double precision, gradient_norm double precision, dev_score double precision, error text) TO pgduet_admin;
REVOKE ALL ON FUNCTION pgduet._begin_finetune(run_id bigint, trainer text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._begin_finetune(run_id bigint, trainer text) TO pgduet_admin;
REVOKE ALL ON FUNCTION pgduet._begin_map(generation_id integer, before bigint, x_axis real[], y_axis real[], x_mean double precision, y_mean double precision, shown double precision, rows bigint, centres jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._begin_map(generation_id integer, before bigint, x_axis real[], y_axis real[], x_mean double precision, y_mean double precision, shown double precision, rows bigint, centres jsonb) TO pgduet_admin;
GRANT ALL ON FUNCTION pgduet._begin_map(generation_id integer, before bigint, x_axis real[], y_axis real[], x_mean double precision, y_mean double precision, shown double precision, rows bigint, centres jsonb) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._bury(generation_id integer, chunk_id bigint, content_hash bytea, error_class text, error text, attempts integer, seqs bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._bury(generation_id integer, chunk_id bigint, content_hash bytea, error_class text, error text, attempts integer, seqs bigint[]) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._castable_keys(source oid, row_keys text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._changed_query(operation text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._check_column(source regclass, column_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._check_column(source regclass, column_name text) TO pgduet_admin;
REVOKE ALL ON FUNCTION pgduet._check_finetune_options(options jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._check_k(k integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._check_k(k integer) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._check_pattern(path_like text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._check_pattern(path_like text) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._check_watch(watch_id integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._check_watchable(source regclass, copy_protected boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._check_watchable(source regclass, copy_protected boolean) TO pgduet_admin;
REVOKE ALL ON FUNCTION pgduet._chunk_keys(watch_id integer, row_keys text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._chunk_touched() FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._chunks_changed() FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._chunks_truncated() FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._claim(worker text, batch integer, lease double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._claim(worker text, batch integer, lease double precision) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._claim_sources(owner text, batch integer, lease double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._claim_sources(owner text, batch integer, lease double precision) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._complete(generation_id integer, fingerprint text, chunk_ids bigint[], hashes bytea[], embeddings public.halfvec[], sketches bit[], code_tokens integer[], text_tokens integer[], truncated boolean[], worker text, settled_ids bigint[], settled_seqs bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._complete(generation_id integer, fingerprint text, chunk_ids bigint[], hashes bytea[], embeddings public.halfvec[], sketches bit[], code_tokens integer[], text_tokens integer[], truncated boolean[], worker text, settled_ids bigint[], settled_seqs bigint[]) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._content_hash(content text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._content_hash(content text) TO pgduet_writer;
REVOKE ALL ON FUNCTION pgduet._contents(chunk_ids bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._contents(chunk_ids bigint[]) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._coverage_now() FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._coverage_now() TO pg_monitor;
GRANT ALL ON FUNCTION pgduet._coverage_now() TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._create_generation(name text, model text, state text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._drop_orphans(chunk_ids bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._drop_source_rows(watch_id integer, row_keys text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._duplicates_now() FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._duplicates_now() TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._embed_most(chunk_ids bigint[], seconds double precision) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._embed_rows(contents text[], role text, seconds double precision, part text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._embed_rows(contents text[], role text, seconds double precision, part text) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._embed_within(chunk_ids bigint[], seconds double precision) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._end_finetune(run_id bigint, trainer text, state text, status text, error text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._end_finetune(run_id bigint, trainer text, state text, status text, error text) TO pgduet_admin;
REVOKE ALL ON FUNCTION pgduet._fail(worker text, seqs bigint[], error_class text, error text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._fail(worker text, seqs bigint[], error_class text, error text) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._fail_source(owner text, watch_id integer, row_key text, error text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._fail_source(owner text, watch_id integer, row_key text, error text) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._finish(seqs bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._finish(seqs bigint[]) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._finish_map(map_id bigint, rows bigint, changes bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._finish_map(map_id bigint, rows bigint, changes bigint) TO pgduet_admin;
GRANT ALL ON FUNCTION pgduet._finish_map(map_id bigint, rows bigint, changes bigint) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._forget_chunkless(watch_id integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._forget_failures(chunk_ids bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._forget_sidecars(sidecars text[], seconds double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._forget_sidecars(sidecars text[], seconds double precision) TO pgduet_admin;
GRANT ALL ON FUNCTION pgduet._forget_sidecars(sidecars text[], seconds double precision) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._forget_watch(watch_id integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._forget_watch(watch_id integer) TO pgduet_admin;
REVOKE ALL ON FUNCTION pgduet._freshness_now() FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._freshness_now() TO pg_monitor;
GRANT ALL ON FUNCTION pgduet._freshness_now() TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._gate_objection(metrics jsonb) FROM PUBLIC;
GRANT SELECT ON TABLE pgduet.generations TO pg_monitor;
GRANT SELECT ON TABLE pgduet.generations TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._generation(name text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._generation_counts(generation_id integer, is_live boolean, OUT vectors bigint, OUT chunks bigint, OUT lacking bigint, OUT failed bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._generation_counts(generation_id integer, is_live boolean, OUT vectors bigint, OUT chunks bigint, OUT lacking bigint, OUT failed bigint) TO pg_monitor;
GRANT ALL ON FUNCTION pgduet._generation_counts(generation_id integer, is_live boolean, OUT vectors bigint, OUT chunks bigint, OUT lacking bigint, OUT failed bigint) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._grant_reading(source regclass, columns text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._grant_reading(source regclass, columns text[]) TO pgduet_admin;
REVOKE ALL ON FUNCTION pgduet._guard_files() FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._has_fingerprint() FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._hold_table(source oid) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._hybrid(query text, embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, distinct_content boolean, OUT ids bigint[], OUT distances double precision[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._hybrid(query text, embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, distinct_content boolean, OUT ids bigint[], OUT distances double precision[]) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._index_health(generation_id integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._index_objection(generation_id integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._is_readable(type oid) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._is_readable(type oid) TO pgduet_admin;
REVOKE ALL ON FUNCTION pgduet._judge(name text, gate jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._judge(name text, gate jsonb) TO pgduet_admin;
REVOKE ALL ON FUNCTION pgduet._judged_finetune(run_id bigint, trainer text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._judged_finetune(run_id bigint, trainer text) TO pgduet_admin;
REVOKE ALL ON FUNCTION pgduet._key_columns(source oid) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._key_columns(source oid) TO pgduet_admin;
REVOKE ALL ON FUNCTION pgduet._key_expression(source oid, row_name text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._key_settings(source oid) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._key_values(source oid, row_keys text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._lacking(generation_id integer, most bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._leave(worker text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._leave(worker text) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._lexemes(symbol text, content text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._lexemes(symbol text, content text) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._lexical(query text, embedding public.halfvec, most integer, language text, repo text, path_like text, distinct_content boolean, OUT ids bigint[], OUT distances double precision[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._lexical(query text, embedding public.halfvec, most integer, language text, repo text, path_like text, distinct_content boolean, OUT ids bigint[], OUT distances double precision[]) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._lexical_statement(generation_id integer, indexed boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._lexical_statement(generation_id integer, indexed boolean) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._load_backend() FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._lock_generations() FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._lock_snapshots() FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._make_watch_function(watch_id integer, source oid) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._map_due() FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._map_due() TO pgduet_admin;
GRANT ALL ON FUNCTION pgduet._map_due() TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._map_sample(generation_id integer, most integer, rows bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._map_sample(generation_id integer, most integer, rows bigint) TO pgduet_admin;
GRANT ALL ON FUNCTION pgduet._map_sample(generation_id integer, most integer, rows bigint) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._map_slice(map_id bigint, after bigint, slice integer, OUT upto bigint, OUT busy boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._map_slice(map_id bigint, after bigint, slice integer, OUT upto bigint, OUT busy boolean) TO pgduet_admin;
GRANT ALL ON FUNCTION pgduet._map_slice(map_id bigint, after bigint, slice integer, OUT upto bigint, OUT busy boolean) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._match_chunks(source text, source_keys text[], contents text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._matching_rows(generation_id integer, language text, repo text, path_like text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._matching_rows(generation_id integer, language text, repo text, path_like text) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._model_objection() FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._neighbours(chunk_ids bigint[], k integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._neighbours(chunk_ids bigint[], k integer) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._next_due() FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._next_due() TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._note_finetune_steps(run_id bigint, trainer text, steps jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._note_finetune_steps(run_id bigint, trainer text, steps jsonb) TO pgduet_admin;
REVOKE ALL ON FUNCTION pgduet._note_snapshot(name text, seconds double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._note_snapshot(name text, seconds double precision) TO pgduet_admin;
GRANT ALL ON FUNCTION pgduet._note_snapshot(name text, seconds double precision) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._objections(generation_id integer, most bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._pair_cosines(first bigint[], second bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._pair_cosines(first bigint[], second bigint[]) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._put_back_finetune(run_id bigint, trainer text, error text, pause double precision, resume boolean, failed_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._put_back_finetune(run_id bigint, trainer text, error text, pause double precision, resume boolean, failed_at timestamp with time zone) TO pgduet_admin;
REVOKE ALL ON FUNCTION pgduet._query_words(query text, OUT words text[], OUT identifiers text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._query_words(query text, OUT words text[], OUT identifiers text[]) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._ranked(embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, distinct_content boolean, except_id bigint, except_hash bytea, OUT ids bigint[], OUT distances double precision[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._ranked(embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, distinct_content boolean, except_id bigint, except_hash bytea, OUT ids bigint[], OUT distances double precision[]) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._read_statement(watch_id integer, source oid, row_keys text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._recall_interval(recalls double precision[], k integer, OUT recall double precision, OUT recall_low double precision, OUT recall_high double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._recall_interval(recalls double precision[], k integer, OUT recall double precision, OUT recall_low double precision, OUT recall_high double precision) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._recall_queries(generation_id integer, query_kind text, sample integer, language text, repo text, path_like text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._recall_queries(generation_id integer, query_kind text, sample integer, language text, repo text, path_like text) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._recall_source(generation_id integer, sample integer, language text, repo text, path_like text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._recall_source(generation_id integer, sample integer, language text, repo text, path_like text) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._recall_truth(generation_id integer, query_kind text, sample integer, k integer, language text, repo text, path_like text, seconds double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._recall_truth(generation_id integer, query_kind text, sample integer, k integer, language text, repo text, path_like text, seconds double precision) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._recall_try(generation_id integer, way text, kind text, probes integer, ef_search integer, depth bigint, embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, except_id bigint, except_hash bytea, nearest integer, kth double precision, OUT recall double precision, OUT ms double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._recall_try(generation_id integer, way text, kind text, probes integer, ef_search integer, depth bigint, embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, except_id bigint, except_hash bytea, nearest integer, kth double precision, OUT recall double precision, OUT ms double precision) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._recent_queries(most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._recent_queries(most integer) TO pgduet_admin;
GRANT ALL ON FUNCTION pgduet._recent_queries(most integer) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._reconcile_slice(after bigint, slice integer, OUT upto bigint, OUT enqueued bigint, OUT removed bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._reconcile_slice(after bigint, slice integer, OUT upto bigint, OUT enqueued bigint, OUT removed bigint) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._refresh_snapshot(name text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._refresh_snapshot(name text) TO pgduet_admin;
GRANT ALL ON FUNCTION pgduet._refresh_snapshot(name text) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._register_watch(source regclass, registration jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._register_watch(source regclass, registration jsonb) TO pgduet_admin;
REVOKE ALL ON FUNCTION pgduet._release(worker text, seqs bigint[], seconds double precision, detail text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._release(worker text, seqs bigint[], seconds double precision, detail text) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._release_all(worker text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._release_all(worker text) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._release_sources(owner text, seconds double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._release_sources(owner text, seconds double precision) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._replace_chunks(source text, row_key text, stored text[], new pgduet._source_chunk[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._request_finetune(name text, options jsonb, requested_by text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._rescan_watch(watch_id integer, slice integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._rescan_watch(watch_id integer, slice integer) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._resolve(chunk_ids bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._resolve(chunk_ids bigint[]) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._resolve_sources(owner text, watch_id integer, row_keys text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._resolve_sources(owner text, watch_id integer, row_keys text[]) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._row_hash(content text, path text, language text, repo text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._scan(generation_id integer, way text, kind text, probes integer, ef_search integer, depth bigint, embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, distinct_content boolean, except_id bigint, except_hash bytea, OUT ids bigint[], OUT distances double precision[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._scan(generation_id integer, way text, kind text, probes integer, ef_search integer, depth bigint, embedding public.halfvec, sketch bit, k integer, language text, repo text, path_like text, distinct_content boolean, except_id bigint, except_hash bytea, OUT ids bigint[], OUT distances double precision[]) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._schedule_finetune() FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._schedule_finetune() TO pgduet_admin;
REVOKE ALL ON FUNCTION pgduet._search_index(generation_id integer, OUT index_name name, OUT kind text, OUT lists integer, OUT probes integer, OUT ef_search integer, OUT depth integer, OUT rows_at_build bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._search_index(generation_id integer, OUT index_name name, OUT kind text, OUT lists integer, OUT probes integer, OUT ef_search integer, OUT depth integer, OUT rows_at_build bigint) TO pg_monitor;
GRANT ALL ON FUNCTION pgduet._search_index(generation_id integer, OUT index_name name, OUT kind text, OUT lists integer, OUT probes integer, OUT ef_search integer, OUT depth integer, OUT rows_at_build bigint) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._search_plan(generation_id integer, language text, repo text, path_like text, k integer, OUT way text, OUT kind text, OUT probes integer, OUT ef_search integer, OUT depth bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._search_plan(generation_id integer, language text, repo text, path_like text, k integer, OUT way text, OUT kind text, OUT probes integer, OUT ef_search integer, OUT depth bigint) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._search_statement(generation_id integer, way text, kind text, depth bigint, secured boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._search_statement(generation_id integer, way text, kind text, depth bigint, secured boolean) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._see_pgvector() FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._settle(worker text, chunk_ids bigint[], seqs bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._settle(worker text, chunk_ids bigint[], seqs bigint[]) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._settle_generations() FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._settle_generations() TO pgduet_admin;
GRANT ALL ON FUNCTION pgduet._settle_generations() TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._shown(ids bigint[], distances double precision[], min_similarity double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._shown(ids bigint[], distances double precision[], min_similarity double precision) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._sidecar_health() FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._sidecar_health() TO pg_monitor;
GRANT ALL ON FUNCTION pgduet._sidecar_health() TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._similar_code(query text, k integer, only_language text, only_repo text, path_like text, min_similarity double precision, distinct_content boolean, lexical boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._similar_code(query text, k integer, only_language text, only_repo text, path_like text, min_similarity double precision, distinct_content boolean, lexical boolean) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._similar_to(from_chunk bigint, k integer, only_language text, only_repo text, path_like text, min_similarity double precision, distinct_content boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._similar_to(from_chunk bigint, k integer, only_language text, only_repo text, path_like text, min_similarity double precision, distinct_content boolean) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._sliced_query(query text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._snapshot_due(name text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._snapshot_due(name text) TO pgduet_admin;
GRANT ALL ON FUNCTION pgduet._snapshot_due(name text) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._store(generation_id integer, fingerprint text, chunk_ids bigint[], hashes bytea[], embeddings public.halfvec[], sketches bit[], code_tokens integer[], text_tokens integer[], truncated boolean[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._store(generation_id integer, fingerprint text, chunk_ids bigint[], hashes bytea[], embeddings public.halfvec[], sketches bit[], code_tokens integer[], text_tokens integer[], truncated boolean[]) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._store_stages(sidecar text, since timestamp with time zone, stages jsonb, slowest jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._store_stages(sidecar text, since timestamp with time zone, stages jsonb, slowest jsonb) TO pgduet_admin;
GRANT ALL ON FUNCTION pgduet._store_stages(sidecar text, since timestamp with time zone, stages jsonb, slowest jsonb) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._stored_queries(generation_id integer, sample integer, language text, repo text, path_like text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._stored_queries(generation_id integer, sample integer, language text, repo text, path_like text) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._switch_generation(generation_id integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._switch_remark(generation_id integer, lacking bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._symbol_queries(generation_id integer, sample integer, language text, repo text, path_like text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._symbol_queries(generation_id integer, sample integer, language text, repo text, path_like text) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._symbol_words(symbol text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._symbol_words(symbol text) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._sync_budget(transaction text, budget double precision, spent double precision, missed boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._table_expression(source oid) FROM PUBLIC;
GRANT SELECT ON TABLE pgduet.finetune_runs TO pg_monitor;
GRANT SELECT ON TABLE pgduet.finetune_runs TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._take_finetune(trainer text, pause double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._take_finetune(trainer text, pause double precision) TO pgduet_admin;
REVOKE ALL ON FUNCTION pgduet._text_expression(source oid, column_name text, row_name text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._trigger_mode() FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._truncation_checked() FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._try_embed(chunk_ids bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._types_expression(source oid, column_names text[], row_name text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._unresolved(chunk_ids bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._unresolved(chunk_ids bigint[]) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet._vector_count(generation_id integer, OUT rows bigint, OUT changes bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._vector_count(generation_id integer, OUT rows bigint, OUT changes bigint) TO pg_monitor;
GRANT ALL ON FUNCTION pgduet._vector_count(generation_id integer, OUT rows bigint, OUT changes bigint) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._wake() FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._wake_trainer() FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._watch_body(watch_id integer, source oid) FROM PUBLIC;
REVOKE ALL ON FUNCTION pgduet._watched_table(watch_id integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._watched_table(watch_id integer) TO pgduet_admin;
REVOKE ALL ON FUNCTION pgduet._word_rows(words text[], language text, repo text, path_like text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._word_rows(words text[], language text, repo text, path_like text) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet._write_source(owner text, watch_id integer, row_key text, row_version text, row_hash bytea, error text, path text, symbols text[], kinds text[], languages text[], start_lines integer[], end_lines integer[], contents text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet._write_source(owner text, watch_id integer, row_key text, row_version text, row_hash bytea, error text, path text, symbols text[], kinds text[], languages text[], start_lines integer[], end_lines integer[], contents text[]) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet.add_generation(model text, name text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.add_generation(model text, name text) TO pgduet_admin;
REVOKE ALL ON FUNCTION pgduet.cancel_finetune(run_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.cancel_finetune(run_id bigint) TO pgduet_admin;
REVOKE ALL ON FUNCTION pgduet.chunk_code(content text, language text, path text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.chunk_code(content text, language text, path text) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet.embed(content text, role text, part text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.embed(content text, role text, part text) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet.embed_batch(contents text[], role text, part text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.embed_batch(contents text[], role text, part text) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet.finetune(name text, objective text, part text, steps integer, mine boolean, promote boolean, options jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.finetune(name text, objective text, part text, steps integer, mine boolean, promote boolean, options jsonb) TO pgduet_admin;
REVOKE ALL ON FUNCTION pgduet.health() FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.health() TO pg_monitor;
GRANT ALL ON FUNCTION pgduet.health() TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet.index_health() FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.index_health() TO pg_monitor;
GRANT ALL ON FUNCTION pgduet.index_health() TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet.index_recall(sample integer, k integer, language text, repo text, path_like text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.index_recall(sample integer, k integer, language text, repo text, path_like text) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet.promote(name text, force boolean, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.promote(name text, force boolean, reason text) TO pgduet_admin;
REVOKE ALL ON FUNCTION pgduet.reconcile(OUT enqueued bigint, OUT removed bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.reconcile(OUT enqueued bigint, OUT removed bigint) TO pgduet_admin;
GRANT ALL ON FUNCTION pgduet.reconcile(OUT enqueued bigint, OUT removed bigint) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet.reindex(index_kind text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.reindex(index_kind text) TO pgduet_admin;
REVOKE ALL ON FUNCTION pgduet.retire(name text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.retire(name text) TO pgduet_admin;
REVOKE ALL ON FUNCTION pgduet.retry_failed(error_class text) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.retry_failed(error_class text) TO pgduet_admin;
GRANT ALL ON FUNCTION pgduet.retry_failed(error_class text) TO pgduet_worker;
REVOKE ALL ON FUNCTION pgduet.rollback() FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.rollback() TO pgduet_admin;
REVOKE ALL ON FUNCTION pgduet.similar_code(query text, k integer, language text, repo text, path_like text, min_similarity double precision, distinct_content boolean, lexical boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.similar_code(query text, k integer, language text, repo text, path_like text, min_similarity double precision, distinct_content boolean, lexical boolean) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet.similar_to(chunk_id bigint, k integer, language text, repo text, path_like text, min_similarity double precision, distinct_content boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.similar_to(chunk_id bigint, k integer, language text, repo text, path_like text, min_similarity double precision, distinct_content boolean) TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet.unwatch(source regclass) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.unwatch(source regclass) TO pgduet_admin;
REVOKE ALL ON FUNCTION pgduet.version() FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.version() TO pg_monitor;
GRANT ALL ON FUNCTION pgduet.version() TO pgduet_reader;
REVOKE ALL ON FUNCTION pgduet.watch(source regclass, content_column name, path_column name, language text, language_column name, repo text, copy_protected boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION pgduet.watch(source regclass, content_column name, path_column name, language text, language_column name, repo text, copy_protected boolean) TO pgduet_admin;
GRANT INSERT ON TABLE pgduet._mining TO pgduet_admin;
GRANT INSERT ON TABLE pgduet._mining TO pgduet_worker;
GRANT INSERT,DELETE ON TABLE pgduet._triplet TO pgduet_admin;
GRANT INSERT,DELETE ON TABLE pgduet._triplet TO pgduet_worker;
GRANT INSERT,DELETE,TRUNCATE,UPDATE ON TABLE pgduet.code_chunks TO pgduet_writer;
GRANT SELECT ON TABLE pgduet._dead_letter TO pg_monitor;
GRANT SELECT ON TABLE pgduet._dead_letter TO pgduet_reader;
GRANT SELECT ON TABLE pgduet._index_build TO pg_monitor;
GRANT SELECT ON TABLE pgduet._index_build TO pgduet_reader;
GRANT SELECT ON TABLE pgduet._index_request TO pgduet_admin;
GRANT SELECT ON TABLE pgduet._index_request TO pgduet_worker;
GRANT SELECT ON TABLE pgduet._installation TO pg_monitor;
GRANT SELECT ON TABLE pgduet._installation TO pgduet_admin;
GRANT SELECT ON TABLE pgduet._installation TO pgduet_reader;
GRANT SELECT ON TABLE pgduet._map_point TO pgduet_reader;
GRANT SELECT ON TABLE pgduet._migration TO pg_monitor;
GRANT SELECT ON TABLE pgduet._migration TO pgduet_reader;
GRANT SELECT ON TABLE pgduet._mining TO pgduet_reader;
GRANT SELECT ON TABLE pgduet._pending TO pg_monitor;
GRANT SELECT ON TABLE pgduet._pending TO pgduet_reader;
GRANT SELECT ON TABLE pgduet._promotion TO pgduet_admin;
GRANT SELECT ON TABLE pgduet._recall_sample TO pg_monitor;
GRANT SELECT ON TABLE pgduet._recall_sample TO pgduet_reader;
GRANT SELECT ON TABLE pgduet._setting TO pgduet_admin;
GRANT SELECT ON TABLE pgduet._setting TO pgduet_worker;
GRANT SELECT ON TABLE pgduet._snapshot TO pg_monitor;
GRANT SELECT ON TABLE pgduet._snapshot TO pgduet_reader;
GRANT SELECT ON TABLE pgduet._snapshot_coverage TO pg_monitor;
GRANT SELECT ON TABLE pgduet._snapshot_coverage TO pgduet_reader;
GRANT SELECT ON TABLE pgduet._snapshot_duplicate TO pgduet_reader;
GRANT SELECT ON TABLE pgduet._snapshot_freshness TO pg_monitor;
GRANT SELECT ON TABLE pgduet._snapshot_freshness TO pgduet_reader;
GRANT SELECT ON TABLE pgduet._snapshot_generation TO pg_monitor;
GRANT SELECT ON TABLE pgduet._snapshot_generation TO pgduet_reader;
GRANT SELECT ON TABLE pgduet._snapshot_slow TO pg_monitor;
GRANT SELECT ON TABLE pgduet._snapshot_slow TO pgduet_reader;
GRANT SELECT ON TABLE pgduet._snapshot_stage TO pg_monitor;
GRANT SELECT ON TABLE pgduet._snapshot_stage TO pgduet_reader;
GRANT SELECT ON TABLE pgduet._source TO pg_monitor;
GRANT SELECT ON TABLE pgduet._source TO pgduet_reader;
GRANT SELECT ON TABLE pgduet._source_row TO pg_monitor;
GRANT SELECT ON TABLE pgduet._source_row TO pgduet_reader;
GRANT SELECT ON TABLE pgduet._triplet TO pgduet_reader;
GRANT SELECT ON TABLE pgduet._watch TO pg_monitor;
GRANT SELECT ON TABLE pgduet._watch TO pgduet_reader;
GRANT SELECT ON TABLE pgduet._worker TO pg_monitor;
GRANT SELECT ON TABLE pgduet._worker TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.chunk_status TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.code_chunks TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.code_embeddings TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.code_map TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.coverage TO pg_monitor;
GRANT SELECT ON TABLE pgduet.coverage TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.coverage_snapshot TO pg_monitor;
GRANT SELECT ON TABLE pgduet.coverage_snapshot TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.duplicates TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.failure_classes TO pg_monitor;
GRANT SELECT ON TABLE pgduet.failure_classes TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.failures TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.finetune_curves TO pg_monitor;
GRANT SELECT ON TABLE pgduet.finetune_curves TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.finetune_history TO pg_monitor;
GRANT SELECT ON TABLE pgduet.finetune_history TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.finetune_steps TO pg_monitor;
GRANT SELECT ON TABLE pgduet.finetune_steps TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.freshness TO pg_monitor;
GRANT SELECT ON TABLE pgduet.freshness TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.generation_scores TO pg_monitor;
GRANT SELECT ON TABLE pgduet.generation_scores TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.generation_status TO pg_monitor;
GRANT SELECT ON TABLE pgduet.generation_status TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.index_builds TO pg_monitor;
GRANT SELECT ON TABLE pgduet.index_builds TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.index_findings TO pg_monitor;
GRANT SELECT ON TABLE pgduet.index_findings TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.index_status TO pg_monitor;
GRANT SELECT ON TABLE pgduet.index_status TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.queue_status TO pg_monitor;
GRANT SELECT ON TABLE pgduet.queue_status TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.recall_history TO pg_monitor;
GRANT SELECT ON TABLE pgduet.recall_history TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.search_times TO pg_monitor;
GRANT SELECT ON TABLE pgduet.search_times TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.slowest_searches TO pg_monitor;
GRANT SELECT ON TABLE pgduet.slowest_searches TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.snapshot_status TO pg_monitor;
GRANT SELECT ON TABLE pgduet.snapshot_status TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.triplets TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.watch_failures TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.watch_status TO pg_monitor;
GRANT SELECT ON TABLE pgduet.watch_status TO pgduet_reader;
GRANT SELECT ON TABLE pgduet.worker_status TO pg_monitor;
GRANT SELECT ON TABLE pgduet.worker_status TO pgduet_reader;
GRANT SELECT(chunk_id) ON TABLE pgduet.code_chunks TO pg_monitor;
GRANT SELECT(chunk_id) ON TABLE pgduet.code_embeddings TO pg_monitor;
GRANT SELECT(content_hash) ON TABLE pgduet.code_chunks TO pg_monitor;
GRANT SELECT(content_hash) ON TABLE pgduet.code_embeddings TO pg_monitor;
GRANT SELECT(embedded_at) ON TABLE pgduet.code_embeddings TO pg_monitor;
GRANT SELECT(generation_id) ON TABLE pgduet._map TO pgduet_reader;
GRANT SELECT(generation_id) ON TABLE pgduet.code_embeddings TO pg_monitor;
GRANT SELECT(language) ON TABLE pgduet.code_chunks TO pg_monitor;
GRANT SELECT(map_id) ON TABLE pgduet._map TO pgduet_reader;
GRANT SELECT(ready_at) ON TABLE pgduet._map TO pgduet_reader;
GRANT SELECT(repo) ON TABLE pgduet.code_chunks TO pg_monitor;
GRANT SELECT(truncated) ON TABLE pgduet.code_embeddings TO pg_monitor;
GRANT SELECT(updated_at) ON TABLE pgduet.code_chunks TO pg_monitor;
GRANT UPDATE(updated_at) ON TABLE pgduet._setting TO pgduet_admin;
GRANT UPDATE(value) ON TABLE pgduet._setting TO pgduet_admin;
