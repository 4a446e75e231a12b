"""A call that failed can be found in the sidecar's log: both tell of it by one request id."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import grpc
import psycopg
import pytest

from fix_database import Database
from fix_embedder import FINGERPRINT, ChoosyStub
from fix_sidecar import Sidecar, open_directory, running_sidecar, wait_serving
from fix_worker import wait_until
from pgduet.client import EmbeddingClient, EmbeddingStream, RequestRefusedError, SidecarError
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


@pytest.fixture(scope="module")
def pair() -> Iterator[list[Sidecar]]:
    """Give two real sidecars over small duets, of which the second takes one text at a time."""
    program = str(Path(__file__).parents[1] / "gated_process.py")
    with open_directory() as folder, ExitStack() as stack:
        both = [
            stack.enter_context(running_sidecar(folder, name, program, max_texts=most))
            for name, most in (("one", "256"), ("other", "1"))
        ]
        for one in both:
            wait_serving(one)
        yield both


def name(sidecar: Sidecar) -> str:
    return f"{socket.gethostname()} at {sidecar.address}"


def test_a_refusal_says_which_sidecar_of_a_list_it_came_from(database: Database, pair: list[Sidecar]) -> None:
    database.set("sidecar_address", ",".join(one.address for one in pair))
    with database.connect() as session:
        session.execute("UPDATE pgduet.generations SET fingerprint = 'of-another-model'")
        named: set[str] = set()

        def ask() -> bool:
            with pytest.raises(psycopg.Error) as caught:
                session.execute("SELECT pgduet.embed('x')")
            named.add((caught.value.diag.message_detail or "").partition("; answered by ")[2])
            return len(named) == 2

        wait_until(ask)
        assert named == {name(one) for one in pair}
        # A text that is refused by itself is told of in an answer that is well.
        session.execute("UPDATE pgduet.generations SET fingerprint = NULL")
        with pytest.raises(psycopg.Error, match="blank") as caught:
            session.execute("SELECT pgduet.embed(' ')")
        assert "answered by" not in (caught.value.diag.message_detail or "")


@pytest.mark.parametrize("way", ["call", "stream"])
def test_the_clients_error_names_the_one_of_a_list_that_refuses(pair: list[Sidecar], way: str) -> None:
    both = ",".join(one.address for one in pair)

    def refusals(address: str) -> set[str]:
        """Ask until an answer and a refusal have come; a stream stays with one sidecar, so each time over a new one."""
        told, answers = set(), 0
        with EmbeddingClient(address) as client:
            for _ in range(1000):
                with closing(EmbeddingStream(client)) as stream:
                    asked = stream if way == "stream" else client
                    try:
                        asked.embed("small", ["a", "b"], "document", "", 20)
                        answers += 1
                    except SidecarError as error:
                        told.add(str(error))
                if told and (answers or address != both):
                    return told
        raise AssertionError((told, answers))

    words = "answered INVALID_ARGUMENT: the request has 2 texts; 1 to 1 are allowed"
    assert refusals(both) == {f"the sidecar on {name(pair[1])}, called at {both}, {words}"}
    # Where there is but one, its address says it.
    assert refusals(pair[1].address) == {f"the sidecar at {pair[1].address} {words}"}


def test_the_workers_error_names_the_one_of_a_list_that_refuses(pair: list[Sidecar]) -> None:
    both = ",".join(one.address for one in pair)
    told = set()
    with EmbeddingClient(both) as client:
        for _ in range(1000):
            with closing(Embedder(client, deadline=20, most=256)) as embedder, pytest.raises(SidecarError) as caught:
                embedder.embed("small", "of-another-model", ["x"])
            told.add(str(caught.value).partition(" answered FAILED_PRECONDITION: ")[0])
            if len(told) == 2:
                break
    assert told == {f"the sidecar on {name(one)}, called at {both}," for one in pair}


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
