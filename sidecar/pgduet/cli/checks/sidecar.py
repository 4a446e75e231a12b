"""Checks of the sidecars as this machine sees them."""

from collections.abc import Iterator

from pgduet.cli.checks.finding import Finding, failed
from pgduet.errors import PgduetError

_SECONDS = 5


def check_sidecar(fingerprints: dict[str, str]) -> Iterator[Finding]:
    """Check that every sidecar answers from here; fills `fingerprints` with what they serve, by model."""
    from pgduet.client import sidecar_addresses

    try:
        addresses = sidecar_addresses()
    except PgduetError as error:
        yield failed("sidecar", error)
        return
    for address in addresses:
        yield _check_one(address, fingerprints)


def _check_one(address: str, fingerprints: dict[str, str]) -> Finding:
    from pgduet.client import EmbeddingClient

    try:
        with EmbeddingClient(address, timeout=_SECONDS, direct=True) as client:
            reply, healthy = client.list_models(), client.healthy()
    except PgduetError as error:
        return failed("sidecar", error)
    found = {model.name: model.fingerprint for model in reply.models}
    served = ", ".join(f"{name} {fingerprint}" for name, fingerprint in found.items())
    if not healthy:
        hint = "see its log: the model may still load, or its self-test failed"
        return Finding("sidecar", "fail", f"at {address} answers but does not serve", hint)
    other = [name for name, fingerprint in found.items() if fingerprints.setdefault(name, fingerprint) != fingerprint]
    lacking = [name for name in fingerprints if name not in found]
    if other:
        detail = f"at {address} serves another {', '.join(other)} than the first: {served}"
        return Finding("sidecar", "fail", detail, "give all sidecars the same model files: calls go to each in turn")
    if lacking:
        detail = f"at {address} does not serve {', '.join(lacking)}, which another does"
        return Finding("sidecar", "fail", detail, f"load it there: pgduet models load {lacking[0]} --sidecar {address}")
    return Finding("sidecar", "ok", f"version {reply.version} at {address} serves {served}")
