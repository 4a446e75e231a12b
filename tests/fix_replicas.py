"""A physical standby of the tests' cluster, made by pg_basebackup."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from fix_cluster import FAST
from fix_database import Database
from pgduet.local.accounts import server_account
from pgduet.local.binaries import find_binaries
from pgduet.local.cluster import Cluster


@contextmanager
def standby_of(primary: Cluster) -> Iterator[Cluster]:
    """Run a hot standby that follows the primary as it is now."""
    folder = Path(tempfile.mkdtemp(prefix="pgduet-test-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        standby = Cluster(folder, python_path=primary.python_path, settings={**FAST, "hot_standby": "on"})
        account = server_account()
        standby.socket_directory.mkdir(mode=0o700)
        account.own(standby.socket_directory)
        account.own(folder)
        options = ["--write-recovery-conf", "--checkpoint=fast", "--no-sync", "--dbname", primary.conninfo()]
        done = account.run([find_binaries()["pg_basebackup"], "--pgdata", standby.data, *options])
        assert done.returncode == 0, done.stdout
        with standby:
            yield standby
    finally:
        shutil.rmtree(folder)


def catch_up(primary: Database, standby: Database) -> None:
    """Wait until the standby shows all that the primary has committed."""
    with primary.connect() as there, standby.connect() as here:
        (reached,) = there.execute("SELECT pg_current_wal_insert_lsn()").fetchone() or (None,)
        deadline = time.monotonic() + 30
        while here.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", (reached,)).fetchone() != (True,):
            if time.monotonic() > deadline:
                pytest.fail("the standby does not catch up")
            time.sleep(0.05)


def promote(standby: Database) -> None:
    """Make the standby a server of its own."""
    with psycopg.connect(standby.cluster.conninfo(), autocommit=True) as admin:
        admin.execute("SELECT pg_promote(wait => true)")
