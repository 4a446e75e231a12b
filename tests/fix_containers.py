"""Fixtures with the images of deploy/containers, run by testcontainers as compose runs them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import MappingProxyType
from typing import Any

import docker
import pytest
from docker.models.containers import Container
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from fix_worker import wait_until

DATABASE, SIDECAR = "pgduet-database", "pgduet-sidecar"
PASSWORD = "a password of the tests"
# What compose.yaml asks for; a test there sees to it that it still does.
HARDENED: dict[str, Any] = {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"]}
SOCKETS = {"/run/postgresql": "uid=999,gid=999,mode=0770"}
# Two slow cores, and other work beside it.
START_SECONDS = 180

Start = Callable[..., Container]


@contextmanager
def running(
    image: str,
    command: str | None = None,
    *,
    environment: Mapping[str, str] = MappingProxyType({}),
    volumes: Mapping[str, str] = MappingProxyType({}),
    tmpfs: Mapping[str, str] = MappingProxyType({}),
    **options: Any,
) -> Iterator[Container]:
    """Run an image until the block ends; `volumes` and `tmpfs` map names and options, `options` are docker-py's."""
    # Its helper that removes what a killed run left would be one more image, of a registry; here names tell.
    testcontainers_config.ryuk_disabled = True
    container = DockerContainer(image, command=command, **(HARDENED | options))
    container.tmpfs = {"/tmp": "", **tmpfs}
    for name, value in environment.items():
        container.with_env(name, value)
    for name, place in volumes.items():
        container.with_volume_mapping(name, place, "rw")
    with container:
        wrapped = container.get_wrapped_container()
        assert wrapped is not None
        yield wrapped


@pytest.fixture
def volume() -> Iterator[Callable[[], str]]:
    """Give a function that makes a volume; all are removed at the end, after the containers."""
    client = docker.from_env()
    made = []

    def make() -> str:
        made.append(client.volumes.create())
        return str(made[-1].name)

    yield make
    for one in made:
        one.remove(force=True)
    client.close()


@pytest.fixture
def start(volume: Callable[[], str]) -> Iterator[Start]:
    """Give a function that starts an image; all that were started end before the volumes."""
    with ExitStack() as stack:
        yield lambda *image, **options: stack.enter_context(running(*image, **options))


def healthy(container: Container) -> None:
    """Wait until a container says that it is healthy; tell what it printed where it ends first."""

    def is_healthy() -> bool:
        container.reload()
        assert container.status in ("created", "running"), container.logs().decode()
        return str(container.health) == "healthy"

    wait_until(is_healthy, START_SECONDS)


def printed(container: Container) -> str:
    """Wait until a container ends by itself; give its status and what it printed."""
    status = container.wait(timeout=START_SECONDS)["StatusCode"]
    return f"{status}: {container.logs().decode()}"


def psql(container: Container, *statements: str) -> str:
    """Run statements as the superuser in the database's container; give what they print."""
    command = ["psql", "-v", "ON_ERROR_STOP=1", "-At", "-d", "pgduet"]
    status, output = container.exec_run([*command, *(part for one in statements for part in ("-c", one))])
    text = str(output.decode()).strip()
    assert status == 0, text
    return text
