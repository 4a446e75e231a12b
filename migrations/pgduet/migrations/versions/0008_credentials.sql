-- What the server shows a sidecar, and what the sidecar must show: files on the server's own machine.

ALTER TABLE pgduet._setting DROP CONSTRAINT _setting_check;
ALTER TABLE pgduet._setting ADD CONSTRAINT _setting_check CHECK (CASE key
  WHEN 'sidecar_address' THEN value <> ''
  WHEN 'sidecar_ca_file' THEN value = '' OR value LIKE '/%'
  WHEN 'sidecar_certificate_file' THEN value = '' OR value LIKE '/%'
  WHEN 'sidecar_key_file' THEN value = '' OR value LIKE '/%'
  WHEN 'sidecar_token_file' THEN value = '' OR value LIKE '/%'
  WHEN 'sidecar_server_name' THEN value ~ '^[A-Za-z0-9.:_-]*$'
  WHEN 'deadline_ms' THEN value ~ '^[0-9]{1,9}$' AND value::integer >= 1
  WHEN 'batch_deadline_ms' THEN value ~ '^[0-9]{1,9}$' AND value::integer >= 1
  WHEN 'batch_texts' THEN value ~ '^[0-9]{1,4}$' AND value::integer BETWEEN 1 AND 4096
  WHEN 'trigger_mode' THEN value IN ('auto', 'sync', 'queue')
  WHEN 'sync_max_rows' THEN value ~ '^[0-9]{1,6}$'
  WHEN 'sync_timeout_ms' THEN value ~ '^[0-9]{1,9}$' AND value::integer >= 1
  WHEN 'notify' THEN value IN ('on', 'off')
  WHEN 'index_kind' THEN value IN ('sketch', 'halfvec', 'hnsw')
  WHEN 'index_min_rows' THEN value ~ '^[0-9]{1,9}$' AND value::integer >= 100
  WHEN 'index_growth' THEN value ~ '^[0-9]{1,3}([.][0-9]{1,3})?$' AND value::numeric >= 1.1
  WHEN 'index_memory_mb' THEN value ~ '^[0-9]{1,6}$' AND value::integer >= 64
  WHEN 'recall_target' THEN value ~ '^(0[.][0-9]{1,4}|1([.]0{1,4})?)$' AND value::numeric >= 0.5
  WHEN 'lexical_index' THEN value IN ('on', 'off')
  WHEN 'mining_positive' THEN value ~ '^0[.][0-9]{1,4}$' AND value::numeric > 0
  WHEN 'mining_negative' THEN value ~ '^0[.][0-9]{1,4}$'
  WHEN 'finetune_every' THEN value ~ '^(never|[1-9][0-9]{0,3} (minute|hour|day|week|month)s?)$'
  WHEN 'finetune_promote' THEN value IN ('on', 'off')
  WHEN 'finetune_attempts' THEN value ~ '^[1-9][0-9]?$'
  ELSE false
END);
INSERT INTO pgduet._setting (key, value, description) VALUES
  ('sidecar_ca_file', '', 'certificates of the authorities that sign sidecars'' certificates; TLS is spoken on TCP if set'),
  ('sidecar_certificate_file', '', 'this server''s own certificate, for sidecars that ask for one'),
  ('sidecar_key_file', '', 'its key, readable for the server''s user only'),
  ('sidecar_token_file', '', 'the first token in it goes along with every call; readable for the server''s user only'),
  ('sidecar_server_name', '', 'name that sidecars'' certificates hold, where it is not the one in the address');
