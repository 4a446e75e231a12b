"""From SQL to a sidecar with certificates and tokens: a real one that asks for all, and stubs that are not right."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from fix_database import Connection, Database
from fix_wire import TOKENS, Authority, Pair, Strict, TlsStub
from pgduet.cli.checks import check_sidecar
from pgduet.client import EmbeddingClient, SidecarError
from pgduet.v1.credentials import Credentials
from stub_sidecar import StubSidecar


def use(database: Database, address: str, credentials: Credentials) -> None:
    database.set("sidecar_address", address)
    for key in ("ca_file", "certificate_file", "key_file", "token_file", "server_name"):
        database.set(f"sidecar_{key}", getattr(credentials, key))


def embed(session: Connection) -> None:
    assert session.execute("SELECT pgduet.embed('x') IS NOT NULL").fetchone() == (True,)


def refused(session: Connection) -> psycopg.Error:
    with pytest.raises(psycopg.Error) as caught:
        embed(session)
    return caught.value


def hint(error: psycopg.Error) -> str:
    return error.diag.message_hint or ""


def test_a_stub_with_tls_and_a_token_is_called_and_files_are_read_again(
    database: Database, authority: Authority, wire_folder: Path
) -> None:
    token = str(authority.write("token", TOKENS[0]))
    with TlsStub(authority.issue()) as stub, database.connect() as session:
        use(database, stub.address, authority.credentials(token_file=token))
        embed(session)
        authority.write("token", TOKENS[1])
        embed(session)
        assert stub.authorizations == [f"Bearer {one}" for one in TOKENS]
        other = Authority(wire_folder, "another")
        other.file.replace(authority.file)
        assert "No authority of the CA file" in hint(refused(session))


@pytest.mark.parametrize("case", ["authority", "name", "expired", "no certificate", "no tls"])
def test_a_handshake_that_fails_is_58030_with_what_to_do(
    case: str, database: Database, authority: Authority, wire_folder: Path
) -> None:
    callers = Authority(wire_folder, "callers") if case == "no certificate" else None
    pair = authority.issue("DNS:elsewhere.test") if case == "name" else authority.issue(days=-(case == "expired") or 2)
    trusted = Authority(wire_folder, "another") if case == "authority" else authority
    words = {
        "authority": "No authority of the CA file has signed",
        "name": "set sidecar_server_name",
        "expired": "certificate has expired: renew it",
        "no certificate": "if it asks for a certificate",
        "no tls": "if it speaks TLS",
    }
    with TlsStub(pair, callers) as stub, database.connect() as session:
        use(database, stub.address, Credentials() if case == "no tls" else trusted.credentials())
        error = refused(session)
        assert error.sqlstate == "58030"
        assert words[case] in hint(error)
        health = session.execute("SELECT status, detail FROM pgduet.health() WHERE component = 'sidecar'").fetchone()
        assert health is not None
        assert health[0] == "fail"
        assert words[case].lower() in health[1].lower()
        assert stub.requests == []


@pytest.mark.parametrize(
    ("name", "lines", "mode", "words"),
    [
        ("token", ["a-token-of-this-test"], 0o644, "can be read by more than its owner (mode 0644)"),
        ("token", ["db.example:5432:*:me:a-password-of-another-file"], 0o600, "holds a line that is no token"),
        ("missing", [], 0o600, "cannot be read: No such file"),
    ],
)
def test_a_file_that_cannot_be_used_is_an_error_without_its_content_and_inserts_go_on(
    database: Database, authority: Authority, stub: StubSidecar, name: str, lines: list[str], mode: int, words: str
) -> None:
    path = authority.write(name, *lines, mode=mode) if lines else authority.folder / name
    use(database, stub.address, Credentials(token_file=str(path)))
    with database.connect() as session:
        notices: list[str] = []
        session.add_notice_handler(lambda notice: notices.append(f"{notice.message_primary} {notice.message_detail}"))
        error = refused(session)
        assert (error.sqlstate, words in str(error)) == ("58030", True)
        assert "sidecar_token_file" in hint(error)
        session.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('waits in the queue')")
        health = session.execute("SELECT detail FROM pgduet.health() WHERE component = 'sidecar'").fetchone()
        assert health is not None
        assert words in health[0]
        told = f"{error} {hint(error)} {error.diag.message_detail} {notices} {health}"
        assert not any(line in told or "a-password" in told for line in lines)
    assert stub.requests == []


def test_only_who_may_read_the_servers_files_may_name_one(database: Database) -> None:
    with database.connect() as session:
        session.execute("CREATE ROLE keeper_of_files LOGIN IN ROLE pgduet_admin")
        try:
            session.execute("SET ROLE keeper_of_files")
            update = "UPDATE pgduet._setting SET value = %s WHERE key = %s"
            session.execute(update, ("127.0.0.1:1", "sidecar_address"))
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="change sidecar_token_file") as caught:
                session.execute(update, ("/etc/passwd", "sidecar_token_file"))
            assert "pg_read_server_files" in hint(caught.value)
            session.execute("RESET ROLE")
            session.execute("GRANT pg_read_server_files TO keeper_of_files")
            session.execute("SET ROLE keeper_of_files")
            session.execute(update, ("/etc/pgduet/token", "sidecar_token_file"))
            with pytest.raises(psycopg.errors.CheckViolation):
                session.execute(update, ("relative/token", "sidecar_token_file"))
        finally:
            session.execute("RESET ROLE")
            session.execute("DROP ROLE keeper_of_files")


def test_a_real_sidecar_with_certificates_of_both_and_tokens(database: Database, strict: Strict) -> None:
    sidecar, authority, credentials = strict
    with database.connect() as session:
        use(database, sidecar.address, credentials)
        embed(session)
        for wrong in ("", str(authority.write("wrong", "another-token-of-this-test"))):
            database.set("sidecar_token_file", wrong)
            error = refused(session)
            assert error.sqlstate == "28000"
            assert "sidecar_token_file" in hint(error)
            assert "answered by" not in (error.diag.message_detail or "")
        authority.write("wrong", TOKENS[1])
        embed(session)
        database.set("sidecar_certificate_file", "")
        assert "only one of certificate and key" in str(refused(session))


def test_the_worker_and_the_command_line_come_in_by_the_environment(
    database: Database, strict: Strict, monkeypatch: pytest.MonkeyPatch
) -> None:
    sidecar, authority, credentials = strict
    use(database, sidecar.address, credentials)
    for key, value in {**database.environment, "PGDUET_SIDECAR": sidecar.address}.items():
        monkeypatch.setenv(key, value)

    def worker() -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).with_name("pgduet")), "worker", "--once"]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def doctor() -> tuple[str, str]:
        (finding,) = check_sidecar({})
        return finding.state, f"{finding.detail} -> {finding.hint}"

    with database.connect() as session:
        session.execute("SET pgduet.trigger_mode = 'queue'")
        session.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('def f(): return 1')")
        state, told = doctor()
        assert (state, "if it speaks TLS" in told) == ("fail", True)
        for field in ("ca_file", "certificate_file", "key_file"):
            monkeypatch.setenv(f"PGDUET_SIDECAR_{field.upper()}", getattr(credentials, field))
        done = worker()
        assert (done.returncode, "UNAUTHENTICATED" in done.stderr) == (1, True)
        assert session.execute("SELECT count(*) FROM pgduet.failures").fetchone() == (0,)
        state, told = doctor()
        assert (state, "PGDUET_SIDECAR_TOKEN_FILE" in told) == ("fail", True)
        monkeypatch.setenv("PGDUET_SIDECAR_TOKEN_FILE", str(authority.write("workers", TOKENS[1])))
        done = worker()
        assert (done.returncode, done.stderr.count("Traceback")) == (0, 0), done.stderr
        assert session.execute("SELECT sum(pending) FROM pgduet.coverage").fetchone() == (0,)
        state, told = doctor()
        assert (state, f"{sidecar.address} serves small" in told) == ("ok", True)
    lines = [json.loads(line) for line in sidecar.log_text().splitlines() if line.startswith("{")]
    assert any(line.get("call") == "embed_stream" and line["event"] == "answered" for line in lines)


@contextmanager
def changed(pair: Pair) -> Iterator[None]:
    """Take a certificate away for a while."""
    hidden = pair.certificate.with_suffix(".hidden")
    pair.certificate.rename(hidden)
    yield
    hidden.rename(pair.certificate)


def test_a_client_that_runs_notices_its_renewed_certificate(authority: Authority, wire_folder: Path) -> None:
    callers = Authority(wire_folder, "callers")
    shown = callers.issue()
    credentials = authority.credentials(certificate_file=str(shown.certificate), key_file=str(shown.key))
    with (
        TlsStub(authority.issue(), callers) as stub,
        EmbeddingClient(stub.address, credentials=credentials) as client,
    ):
        assert not client.is_stale()
        with changed(shown):
            assert client.is_stale()
            with pytest.raises(SidecarError, match="cannot be read"):
                EmbeddingClient(stub.address, credentials=credentials)
        callers.replace(shown, callers.issue())
        assert client.is_stale()
