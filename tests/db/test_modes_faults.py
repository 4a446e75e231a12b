"""What statements notice of a sidecar that hangs, and of a server without the Python package: next to nothing."""

import time

import psycopg
import pytest

from fix_cases import Case
from fix_cluster import ClusterFactory
from fix_database import new_database
from pgduet.migrations.install import migrate

pytestmark = pytest.mark.alone

INSERT = "INSERT INTO pgduet.code_chunks (content)"


def warnings_of(session: "psycopg.Connection[tuple[object, ...]]") -> list[str]:
    """Collect the warnings of a session from now on."""
    heard: list[str] = []
    session.add_notice_handler(lambda notice: heard.append(f"{notice.severity}: {notice.message_primary}"))
    return heard


def test_a_thousand_inserts_in_one_transaction_wait_once_for_a_hung_sidecar(case: Case) -> None:
    case.run("SELECT pgduet.embed('x')")
    case.stub.hang = True
    heard = warnings_of(case.session)
    started = time.monotonic()
    with case.session.transaction():
        for number in range(1000):
            case.run(f"{INSERT} VALUES (%s)", f"row {number}")
    assert time.monotonic() - started < 5
    assert case.pending() == 1000
    assert len(heard) == 1
    assert "leaves 1 chunk(s) to the worker" in heard[0]


def test_a_statement_timeout_is_not_used_up_by_a_hung_sidecar(case: Case) -> None:
    case.stub.hang = True
    case.run("SET statement_timeout = '1s'")
    case.run(f"{INSERT} VALUES ('a')")
    assert case.pending() == 1


@pytest.mark.parametrize("mode", ["auto", "queue"])
def test_a_server_without_the_python_package_queues_with_one_warning(
    cluster_factory: ClusterFactory, mode: str
) -> None:
    with new_database(cluster_factory([])) as database, database.connect() as session:
        migrate(session)
        heard = warnings_of(session)
        session.execute(f"SET pgduet.trigger_mode = '{mode}'")
        for number in range(20):
            session.execute(f"{INSERT} VALUES (%s)", (f"row {number}",))
        session.execute("UPDATE pgduet.code_chunks SET content = content || '!'")
        session.execute("DELETE FROM pgduet.code_chunks WHERE chunk_id = 1")
        assert session.execute("SELECT count(*) FROM pgduet.code_chunks").fetchone() == (19,)
        assert session.execute("SELECT count(DISTINCT chunk_id) FROM pgduet._pending").fetchone() == (20,)
        assert len(heard) == (1 if mode == "auto" else 0)
        assert all("cannot import pgduet.backend" in warning for warning in heard)
