-- require_utf8 --
DO $$
BEGIN
  IF pg_catalog.getdatabaseencoding() <> 'UTF8' THEN
    RAISE EXCEPTION 'pgduet needs a database with encoding UTF8, this one has %', pg_catalog.getdatabaseencoding()
      USING HINT = 'Create one: CREATE DATABASE name ENCODING ''UTF8'' TEMPLATE template0;';
  END IF;
END $$;

-- after --
SELECT pgduet._create_generation({model}, {model}, 'active')
WHERE NOT EXISTS (SELECT FROM pgduet.generations);
INSERT INTO pgduet._installation (version, sql_hash)
SELECT {version}, {sql_hash}
WHERE NOT EXISTS (SELECT FROM pgduet._installation i
  WHERE i.sql_hash = {sql_hash} AND i.installed_at = (SELECT max(l.installed_at) FROM pgduet._installation l));

-- last --
SELECT version, sql_hash FROM pgduet._installation ORDER BY installed_at DESC LIMIT 1
