"""Who reads the views besides people: SQLAlchemy, pandas, DuckDB, psql, the information schema; by a plain login."""

import re
import subprocess
import warnings
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import psycopg
import pytest
import sqlalchemy
from sqlalchemy.types import NullType

from fix_bi import COLUMNS, LOGIN, Reader, views
from fix_cluster import REPOSITORY
from fix_database import Connection
from pgduet.local.binaries import find_binaries

EXAMPLES = re.findall(r"```python\n(.*?)```", (REPOSITORY / "docs" / "bi.md").read_text(), re.DOTALL)
NUMBERS = {"bigint", "integer", "double precision"}
# Set while an index is being built, for its builder's eyes.
EMPTY = {("index_status", "phase"), ("index_status", "progress")}
# What numbers are in DuckDB once pandas or a CSV file has carried them.
IN_DUCKDB = {"BIGINT", "INTEGER", "DOUBLE"}
WRITES = ("DELETE FROM {0}", "UPDATE {0} SET {1} = {1}", "INSERT INTO {0} ({1}) VALUES (NULL)", "TRUNCATE {0}")
TABLES = {
    "code_chunks": "repo",
    "code_embeddings": "repo",
    "generations": "name",
    "finetune_runs": "name",
    "finetune_steps": "loss",
}
ADMIN = (
    "add_generation('other')",
    "promote('small')",
    "rollback()",
    "retire('older')",
    "finetune('tuned')",
    "cancel_finetune(1)",
    "reindex()",
    "reconcile()",
    "retry_failed()",
    "watch('pg_class'::regclass, 'relname')",
    "unwatch('pg_class'::regclass)",
)


def columns(reader: Reader) -> dict[tuple[str, str], str]:
    """Give the type of every column of every view."""
    return {(view, column): kind for view, column, kind, _ in reader.rows(COLUMNS)}


def test_sqlalchemy_gives_every_column_a_real_type(reader: Reader) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        inspector = sqlalchemy.inspect(reader.engine())
        names = {name for name in inspector.get_view_names("pgduet") if not name.startswith("_")}
        found = {(name, one["name"]): one["type"] for name in names for one in inspector.get_columns(name, "pgduet")}
    assert set(found) == set(columns(reader))
    assert [place for place, kind in found.items() if isinstance(kind, NullType)] == []
    numbers = {place for place, kind in found.items() if isinstance(kind, sqlalchemy.Integer | sqlalchemy.Float)}
    assert numbers == {place for place, kind in columns(reader).items() if kind in NUMBERS}


def test_every_view_has_rows_and_pandas_reads_numbers_as_numbers(reader: Reader) -> None:
    engine, known = reader.engine(), columns(reader)
    for view in {view for view, _ in known}:
        frame = pd.read_sql(f"SELECT * FROM pgduet.{view}", engine)
        assert len(frame), view
        kinds = {column: known[view, column] for column in frame}
        for column, kind in kinds.items():
            if (view, column) in EMPTY:
                continue
            assert frame[column].notna().any(), f"{view}.{column} is NULL in all rows: the history lacks it"
            if kind in NUMBERS:
                assert pd.api.types.is_numeric_dtype(frame[column]), f"{view}.{column} is {frame[column].dtype}"
            elif kind == "timestamp with time zone":
                assert isinstance(frame[column].dtype, pd.DatetimeTZDtype), f"{view}.{column} is {frame[column].dtype}"


def test_duckdb_reads_what_pandas_and_a_csv_file_carry(reader: Reader, tmp_path: Path) -> None:
    engine, known = reader.engine(), columns(reader)
    session = duckdb.connect()
    for view in sorted({view for view, _ in known}):
        csv = tmp_path / f"{view}.csv"
        with reader.connect() as source:
            copy_out(source, f"COPY (TABLE pgduet.{view}) TO STDOUT CSV HEADER", csv)
        frame = pd.read_sql(f"SELECT * FROM pgduet.{view}", engine)
        session.register("frame", frame)
        for place in ("frame", f"'{csv}'"):
            kinds = {name: kind for name, kind, *_ in session.execute(f"DESCRIBE SELECT * FROM {place}").fetchall()}
            assert list(kinds) == list(frame.columns)
            for name, kind in kinds.items():
                if known[view, name] in NUMBERS and (view, name) not in EMPTY:
                    assert kind in IN_DUCKDB, f"{view}.{name} is {kind}"
        assert session.execute(f"SELECT count(*) FROM '{csv}'").fetchall() == [(len(frame),)]
    counted = session.execute(f"SELECT sum(chunks) FROM '{tmp_path / 'coverage_snapshot.csv'}'").fetchall()
    assert counted == [(10,)]


def copy_out(session: Connection, statement: str, target: Path) -> None:
    with session.cursor().copy(statement.encode()) as copy:
        target.write_bytes(b"".join(bytes(part) for part in copy))


def test_the_examples_of_the_documentation_run(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, value in reader.environment.items():
        monkeypatch.setenv(name, value)
    names: dict[str, Any] = {}
    for example in EXAMPLES:
        exec(example, names)
    names["engine"].dispose()
    assert names["coverage"]["chunks"].sum() == 10
    assert "found" in capfd.readouterr().out


def test_psql_describes_every_view(reader: Reader) -> None:
    told = psql(reader, *(rf"\d+ pgduet.{view}" for view in {view for view, _ in columns(reader)}))
    assert told.count("View definition:") == len({view for view, _ in columns(reader)})
    for view, column, kind, comment in reader.rows(COLUMNS):
        assert any(
            line.split("|")[0].strip() == column and kind in line and comment.split("\n")[0][:30] in line
            for line in told.splitlines()
        ), f"{view}.{column}"


def psql(reader: Reader, *commands: str) -> str:
    options = [option for command in commands for option in ("-c", command)]
    done = subprocess.run(
        [str(find_binaries()["psql"]), "--no-psqlrc", *options],
        env=reader.environment,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    return done.stdout


def test_the_information_schema_lists_them_all(reader: Reader) -> None:
    query = (
        "SELECT table_name, column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = 'pgduet' AND table_name IN (SELECT table_name FROM information_schema.views"
        " WHERE table_schema = 'pgduet') AND table_name !~ '^_'"
    )
    assert {(view, column): kind for view, column, kind in reader.rows(query)} == columns(reader)


def test_a_bi_login_writes_nothing_reads_no_setting_and_calls_nothing_of_an_admin(reader: Reader) -> None:
    with reader.connect() as session:
        assert session.execute("SELECT current_user").fetchone() == (LOGIN,)
        first_columns = dict(reversed(columns(reader)))
        for name, column in {**first_columns, **TABLES}.items():
            for write in WRITES:
                # A view over several tables refuses to be written to before anybody asks for a right.
                refused(session, write.format(f"pgduet.{name}", column), "55000", "42809")
        refused(session, "TABLE pgduet._setting")
        refused(session, "CREATE TABLE pgduet.mine ()")
        refused(session, "SET ROLE pgduet_admin")
        for call in ADMIN:
            refused(session, f"SELECT pgduet.{call}")
        assert views(session)


def refused(session: Connection, statement: str, *states: str) -> None:
    """Require that a statement fails for want of a right, or in one of these states."""
    with pytest.raises(psycopg.Error) as caught:
        session.execute(statement.encode())
    assert caught.value.sqlstate in {"42501", *states}, f"{statement}: {caught.value}"
