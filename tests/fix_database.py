"""Fixtures with databases: each test gets its own, copied from one that was migrated once."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from fix_sidecar import Sidecar
from pgduet.database.settings import write_setting
from pgduet.local.cluster import Cluster
from pgduet.migrations.install import migrate
from stub_sidecar import StubSidecar

Connection = psycopg.Connection[Any]

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Database:
    """A database of its own for one test."""

    cluster: Cluster
    name: str

    @property
    def conninfo(self) -> str:
        return self.cluster.conninfo(self.name)

    @property
    def environment(self) -> dict[str, str]:
        return {**self.cluster.environment, "PGDATABASE": self.name}

    def connect(self, **options: Any) -> Connection:
        return psycopg.connect(self.conninfo, autocommit=True, **options)

    def set(self, key: str, value: str) -> None:
        with self.connect() as connection:
            write_setting(connection, key, value)


@contextmanager
def new_database(cluster: Cluster, template: str = "template1") -> Iterator[Database]:
    """Make a database from a template and drop it at the end, with whoever is still connected."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(cluster.conninfo(), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE {name} TEMPLATE "{template}"')
        try:
            yield Database(cluster, name)
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def template(cluster: Cluster) -> str:
    """Name the migrated database that all others are copies of."""
    name = "pgduet_template"
    with psycopg.connect(cluster.conninfo(), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    with psycopg.connect(cluster.conninfo(name), autocommit=True) as connection:
        migrate(connection)
    return name


@pytest.fixture
def empty_database(cluster: Cluster) -> Iterator[Database]:
    """Give a database in which nothing is installed."""
    with new_database(cluster) as database:
        yield database


@pytest.fixture
def database(cluster: Cluster, template: str) -> Iterator[Database]:
    """Give a migrated database; its sidecar's address leads nowhere."""
    with new_database(cluster, template) as database:
        database.set("sidecar_address", "unix:/nonexistent/sidecar.sock")
        yield database


@pytest.fixture
def stub_database(database: Database, stub: StubSidecar) -> Database:
    """Give a migrated database that calls the stub."""
    database.set("sidecar_address", stub.address)
    return database


@pytest.fixture
def live_database(database: Database, sidecar: Sidecar) -> Database:
    """Give a migrated database that calls the real sidecar with the real weights."""
    database.set("sidecar_address", sidecar.address)
    return database
