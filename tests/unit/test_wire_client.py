"""The client with certificates and tokens, against a stub that speaks TLS: what holds, and what is told otherwise."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from fix_wire import HERE, TOKENS, Authority, Pair, TlsStub
from pgduet.client import EmbeddingClient, EmbeddingStream, SidecarError, SidecarUnavailableError
from pgduet.client.embedding import sidecar_credentials
from pgduet.v1 import dialing
from pgduet.v1.certificates import check_pair
from pgduet.v1.credentials import Credentials, CredentialsError, read_file, read_tokens
from stub_sidecar import StubSidecar


@pytest.fixture
def guarded(authority: Authority) -> Iterator[TlsStub]:
    with TlsStub(authority.issue()) as stub:
        yield stub


def embed(address: str, credentials: Credentials) -> int:
    with EmbeddingClient(address, timeout=10, credentials=credentials) as client:
        return len(client.embed("small", ["x"]).results)


def refused(address: str, credentials: Credentials) -> SidecarError:
    with pytest.raises(SidecarError) as caught:
        embed(address, credentials)
    return caught.value


def test_calls_and_streams_go_over_tls_and_the_token_goes_along(authority: Authority, guarded: TlsStub) -> None:
    token_file = str(authority.write("token", "# this month's", "", *TOKENS))
    with EmbeddingClient(guarded.address, credentials=authority.credentials(token_file=token_file)) as client:
        client.embed("small", ["x"])
        EmbeddingStream(client).embed("small", ["y"], "document", "", 5)
    assert guarded.opened == 1
    assert guarded.authorizations == [f"Bearer {TOKENS[0]}"] * 2


def test_a_rotated_token_is_sent_by_a_client_that_runs(authority: Authority, guarded: TlsStub) -> None:
    token_file = str(authority.write("token", TOKENS[0]))
    with EmbeddingClient(guarded.address, credentials=authority.credentials(token_file=token_file)) as client:
        client.embed("small", ["x"])
        authority.write("token", TOKENS[1])
        client.embed("small", ["x"])
        authority.write("token", TOKENS[1], mode=0o640)
        with pytest.raises(SidecarError, match="can be read by more than its owner"):
            client.embed("small", ["x"])
    assert guarded.authorizations == [f"Bearer {token}" for token in TOKENS]


def test_the_wrong_authority_name_or_time_is_told_and_nothing_is_sent(wire_folder: Path, authority: Authority) -> None:
    cases: dict[str, tuple[Pair, Authority]] = {
        "no authority of the CA file has signed": (authority.issue(), Authority(wire_folder, "another")),
        "holds another name than its address": (authority.issue("DNS:elsewhere.test"), authority),
        "the sidecar's certificate has expired": (authority.issue(days=-1), authority),
    }
    for hint, (pair, trusted) in cases.items():
        with TlsStub(pair) as stub:
            error = refused(stub.address, trusted.credentials())
            assert hint in error.hint
            assert isinstance(error, SidecarUnavailableError)
            assert stub.requests == []


def test_a_certificate_of_the_callers_is_shown_and_its_lack_is_told(wire_folder: Path, authority: Authority) -> None:
    callers = Authority(wire_folder, "callers")

    def shown(pair: Pair) -> Credentials:
        return authority.credentials(certificate_file=str(pair.certificate), key_file=str(pair.key))

    with TlsStub(authority.issue(), clients=callers) as stub:
        assert embed(stub.address, shown(callers.issue())) == 1
        assert "if it asks for a certificate" in refused(stub.address, authority.credentials()).hint
        assert "may not know the authority" in refused(stub.address, shown(authority.issue())).hint
        assert "has expired at" in refused(stub.address, shown(callers.issue(days=-1))).hint
        mixed = Pair(callers.issue().certificate, callers.issue().key)
        assert "hold nothing that can be used" in refused(stub.address, shown(mixed)).hint


def test_who_speaks_tls_to_one_that_does_not_is_told_and_the_other_way_round(
    authority: Authority, guarded: TlsStub
) -> None:
    assert "if it speaks TLS" in refused(guarded.address, Credentials()).hint
    with StubSidecar("127.0.0.1:0") as plain:
        assert "speaks no TLS" in refused(plain.address, authority.credentials()).hint


def test_several_sidecars_are_called_by_the_name_that_all_their_certificates_hold(authority: Authority) -> None:
    pairs = authority.issue(f"{HERE},DNS:sidecars.test"), authority.issue("DNS:sidecars.test")
    with TlsStub(pairs[0]) as one, TlsStub(pairs[1]) as two:
        both = f"{one.address},{two.address}"
        assert "a name that all their certificates hold" in str(refused(both, authority.credentials()))
        with EmbeddingClient(both, credentials=authority.credentials(server_name="sidecars.test")) as client:
            while not (one.requests and two.requests):
                client.embed("small", ["x"])


def test_a_unix_socket_needs_no_tls_and_a_token_goes_nowhere_else_in_the_open(
    authority: Authority, stub: StubSidecar
) -> None:
    token_file = str(authority.write("token", TOKENS[0]))
    assert embed(stub.address, authority.credentials(token_file=token_file)) == 1
    with StubSidecar("127.0.0.1:0") as loopback:
        assert embed(loopback.address, Credentials(token_file=token_file)) == 1
    error = refused("sidecar.example:50517", Credentials(token_file=token_file))
    assert "a token is not sent to sidecar.example:50517" in str(error)
    assert error.code is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1:1", True),
        ("localhost:1", True),
        ("dns:///localhost:1", True),
        ("[::1]:1", True),
        ("ipv6:[::1]:1", True),
        ("ipv4:127.8.8.8:1", True),
        ("unix:/a.sock", True),
        ("ipv4:10.0.0.1:1", False),
        ("127.0.0.1.example:1", False),
        ("localhost.example:1", False),
        ("dns:///sidecars:1", False),
        ("0.0.0.0:1", False),
        ("unix-abstract:name", False),
    ],
)
def test_what_is_this_machine_is_told_from_what_only_looks_like_it(address: str, expected: bool) -> None:
    assert dialing.is_loopback(address) is expected


def pipe(path: Path) -> None:
    """A reader would wait for its writer."""
    path.unlink()
    os.mkfifo(path, 0o600)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda path: path.chmod(0o640), r"can be read by more than its owner \(mode 0640\)"),
        (lambda path: path.chmod(0o604), r"can be read by more than its owner \(mode 0604\)"),
        (lambda path: path.write_text(""), "holds no token"),
        (lambda path: path.write_text("short\n"), "holds a line that is no token"),
        (lambda path: path.write_text("host:5432:db:user:secret-password\n"), "holds a line that is no token"),
        (lambda path: path.write_bytes(b"\xff" * 40), "is no file of tokens"),
        (lambda path: path.unlink(), "cannot be read: No such file"),
        (pipe, "is no file of certificates, keys or tokens"),
        (lambda path: (path.unlink(), path.mkdir(0o700)), "is no file of certificates, keys or tokens"),
        (lambda path: (path.unlink(), path.symlink_to("/dev/zero")), "is no file of certificates, keys or tokens"),
    ],
)
def test_a_file_that_is_no_private_file_of_tokens_is_refused_and_its_content_not_told(
    tmp_path: Path, change: Callable[[Path], Any], words: str
) -> None:
    path = tmp_path / "token"
    path.touch(0o600)
    path.write_text("a-token-that-nobody-may-see\n")
    change(path)
    with pytest.raises(CredentialsError, match=words) as caught:
        read_tokens(str(path))
    told = f"{caught.value} {caught.value.hint} {caught.value.__cause__}"
    assert not any(secret in told for secret in ("nobody-may-see", "short", "secret-password"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_group_that_root_chose_may_read_as_postgresql_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "token"
    path.write_text(f"{TOKENS[0]}\n")
    path.chmod(0o640)
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    assert read_file(str(path), private=True)
    path.chmod(0o660)
    with pytest.raises(CredentialsError, match="mode 0660"):
        read_file(str(path), private=True)


def test_a_pair_is_checked_before_it_is_used(authority: Authority, tmp_path: Path) -> None:
    good, other, old = authority.issue(), authority.issue(), authority.issue(days=-1)
    assert check_pair(str(good.certificate), str(good.key)) > 0
    for certificate, key, words in (
        (good.certificate, other.key, "cannot be used together: KEY_VALUES_MISMATCH"),
        (old.certificate, old.key, "has expired at 20"),
        (good.key, good.key, "is no certificate"),
        (good.certificate, good.certificate, "can be read by more than its owner"),
    ):
        with pytest.raises(CredentialsError, match=words):
            check_pair(str(certificate), str(key))


def test_the_environment_names_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CA_FILE", "CERTIFICATE_FILE", "KEY_FILE", "TOKEN_FILE", "SERVER_NAME"):
        monkeypatch.setenv(f"PGDUET_SIDECAR_{name}", name)
    assert sidecar_credentials() == Credentials("CA_FILE", "CERTIFICATE_FILE", "KEY_FILE", "TOKEN_FILE", "SERVER_NAME")


def test_a_refused_token_is_an_error_that_names_the_file(stub: StubSidecar) -> None:
    stub.status, stub.details = grpc.StatusCode.UNAUTHENTICATED, "the bearer token is missing"
    error = refused(stub.address, Credentials())
    assert error.code is grpc.StatusCode.UNAUTHENTICATED
    assert "PGDUET_SIDECAR_TOKEN_FILE" in error.hint
