-- open --
SELECT r.request_id FROM pgduet._index_request r WHERE r.done_at IS NULL ORDER BY r.request_id

-- close --
UPDATE pgduet._index_request SET done_at = clock_timestamp(), outcome = %(outcome)s
WHERE request_id = ANY (%(requests)s)
