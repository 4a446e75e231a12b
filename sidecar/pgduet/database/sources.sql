-- claim --
SELECT c.watch_id, c.row_key, c.attempts
FROM pgduet._claim_sources(%(owner)s::text, %(batch)s::integer, %(lease)s::double precision) c

-- resolve --
SELECT r.row_key, r.row_version, r.content, coalesce(r.path, ''), coalesce(r.language, ''), r.row_hash
FROM pgduet._resolve_sources(%(owner)s::text, %(watch_id)s::integer, %(row_keys)s::text[]) r

-- write --
SELECT pgduet._write_source(%(owner)s::text, %(watch_id)s::integer, %(row_key)s::text, %(row_version)s::text,
  %(row_hash)s::bytea, %(error)s::text, nullif(%(path)s::text, ''), %(symbols)s::text[], %(kinds)s::text[],
  %(languages)s::text[], %(start_lines)s::integer[], %(end_lines)s::integer[], %(contents)s::text[])

-- fail --
SELECT pgduet._fail_source(%(owner)s::text, %(watch_id)s::integer, %(row_key)s::text, %(error)s::text)

-- release --
SELECT pgduet._release_sources(%(owner)s::text, %(seconds)s::double precision)

-- rescan --
SELECT pgduet._rescan_watch(%(watch_id)s::integer, %(slice)s::integer)

-- watches --
SELECT w.watch_id FROM pgduet._watch w ORDER BY w.watch_id

-- watch --
SELECT pgduet.watch(%(table)s::regclass, %(content)s::name, path_column => %(path)s::name, language => %(language)s::text,
  language_column => %(language_column)s::name, repo => %(repo)s::text, copy_protected => %(copy_protected)s::boolean)

-- unwatch --
SELECT pgduet.unwatch(%(table)s::regclass)

-- status --
SELECT s.source, s.table_name, s.rows_known, s.rows_waiting, s.rows_blank, s.rows_failed, s.chunks,
  coalesce(s.problem, s.last_error, CASE WHEN s.rescan_waiting THEN 'to be looked through' END, '')
FROM pgduet.watch_status s ORDER BY s.source
