-- What each duet is worth on held-out questions beside the one it was tuned from: one row for each that was judged.
SELECT
  g.name,
  g.parent,
  g.state,
  g.metric,
  g.score_before,
  g.score,
  g.gain,
  g.gate_passed,
  g.share_done,
  g.created_at
FROM {{ source('pgduet', 'generation_scores') }} AS g
WHERE g.score IS NOT NULL
