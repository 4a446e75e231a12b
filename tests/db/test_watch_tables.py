"""pgduet.watch() on tables of every kind: odd names, any key, partitions; what cannot be watched is refused whole."""

import psycopg
import pytest

from fix_watch import Shop

NAMES_63 = [f"a_name_of_exactly_sixty_three_bytes_0123456789_0123456789_{end}" for end in ("01234", "56789")]

ODD_TABLES = {
    # table: (columns, content column, key of row n, values of row n)
    '"Team A"."Order"': ('"userId" uuid PRIMARY KEY, "select" text', "select", "md5({n}::text)::uuid"),
    "public.part_key": (
        'repo text, path text, "sourceCode" text, PRIMARY KEY (repo, path)',
        "sourceCode",
        "'r', 'p{n}'",
    ),
    f"public.{NAMES_63[0]}": ("id bigint PRIMARY KEY, code text", "code", "{n}"),
    f"public.{NAMES_63[1]}": ("id bigint PRIMARY KEY, code text", "code", "{n}"),
    """public."x'; DROP TABLE code_embeddings; --" """.strip(): ("id int PRIMARY KEY, code text", "code", "{n}"),
    'public."%s $1 $function$"': ('"a %I""b" int PRIMARY KEY, "%s $$" text', "%s $$", "{n}"),
}


def test_c45_odd_names_work_from_insert_to_search(shop: Shop) -> None:
    shop.run('CREATE SCHEMA "Team A"')
    for table, (columns, content, key) in ODD_TABLES.items():
        use_from_insert_to_search(shop, table, columns, content, key)
        assert shop.one("SELECT to_regclass('pgduet.code_embeddings') IS NOT NULL")


def use_from_insert_to_search(shop: Shop, table: str, columns: str, content: str, key: str) -> None:
    shop.session.execute(f"CREATE TABLE {table} ({columns})".encode())
    assert shop.one("SELECT pgduet.watch(%s::regclass, %s)", table, content) == table
    for n in (1, 2, 3):
        shop.session.execute(f"INSERT INTO {table} VALUES ({key.format(n=n)}, 'code {n}')".encode())
    assert sorted(shop.chunks(table).values()) == ["code 1", "code 2", "code 3"]
    quoted = '"' + content.replace('"', '""') + '"'
    shop.session.execute(f"UPDATE {table} SET {quoted} = 'other' WHERE {quoted} = 'code 2'".encode())
    shop.session.execute(f"DELETE FROM {table} WHERE {quoted} = 'code 3'".encode())
    assert sorted(shop.chunks(table).values()) == ["code 1", "other"]
    shop.session.execute("SELECT pgduet._embed_within(ARRAY(SELECT chunk_id FROM pgduet.code_chunks), 60)")
    assert len(shop.run("SELECT content FROM pgduet.similar_code('anything')")) == 2
    assert shop.one("SELECT pgduet.unwatch(%s::regclass)", table) == 2


def test_two_names_that_differ_in_their_last_bytes_are_two_watches(shop: Shop) -> None:
    for name in NAMES_63:
        shop.run(f"CREATE TABLE {name} (id bigint PRIMARY KEY, code text)")
        shop.run(f"INSERT INTO {name} VALUES (1, '{name[-5:]}')")
        shop.run("SELECT pgduet.watch(%s::regclass, 'code')", name)
    assert [shop.chunks(f"public.{name}") for name in NAMES_63] == [{"1": "01234"}, {"1": "56789"}]
    assert shop.one("SELECT count(DISTINCT tgname) FROM pg_trigger WHERE tgname ~ '^_pgduet_watch_'") == 4


