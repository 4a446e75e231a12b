-- isolation --
SELECT current_setting('default_transaction_isolation')

-- setting --
SELECT s.value FROM pgduet._setting s WHERE s.key = %(key)s

-- halfvec --
SELECT t.oid, t.typarray FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_extension x ON x.extname = 'vector' AND x.extnamespace = t.typnamespace
WHERE t.typname = 'halfvec'

-- claim --
SELECT c.chunk_id, c.seqs, c.attempts
FROM pgduet._claim(%(worker)s::text, %(batch)s::integer, %(lease)s::double precision) c

-- resolve --
SELECT r.generation_id, r.model, coalesce(r.fingerprint, ''), r.is_active, r.chunk_id, r.content_hash
FROM pgduet._resolve(%(chunk_ids)s::bigint[]) r

-- contents --
SELECT c.chunk_id, c.content_hash, c.content FROM pgduet._contents(%(chunk_ids)s::bigint[]) c

-- complete --
SELECT pgduet._complete(%(generation_id)s::integer, %(fingerprint)s::text, %(chunk_ids)s::bigint[], %(hashes)b,
  %(embeddings)b, %(sketches)b, %(code_tokens)s::integer[], %(text_tokens)s::integer[], %(truncated)s::boolean[],
  %(worker)s::text, %(settled_ids)s::bigint[], %(settled_seqs)s::bigint[])

-- settle --
SELECT pgduet._settle(%(worker)s::text, %(settled_ids)s::bigint[], %(settled_seqs)s::bigint[])

-- release_all --
SELECT pgduet._release_all(%(worker)s::text)

-- finish --
SELECT pgduet._finish(%(seqs)s::bigint[])

-- release --
SELECT pgduet._release(%(worker)s::text, %(seqs)s::bigint[], %(seconds)s::double precision, %(detail)s::text)

-- fail --
SELECT pgduet._fail(%(worker)s::text, %(seqs)s::bigint[], %(error_class)s::text, %(error)s::text)

-- bury --
SELECT pgduet._bury(%(generation_id)s::integer, %(chunk_id)s::bigint, %(content_hash)s::bytea, %(error_class)s::text,
  %(error)s::text, %(attempts)s::integer, %(seqs)s::bigint[])

-- reconcile_slice --
SELECT s.upto, s.enqueued, s.removed FROM pgduet._reconcile_slice(%(after)s::bigint, %(slice)s::integer) s

-- next_due --
SELECT pgduet._next_due()

-- waiting --
SELECT count(DISTINCT p.chunk_id) FROM pgduet._pending p

-- beat --
SELECT pgduet._beat(%(worker)s::text, %(host)s::text, %(pid)s::integer, %(version)s::text, %(state)s::text,
  %(detail)s::text, %(embedded)s::bigint, %(failed)s::bigint)

-- leave --
SELECT pgduet._leave(%(worker)s::text)
