"""Both images together, as compose joins them: sockets in shared volumes, no network, no password."""

import json
from collections.abc import Callable

import pytest
from docker.models.containers import Container

from fix_containers import DATABASE, SIDECAR, Start, healthy, printed, psql
from fix_worker import wait_until

pytestmark = pytest.mark.containers

INSERT = (
    "INSERT INTO pgduet.code_chunks (symbol, content) VALUES"
    " ('call_again', 'def call_again(send): ...'),"
    " ('total', 'def total(cart): return sum(line.price for line in cart)')"
)
SEARCH = "SELECT symbol FROM pgduet.similar_code('retry a failed request', k => 1)"
PENDING = "SELECT coalesce(sum(pending), 0) FROM pgduet.coverage"
SERVER = {"PGHOST": "/run/postgresql", "PGUSER": "pgduet", "PGDATABASE": "pgduet"}


def test_database_sidecar_and_worker_find_each_other(start: Start, volume: Callable[[], str]) -> None:
    data, server, sidecars = volume(), volume(), volume()
    sockets = {server: "/run/postgresql", sidecars: "/run/pgduet"}
    sidecar = start(SIDECAR, volumes={sidecars: "/run/pgduet"}, network_mode="none")
    database = start(
        DATABASE,
        volumes={data: "/var/lib/postgresql", **sockets},
        environment={"PGDUET_SETTINGS": "trigger_mode=queue"},
        network_mode="none",
    )
    healthy(database)
    healthy(sidecar)
    assert sidecar.exec_run(["id", "-u"]).output == b"998\n"
    psql(database, INSERT)
    assert psql(database, PENDING) == "2"
    worker = start(SIDECAR, "worker", volumes=sockets, environment=SERVER, network_mode="none")
    wait_until(lambda: psql(database, PENDING) == "0", 60)
    assert psql(database, SEARCH) == "call_again"
    findings = doctor(sidecar_like(start, sockets))
    assert {one["state"] for one in findings if one["part"] in ("server's python", "fingerprint", "worker")} == {"ok"}
    assert [one for one in findings if one["state"] == "fail"] == []
    # Process 1 takes the signal itself: no waiting until Docker kills.
    for container in (worker, sidecar):
        container.stop(timeout=60)
        assert container.wait()["StatusCode"] == 0, container.logs().decode()


def sidecar_like(start: Start, sockets: dict[str, str]) -> Container:
    """Start a third container of the sidecar's image that looks at all that runs."""
    return start(SIDECAR, "doctor --json", volumes=sockets, environment=SERVER, network_mode="none")


def doctor(container: Container) -> list[dict[str, str]]:
    status, _, text = printed(container).partition(": ")
    assert status == "0", text
    found: list[dict[str, str]] = json.loads(text)
    return found


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"PGDUET_MODEL": "no-such-duet"}, "no-such-duet"),
        ({"PGDUET_BATCH_TOKENS": "many"}, "PGDUET_BATCH_TOKENS"),
        ({"PGDUET_LISTEN": "/run/pgduet/x.sock"}, "is no address to listen on"),
    ],
    ids=["unknown duet", "no number", "no address"],
)
def test_wrong_environment_ends_the_sidecar_with_a_hint(
    start: Start, volume: Callable[[], str], environment: dict[str, str], message: str
) -> None:
    said = printed(start(SIDECAR, environment=environment, volumes={volume(): "/run/pgduet"}))
    assert said.startswith("1: ")
    assert message in said
    assert "hint" in said
    assert "Traceback" not in said


def test_no_layer_keeps_what_the_builder_lent(start: Start) -> None:
    for image in (DATABASE, SIDECAR):
        listed = start(image, "ls /run/secrets", entrypoint=[], tmpfs={})
        assert "No such file" in printed(listed)
