-- A history for every view that BI tools read, beside the chunks of fix_bi.py: a year of it in a few rows.
SET session_replication_role = replica;
UPDATE pgduet.code_chunks SET symbol = coalesce(symbol, 'f' || chunk_id), path = coalesce(path, 'new.go'),
  kind = coalesce(kind, 'function'), start_line = coalesce(start_line, 1), end_line = coalesce(end_line, 9);
RESET session_replication_role;
UPDATE pgduet.code_embeddings SET code_tokens = 11, text_tokens = 12;
UPDATE pgduet._pending SET leased_until = now() + interval '1 hour', lease_owner = 'w' WHERE chunk_id = 10;

INSERT INTO pgduet.generations (generation_id, name, model, fingerprint, state, metrics, retired_at, dropped_at)
VALUES (90, 'older', 'small', 'f0', 'dropped', '{}', now(), now());
UPDATE pgduet.generations SET parent = 90, metrics = jsonb_build_object('gate',
  '{"metric": "ndcg@10", "before": 0.5, "after": 0.75, "passed": true}'::jsonb) WHERE state = 'active';

INSERT INTO pgduet._index_build (generation_id, index_name, lists, rows_at_build, started_at, finished_at, error, reason,
  probes, ef_search, depth, recall_target, calibrated_at) VALUES
  (1, 'gone', 10, 5, now() - interval '1 minute', now(), 'no memory', 'the table grew', 5, 7, 100, 0.95, now()),
  (1, 'code_embeddings_g1_sketch_1', 1, 6, now() - interval '1 minute', now(), NULL, 'the first', 5, 7, 100, 0.95,
    now());
INSERT INTO pgduet._recall_sample (generation_id, index_name, measured_at, query_kind, queries, k, recall, recall_low,
  recall_high, index_ms, exact_ms, rows, changes, probes, ef_search, depth)
SELECT 1, 'code_embeddings_g1_sketch_1', now() - i * interval '1 day', kind.name, 50, 10, kind.recall - i / 200.0,
  kind.recall - i / 200.0 - 0.03, kind.recall - i / 200.0 + 0.02, 2 + i / 10.0, 9, 5, 5, 5, 7, 100
FROM generate_series(0, 9) i, (VALUES ('real', 0.95), ('stored', 0.98)) kind (name, recall);

INSERT INTO pgduet.finetune_runs (name, state, status, requested_by, options, gate, step, steps, loss, gradient_norm,
  dev_score, started_at, ended_at, generation, error) VALUES
  ('done', 'done', 'judged', 'ada', '{"objective": "triplet", "part": "both", "mine": true, "promote": false, "steps": 9}',
   '{"metric": "ndcg@10", "questions": 200, "before": 0.6, "after": 0.63, "ci_low": 0.01, "ci_high": 0.05, "passed": true}',
   100, 100, 0.2, 0.9, 0.7, now() - interval '1 hour', now(), 'small', 'none'),
  ('later', 'requested', NULL, 'ada', '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO pgduet.finetune_runs (name, state, requested_by, options, trainer, phase, started_at, seen_at)
VALUES ('now', 'running', 'ada', '{}', 't', 'training', now() - interval '1 minute', now());

INSERT INTO pgduet.finetune_steps (run_id, step, loss, gradient_norm, learning_rate, dev_score, noted_at)
SELECT r.run_id, s, 2.0 / s, 1.0 / s, 5e-5 * (1 - s / 110.0), CASE WHEN s % 5 = 0 THEN 0.5 + s / 500.0 END,
  now() - s * interval '1 second'
FROM pgduet.finetune_runs r, generate_series(1, 100) s WHERE r.name = 'done';

INSERT INTO pgduet._mining (generation_id, settings, report) VALUES (1, '{}', '{}');
INSERT INTO pgduet._triplet VALUES (1, 1, 1, 'train', 'cosine', 'a', 'p', 'n', 'hard', 1, 2, 3, 0.9, 0.9, 0.9, 0.2, 0.2, 0.2);

INSERT INTO pgduet._worker (worker, host, pid, version, state, detail) VALUES ('w', 'here', 1, '0', 'idle', 'nothing');
INSERT INTO pgduet._watch (source, schema_name, table_name, key_columns, content_column, copy_protected, problem, created_by)
VALUES ('public.files', 'public', 'files', '{id}', 'body', false, 'the column is gone', 'ada');
INSERT INTO pgduet._source (watch_id, row_key, error) VALUES (1, '1', 'late');
INSERT INTO pgduet._source_row (watch_id, row_key, row_version, chunks, error) VALUES (1, '2', '1', 1, 'too long');

SELECT pgduet._store_stages('unix:/run/pgduet.sock', now() - interval '1 day',
  jsonb_agg(jsonb_build_object('stage', s.stage, 'lane', l.lane, 'calls', 1000, 'mean_ms', 9.5, 'p50_ms', 8.0,
    'p95_ms', 21.0, 'p99_ms', 45.0, 'over_100_ms', 3, 'over_1000_ms', 0)),
  (SELECT jsonb_agg(jsonb_build_object('request_id', 'r' || i, 'asked_at', extract(epoch FROM now()) - 60 * i,
    'ms', 150 - 9 * i, 'tokens', 12 + i)) FROM generate_series(1, 8) i))
FROM unnest('{request,wait,tokenise,compute}'::text[]) s (stage), unnest('{query,document}'::text[]) l (lane);
