"""The image of the database: starts unprivileged on a read-only root, keeps its data, says what is wrong."""

from collections.abc import Callable

import psycopg
import pytest
from docker.models.containers import Container

from fix_containers import DATABASE, PASSWORD, SOCKETS, Start, healthy, printed, psql
from fix_worker import wait_until

pytestmark = pytest.mark.containers

INSERT = "INSERT INTO pgduet.code_chunks (chunk_id, content) VALUES (7, 'def f(): pass')"
SELECT = "SELECT chunk_id FROM pgduet.code_chunks"
DATA = "/var/lib/postgresql"


def database(start: Start, name: str, **environment: str) -> Container:
    return start(DATABASE, environment=environment, volumes={name: DATA}, tmpfs=SOCKETS)


def test_it_runs_unprivileged_and_keeps_its_data(start: Start, volume: Callable[[], str]) -> None:
    container = database(start, volume(), POSTGRES_PASSWORD=PASSWORD, PGDUET_SETTINGS="trigger_mode=queue")
    healthy(container)
    assert container.exec_run(["cat", "/proc/1/comm"]).output == b"postgres\n"
    assert container.exec_run(["id", "-u"]).output == b"999\n"
    assert b"CapEff:\t0000000000000000\n" in container.exec_run(["cat", "/proc/1/status"]).output
    assert b"Read-only file system" in container.exec_run(["touch", "/usr/local/bin/x"]).output
    psql(container, INSERT)
    container.stop(timeout=20)
    assert container.wait()["StatusCode"] == 0
    assert b"database system is shut down" in container.logs(tail=3)
    container.start()
    healthy(container)
    assert psql(container, SELECT) == "7"
    components = dict(
        line.split("|") for line in psql(container, "SELECT component, status FROM pgduet.health()").splitlines()
    )
    assert {components[part] for part in ("postgresql", "pgvector", "backend")} == {"ok"}


def test_tcp_asks_for_the_password(start: Start, volume: Callable[[], str]) -> None:
    container = database(start, volume(), POSTGRES_PASSWORD=PASSWORD)
    healthy(container)
    address = container.attrs["NetworkSettings"]["IPAddress"]
    with psycopg.connect(host=address, user="postgres", password=PASSWORD, dbname="pgduet") as session:
        assert session.execute("SELECT pgduet.version()").fetchone() is not None
    for password in ("", "wrong"):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(host=address, user="postgres", password=password, dbname="pgduet")
    # Nothing that a shell in the container shows tells it.
    assert PASSWORD.encode() not in container.exec_run(["cat", "/proc/1/environ"]).output


def test_a_start_that_was_killed_is_made_up_for(start: Start, volume: Callable[[], str]) -> None:
    name = volume()
    first = database(start, name)
    wait_until(lambda: b"making a cluster" in first.logs())
    first.kill("SIGKILL")
    second = database(start, name)
    healthy(second)
    psql(second, INSERT)
    assert psql(second, SELECT) == "7"


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"POSTGRES_PASSWORD": "a", "POSTGRES_PASSWORD_FILE": "/b"}, "both POSTGRES_PASSWORD and"),
        ({"POSTGRES_PASSWORD_FILE": "/nowhere"}, "/nowhere, which cannot be read"),
        ({"PGDUET_SETTINGS": "trigger_mode"}, "PGDUET_SETTINGS holds trigger_mode"),
        ({"PGDUET_SETTINGS": "triger_mode=auto"}, "there is no setting 'triger_mode'"),
        ({"PGDUET_SIDECAR": "127.0.0.1:1,unix:/x"}, "unix:/x"),
    ],
    ids=["two passwords", "no password file", "no value", "unknown setting", "mixed addresses"],
)
def test_wrong_environment_ends_the_start_with_a_hint(
    start: Start, volume: Callable[[], str], environment: dict[str, str], message: str
) -> None:
    said = printed(database(start, volume(), **environment))
    assert said.startswith("1: ")
    assert message in said
    assert "hint: " in said
    assert "Traceback" not in said


def test_it_refuses_root_and_another_version_s_cluster(start: Start, volume: Callable[[], str]) -> None:
    said = printed(start(DATABASE, user="0:0", tmpfs=SOCKETS))
    assert "PostgreSQL refuses to run as root" in said
    name = volume()
    other = f"mkdir -p {DATA}/15/main && echo 15 >{DATA}/15/main/PG_VERSION"
    assert printed(start(DATABASE, f"bash -c '{other}'", volumes={name: DATA})).startswith("0: ")
    said = printed(database(start, name))
    assert "holds a cluster of PostgreSQL 15" in said
    assert "pg_upgrade" in said
