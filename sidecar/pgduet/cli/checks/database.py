"""Checks of the database: server, extensions, schema, the way to the sidecar, vectors and index."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from pgduet.cli.checks.finding import Finding, failed
from pgduet.errors import PgduetError

if TYPE_CHECKING:
    from pgduet.database.connection import Connection

_OLDEST_SERVER = 15
_SAFE_PGVECTOR = (0, 8, 7)
_SERVER = "SELECT current_setting('server_version'), current_setting('is_superuser') = 'on'"
_EXTENSIONS = "SELECT extname, extversion FROM pg_extension WHERE extname IN ('plpython3u', 'vector')"
_VERSION = "SELECT pgduet.version()"
_HEALTH = "SELECT component, status, detail FROM pgduet.health() WHERE component = ANY (%s)"
_ACTIVE = "SELECT model, coalesce(fingerprint, '') FROM pgduet.generations WHERE state = 'active'"
_SETTINGS = "SELECT key, value FROM pgduet._setting WHERE key LIKE 'sidecar%'"
_NO_RIGHT = "42501"
_COVERAGE = "SELECT coalesce(sum(chunks), 0)::bigint, coalesce(sum(pending), 0)::bigint FROM pgduet.coverage"
_WORKERS = "SELECT state, detail FROM pgduet.worker_status WHERE silent_seconds < 60 ORDER BY detail"
_FAILURES = "SELECT count(*), max(error) FROM pgduet.failures WHERE state = 'failed'"
_INDEX = "SELECT status, detail, coalesce(advice, '') FROM pgduet.index_health()"
_SIDECAR_HINT = "`pgduet db set sidecar_address ADDRESS` names the sidecar; the server's user must reach its socket"
# What only the server can tell: the name of the finding, and what to do where it is not ok.
_TOLD = {
    "sidecar": ("server's sidecar", _SIDECAR_HINT),
    "model": ("server's model", _SIDECAR_HINT),
    "row security": ("row security", "chunks that are hidden from pgduet lose their vectors: docs/security.md"),
}

Check = Callable[["Connection"], Iterator[Finding]]


def check_database(dsn: str, fingerprints: Mapping[str, str]) -> Iterator[Finding]:
    """Check the database; `fingerprints` are those the sidecar serves, by model, empty where it does not answer."""
    from pgduet.database.connection import connect

    try:
        connection = connect(dsn, autocommit=True, application_name="pgduet doctor")
    except PgduetError as error:
        yield failed("postgresql", error)
        return
    with connection:
        yield from _server(connection)
        yield from _extensions(connection)
        schema = _schema(connection)
        yield schema
        if schema.state == "fail":
            return
        checks: dict[str, Check] = {
            "server's python": _backend,
            "server's view": _health,
            "certificate": _certificates,
            "fingerprint": lambda c: _fingerprint(c, fingerprints),
            "vectors": _vectors,
            "worker": _worker,
            "failures": _failures,
            "index": _index,
        }
        for part, check in checks.items():
            yield from _guarded(part, check, connection)


def _guarded(part: str, check: Check, connection: "Connection") -> Iterator[Finding]:
    """Turn the refusal of a query into a finding: the next check may still tell something."""
    try:
        yield from check(connection)
    except PgduetError as error:
        yield failed(part, error)


def _server(connection: "Connection") -> Iterator[Finding]:
    from pgduet.database.asking import ask

    version, superuser = ask(connection, _SERVER)[0]
    role = f"connected as {connection.info.user}, {'a superuser' if superuser else 'not a superuser'}"
    if connection.info.server_version < _OLDEST_SERVER * 10000:
        yield Finding("postgresql", "fail", f"{version} is too old", f"use PostgreSQL {_OLDEST_SERVER} or later")
    else:
        yield Finding("postgresql", "ok", f"{version}, {role}")


def _extensions(connection: "Connection") -> Iterator[Finding]:
    from pgduet.database.asking import ask

    found = dict(ask(connection, _EXTENSIONS))
    for name, package in (("plpython3u", "postgresql-plpython3-NN"), ("vector", "postgresql-NN-pgvector")):
        if name not in found:
            hint = f"`pgduet db migrate` creates it once the server has it (Debian: {package}; or `make setup`)"
            yield Finding(name, "fail", f"the extension is not in database {connection.info.dbname}", hint)
        elif name == "vector" and _numbers(found[name]) < _SAFE_PGVECTOR:
            yield Finding(
                name,
                "warn",
                f"version {found[name]} is older than 0.8.7: memory-safety CVEs were fixed in 0.8.2 and 0.8.6, an "
                "overflow in the IVFFlat build in 0.8.7",
                "install pgvector 0.8.7 or later, then: ALTER EXTENSION vector UPDATE",
            )
        else:
            yield Finding(name, "ok", f"version {found[name]}")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _schema(connection: "Connection") -> Finding:
    from pgduet.migrations.schema import status

    try:
        found = status(connection)
    except PgduetError as error:
        return failed("schema", error)
    if found.revision is None:
        return Finding("schema", "fail", f"not installed in {connection.info.dbname}", "run: pgduet db migrate")
    detail = f"revision {found.revision} of {found.head}, functions of version {found.version or 'none'}"
    if not found.current:
        # Functions of another version may do; with another revision nothing works.
        is_near = found.revision == found.head
        return Finding("schema", "warn" if is_near else "fail", f"{detail}: not current", found.remedy)
    return Finding("schema", "ok", detail)


def _backend(connection: "Connection") -> Iterator[Finding]:
    from pgduet.database.asking import ask

    yield Finding("server's python", "ok", f"finds pgduet.backend, version {ask(connection, _VERSION)[0][0]}")


def _health(connection: "Connection") -> Iterator[Finding]:
    from pgduet.database.asking import ask

    for component, state, detail in ask(connection, _HEALTH, (list(_TOLD),)):
        part, hint = _TOLD[component]
        yield Finding(part, state, detail, "" if state == "ok" else hint)


def _certificates(connection: "Connection") -> Iterator[Finding]:
    """Check what the server's own calls are made with, where it runs on this machine."""
    from pgduet.cli.checks.certificates import check_files, check_shown
    from pgduet.database.asking import ask
    from pgduet.database.errors import DatabaseError
    from pgduet.v1.credentials import Credentials
    from pgduet.v1.dialing import is_loopback

    host = connection.info.host
    if not (host.startswith("/") or is_loopback(f"{host}:{connection.info.port}")):
        return
    try:
        settings = {key.removeprefix("sidecar_"): value for key, value in ask(connection, _SETTINGS)}
    except DatabaseError as error:
        # Settings are for admins and workers.
        if error.sqlstate == _NO_RIGHT:
            return
        raise
    credentials = Credentials(settings.get("ca_file", ""), settings.get("certificate_file", ""))
    yield from check_files([credentials.certificate_file], [credentials.ca_file])
    yield from check_shown(settings["address"], credentials)


