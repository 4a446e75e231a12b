"""Nothing that pgduet writes holds a text that was sent or a token: logs, metrics, errors, in success and failure."""

import socket
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import psycopg
import pytest

from fix_database import Database
from fix_sidecar import Sidecar, open_directory, running_sidecar, wait_serving
from fix_wire import TOKENS, Authority
from gated_process import POISON, SLOW
from pgduet.client import EmbeddingClient, EmbeddingStream, SidecarError
from pgduet.v1 import embedding_pb2 as pb
from pgduet.v1 import embedding_pb2_grpc
from pgduet.v1.credentials import Credentials

MARKER = "SECRETMARKER"
WRONG = "SECRETMARKER-wrong-token"


@pytest.fixture(params=["json", "console"])
def watched(request: pytest.FixtureRequest, authority: Authority) -> Iterator[tuple[Sidecar, str]]:
    """Give a sidecar that says all it can say, and where its metrics are."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        metrics = f"127.0.0.1:{taken.getsockname()[1]}"
    settings = {"token_file": str(authority.write("tokens", *TOKENS)), "metrics_address": metrics}
    program = str(Path(__file__).parent.parent / "gated_process.py")
    with (
        open_directory() as folder,
        running_sidecar(folder, program=program, log_format=request.param, **settings) as sidecar,
    ):
        wait_serving(sidecar)
        yield sidecar, metrics


class Told:
    """What callers were told."""

    def __init__(self) -> None:
        self.errors: list[str] = []

    def __call__(self, call: Any, *arguments: Any, **named: Any) -> None:
        with pytest.raises((SidecarError, grpc.RpcError, psycopg.Error)) as caught:
            call(*arguments, **named)
        error: Any = caught.value
        self.errors.append(f"{error} {error!r}")
        for name in ("hint", "told", "debug_error_string", "diag"):
            with suppress(AttributeError, psycopg.Error):
                found = getattr(error, name)
                fields = ("message_primary", "message_detail", "message_hint", "context")
                self.errors += [str(getattr(found, field, "")) for field in fields]
                self.errors.append(str(found() if callable(found) else found))


def poisoned(name: str) -> list[str]:
    """Give texts of which so many fail that the request does."""
    return [f"{MARKER} {POISON} {name} {number}" for number in range(4)]


def fail_in_every_way(sidecar: Sidecar, told: Told, client: EmbeddingClient, tokens: tuple[Any, ...]) -> None:
    """Call from Python; each of these ends with another status."""
    text = f"def {MARKER}(): pass"
    told(client.embed, "small", poisoned("first"))
    # A sidecar whose model fails three times in a row ends.
    client.embed("small", [f"{text} between"])
    told(client.embed, "small", [text] * 257)
    told(client.embed, "small", [text], expected_fingerprint="another")
    told(client.embed, "another", [text])
    told(client.embed, "small", [f"{SLOW} {text}"], timeout=0.3)
    told(client.chunk, text, language="klingon")
    told(client.chunk, text * 100_000)
    stream = EmbeddingStream(client)
    told(stream.embed, "small", poisoned("second"), "document", "", 5)
    stream.close()
    failed = client.embed("small", [text, f"{text} {POISON} alone", f"{text} {'x' * 2_000_000}"])
    told.errors += [result.error.message for result in failed.results]
    with EmbeddingClient(sidecar.address, credentials=Credentials()) as stranger:
        told(stranger.embed, "small", [text])
    with grpc.insecure_channel(sidecar.address) as channel:
        stub = embedding_pb2_grpc.EmbeddingServiceStub(channel)  # type: ignore[no-untyped-call]
        request = pb.EmbedRequest(model="small", role=pb.ROLE_DOCUMENT, texts=[text])
        told(stub.Embed, request, timeout=5, metadata=(("authorization", f"Bearer {WRONG}"),))
        told(stub.Embed, request, timeout=5, metadata=(("authorization", f"Basic {WRONG}"),))
        told(stub.Embed, pb.EmbedRequest(model="small", texts=[text]), timeout=5, metadata=tokens)
        make: Any = channel.unary_unary("/pgduet.v1.EmbeddingService/Embed")
        told(make, text.encode() * 100, timeout=5, metadata=tokens)


def test_neither_texts_nor_tokens_are_written_anywhere(
    database: Database, watched: tuple[Sidecar, str], authority: Authority
) -> None:
    sidecar, metrics = watched
    token_file = str(authority.write("mine", TOKENS[0]))
    told = Told()
    server_log = database.cluster.log
    before = server_log.stat().st_size
    with EmbeddingClient(sidecar.address, credentials=Credentials(token_file=token_file)) as client:
        client.embed("small", [f"def {MARKER}_well(): pass"])
        fail_in_every_way(sidecar, told, client, (("authorization", f"Bearer {TOKENS[1]}"),))
    database.set("sidecar_address", sidecar.address)
    database.set("sidecar_token_file", token_file)
    with database.connect() as session:
        session.add_notice_handler(lambda n: told.errors.append(f"{n.message_primary} {n.message_detail} {n.context}"))
        # Parameters, not literals: a statement that PostgreSQL itself logs is the user's own.
        text = f"def {MARKER}_sql(): pass"
        session.execute("SELECT pgduet.embed(%s)", (text,))
        insert = "INSERT INTO pgduet.code_chunks (content) VALUES (%s)"
        session.execute(insert, (text,))
        told(session.execute, "SELECT pgduet.embed(%s)", (f"{text} {POISON}",))
        session.execute("SELECT pgduet.embed(%s)", (f"{text} between",))
        told(session.execute, "SELECT pgduet.embed(%s, 'another')", (text,))
        told(session.execute, "SELECT * FROM pgduet.chunk_code(%s, 'klingon')", (text,))
        session.execute(insert, (f"{text} {POISON} auto",))
        session.execute("SELECT pgduet.embed(%s)", (f"{text} between again",))
        session.execute("SET pgduet.trigger_mode = 'sync'")
        told(session.execute, insert, (f"{text} {POISON} sync",))
        session.execute("SET statement_timeout = '300ms'")
        told(session.execute, "SELECT pgduet.embed(%s)", (f"{SLOW} {text}",))
        session.execute("RESET statement_timeout")
        database.set("sidecar_token_file", str(authority.write("wrong", WRONG)))
        told(session.execute, "SELECT pgduet.embed(%s)", (text,))
        told.errors += [str(row) for row in session.execute("SELECT * FROM pgduet.health()")]
        told.errors += [str(row) for row in session.execute("SELECT error FROM pgduet.failures")]
    scraped = urllib.request.urlopen(f"http://{metrics}/metrics", timeout=5).read().decode()
    with server_log.open() as file:
        file.seek(before)
        said_by_postgresql = file.read()
    said = {
        "the sidecar's log": sidecar.log_text(),
        "metrics": scraped,
        "errors": "\n".join(told.errors),
        "PostgreSQL's log": said_by_postgresql,
    }
    for statuses in ("INTERNAL", "INVALID_ARGUMENT", "UNAUTHENTICATED", "NOT_FOUND", "FAILED_PRECONDITION"):
        assert statuses in scraped, "this way to fail was not taken"
    assert "DEADLINE_EXCEEDED" in scraped or "CANCELLED" in scraped
    assert "Traceback" in said["the sidecar's log"], "the fault of the model was not logged"
    assert "statement timeout" in said_by_postgresql
    for place, words in said.items():
        for secret in (MARKER, *TOKENS):
            assert secret not in words, f"{place}: {words[max(0, words.find(secret) - 500) :][:700]}"
