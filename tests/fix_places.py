"""Where the pages of README and docs/ are tried: each in a database and a folder of its own."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import grpc
import psycopg
import pytest

from fix_cluster import REPOSITORY, ClusterFactory
from fix_database import Database, new_database
from fix_documents import Place
from fix_generations import TwoDuets, add_chunks
from fix_pooler import free_port
from fix_sidecar import Sidecar, running_sidecar, wait_serving
from fix_trainer import Bench
from fix_worker import running_worker
from pgduet.encoding.store.layout import duet_folder
from pgduet.local.binaries import find_binaries
from pgduet.local.cluster import Cluster
from pgduet.v1 import embedding_pb2 as pb
from stub_sidecar import StubSidecar

# On a machine that is busy with other tests rows are not to be queued, nor queries to fail.
PATIENCE = ("sync_timeout_ms", "deadline_ms")
# What pages that search take for granted: some code is there.
ROWS = """
INSERT INTO pgduet.code_chunks (repo, path, symbol, kind, language, content) VALUES
  ('lib', 'net/mail.py', 'parse_address', 'function', 'python', 'def parse_address(header):
    "Split an email address header into name and address."
    name, _, rest = header.partition("<")
    return name.strip(), rest.rstrip(">")'),
  ('lib', 'net/dates.py', 'parse_http_date', 'function', 'python', 'def parse_http_date(text):
    "Parse the date of an HTTP header."
    return parsedate_to_datetime(text)'),
  ('lib', 'sorting.py', 'sort_list', 'function', 'python', 'def sort_list(items):\n    items.sort()'),
  ('fork', 'sorting.py', 'sort_list', 'function', 'python', 'def sort_list(items):\n    items.sort()'),
  ('lib', 'src/heap.c', 'heap_push', 'function', 'c', 'void heap_push(heap *h, int n) { h->at[h->size++] = n; }'),
  ('lib', 'src/file.c', 'open_file', 'function', 'c', 'FILE *open_file(const char *path) { return fopen(path, "r"); }')
"""


def make_place(folder: Path, database: Database, address: str, new: Cluster | None = None) -> Place:
    """Give a place with programs on the path, `service=app`, and a model store of its own that holds `small`."""
    for name in ("backups", "models", "src"):
        (folder / name).mkdir(exist_ok=True)
    if not (folder / "models" / "small").exists():
        (folder / "models" / "small").symlink_to(duet_folder("small"))
    served = {"app": (database.cluster, database.name)} | ({"new": (new, "app")} if new else {})
    services = folder / "services"
    services.write_text(
        "".join(
            f"[{name}]\nhost={cluster.socket_directory}\nport={cluster.port}\nuser=postgres\ndbname={dbname}\n"
            for name, (cluster, dbname) in served.items()
        )
    )
    here, page, other, elsewhere = (f"127.0.0.1:{free_port()}" for _ in range(4))
    environment = {
        **os.environ,
        **database.environment,
        "HOME": str(folder),
        "PATH": f"{Path(sys.executable).parent}:{find_binaries().folder}:{os.environ['PATH']}",
        "PGSERVICEFILE": str(services),
        "PGDUET_MODELS_DIR": str(folder / "models"),
        "PGDUET_LISTEN": here,
        "PGDUET_SIDECAR": address or here,
        "PGDUET_SOCKET_MODE": "0666",
        "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache")),
        "BROWSER": "true",
        "no_proxy": "127.0.0.1",
    }
    names = {
        "/run/pgduet/sidecar.sock": address.removeprefix("unix:") or f"{folder}/sidecar.sock",
        "/run/pgduet/": f"{folder}/",
        "/var/backups": f"{folder}/backups",
        "127.0.0.1:50517": here,
        "10.0.0.5:50517": elsewhere,
        "127.0.0.1:8517": page,
        "ui --open": f"ui --open --port {page.rpartition(':')[2]}",
        "--port 9000": f"--port {other.rpartition(':')[2]}",
        # A page that uses files of the checkout is read in one.
        "deploy/superset/": f"{REPOSITORY}/deploy/superset/",
        "/tmp/pgduet-dashboard.zip": str(folder / "pgduet-dashboard.zip"),
        "/tmp/coverage.csv": str(folder / "coverage.csv"),
    }
    return Place(folder, environment, names)


@pytest.fixture
def roles_kept(cluster: Cluster, template: str) -> Iterator[None]:
    """Drop the roles that a page made; those of pgduet came with the template."""
    names = "SELECT quote_ident(rolname) FROM pg_roles"
    with psycopg.connect(cluster.conninfo(), autocommit=True) as admin:
        before = set(admin.execute(names).fetchall())
        yield
        for (role,) in set(admin.execute(names).fetchall()) - before:
            admin.execute(f"DROP ROLE {role}")


@pytest.fixture(scope="session")
def rows_template(cluster: Cluster, template: str, sidecar: Sidecar) -> Iterator[str]:
    """Name a database with some code in it, whose vectors the real sidecar made."""
    with new_database(cluster, template) as database:
        database.set("sidecar_address", sidecar.address)
        for key in PATIENCE:
            database.set(key, "60000")
        with database.connect() as session:
            session.execute(ROWS)
        yield database.name


@pytest.fixture
def searching(
    roles_kept: None, cluster: Cluster, rows_template: str, sidecar: Sidecar, folder: Path
) -> Iterator[tuple[Place, Database]]:
    """Give a place with some code, searched with the real sidecar and weights."""
    with new_database(cluster, rows_template) as database:
        yield make_place(folder, database, sidecar.address), database


@pytest.fixture
def storing(searching: tuple[Place, Database]) -> tuple[Place, Database]:
    """Give the same, where commands ask the sidecar that the page starts."""
    place, database = searching
    own = place.environment["PGDUET_LISTEN"]
    return replace(place, environment={**place.environment, "PGDUET_SIDECAR": own}), database


@pytest.fixture
def bare(roles_kept: None, empty_database: Database, folder: Path) -> tuple[Place, Database]:
    """Give a place where nothing is installed and no sidecar runs."""
    place = make_place(folder, empty_database, "")
    migrate = "pgduet db migrate\n"
    patient = "".join(f"pgduet db set {key} 60000\n" for key in PATIENCE)
    return replace(place, names={migrate: migrate + patient, **place.names}), empty_database


@pytest.fixture
def with_slow_blocks(request: pytest.FixtureRequest) -> bool:
    """Tell whether this test runs the slow blocks of its page too."""
    return bool(request.node.callspec.params["slow"])


@pytest.fixture
def moving(
    roles_kept: None, empty_database: Database, cluster_factory: ClusterFactory, server_path: list[Path], folder: Path
) -> tuple[Place, Database]:
    """Give a place where nothing is installed and no sidecar runs, with a second server."""
    address = f"unix:{folder}/sidecar.sock"
    return make_place(folder, empty_database, address, cluster_factory(server_path)), empty_database


class Duets(TwoDuets):
    """Serve every duet that it is told to."""

    def LoadModel(self, request: pb.LoadModelRequest, context: grpc.ServicerContext) -> pb.LoadModelResponse:  # noqa: N802
        fingerprint = self.served.setdefault(request.name, f"fingerprint-of-{request.name}")
        return pb.LoadModelResponse(model=pb.Model(name=request.name, fingerprint=fingerprint), loaded=True)


@pytest.fixture
def switching(roles_kept: None, database: Database, folder: Path) -> Iterator[tuple[Place, Database]]:
    """Give a place with chunks, and a stub that serves the duets `small` and `small-ft`, and others when told to."""
    stub = Duets(f"unix:{folder}/sidecar.sock")
    stub.served = {name: f"fingerprint-of-{name}" for name in ("small", "small-ft")}
    with stub:
        database.set("sidecar_address", stub.address)
        with database.connect() as session:
            add_chunks(session, 5)
        yield make_place(folder, database, stub.address), database


@pytest.fixture
def spread(roles_kept: None, database: Database, folder: Path) -> Iterator[tuple[Place, Database]]:
    """Give a place with stubs of two sidecars, each on a socket of its own."""
    with ExitStack() as stack:
        for number in ("1", "2"):
            (folder / number).mkdir(mode=0o755)
            stub = stack.enter_context(StubSidecar(f"unix:{folder}/{number}/sidecar.sock"))
        database.set("sidecar_address", stub.address)
        yield make_place(folder, database, stub.address), database


@pytest.fixture
def learning(
    roles_kept: None, tiny_bench: Bench, folder: Path, with_slow_blocks: bool
) -> Iterator[tuple[Place, Database]]:
    """Give a place with code to learn from and a tiny duet, for slow blocks with its sidecar and a worker."""
    database, address = tiny_bench.database, f"unix:{folder}/sidecar.sock"
    database.set("sidecar_address", address)
    with ExitStack() as stack:
        if with_slow_blocks:
            served = running_sidecar(folder, model="tiny", models_dir=str(tiny_bench.store), engine="torch")
            wait_serving(stack.enter_context(served))
            stack.enter_context(running_worker(database, folder))
        place = make_place(folder, database, address)
        # More steps on so tiny a duet make all its vectors alike, which ends the run.
        few = {"finetune small-1": "finetune small-1 --steps 6 --check-every 3"}
        yield replace(place, names={**few, **place.names}), database
