"""Keys outlive changes elsewhere in a file, and only what differs is touched."""

from pgduet.chunking import chunk_code
from pgduet.database.chunks import ChunkRow, StoredChunk
from pgduet.ingest.difference import Difference, compare, name_chunks

BEFORE = "import os\n\ndef a():\n    return 1\n\ndef b():\n    return 2\n"


def rows_of(source: str, path: str = "m.py") -> list[ChunkRow]:
    return name_chunks(chunk_code(source, path=path), "r", path, "ingest:r")


def stored(rows: list[ChunkRow]) -> dict[str, StoredChunk]:
    from hashlib import sha256

    return {
        row.source_key: StoredChunk(number, sha256(row.content.encode()).digest(), row.place)
        for number, row in enumerate(rows, 1)
    }


def changes(before: str, after: str) -> Difference:
    return compare(rows_of(after), stored(rows_of(before)))


def symbols(rows: list[ChunkRow]) -> list[str | None]:
    return [row.symbol for row in rows]


def test_definitions_go_by_symbol_and_blocks_by_content() -> None:
    keys = [row.source_key for row in rows_of(BEFORE)]
    assert keys[1:] == ["m.py::a", "m.py::b"]
    assert keys[0].startswith("m.py::block:")
    assert rows_of("import os\n")[0].source_key == keys[0]


def test_repeats_are_numbered() -> None:
    source = "import os\ndef a(): pass\nimport os\ndef a(): return 1\n"
    keys = [row.source_key for row in rows_of(source)]
    assert len(set(keys)) == 4
    assert keys[2] == f"{keys[0]}#2"
    assert keys[3] == "m.py::a#2"


def test_rows_carry_null_where_nothing_is_known() -> None:
    row = name_chunks(chunk_code("some words"), "r", "x", "ingest:r")[0]
    assert (row.symbol, row.language, row.kind) == (None, None, "block")


def test_the_same_source_changes_nothing() -> None:
    assert changes(BEFORE, BEFORE) == Difference(unchanged=3)


def test_a_changed_body_changes_one_chunk() -> None:
    difference = changes(BEFORE, BEFORE.replace("return 1", "return 11"))
    assert symbols(difference.changed) == ["a"]
    assert (difference.new, difference.moved, difference.gone, difference.unchanged) == ([], [], [], 2)


def test_shifted_lines_move_chunks_and_change_none() -> None:
    difference = changes(BEFORE, "\n\n" + BEFORE)
    assert symbols(difference.moved) == [None, "a", "b"]
    assert [row.start_line for row in difference.moved] == [3, 5, 8]
    assert (difference.new, difference.changed, difference.gone) == ([], [], [])


def test_a_function_put_in_between_leaves_the_others_theirs() -> None:
    difference = changes(BEFORE, BEFORE.replace("def b", "def n():\n    pass\n\ndef b"))
    assert symbols(difference.new) == ["n"]
    assert symbols(difference.moved) == ["b"]
    assert (difference.changed, difference.gone, difference.unchanged) == ([], [], 2)


def test_a_removed_function_is_gone_by_its_id() -> None:
    difference = changes(BEFORE, BEFORE.replace("\n\ndef b():\n    return 2", ""))
    assert difference.gone == [3]
    assert difference.unchanged == 2


def test_a_chunk_that_was_blanked_in_the_database_counts_as_changed() -> None:
    before = stored(rows_of(BEFORE))
    before["m.py::a"] = before["m.py::a"]._replace(content_hash=None)
    assert symbols(compare(rows_of(BEFORE), before).changed) == ["a"]
