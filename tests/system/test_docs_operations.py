"""docs/operations.md by doing what it says: its blocks run in their order, or say why they do not."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fix_cluster import REPOSITORY, ClusterFactory
from fix_database import Database
from fix_worker import running_stub
from pgduet.local.binaries import find_binaries

PAGE = REPOSITORY / "docs/operations.md"
BLOCK = re.compile(r"(?:<!-- not run: (?P<reason>[^>]+) -->\n+)?```(?P<language>\w*)\n(?P<body>.*?)```", re.DOTALL)
# Why a block may stay untried here; each other one runs.
REASONS = {
    "it runs until it is stopped",
    "it needs two major versions of PostgreSQL",
    "tests/system/test_replicas.py tries it",
}


@dataclass(frozen=True)
class Block:
    """One fenced block of the page."""

    line: int
    language: str
    body: str
    reason: str | None


def read_blocks() -> list[Block]:
    text = PAGE.read_text()
    return [
        Block(text.count("\n", 0, found.start("body")), found["language"], found["body"], found["reason"])
        for found in BLOCK.finditer(text)
    ]


@pytest.fixture
def environment(
    empty_database: Database, cluster_factory: ClusterFactory, server_path: list[Path], folder: Path
) -> dict[str, str]:
    """Give what the page takes for granted: two servers as services of libpq, and the programs on the path."""
    new = cluster_factory(server_path)
    services = folder / "services"
    places = {"app": (empty_database.cluster, empty_database.name), "new": (new, "app")}
    services.write_text(
        "".join(
            f"[{name}]\nhost={cluster.socket_directory}\nport={cluster.port}\nuser=postgres\ndbname={dbname}\n"
            for name, (cluster, dbname) in places.items()
        )
    )
    path = f"{Path(sys.executable).parent}:{find_binaries().folder}:{os.environ['PATH']}"
    return {**os.environ, "PGSERVICEFILE": str(services), "PATH": path}


@pytest.fixture
def sidecar_socket(folder: Path) -> Iterator[Path]:
    """Run the stub of the sidecar as a process of its own, where the page expects the sidecar."""
    with running_stub(f"unix:{folder}/sidecar.sock", folder):
        yield folder / "sidecar.sock"


def test_every_block_runs_or_has_a_reason_that_counts() -> None:
    blocks = read_blocks()
    assert len(blocks) > 10
    assert {block.reason for block in blocks if block.reason} <= REASONS
    assert {block.language for block in blocks} <= {"sh", "sql"}
    assert PAGE.read_text().count("```") == 2 * len(blocks)
    assert sum(block.reason is None for block in blocks) > len(blocks) / 2


@pytest.mark.slow
def test_the_page_does_what_it_says(environment: dict[str, str], sidecar_socket: Path, folder: Path) -> None:
    (folder / "backups").mkdir()
    for block in read_blocks():
        if block.reason:
            continue
        text = block.body.replace("/var/backups", str(folder / "backups"))
        text = text.replace("/run/pgduet/sidecar.sock", str(sidecar_socket))
        command = ["bash", "-euo", "pipefail"]
        if block.language == "sql":
            command = ["psql", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "service=app"]
        done = subprocess.run(
            command, input=text, env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, f"line {block.line} of {PAGE.name}:\n{block.body}\n{done.stdout}\n{done.stderr}"
