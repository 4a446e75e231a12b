-- status --
SELECT s.generation_id, s.name, s.model, s.fingerprint, s.state, s.parent, s.vectors, s.lacking, s.failed, s.share_done,
  s.has_index, s.recall, s.metric, s.score_before, s.score, s.gate_passed, s.created_at, s.activated_at, s.retired_at
FROM pgduet.generation_status s
WHERE s.name = %(name)s OR (%(name)s::text IS NULL AND (s.state <> 'dropped' OR %(dropped)s))
ORDER BY s.generation_id

-- history --
SELECT p.promoted_at, p.kind, f.name, t.name, p.promoted_by, p.forced, p.reason
FROM pgduet._promotion p JOIN pgduet.generations t ON t.generation_id = p.to_generation
LEFT JOIN pgduet.generations f ON f.generation_id = p.from_generation
WHERE %(name)s IN (f.name, t.name) ORDER BY p.promotion_id DESC LIMIT 10

-- add --
SELECT pgduet.add_generation(%(model)s, %(name)s)

-- promote --
SELECT pgduet.promote(%(name)s, %(force)s, %(reason)s)

-- rollback --
SELECT pgduet.rollback()

-- retire --
SELECT pgduet.retire(%(name)s)

-- settle --
SELECT pgduet._settle_generations()

-- may_settle --
SELECT has_function_privilege('pgduet._settle_generations()', 'EXECUTE')

-- workers --
SELECT count(*) FROM pgduet.worker_status w WHERE w.silent_seconds < 60

-- try_lock --
SELECT pg_try_advisory_lock(70962563)

-- unlock --
SELECT pg_advisory_unlock(70962563)

-- find --
SELECT g.generation_id, g.state FROM pgduet._generation(%(name)s) g

-- may_drop --
SELECT pg_has_role(c.relowner, 'USAGE') FROM pg_class c WHERE c.oid = 'pgduet.code_embeddings'::regclass

-- readers --
SELECT DISTINCT l.virtualtransaction, l.pid FROM pg_locks l
WHERE l.relation = 'pgduet.generations'::regclass AND l.granted AND l.pid <> pg_backend_pid()
  AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())

-- holders --
SELECT DISTINCT l.pid FROM pg_locks l
WHERE l.relation IN ('pgduet.code_embeddings'::regclass, to_regclass(%(partition)s)) AND l.pid <> pg_backend_pid()
  AND l.granted AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
ORDER BY l.pid

-- attached --
SELECT i.inhdetachpending FROM pg_inherits i
WHERE i.inhparent = 'pgduet.code_embeddings'::regclass AND i.inhrelid = to_regclass(%(partition)s)

-- half_detached --
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'pgduet.code_embeddings'::regclass AND i.inhdetachpending

-- detach --
ALTER TABLE pgduet.code_embeddings DETACH PARTITION pgduet.{partition} CONCURRENTLY

-- finalize --
ALTER TABLE pgduet.code_embeddings DETACH PARTITION pgduet.{partition} FINALIZE

-- drop --
DROP TABLE IF EXISTS pgduet.{partition}

-- forget --
WITH failures AS (DELETE FROM pgduet._dead_letter d WHERE d.generation_id = %(generation_id)s)
UPDATE pgduet.generations g SET state = 'dropped', dropped_at = clock_timestamp()
WHERE g.generation_id = %(generation_id)s AND g.state = 'retired'

-- bytes --
SELECT coalesce(pg_total_relation_size(to_regclass(%(partition)s)), 0)

-- judge --
SELECT pgduet._judge(%(name)s, %(gate)s)
