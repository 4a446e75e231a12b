"""What deploy/ says about containers fits the code: variables, commands, options, hardening. Nothing runs here."""

import dataclasses
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from pgduet.cli import main
from pgduet.serving.settings import Settings
from pgduet.v1.credentials import Credentials

REPOSITORY = Path(__file__).resolve().parents[2]
CONTAINERS = REPOSITORY / "deploy" / "containers"
ENTRY_POINT = (CONTAINERS / "database.sh").read_text()
COMPOSE = yaml.safe_load((CONTAINERS / "compose.yaml").read_text())
KUBERNETES = list(yaml.safe_load_all((CONTAINERS / "kubernetes.yaml").read_text()))
# libpq's and those of the libraries below pgduet.
FOREIGN = {"PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSFILE", "HF_HUB_OFFLINE", "OTEL_EXPORTER_OTLP_ENDPOINT"}


def known_variables() -> set[str]:
    """Collect every variable that the sidecar's settings, the code or the entry point reads."""
    fields = {f"PGDUET_{name.upper()}" for name in Settings.model_fields}
    sources = [*(REPOSITORY / "sidecar").rglob("*.py"), *(REPOSITORY / "proto").rglob("*.py")]
    named = {name for file in sources for name in re.findall(r'"(PGDUET_[A-Z_]+)"', file.read_text())}
    entry = set(re.findall(r"\$\{((?:PGDUET|POSTGRES)_[A-Z_]+)", ENTRY_POINT))
    # The client makes their names out of its fields'.
    files = {f"PGDUET_SIDECAR_{field.name.upper()}" for field in dataclasses.fields(Credentials)}
    return fields | named | files | entry | FOREIGN


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for thing in KUBERNETES:
        if thing["kind"] in ("Deployment", "Job"):
            yield thing["metadata"]["name"], thing["spec"]["template"]["spec"]


def containers() -> list[tuple[str, dict[str, Any]]]:
    return [(f"{name}/{one['name']}", one) for name, pod in pods() for one in pod["containers"]]


def environments() -> list[tuple[str, set[str]]]:
    found = [(f"compose {name}", set(one.get("environment", {}))) for name, one in COMPOSE["services"].items()]
    return found + [(name, {entry["name"] for entry in one.get("env", [])}) for name, one in containers()]


def commands() -> list[list[str]]:
    given = [one["command"] for one in COMPOSE["services"].values() if "command" in one]
    return given + [one["args"] for _, one in containers()]


@pytest.mark.parametrize(("place", "names"), environments(), ids=lambda value: value if isinstance(value, str) else "")
def test_every_variable_is_read_by_somebody(place: str, names: set[str]) -> None:
    assert names - known_variables() == set(), place


@pytest.mark.parametrize("words", commands(), ids=shlex.join)
def test_every_command_takes_its_options(words: list[str]) -> None:
    main._register_all()
    command = typer.main.get_command(main.app)
    with command.make_context("pgduet", [words[0]], resilient_parsing=True) as context:
        found = command.get_command(context, words[0])  # type: ignore[attr-defined]
    assert found is not None, words
    # Parses as it would be run, and stops before it runs.
    found.make_context(words[0], words[1:]).close()


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_compose_services_have_no_more_rights_than_they_need(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "user", "pid", "devices"} & set(service)
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


@pytest.mark.parametrize(("name", "pod"), list(pods()), ids=lambda value: value if isinstance(value, str) else "")
def test_kubernetes_pods_have_no_more_rights_than_they_need(name: str, pod: dict[str, Any]) -> None:
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod["containers"]:
        rights = container["securityContext"]
        assert rights["readOnlyRootFilesystem"] is True
        assert rights["allowPrivilegeEscalation"] is False
        assert rights["capabilities"] == {"drop": ["ALL"]}
        assert {"memory"} <= set(container["resources"]["limits"]), name
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted <= {volume["name"] for volume in pod["volumes"]}


def test_kubernetes_names_each_sidecar_by_a_headless_service() -> None:
    (service,) = [thing for thing in KUBERNETES if thing["kind"] == "Service"]
    assert service["spec"]["clusterIP"] == "None"
    (sidecar,) = [
        thing for thing in KUBERNETES if thing["metadata"]["name"] == "pgduet-sidecar" and "template" in thing["spec"]
    ]
    assert service["spec"]["selector"].items() <= sidecar["spec"]["template"]["metadata"]["labels"].items()
    (port,) = service["spec"]["ports"]
    (container,) = sidecar["spec"]["template"]["spec"]["containers"]
    assert container["ports"][0]["containerPort"] == port["port"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
    address = f"dns:///{service['metadata']['name']}.{service['metadata']['namespace']}:{port['port']}"
    sidecars = {e["value"] for _, one in containers() for e in one["env"] if e["name"] == "PGDUET_SIDECAR"}
    assert sidecars == {address.removeprefix("dns:///")}


def test_the_build_context_is_an_allowlist_and_names_no_host() -> None:
    lines = (REPOSITORY / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    for file in CONTAINERS.iterdir():
        if file.is_file():
            assert re.findall(r"https?://(?!\{)[a-z0-9.-]+\.[a-z]{2,}", file.read_text()) == [], file


def test_kubernetes_speaks_tls_with_a_token_on_both_sides() -> None:
    named = {name: {entry["name"]: entry["value"] for entry in one["env"]} for name, one in containers()}
    sidecar = {name: value for name, value in named.pop("pgduet-sidecar/sidecar").items() if name.startswith("PGDUET")}
    # What it is given lets it listen to other machines: bare of it, the sidecar does not start.
    files = {"PGDUET_TLS_CERTIFICATE_FILE", "PGDUET_TLS_KEY_FILE", "PGDUET_TOKEN_FILE"}
    assert files < set(sidecar)
    assert "unix:/run/pgduet/sidecar.sock" in sidecar["PGDUET_LISTEN"]
    assert all({"PGDUET_SIDECAR_CA_FILE", "PGDUET_SIDECAR_TOKEN_FILE"} < set(client) for client in named.values())
