"""A private pgbouncer in transaction mode in front of the tests' cluster."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from fix_database import Database
from pgduet.local.accounts import server_account

SERVER_CONNECTIONS = 3


@dataclass(frozen=True)
class Pooler:
    """A running pgbouncer."""

    database: str
    port: int
    log: Path
    pid: int

    @property
    def conninfo(self) -> str:
        return f"host=127.0.0.1 port={self.port} user=postgres dbname={self.database}"

    @property
    def environment(self) -> dict[str, str]:
        return {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": "postgres", "PGDATABASE": self.database}

    def log_text(self) -> str:
        return self.log.read_text(errors="replace")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def pooled(database: Database, folder: Path) -> Iterator[Pooler]:
    """Run pgbouncer: 3 server connections, transaction mode; it refuses root and so runs as the server's user."""
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert program, "pgbouncer is missing: `make setup` installs it"
    port, log = free_port(), folder / "pgbouncer.log"
    server = dict(re.findall(r"(\w+)='([^']*)'", database.conninfo))
    settings = folder / "pgbouncer.ini"
    users = folder / "users.txt"
    users.write_text('"postgres" ""\n')
    settings.write_text(
        f"[databases]\n{database.name} = host={server['host']} port={server['port']} user=postgres\n[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = trust\nauth_file = {users}\n"
        f"pool_mode = transaction\ndefault_pool_size = {SERVER_CONNECTIONS}\nmax_client_conn = 100\n"
        f"unix_socket_dir =\nlogfile = {log}\nserver_reset_query =\n"
        "ignore_startup_parameters = extra_float_digits\n"
    )
    log.touch()
    account = server_account()
    for path in (settings, users, log):
        account.own(path)
    process = subprocess.Popen(account.command([program, "-q", settings]))
    pooler = Pooler(database.name, port, log, process.pid)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                psycopg.connect(pooler.conninfo, autocommit=True).close()
                break
            except psycopg.OperationalError as error:
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"pgbouncer did not start: {error}\n{pooler.log_text()}")
                time.sleep(0.05)
        yield pooler
    finally:
        process.terminate()
        process.wait(20)
