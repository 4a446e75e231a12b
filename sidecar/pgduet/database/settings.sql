-- write --
UPDATE pgduet._setting SET value = %(value)s, updated_at = now() WHERE key = %(key)s

-- keys --
SELECT key FROM pgduet._setting ORDER BY key
