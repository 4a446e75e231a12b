"""SQL is cut at the semicolons that PostgreSQL would see."""

from pgduet.chunking import Chunk, chunk_code


def cut(source: str) -> list[tuple[str, str, int, int]]:
    return [(c.kind, c.symbol, c.start_line, c.end_line) for c in chunk_code(source, "sql")]


def test_a_routine_is_a_function_under_its_name_with_the_comment_above() -> None:
    source = (
        '-- licence\n\n-- Adds.\nCREATE OR REPLACE FUNCTION s."Add"(a int) RETURNS int LANGUAGE sql AS $f$\n'
        "  SELECT a; -- it's\n$f$;  -- done\n"
    )
    assert cut(source) == [("block", "", 1, 1), ("function", "s.Add", 3, 6)]


def test_strings_comments_and_quoted_names_hide_semicolons() -> None:
    source = "SELECT 'a;b', E'\\';', \";\" /* ; /* ; */ ; */ -- ;\n, 1;\n\nSELECT $$ ; $$, $x$ $$ ; $x$;\n"
    assert cut(source) == [("block", "", 1, 2), ("block", "", 4, 4)]


def test_a_standard_body_ends_with_its_own_end() -> None:
    source = (
        "CREATE FUNCTION a() RETURNS int BEGIN ATOMIC\n"
        "  SELECT CASE WHEN true THEN 1 END;\n"
        "  SELECT 2;\n"
        "END;\n"
        "SELECT 3;\n"
    )
    assert cut(source) == [("function", "a", 1, 4), ("block", "", 5, 5)]


def test_what_is_created_has_a_chunk_of_its_own_and_small_statements_share_one() -> None:
    source = (
        "BEGIN;\n"
        "SELECT 1;\n"
        "CREATE TABLE IF NOT EXISTS t (a int);\n"
        "CREATE INDEX CONCURRENTLY ON t (a);\n"
        "GRANT SELECT ON t TO x;\n"
        "COMMIT;\n"
    )
    assert cut(source) == [
        ("block", "", 1, 2),
        ("block", "t", 3, 3),
        ("block", "", 4, 6),
    ]


def test_psql_commands_belong_to_the_statement_below_or_stand_alone() -> None:
    source = "\\echo don't; \\quit\n\nCREATE FUNCTION f() RETURNS int LANGUAGE c;\n"
    assert cut(source) == [("block", "", 1, 1), ("function", "f", 3, 3)]


def test_unterminated_quotes_lose_nothing() -> None:
    assert [c.content for c in chunk_code("SELECT 'open;\nmore", "sql")] == ["SELECT 'open;\nmore"]
    assert chunk_code("SELECT $$a;\nb", "sql") == [Chunk("", "block", "sql", 1, 2, "SELECT $$a;\nb")]
