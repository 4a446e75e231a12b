import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fix_database import Database
from fix_sidecar import open_directory
from fix_wire import Authority, TlsStub
from pgduet.cli.checks import Finding, check_certificates, check_database, check_sidecar
from stub_sidecar import StubSidecar

PGDUET = Path(sys.executable).parent / "pgduet"
NOBODY = "unix:/nonexistent/sidecar.sock"


def doctor(environment: dict[str, str], *options: str) -> tuple[int, str]:
    done = subprocess.run(
        [PGDUET, "doctor", *options], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def check(database: Database, address: str = NOBODY) -> dict[str, Finding]:
    """Check a database and the sidecar at an address; give the findings by part."""
    fingerprints: dict[str, str] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGDUET_SIDECAR", address)
        found = [*check_sidecar(fingerprints), *check_database(database.conninfo, fingerprints)]
    return {finding.part: finding for finding in found}


def test_what_cannot_be_reached_is_named_with_what_to_do(tmp_path: Path) -> None:
    unreachable = {"PGHOST": str(tmp_path), "PGDUET_SIDECAR": NOBODY}
    status, output = doctor(unreachable)
    assert status == 1
    failed = [line.split()[1] for line in output.splitlines() if line.startswith("fail")]
    assert failed[-2:] == ["sidecar", "postgresql"]
    assert "-> start it with `pgduet serve`" in output
    status, output = doctor(unreachable, "--json")
    assert status == 1
    assert [finding["part"] for finding in json.loads(output)][-2:] == ["sidecar", "postgresql"]


def test_an_empty_database_is_told_from_an_installed_one(empty_database: Database) -> None:
    found = check(empty_database)
    assert found["postgresql"].state == "ok"
    assert "a superuser" in found["postgresql"].detail
    for part in ("plpython3u", "vector", "schema"):
        assert found[part].state == "fail"
        assert "pgduet db migrate" in found[part].hint


def test_a_well_database_passes_every_check(stub_database: Database, stub: StubSidecar) -> None:
    found = check(stub_database, stub.address)
    assert {part for part, finding in found.items() if finding.state == "fail"} == set()
    for part in ("server's python", "server's sidecar", "server's model", "fingerprint", "vectors", "index"):
        assert found[part].state == "ok", found[part]


def test_an_old_pgvector_is_a_warning_that_says_why(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("UPDATE pg_extension SET extversion = '0.8.1' WHERE extname = 'vector'")
        found = check(database)
    assert found["vector"].state == "warn"
    assert "CVE" in found["vector"].detail


def test_another_fingerprint_than_the_stored_vectors_have_fails(stub_database: Database, stub: StubSidecar) -> None:
    with stub_database.connect() as connection:
        connection.execute("UPDATE pgduet.generations SET fingerprint = 'of-another-model'")
    found = check(stub_database, stub.address)
    assert found["fingerprint"].state == "fail"
    assert "of-another-model" in found["fingerprint"].detail


def test_chunks_without_a_vector_are_counted(database: Database) -> None:
    with database.connect() as connection:
        # As replication and restores do, past the triggers.
        connection.execute("SET session_replication_role = replica")
        connection.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('def f(): pass'), ('   ')")
    found = check(database)
    assert found["vectors"].state == "warn"
    assert "1 of 2 chunks" in found["vectors"].detail


def test_workers_that_are_missing_or_cannot_work_and_chunks_given_up_are_warnings(database: Database) -> None:
    assert check(database)["worker"].hint == "start one: pgduet worker"
    assert check(database)["failures"].state == "ok"
    with database.connect() as connection:
        connection.execute("SELECT pgduet._beat('w', 'host', 1, '0.1', 'working', NULL, 5, 0)")
        assert check(database)["worker"].state == "ok"
        connection.execute("SELECT pgduet._beat('w', 'host', 1, '0.1', 'waiting', 'no sidecar', 5, 0)")
        connection.execute("INSERT INTO pgduet.code_chunks (chunk_id, content) VALUES (1, 'x')")
        connection.execute("INSERT INTO pgduet._dead_letter VALUES (1, 1, sha256('x'), 'row_permanent', 'too long', 1)")
    found = check(database)
    assert "1 of 1 cannot work: no sidecar" in found["worker"].detail
    assert "1 chunks were given up, such as: too long" in found["failures"].detail
    assert (found["vectors"].state, found["vectors"].detail) == ("ok", "no chunk of 1 waits for its vector")


def test_a_server_that_reaches_no_sidecar_is_told_from_a_client_that_does(
    database: Database, stub: StubSidecar
) -> None:
    found = check(database, stub.address)
    assert found["sidecar"].state == "ok"
    assert found["server's sidecar"].state == "fail"
    assert "sidecar_address" in found["server's sidecar"].hint


def test_an_index_whose_build_broke_off_is_a_warning(database: Database) -> None:
    assert check(database)["index"].state == "ok"
    with database.connect() as connection:
        name = "code_embeddings_g1_sketch_test"
        connection.execute(f"CREATE INDEX {name} ON pgduet.code_embeddings_g1 (embedded_at)")
        connection.execute(f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'pgduet.{name}'::regclass")
        connection.execute(
            "INSERT INTO pgduet._index_build (generation_id, index_name, lists, rows_at_build, finished_at)"
            " VALUES (1, %s, 1, 0, now())",
            (name,),
        )
    found = check(database)["index"]
    assert found.state == "warn"
    assert f"{name} is not valid" in found.detail
    assert "pgduet db index" in found.hint


def test_every_sidecar_of_a_list_is_checked_and_the_bad_one_named(stub_database: Database, stub: StubSidecar) -> None:
    with open_directory() as folder, StubSidecar(f"unix:{folder}/b.sock") as other:
        several = f"{stub.address},{other.address},unix:{folder}/nobody.sock"
        stub_database.set("sidecar_address", several)
        other.fingerprint = "another"
        fingerprints: dict[str, str] = {}
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PGDUET_SIDECAR", several)
            seen = list(check_sidecar(fingerprints))
            patch.setenv("PGDUET_SIDECAR", f"{stub.address},127.0.0.1:1")
            (refused,) = check_sidecar({})
        found = [one for one in check_database(stub_database.conninfo, fingerprints) if one.part == "server's sidecar"]
    assert [one.state for one in seen] == ["ok", "fail", "fail"]
    assert f"at {other.address} serves another small than the first" in seen[1].detail
    assert f"{folder}/nobody.sock" in seen[2].detail
    assert "in one list" in refused.detail
    assert [one.state for one in found] == ["ok", "ok", "fail"]
    assert f"{folder}/nobody.sock" in found[2].detail


def test_a_list_that_cannot_be_called_is_refused_before_it_is_stored(database: Database) -> None:
    done = subprocess.run(
        [PGDUET, "db", "set", "sidecar_address", "unix:/a.sock,127.0.0.1:1"],
        env={**os.environ, **database.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "unix sockets and TCP addresses in one list" in done.stderr
    with database.connect() as connection:
        query = "SELECT value FROM pgduet._setting WHERE key = 'sidecar_address'"
        assert connection.execute(query).fetchone() == ("unix:/nonexistent/sidecar.sock",)


@pytest.mark.parametrize(
    ("days", "state", "words"), [(-1, "fail", "has ended"), (29, "warn", "29.0"), (31, "ok", "31.0")]
)
def test_certificates_that_end_are_told_of_wherever_they_are_seen(
    database: Database, wire_folder: Path, monkeypatch: pytest.MonkeyPatch, days: int, state: str, words: str
) -> None:
    authority = Authority(wire_folder)
    pair = authority.issue(days=days)
    served = wire_folder / "served.pem"
    served.write_bytes(pair.certificate.read_bytes())
    monkeypatch.setenv("PGDUET_TLS_CERTIFICATE_FILE", str(served))
    assert [(one.part, one.state) for one in check_certificates()] == [("certificate", state)]
    monkeypatch.setenv("PGDUET_SIDECAR_CA_FILE", str(authority.file))
    monkeypatch.setenv("PGDUET_SIDECAR_CERTIFICATE_FILE", str(pair.certificate))
    with TlsStub(pair) as stub:
        monkeypatch.setenv("PGDUET_SIDECAR", stub.address)
        database.set("sidecar_address", stub.address)
        database.set("sidecar_ca_file", str(authority.file))
        database.set("sidecar_certificate_file", str(pair.certificate))
        here = list(check_certificates())
        found = [one for one in check_database(database.conninfo, {}) if one.part == "certificate"]
    shown = f"the sidecar at {stub.address}"
    assert [one.state for one in here] == [state, state, "warn", state]
    for finding, place in zip(here, (str(served), str(pair.certificate), str(authority.file), shown), strict=True):
        assert place in finding.detail
    assert [one.state for one in found] == [state, "warn", state]
    assert all(words in one.detail for one in (*here, *found) if str(authority.file) not in one.detail)
    assert all("docs/security.md" in one.hint for one in (*here, *found))


def test_of_authorities_the_one_that_lasts_counts_and_what_cannot_be_read_is_left_out(
    wire_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(wire_folder)
    bundle = wire_folder / "bundle.pem"
    bundle.write_bytes(b"".join(authority.issue(days=days).certificate.read_bytes() for days in (-1, 400, 2)))
    monkeypatch.setenv("PGDUET_SIDECAR_CA_FILE", str(bundle))
    # Nobody listens there: who does not answer is the sidecar's own finding.
    monkeypatch.setenv("PGDUET_SIDECAR", "127.0.0.1:1")
    (found,) = check_certificates()
    assert (found.state, "in 400.0 days" in found.detail) == ("ok", True)
    monkeypatch.setenv("PGDUET_SIDECAR_CA_FILE", str(wire_folder / "nothing.pem"))
    assert list(check_certificates()) == []
    bundle.write_text("no certificate")
    monkeypatch.setenv("PGDUET_SIDECAR_CA_FILE", str(bundle))
    (found,) = check_certificates()
    assert (found.state, "is no certificate" in found.detail) == ("fail", True)


def test_a_policy_that_hides_chunks_from_pgduet_is_a_warning(database: Database) -> None:
    assert check(database)["row security"].state == "ok"
    with database.connect() as connection:
        connection.execute("ALTER TABLE pgduet.code_chunks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        connection.execute("CREATE POLICY hiding ON pgduet.code_chunks AS RESTRICTIVE USING (false)")
    found = check(database)["row security"]
    assert (found.state, "hiding" in found.detail) == ("warn", True)
    assert "docs/security.md" in found.hint
