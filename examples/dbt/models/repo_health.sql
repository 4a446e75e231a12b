-- How much of each repository is searchable, and how far its vectors are behind: one row for each.
SELECT
  f.repo,
  c.chunks,
  c.embedded,
  c.languages,
  c.embedded::double precision / nullif(c.chunks - c.blank, 0) AS coverage,
  f.failed,
  f.lag_seconds,
  f.last_changed_at,
  f.refreshed_at
FROM {{ source('pgduet', 'freshness') }} AS f
JOIN (
  SELECT
    s.repo,
    count(DISTINCT s.language) AS languages,
    sum(s.chunks)::bigint AS chunks,
    sum(s.embedded)::bigint AS embedded,
    sum(s.blank)::bigint AS blank
  FROM {{ source('pgduet', 'coverage_snapshot') }} AS s
  GROUP BY s.repo
) AS c ON c.repo IS NOT DISTINCT FROM f.repo
