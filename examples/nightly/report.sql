-- How everything stands, for whoever reads the mail.
\pset footer off
\echo
\echo How fresh the vectors are:
SELECT f.repo, f.chunks, f.pending, f.failed, round(f.lag_seconds) AS lag_seconds, f.last_embedded_at,
  round(f.age_seconds) AS counted_seconds_ago
FROM pgduet.freshness f ORDER BY f.repo = :'repo' DESC, f.repo;
\echo What failed, and why:
SELECT c.state, c.error_class, c.chunks, left(c.example, 80) AS example FROM pgduet.failure_classes c ORDER BY c.chunks DESC;
\echo What is to be known about the index:
SELECT i.aspect, i.status, i.detail FROM pgduet.index_findings i ORDER BY i.aspect;
\echo Runs of fine-tuning:
SELECT h.run_id, h.name, h.state, h.status, h.score_before, h.score FROM pgduet.finetune_history h
ORDER BY h.run_id DESC LIMIT 5;
