-- A line for each bound that is broken; none where all is well.
WITH covered AS (
  SELECT coalesce(sum(v.embedded)::double precision / nullif(sum(v.chunks - v.blank), 0), 0) AS share
  FROM pgduet.coverage v WHERE v.repo = :'repo'
), found AS (
  SELECT min(r.recall) AS recall FROM pgduet.index_recall(sample => 100) r
)
SELECT format('coverage of %s is %s, below %s: see pgduet.failures', :'repo', trunc(c.share::numeric, 4),
  :least_coverage) FROM covered c WHERE c.share < :least_coverage
UNION ALL
SELECT format('recall is %s, below %s: see pgduet.index_health()', trunc(f.recall::numeric, 4), :least_recall)
FROM found f WHERE f.recall < :least_recall;
