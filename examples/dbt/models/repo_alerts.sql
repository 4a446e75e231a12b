-- What somebody should look at, with the reason: a dashboard's red lines. Empty where all is well.
SELECT h.repo, 'coverage' AS reason, h.coverage AS value
FROM {{ ref('repo_health') }} AS h
WHERE h.coverage < {{ var('least_coverage', 0.99) }}
UNION ALL
SELECT h.repo, 'lag', h.lag_seconds
FROM {{ ref('repo_health') }} AS h
WHERE h.lag_seconds > {{ var('most_lag_seconds', 600) }}
UNION ALL
SELECT h.repo, 'failures', h.failed
FROM {{ ref('repo_health') }} AS h
WHERE h.failed > 0