def _fingerprint(connection: "Connection", fingerprints: Mapping[str, str]) -> Iterator[Finding]:
    from pgduet.database.asking import ask

    active = ask(connection, _ACTIVE)
    if not active:
        yield Finding("fingerprint", "fail", "there is no active generation", "run: pgduet db migrate")
        return
    model, expected = active[0]
    found = fingerprints.get(model)
    if found is None:
        detail, hint = f"the sidecar here does not serve {model}", f"start one: pgduet serve --model {model}"
        yield Finding("fingerprint", "fail" if fingerprints else "warn", detail, hint)
    elif expected in ("", found):
        yield Finding("fingerprint", "ok", f"{model} {found}" + ("" if expected else " (no vector stored yet)"))
    else:
        detail = f"the sidecar serves {model} {found}, the stored vectors are of {expected}"
        yield Finding("fingerprint", "fail", detail, "serve the model the vectors were made with")


def _vectors(connection: "Connection") -> Iterator[Finding]:
    from pgduet.database.asking import ask

    chunks, pending = ask(connection, _COVERAGE)[0]
    # Those that were given up are pending too, and no worker mends them: another finding tells of them.
    waiting = pending - ask(connection, _FAILURES)[0][0]
    if waiting > 0:
        hint = "is the worker running? start it with: pgduet worker"
        yield Finding("vectors", "warn", f"{waiting} of {chunks} chunks wait for their vector", hint)
    else:
        yield Finding("vectors", "ok", f"no chunk of {chunks} waits for its vector")


def _worker(connection: "Connection") -> Iterator[Finding]:
    from pgduet.database.asking import ask

    workers = ask(connection, _WORKERS)
    waiting = [detail for _, detail in workers if detail is not None]
    if not workers:
        yield Finding("worker", "warn", "none has shown itself for a minute", "start one: pgduet worker")
    elif waiting:
        hint = "pgduet.worker_status tells of each"
        yield Finding("worker", "warn", f"{len(waiting)} of {len(workers)} cannot work: {waiting[0]}", hint)
    else:
        yield Finding("worker", "ok", f"{len(workers)} at work")


def _failures(connection: "Connection") -> Iterator[Finding]:
    from pgduet.database.asking import ask

    count, example = ask(connection, _FAILURES)[0]
    if count:
        hint = "see pgduet.failures, mend what they name, then SELECT pgduet.retry_failed()"
        yield Finding("failures", "warn", f"{count} chunks were given up, such as: {example}", hint)
    else:
        yield Finding("failures", "ok", "no chunk was given up")


def _index(connection: "Connection") -> Iterator[Finding]:
    from pgduet.database.asking import ask

    found = ask(connection, _INDEX)
    wrong = [Finding("index", state, detail, advice) for state, detail, advice in found if state != "ok"]
    if wrong:
        yield from wrong
    else:
        yield Finding("index", "ok", found[0][1] if found else "there is no active generation")