KEYS = {
    "uuid": ["6b0b1a3e-6a2e-4a5c-8f0e-1d2c3b4a5f60"],
    "timestamptz": ["2026-01-02 03:04:05.678901+09", "infinity"],
    "timestamp": ["2026-01-02 03:04:05.678901"],
    "date": ["2026-01-02"],
    "interval": ["1 mon 2 days 03:04:05"],
    "bytea": ["\\x00ff"],
    "float8": ["0.1", "1e-300", "NaN"],
    "numeric": ["1.50"],
    "char(5)": ["ab"],
    "varchar(9)": ["ab "],
    "text": ["[1]", "[", "a\x1fb", "a\x1f2", "", " ", "'\"\\", "ä\n"],
    "boolean": ["true"],
    "bit(3)": ["101"],
    "int[]": ["{1,2}"],
    "int4range": ["[1,5)"],
    "inet": ["10.0.0.1"],
    "mood": ["so so"],
    "small": ["7"],
    "pair": ["(1,x)"],
}


def test_a_key_of_any_type_leads_back_to_its_row_whatever_the_sessions_settings(shop: Shop) -> None:
    shop.run("CREATE TYPE mood AS ENUM ('so so')")
    shop.run("CREATE DOMAIN small AS int CHECK (VALUE < 10)")
    shop.run("CREATE TYPE pair AS (a int, b text)")
    for number, (key, values) in enumerate(KEYS.items(), 1):
        follow_rows_with_key(shop, number, key, values)


def follow_rows_with_key(shop: Shop, number: int, key: str, values: list[str]) -> None:
    table, codes = f"public.t{number}", [f"code {place}" for place in range(len(values))]
    shop.run(f"CREATE TABLE {table} (id {key} PRIMARY KEY, code text)")
    shop.run("SELECT pgduet.watch(%s::regclass, 'code')", table)
    with shop.session.transaction():
        for setting in (
            "TimeZone = 'Asia/Tokyo'",
            "DateStyle = 'German'",
            "bytea_output = 'escape'",
            "IntervalStyle = 'iso_8601'",
            "extra_float_digits = 0",
        ):
            shop.run(f"SET LOCAL {setting}")
        for value, code in zip(values, codes, strict=True):
            shop.run(f"INSERT INTO {table} VALUES (%s, %s)", value, code)
    assert sorted(shop.chunks(table).values()) == codes, key
    # The look at the whole table finds none with another key.
    shop.run("SELECT pgduet._rescan_watch(%s, 100)", number)
    assert shop.waiting() == [], key
    shop.run(f"UPDATE {table} SET code = code || '!'")
    assert sorted(shop.chunks(table).values()) == [f"{code}!" for code in codes], key
    shop.run(f"DELETE FROM {table}")
    assert shop.chunks(table) == {}, key


def test_the_key_of_a_chunk_is_the_text_of_the_rows_key(shop: Shop) -> None:
    shop.run("CREATE TABLE t (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), code text)")
    shop.run("SELECT pgduet.watch('t', 'code', repo => 'shop')")
    shop.run("INSERT INTO t (code) VALUES (%s), ('c')", "a\n\nb")
    shop.settle()
    joined = shop.run(
        "SELECT t.code, c.content, c.repo FROM pgduet.code_chunks c"
        " JOIN t ON split_part(c.source_key, E'\\x1f', 1) = t.id::text ORDER BY c.content"
    )
    assert joined == [("a\n\nb", "a", "shop"), ("a\n\nb", "b", "shop"), ("c", "c", "shop")]
    assert shop.one("SELECT count(*) FROM t JOIN pgduet.code_chunks c ON c.source_key = t.id::text") == 2


