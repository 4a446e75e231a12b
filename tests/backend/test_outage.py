"""What SQL users see when the sidecar is away, refuses or answers wrongly."""

import time

import grpc
import psycopg
import pytest

from fix_cluster import ClusterFactory
from fix_database import Database, new_database
from pgduet.migrations.install import migrate
from stub_sidecar import StubSidecar

pytestmark = pytest.mark.alone


def test_a_sidecar_that_is_away_is_a_quick_error_with_a_hint_and_is_found_again(
    stub_database: Database, stub: StubSidecar
) -> None:
    with stub_database.connect() as session:
        session.execute("SELECT pgduet.embed('x')")
        stub.stop()
        started = time.monotonic()
        with pytest.raises(psycopg.errors.IoError, match="cannot be reached") as caught:
            session.execute("SELECT pgduet.embed('x')")
        assert time.monotonic() - started < 6
        assert caught.value.sqlstate == "58030"
        assert "pgduet serve" in (caught.value.diag.message_hint or "")
        stub.start()
        deadline = time.monotonic() + 10
        while True:
            try:
                session.execute("SELECT pgduet.embed('x')")
                break
            except psycopg.errors.IoError:
                assert time.monotonic() < deadline
                time.sleep(0.1)


@pytest.mark.parametrize(
    ("status", "sqlstate"),
    [
        (grpc.StatusCode.UNAVAILABLE, "58030"),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "58030"),
        (grpc.StatusCode.INVALID_ARGUMENT, "22023"),
        (grpc.StatusCode.NOT_FOUND, "42704"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "53000"),
        (grpc.StatusCode.UNAUTHENTICATED, "28000"),
        (grpc.StatusCode.PERMISSION_DENIED, "42501"),
        (grpc.StatusCode.FAILED_PRECONDITION, "55000"),
        (grpc.StatusCode.INTERNAL, "58000"),
    ],
)
def test_every_status_has_its_sqlstate_and_a_hint(
    stub_database: Database, stub: StubSidecar, status: grpc.StatusCode, sqlstate: str
) -> None:
    stub.status = status
    with stub_database.connect() as session:
        with pytest.raises(psycopg.Error) as caught:
            session.execute("SELECT pgduet.embed('x')")
        assert caught.value.sqlstate == sqlstate
        assert caught.value.diag.message_hint
        assert session.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("call", ["SELECT pgduet.embed('x')", "SELECT * FROM pgduet.similar_code('x')"])
def test_a_text_that_the_model_fails_on_is_no_fault_of_the_caller(
    stub_database: Database, stub: StubSidecar, call: str
) -> None:
    stub.failing = "x"
    with stub_database.connect() as session:
        with pytest.raises(psycopg.Error, match="the model failed on this text") as caught:
            session.execute(call)
        assert caught.value.sqlstate == "58000"
        assert "lack memory" in (caught.value.diag.message_hint or "")
        rows = session.execute("SELECT failure FROM pgduet._embed_rows(ARRAY['x', 'y'], 'document', 20)").fetchall()
        assert rows == [("the model failed on this text",), (None,)]


@pytest.mark.parametrize(
    ("switch", "value", "sqlstate"),
    [("drop", True, "58000"), ("nan", True, "22000"), ("width", 128, "58000")],
)
def test_a_wrong_answer_is_refused_and_nothing_is_stored(
    stub_database: Database, stub: StubSidecar, switch: str, value: object, sqlstate: str
) -> None:
    setattr(stub, switch, value)
    stub_database.set("trigger_mode", "sync")
    with stub_database.connect() as session:
        with pytest.raises(psycopg.Error) as caught:
            session.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('a'), ('b')")
        assert caught.value.sqlstate == sqlstate
        assert session.execute("SELECT count(*) FROM pgduet.code_chunks").fetchone() == (0,)


def test_vectors_of_another_fingerprint_are_refused(stub_database: Database, stub: StubSidecar) -> None:
    stub_database.set("trigger_mode", "sync")
    with stub_database.connect() as session:
        session.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('a')")
        stub.fingerprint = "another"
        for statement in ("SELECT pgduet.embed('x')", "INSERT INTO pgduet.code_chunks (content) VALUES ('b')"):
            with pytest.raises(psycopg.Error) as caught:
                session.execute(statement)
            assert caught.value.sqlstate == "55000"
        assert session.execute("SELECT count(*) FROM pgduet.code_embeddings").fetchone() == (1,)


def test_a_server_that_cannot_import_the_package_says_so(cluster_factory: ClusterFactory) -> None:
    with new_database(cluster_factory([])) as database, database.connect() as session:
        migrate(session)
        with pytest.raises(psycopg.errors.SystemError, match=r"cannot import pgduet\.backend") as caught:
            session.execute("SELECT pgduet.embed('x')")
        assert "PYTHONPATH" in (caught.value.diag.message_hint or "")
        rows = session.execute("SELECT status FROM pgduet.health() WHERE component = 'backend'").fetchall()
        assert rows == [("fail",)]
