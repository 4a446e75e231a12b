"""Checks of the sidecar as this machine sees it."""

from collections.abc import Iterator

from pgduet.cli.checks.finding import Finding, failed
from pgduet.errors import PgduetError

_SECONDS = 5


def check_sidecar(fingerprints: dict[str, str]) -> Iterator[Finding]:
    """Check that the sidecar answers from here; fills `fingerprints` with what it serves, by model."""
    from pgduet.client import EmbeddingClient

    with EmbeddingClient(timeout=_SECONDS) as client:
        try:
            reply = client.list_models()
        except PgduetError as error:
            yield failed("sidecar", error)
            return
        fingerprints.update({model.name: model.fingerprint for model in reply.models})
        served = ", ".join(f"{name} {fingerprint}" for name, fingerprint in fingerprints.items())
        if client.healthy():
            yield Finding("sidecar", "ok", f"version {reply.version} at {client.address} serves {served}")
        else:
            hint = "see its log: the model may still load, or its self-test failed"
            yield Finding("sidecar", "fail", f"at {client.address} answers but does not serve", hint)
