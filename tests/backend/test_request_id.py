"""A call that failed can be found in the sidecar's log: both tell of it by one request id."""

import json
import re
import socket
from contextlib import ExitStack
from pathlib import Path

import grpc
import psycopg
import pytest

from fix_database import Database
from fix_embedder import FINGERPRINT, ChoosyStub
from fix_sidecar import Sidecar, running_sidecar, wait_serving
from fix_worker import wait_until
from pgduet.client import EmbeddingClient, RequestRefusedError
from pgduet.worker.embedding import Embedder, Failure
from stub_sidecar import StubSidecar

ID = re.compile(r"request_id ([0-9a-f]{16}(?:\.\d+)?)(?![\w.])")


def request_id(text: str | None) -> str:
    found = ID.search(text or "")
    assert found is not None, text
    return found[1]


def test_the_id_in_the_error_stands_in_the_real_sidecars_log(live_database: Database, sidecar: Sidecar) -> None:
    with live_database.connect() as session:
        session.execute("UPDATE pgduet.generations SET fingerprint = 'of-another-model'")
        ids = []
        for statement in ("SELECT pgduet.embed('x')", "SELECT * FROM pgduet.similar_code('x')"):
            with pytest.raises(psycopg.Error) as caught:
                session.execute(statement)
            assert caught.value.sqlstate == "55000"
            ids.append(request_id(caught.value.diag.message_detail))
    lines = [json.loads(line) for line in sidecar.log_text().splitlines()]
    told = {line["request_id"]: line["code"] for line in lines if line.get("event") == "refused"}
    assert [told.get(one) for one in ids] == ["FAILED_PRECONDITION"] * 2
    assert len(set(ids)) == 2


def test_a_refusal_says_which_sidecar_of_a_list_it_came_from(database: Database, folder: Path) -> None:
    with ExitStack() as stack:
        program = str(Path(__file__).parents[1] / "gated_process.py")
        both = [stack.enter_context(running_sidecar(folder, name, program)) for name in ("one", "other")]
        for one in both:
            wait_serving(one)
        database.set("sidecar_address", ",".join(one.address for one in both))
        with database.connect() as session:
            session.execute("UPDATE pgduet.generations SET fingerprint = 'of-another-model'")
            named: set[str] = set()

            def ask() -> bool:
                with pytest.raises(psycopg.Error) as caught:
                    session.execute("SELECT pgduet.embed('x')")
                named.add((caught.value.diag.message_detail or "").partition("; answered by ")[2])
                return len(named) == 2

            wait_until(ask)
            assert named == {f"{socket.gethostname()} at {one.address}" for one in both}
            # A text that is refused by itself is told of in an answer that is well.
            session.execute("UPDATE pgduet.generations SET fingerprint = NULL")
            with pytest.raises(psycopg.Error, match="blank") as caught:
                session.execute("SELECT pgduet.embed(' ')")
            assert "answered by" not in (caught.value.diag.message_detail or "")


def test_all_attempts_of_a_call_have_one_id_and_every_call_another(stub_database: Database, stub: StubSidecar) -> None:
    with stub_database.connect() as session:
        session.execute("SELECT pgduet.embed('x')")
        session.execute("SELECT pgduet.embed('x')")
        stub.status = grpc.StatusCode.UNAVAILABLE
        with pytest.raises(psycopg.Error) as caught:
            session.execute("SELECT pgduet.embed('x')")
    first, second, *attempts = [request.request_id for request in stub.requests]
    assert first != second
    assert attempts == [request_id(caught.value.diag.message_detail)] * 4


def test_a_wrong_answer_and_the_warning_of_auto_mode_tell_the_id_too(
    stub_database: Database, stub: StubSidecar
) -> None:
    with stub_database.connect() as session:
        session.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('the first gives the fingerprint')")
        session.execute("SELECT pgduet.embed('x')")
        stub.drop = True
        with pytest.raises(psycopg.errors.SystemError, match="answered with 0 results") as caught:
            session.execute("SELECT pgduet.embed('x')")
        assert request_id(caught.value.diag.message_detail) == stub.requests[-1].request_id
        details: list[str | None] = []
        session.add_notice_handler(lambda notice: details.append(notice.message_detail))
        session.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('the second')")
    (detail,) = details
    assert request_id(detail) == stub.requests[-1].request_id
    assert "For the next 30 seconds" in (detail or "")


def test_the_workers_failures_name_the_call_and_read_alike_but_for_that(choosy: ChoosyStub, embedder: Embedder) -> None:
    choosy.poison = "bad"
    said = set()
    for _ in range(2):
        ((failure,), _) = embedder.embed("small", FINGERPRINT, ["bad"])
        assert isinstance(failure, Failure)
        assert request_id(failure.error) in [request.request_id for request in choosy.requests]
        said.add(failure.error.partition(" [request_id ")[0])
    assert len(said) == 1


def test_the_clients_errors_read_alike_and_know_their_call(stub: StubSidecar) -> None:
    stub.status = grpc.StatusCode.INVALID_ARGUMENT
    with EmbeddingClient(stub.address) as client:
        errors = []
        for _ in range(2):
            with pytest.raises(RequestRefusedError) as caught:
                client.embed("small", ["x"])
            errors.append(caught.value)
    assert [error.request_id for error in errors] == [request.request_id for request in stub.requests]
    assert len({str(error) for error in errors}) == 1
    assert errors[0].told == f"{errors[0]} [request_id {errors[0].request_id}]"