def test_rows_of_a_partitioned_table_are_followed_wherever_they_are_put(shop: Shop) -> None:
    shop.run("CREATE TABLE p (id int, day date, code text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)")
    for year in (2024, 2025):
        shop.run(f"CREATE TABLE p{year} PARTITION OF p FOR VALUES FROM ('{year}-01-01') TO ('{year + 1}-01-01')")
    shop.run("SELECT pgduet.watch('p', 'code')")
    shop.run("INSERT INTO p2024 VALUES (1, '2024-05-05', 'leaf')")
    shop.run("INSERT INTO p VALUES (2, '2025-05-05', 'parent')")
    one, two, moved, late = (
        f'["{number}", "{year}-05-05"]' for number, year in ((1, 2024), (2, 2025), (1, 2025), (3, 2026))
    )
    assert shop.chunks("public.p") == {one: "leaf", two: "parent"}
    shop.run("UPDATE p SET day = '2025-05-05' WHERE id = 1")
    assert shop.chunks("public.p") == {moved: "leaf", two: "parent"}
    # A table with columns in another order and rows of its own: the look at the whole table finds them.
    shop.run("CREATE TABLE p2026 (code text, day date NOT NULL, gone int, id int NOT NULL)")
    shop.run("ALTER TABLE p2026 DROP COLUMN gone")
    shop.run("INSERT INTO p2026 VALUES ('old', '2026-05-05', 3)")
    shop.run("ALTER TABLE p ATTACH PARTITION p2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')")
    shop.run("INSERT INTO p2026 VALUES ('new', '2026-06-06', 4)")
    shop.run("SELECT pgduet._rescan_watch(1, 100)")
    assert shop.chunks("public.p") == {moved: "leaf", two: "parent", late: "old", '["4", "2026-06-06"]': "new"}
    shop.run("ALTER TABLE p DETACH PARTITION p2025")
    shop.run("UPDATE p2025 SET code = 'not followed'")
    shop.run("TRUNCATE p2026")
    shop.run("SELECT pgduet._rescan_watch(1, 100)")
    assert shop.chunks("public.p") == {}
    assert shop.problem() is None


REFUSED = {
    "CREATE VIEW v AS SELECT 1 AS id, 'x' AS code": ("v", "no table", "tables behind it"),
    "CREATE TEMPORARY TABLE v (id int PRIMARY KEY, code text)": ("v", "temporary", "table that stays"),
    "CREATE TABLE v (id int UNIQUE, code text)": ("v", "no primary key", "ADD PRIMARY KEY"),
    "CREATE TABLE v (id int PRIMARY KEY, codes text)": ("v", 'no column "code"', "Its columns are: id, codes"),
    "CREATE TABLE v (id int PRIMARY KEY, code jsonb)": ("v", "is of type jsonb", "type text"),
    "SELECT 1": ("pgduet.code_chunks", "belongs to PostgreSQL or to pgduet", "without being watched"),
}


@pytest.mark.parametrize("statement", REFUSED)
def test_what_cannot_be_followed_is_refused_with_a_reason_and_leaves_nothing_behind(shop: Shop, statement: str) -> None:
    table, reason, hint = REFUSED[statement]
    shop.run(statement)
    with pytest.raises(psycopg.Error, match=reason) as error:
        shop.run("SELECT pgduet.watch(%s::regclass, 'code')", table)
    assert hint in (error.value.diag.message_hint or "")
    for left in ("pgduet._watch", "pgduet._source", "pg_trigger WHERE tgname ~ '^_pgduet_watch'"):
        assert shop.one(f"SELECT count(*) FROM {left}") == 0


def test_a_partition_and_its_table_are_not_both_watched(shop: Shop) -> None:
    shop.run("CREATE TABLE p (id int PRIMARY KEY, code text) PARTITION BY RANGE (id)")
    shop.run("CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (10)")
    for first, second in (("p", "p1"), ("p1", "p")):
        shop.run("SELECT pgduet.watch(%s::regclass, 'code')", first)
        with pytest.raises(psycopg.Error, match="is watched already"):
            shop.run("SELECT pgduet.watch(%s::regclass, 'code')", second)
        shop.run("SELECT pgduet.unwatch(%s::regclass)", first)


def test_a_table_that_others_inherit_from_gives_its_own_rows_only(shop: Shop) -> None:
    shop.run("CREATE TABLE parent (id int PRIMARY KEY, code text)")
    shop.run("CREATE TABLE child () INHERITS (parent)")
    shop.run("INSERT INTO child VALUES (1, 'child')")
    shop.run("INSERT INTO parent VALUES (2, 'parent')")
    shop.run("SELECT pgduet.watch('parent', 'code')")
    assert shop.chunks("public.parent") == {"2": "parent"}
