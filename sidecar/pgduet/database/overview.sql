-- health --
SELECT h.component, h.status, h.detail, NULL FROM pgduet.health() h

-- index_health --
SELECT h.aspect, h.status, h.detail, h.advice FROM pgduet.index_health() h

-- queue --
SELECT q.state, q.meaning, q.chunks, q.oldest_seconds, q.next_attempt_at, q.last_error FROM pgduet.queue_status q

-- failures --
SELECT f.chunk_id, f.repo, f.path, f.symbol, f.state, f.error_class, f.error, f.attempts, f.failed_at, f.next_attempt_at
FROM pgduet.failures f ORDER BY f.failed_at DESC NULLS LAST, f.chunk_id LIMIT %(most)s

-- workers --
SELECT w.worker, w.host, w.pid, w.version, w.state, w.detail, w.embedded, w.failed, w.silent_seconds
FROM pgduet.worker_status w ORDER BY w.silent_seconds, w.worker

-- indexes --
SELECT g.name, i.index_name, i.kind, i.lists, i.rows_now, i.rows_at_build, i.bytes, i.valid, i.recall, i.recall_target,
  i.recall_trend, i.search_ms, i.exact_ms, i.phase, i.progress
FROM pgduet.index_status i JOIN pgduet.generations g ON g.generation_id = i.generation_id
ORDER BY i.generation_id DESC, i.started_at DESC

-- runs --
SELECT * FROM (
  SELECT f.run_id, f.name, f.state, f.status, f.phase, f.requested_by, f.requested_at, f.seconds, f.step, f.steps,
    f.loss, f.metric, f.score_before, f.score, f.gain_low, f.gain_high, f.gate_passed, f.generation, f.error
  FROM pgduet.finetune_history f ORDER BY f.run_id DESC LIMIT %(most)s
) latest ORDER BY run_id

-- curves --
SELECT c.run_id, c.name, c.state, c.steps, c.step, c.loss, c.dev_score FROM pgduet.finetune_curves c
WHERE c.run_id IN (SELECT r.run_id FROM pgduet.finetune_runs r
  WHERE EXISTS (SELECT FROM pgduet.finetune_steps s WHERE s.run_id = r.run_id) ORDER BY r.run_id DESC LIMIT %(most)s)
ORDER BY c.run_id DESC, c.step
