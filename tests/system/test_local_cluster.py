import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fix_cluster import FAST, ClusterFactory
from pgduet.database.connection import connect
from pgduet.errors import PgduetError
from pgduet.local.accounts import server_account
from pgduet.local.cluster import Cluster

MODULE_FILE = """
CREATE OR REPLACE FUNCTION pg_temp.module_file() RETURNS text LANGUAGE plpython3u AS $$
import google.protobuf
return google.protobuf.__file__
$$
"""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Give the folder of a cluster that each test finds stopped and leaves stopped."""
    made = Path(tempfile.mkdtemp(prefix="pgduet-test-", dir="/tmp"))
    made.chmod(0o755)
    Cluster(made, settings=FAST).create()
    yield made
    shutil.rmtree(made)


def test_a_cluster_is_started_once_and_stopped(folder: Path) -> None:
    with Cluster(folder, settings=FAST) as cluster:
        assert cluster.running
        assert cluster.pid is not None
        assert cluster.pid_file.read_text() == f"{cluster.pid}\n"
        port, pid = cluster.port, cluster.pid
        cluster.create()
        cluster.start()
        assert (cluster.port, cluster.pid) == (port, pid)
        with connect(cluster.conninfo()) as connection:
            row = connection.execute(
                "SELECT current_user, current_setting('server_encoding'), current_setting('data_checksums')"
            ).fetchone()
            assert row == ("postgres", "UTF8", "on")
    assert not cluster.running
    assert cluster.pid is None
    with pytest.raises(PgduetError, match="cannot connect"):
        connect(cluster.conninfo())
    cluster.stop()
    again = Cluster(folder, settings=FAST)
    assert again.port == port
    with again:
        assert again.running


def test_a_kept_port_that_was_taken_is_replaced(folder: Path) -> None:
    cluster = Cluster(folder, settings=FAST)
    before = cluster.port
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", before))
        squatter.listen()
        with cluster:
            assert cluster.port != before
            with connect(cluster.conninfo()) as connection:
                assert connection.info.port == cluster.port


def test_the_server_runs_as_a_user_other_than_root(cluster: Cluster) -> None:
    owner = Path(f"/proc/{cluster.pid}").stat().st_uid
    assert owner == server_account().uid
    assert owner != 0


def test_only_its_owner_reaches_the_socket_and_the_password(cluster: Cluster) -> None:
    assert stat.S_IMODE(cluster.socket_directory.stat().st_mode) == 0o700
    assert stat.S_IMODE(cluster.password_file.stat().st_mode) == 0o600
    assert cluster.password_file.stat().st_uid == server_account().uid


def test_tcp_asks_for_the_password(cluster: Cluster) -> None:
    address = f"host=127.0.0.1 port={cluster.port} user=postgres dbname=postgres"
    with pytest.raises(PgduetError, match=r"fe_sendauth|no password"):
        connect(f"{address} passfile=/nonexistent")
    with pytest.raises(PgduetError, match="authentication failed"):
        connect(f"{address} password=wrong")
    with connect(f"{address} password={cluster.password_file.read_text().strip()}") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_plpython_finds_the_packages_of_python_path_before_the_distributions(
    cluster: Cluster, server_path: list[Path]
) -> None:
    with connect(cluster.conninfo()) as connection:
        connection.execute("CREATE EXTENSION plpython3u")
        connection.execute(MODULE_FILE)
        row = connection.execute("SELECT pg_temp.module_file()").fetchone()
        connection.rollback()
    assert row is not None
    assert row[0].startswith(str(server_path[0]))


def test_nothing_of_the_callers_environment_reaches_the_server(cluster: Cluster) -> None:
    # Root in a container may not read what belongs to another user.
    given = server_account().run(["cat", f"/proc/{cluster.pid}/environ"]).stdout.split("\0")
    everywhere = {"PATH", "LANG", "HOME", "PWD", "SHLVL", "_", "OLDPWD"}
    # With their values: some names, such as PYTHONPATH, are set for the server anew.
    assert not set(given) & {f"{name}={value}" for name, value in os.environ.items() if name not in everywhere}
    assert any(entry.startswith("PYTHONPATH=") for entry in given)


def test_a_postmaster_is_known_where_nobody_may_see_its_folder(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = cluster.pid

    def refuse(path: Path) -> Path:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "readlink", refuse)
    assert pid is not None
    assert cluster.pid == pid
    monkeypatch.setattr(Path, "read_bytes", lambda path: b"/usr/bin/python\0-m\0http.server\0")
    assert cluster.pid is None


def test_one_more_cluster_has_its_own_data_and_port(cluster: Cluster, cluster_factory: ClusterFactory) -> None:
    other = cluster_factory([])
    assert other.running
    assert other.folder != cluster.folder
    assert other.port != cluster.port


def test_the_environment_names_the_cluster_for_libpq(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in cluster.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PGDATABASE", "template1")
    with connect() as connection:
        assert connection.info.dbname == "template1"
        assert connection.info.host == str(cluster.socket_directory)


def test_a_server_that_cannot_start_shows_the_end_of_its_log(folder: Path) -> None:
    cluster = Cluster(folder, settings={**FAST, "shared_buffers": "not a size"})
    with pytest.raises(PgduetError, match=r"did not start(.|\n)*shared_buffers"):
        cluster.start()
    assert not cluster.running


def test_settings_change_at_the_next_start(folder: Path) -> None:
    with (
        Cluster(folder, settings={**FAST, "work_mem": "7MB"}) as cluster,
        connect(cluster.conninfo()) as connection,
    ):
        assert connection.execute("SHOW work_mem").fetchone() == ("7MB",)
