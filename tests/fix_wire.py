"""Fixtures for the line between callers and sidecars: a certificate authority of the test's own, and tokens."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import grpc
import pytest

from fix_sidecar import Sidecar, open_directory, running_sidecar, wait_serving
from pgduet.local.accounts import server_account
from pgduet.v1 import embedding_pb2 as pb
from pgduet.v1.credentials import Credentials
from stub_sidecar import StubSidecar

HERE = "DNS:localhost,IP:127.0.0.1,IP:::1"
TOKENS = ["first-token-of-this-test", "second-token-of-this-test"]


# A sidecar, the authority of its certificate, and what opens it.
Strict = tuple[Sidecar, "Authority", Credentials]


@dataclass(frozen=True)
class Pair:
    """A certificate and its key."""

    certificate: Path
    key: Path

    def bytes(self) -> tuple[bytes, bytes]:
        return self.key.read_bytes(), self.certificate.read_bytes()


@dataclass
class Authority:
    """Signs certificates; the server's OS user owns what it writes, so that a backend can read it too."""

    folder: Path
    name: str = "ca"
    _numbers: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.file = self.folder / f"{self.name}.pem"
        self._key = self.folder / f"{self.name}.key"
        # A name of its own: OpenSSL takes two authorities of one name for one.
        self._make("req", "-x509", *_NEW_KEY, self._key, "-out", self.file, "-days", "2", "-subj", f"/CN={self.name}")
        server_account().own(self.file)

    def issue(self, names: str = HERE, days: int = 2, common_name: str = "someone") -> Pair:
        """Sign a certificate for those names; one for fewer than 0 days has expired."""
        stem = self.folder / f"{self.name}-{next(self._numbers)}"
        request, names_file, certificate, key = (stem.with_suffix(f".{end}") for end in ("csr", "ext", "pem", "key"))
        names_file.write_text(f"subjectAltName={names}\n")
        self._make("req", *_NEW_KEY, key, "-out", request, "-subj", f"/CN={common_name}")
        signing = ("-CA", self.file, "-CAkey", self._key, "-CAcreateserial", "-extfile", names_file)
        self._make("x509", "-req", "-in", request, *signing, *_span(days), "-out", certificate)
        for path in (certificate, key):
            server_account().own(path)
        return Pair(certificate, key)

    def write(self, name: str, *lines: str, mode: int = 0o600) -> Path:
        """Put a file there at one stroke, as whoever renews tokens and certificates should."""
        path, made = self.folder / name, self.folder / f".{name}"
        made.write_text("".join(f"{line}\n" for line in lines))
        made.chmod(mode)
        server_account().own(made)
        return made.replace(path)

    def replace(self, old: Pair, new: Pair) -> None:
        """Put a new certificate and its key where the old ones are."""
        new.key.replace(old.key)
        new.certificate.replace(old.certificate)

    def credentials(self, **more: str) -> Credentials:
        return replace(Credentials(ca_file=str(self.file)), **more)

    def _make(self, *command: "str | Path") -> None:
        done = subprocess.run(["openssl", *map(str, command)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout")


def _span(days: int) -> tuple[str, ...]:
    """Say from when to when a certificate is valid: OpenSSL 3.5 signs none that ends before it begins."""
    known = subprocess.run(["openssl", "x509", "-help"], capture_output=True, text=True, check=False)
    if days >= 0 or "-not_after" not in known.stdout + known.stderr:
        return ("-days", str(days))
    begin, end = (f"{datetime.now(UTC) + timedelta(days=at):%Y%m%d%H%M%SZ}" for at in (days - 1, days))
    return ("-not_before", begin, "-not_after", end)


class TlsStub(StubSidecar):
    """A stub that speaks TLS on a free port of this machine; with `clients`, callers need a certificate of theirs."""

    def __init__(self, pair: Pair, clients: Authority | None = None) -> None:
        super().__init__("127.0.0.1:0")
        roots = clients.file.read_bytes() if clients else None
        self._tls = grpc.ssl_server_credentials([pair.bytes()], roots, require_client_auth=clients is not None)
        self.authorizations: list[str] = []  # of calls and streams

    def __enter__(self) -> "TlsStub":
        self.start()
        return self

    def _bind(self, server: grpc.Server) -> int:
        return server.add_secure_port(self.address, self._tls)

    def Embed(self, request: pb.EmbedRequest, context: grpc.ServicerContext) -> pb.EmbedResponse:  # noqa: N802
        self._note(context)
        return super().Embed(request, context)

    def EmbedStream(  # noqa: N802
        self, requests: Iterator[pb.EmbedStreamRequest], context: grpc.ServicerContext
    ) -> Iterator[pb.EmbedStreamResponse]:
        self._note(context)
        return super().EmbedStream(requests, context)

    def _note(self, context: grpc.ServicerContext) -> None:
        self.authorizations += [str(value) for key, value in context.invocation_metadata() if key == "authorization"]


@pytest.fixture
def wire_folder() -> Iterator[Path]:
    """Give a folder that every OS user may walk into."""
    with tempfile.TemporaryDirectory(prefix="pgduet-wire-", dir="/tmp") as name:
        os.chmod(name, 0o755)
        yield Path(name)


@pytest.fixture
def authority(wire_folder: Path) -> Authority:
    return Authority(wire_folder)


@pytest.fixture(scope="module")
def strict() -> Iterator[Strict]:
    """Give a real server that asks for a certificate and a token on TCP, and what opens it."""
    with open_directory() as folder:
        os.chmod(folder, 0o755)
        authority = Authority(folder)
        callers = Authority(folder, "callers")
        served, shown = authority.issue(), callers.issue()
        tokens = authority.write("tokens", *TOKENS)
        settings = {
            "tls_certificate_file": str(served.certificate),
            "tls_key_file": str(served.key),
            "tls_client_ca_file": str(callers.file),
            "token_file": str(tokens),
            "listen": f"unix:{folder}/probe.sock,127.0.0.1:0",
        }
        credentials = authority.credentials(
            certificate_file=str(shown.certificate),
            key_file=str(shown.key),
            token_file=str(authority.write("mine", TOKENS[0])),
        )
        with running_sidecar(folder, program=str(Path(__file__).with_name("gated_process.py")), **settings) as sidecar:
            sidecar.address = f"unix:{folder}/probe.sock"
            wait_serving(sidecar)
            lines = [json.loads(line) for line in sidecar.log_text().splitlines() if line.startswith("{")]
            sidecar.address = next(line for line in lines if line["event"] == "listening")["addresses"][1]
            yield sidecar, authority, credentials
