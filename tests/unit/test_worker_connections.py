"""A connection that breaks makes a suspect only of a text that a sidecar had alone; all else is an outage."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc

from fix_embedder import TEXTS, ChoosyStub, check_blame, embed, raised
from fix_sidecar import open_directory
from pgduet.client import EmbeddingClient, SidecarUnavailableError
from pgduet.worker.embedding import ROW_TEMPORARY, Embedder

STUB = Path(__file__).parents[1] / "stub_sidecar.py"


@contextmanager
def stub_process(*options: str) -> Iterator[tuple["subprocess.Popen[str]", Embedder]]:
    """Run a stub as a process of its own, and connect to it."""
    with open_directory() as directory:
        address = f"unix:{directory}/stub.sock"
        command = [sys.executable, str(STUB), "--listen", address, *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("listening")
            with EmbeddingClient(address) as client:
                client.wait_ready(20)
                yield process, Embedder(client, deadline=20, most=256)
        finally:
            process.kill()
            process.communicate()


@contextmanager
def killed_soon(process: "subprocess.Popen[str]", number: int = signal.SIGKILL) -> Iterator[None]:
    """Kill a process while a request is under way."""
    timer = threading.Timer(0.5, os.kill, (process.pid, number))
    timer.start()
    yield
    timer.join()


def test_a_sidecar_that_ends_with_one_text_in_hand_makes_that_text_a_suspect() -> None:
    with stub_process("--delay", "15") as (process, embedder):
        with killed_soon(process):
            outcomes = embed(embedder, ["deadly"])
        check_blame(outcomes, ["deadly"], {"deadly": ROW_TEMPORARY})
        process.wait(5)
        # The channel may take a moment to notice.
        time.sleep(0.5)
        # Now it is simply away, and no text did that.
        assert type(raised(embedder, ["deadly"])) is SidecarUnavailableError


def test_a_sidecar_that_ends_with_several_texts_in_hand_is_an_outage_and_gets_fewer_next_time() -> None:
    with stub_process("--delay", "15") as (process, embedder):
        with killed_soon(process, signal.SIGTERM):
            error = raised(embedder, ["deadly", "harmless"])
        assert type(error) is SidecarUnavailableError
        assert embedder.size == 1


def test_a_sidecar_that_was_never_there_is_an_outage_and_costs_no_size() -> None:
    with EmbeddingClient("unix:/nonexistent/sidecar.sock") as client:
        embedder = Embedder(client, deadline=20, most=256)
        for texts in (["a"], TEXTS):
            assert type(raised(embedder, texts)) is SidecarUnavailableError
        assert embedder.size == 16


def hang_up(listener: socket.socket) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        connection.close()


def test_a_proxy_that_hangs_up_because_nobody_is_behind_it_is_an_outage_too() -> None:
    """A tunnel or a container's port takes the connection first and then finds that there is no sidecar."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=hang_up, args=(listener,))
        thread.start()
        try:
            with EmbeddingClient(f"127.0.0.1:{listener.getsockname()[1]}") as client:
                embedder = Embedder(client, deadline=20, most=256)
                for texts in (["a"], TEXTS):
                    assert type(raised(embedder, texts)) is SidecarUnavailableError
                assert embedder.size == 16
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_a_sidecar_that_stops_in_good_order_blames_no_text(choosy: ChoosyStub, embedder: Embedder) -> None:
    choosy.hang = True
    stopper = threading.Timer(0.3, choosy.stop)
    stopper.start()
    assert type(raised(embedder, ["a"])) is SidecarUnavailableError
    stopper.join()
    assert embedder.size == 16


def test_a_client_that_was_closed_says_so_and_blames_no_text(choosy: ChoosyStub, embedder: Embedder) -> None:
    embedder.client.close()
    for texts in (["a"], TEXTS):
        error = raised(embedder, texts)
        assert type(error) is SidecarUnavailableError
        assert error.code is grpc.StatusCode.CANCELLED
    assert choosy.asked == []


def test_closing_the_client_ends_a_request_under_way_and_blames_no_text(choosy: ChoosyStub, embedder: Embedder) -> None:
    choosy.hang = True
    closer = threading.Timer(0.3, embedder.client.close)
    closer.start()
    assert type(raised(embedder, ["a"])) is SidecarUnavailableError
    closer.join()
    assert embedder.size == 16
