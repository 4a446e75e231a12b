-- embed --
SELECT pgduet._embed_missing(%(slice)s)
