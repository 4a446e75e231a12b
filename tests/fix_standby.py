"""A hot standby of a test's cluster: a real copy that follows it by streaming replication."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from fix_cluster import FAST
from fix_worker import wait_until
from pgduet.local.accounts import server_account
from pgduet.local.binaries import find_binaries
from pgduet.local.cluster import Cluster


@contextmanager
def hot_standby(primary: Cluster) -> Iterator[Cluster]:
    """Run a standby that has caught up with what the primary holds now; end and remove it."""
    account = server_account()
    folder = Path(tempfile.mkdtemp(prefix="pgduet-standby-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        account.own(folder)
        standby = Cluster(folder, python_path=primary.python_path, settings=FAST)
        standby.socket_directory.mkdir(mode=0o700)
        account.own(standby.socket_directory)
        source = ["-d", primary.conninfo(), "-X", "stream", "--checkpoint=fast", "--no-sync"]
        done = account.run([find_binaries()["pg_basebackup"], "-R", "-D", standby.data, *source])
        assert done.returncode == 0, done.stdout
        with standby:
            _catch_up(primary, standby)
            yield standby
    finally:
        shutil.rmtree(folder)


def _catch_up(primary: Cluster, standby: Cluster) -> None:
    with psycopg.connect(primary.conninfo(), autocommit=True) as there:
        (written,) = there.execute("SELECT pg_current_wal_insert_lsn()").fetchone() or ("0/0",)
    with psycopg.connect(standby.conninfo(), autocommit=True) as here:
        behind = "SELECT pg_last_wal_replay_lsn() < %s::pg_lsn"
        wait_until(lambda: here.execute(behind, (written,)).fetchone() == (False,), 60, "the standby is behind")
