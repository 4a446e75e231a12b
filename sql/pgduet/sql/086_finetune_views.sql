-- Fine-tuning runs for people and BI tools: plain types only, one row for each run, no sentinel values.
CREATE OR REPLACE VIEW pgduet.finetune_history WITH (security_invoker = true) AS
SELECT r.run_id, r.name, r.state, r.status, r.phase,
  r.options ->> 'objective' AS objective,
  r.options ->> 'part' AS part,
  (r.options -> 'mine')::boolean AS mine,
  (r.options -> 'promote')::boolean AS promote,
  (SELECT pg_catalog.string_agg(pg_catalog.concat(o.key, ' ', o.value), ', ' ORDER BY o.key)
   FROM pg_catalog.jsonb_each_text(r.options) o WHERE o.key <> ALL (ARRAY['objective', 'part', 'mine', 'promote']))
    AS other_options,
  r.requested_by, r.requested_at, r.started_at, r.ended_at,
  extract(epoch FROM coalesce(r.ended_at, pg_catalog.clock_timestamp()) - r.started_at)::double precision AS seconds,
  r.attempts,
  CASE WHEN r.state = 'requested' THEN r.next_attempt_at END AS next_attempt_at,
  CASE WHEN r.state = 'running' THEN r.trainer END AS trainer,
  CASE WHEN r.state = 'running' THEN extract(epoch FROM pg_catalog.clock_timestamp() - r.seen_at)::double precision END
    AS silent_seconds,
  r.step, r.steps, r.loss, r.gradient_norm, r.dev_score,
  r.gate ->> 'metric' AS metric,
  CASE WHEN pg_catalog.jsonb_typeof(r.gate -> 'questions') = 'number' THEN (r.gate -> 'questions')::integer END
    AS questions,
  CASE WHEN pg_catalog.jsonb_typeof(r.gate -> 'before') = 'number' THEN (r.gate -> 'before')::double precision END
    AS score_before,
  CASE WHEN pg_catalog.jsonb_typeof(r.gate -> 'after') = 'number' THEN (r.gate -> 'after')::double precision END
    AS score,
  CASE WHEN pg_catalog.jsonb_typeof(r.gate -> 'ci_low') = 'number' THEN (r.gate -> 'ci_low')::double precision END
    AS gain_low,
  CASE WHEN pg_catalog.jsonb_typeof(r.gate -> 'ci_high') = 'number' THEN (r.gate -> 'ci_high')::double precision END
    AS gain_high,
  (r.gate -> 'passed')::boolean AS gate_passed,
  r.generation, g.state AS generation_state, r.error
FROM pgduet.finetune_runs r
LEFT JOIN pgduet.generations g ON g.name = r.generation;

-- The course of each run: one row for each step that was kept.
CREATE OR REPLACE VIEW pgduet.finetune_curves WITH (security_invoker = true) AS
SELECT r.run_id, r.name, r.state, r.steps, s.step, s.loss, s.gradient_norm, s.learning_rate, s.dev_score, s.noted_at
FROM pgduet.finetune_steps s JOIN pgduet.finetune_runs r ON r.run_id = s.run_id;
