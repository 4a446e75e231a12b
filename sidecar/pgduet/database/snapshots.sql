-- due --
SELECT pgduet._snapshot_due(%(name)s)

-- refresh --
SELECT pgduet._refresh_snapshot(%(name)s)

-- note --
SELECT pgduet._note_snapshot(%(name)s, %(seconds)s)

-- stages --
SELECT pgduet._store_stages(%(sidecar)s, to_timestamp(%(since)s), %(stages)s, %(slowest)s)

-- forget --
SELECT pgduet._forget_sidecars(%(sidecars)s, %(seconds)s)

-- map_due --
SELECT d.generation_id, d.map_id, d.newest, d.rows, d.changes FROM pgduet._map_due() d

-- map_sample --
SELECT s.vector FROM pgduet._map_sample(%(generation_id)s, %(most)s, %(rows)s) s (vector)

-- map_begin --
SELECT pgduet._begin_map(%(generation_id)s, %(newest)s, %(x_axis)s::real[], %(y_axis)s::real[], %(x_mean)s, %(y_mean)s,
  %(shown)s, %(rows)s, %(centres)s)

-- map_slice --
SELECT s.upto, s.busy FROM pgduet._map_slice(%(map_id)s, %(after)s, %(slice)s) s

-- map_finish --
SELECT pgduet._finish_map(%(map_id)s, %(rows)s, %(changes)s)
