import asyncio
import grp
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from structlog.testing import capture_logs

from fix_sidecar import open_directory
from pgduet.errors import PgduetError
from pgduet.serving.listening import bind
from pgduet.serving.settings import read_settings


@pytest.fixture
def directory() -> Iterator[Path]:
    with open_directory() as made:
        yield made


def bound(*addresses: str, **settings: Any) -> list[str]:
    """Bind, look at what came of it while the server stands, and stop."""

    async def scenario() -> list[str]:
        server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        try:
            found = bind(server, read_settings(listen=addresses, **settings))
            modes = [oct(stat.S_IMODE(Path(a[5:]).stat().st_mode)) for a in found if a.startswith("unix:")]
            return found + modes
        finally:
            await server.start()
            await server.stop(None)

    return asyncio.run(scenario())


def listening_socket(path: Path) -> socket.socket:
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(str(path))
    server.listen()
    return server


def test_a_socket_gets_its_mode_before_traffic_and_goes_away_with_the_server(directory: Path) -> None:
    address = f"unix:{directory}/s.sock"
    assert bound(address, socket_mode="0606") == [address, "0o606"]
    assert list(directory.iterdir()) == []


def test_a_socket_gets_its_group(directory: Path) -> None:
    group = grp.getgrgid(os.getgid())
    assert bound(f"unix:{directory}/s.sock", socket_group=group.gr_name)[1] == "0o660"


def test_two_addresses_are_served_and_a_free_port_is_named(directory: Path) -> None:
    unix, tcp, _ = bound(f"unix://{directory}/s.sock", "127.0.0.1:0")
    assert unix == f"unix:{directory}/s.sock"
    assert int(tcp.removeprefix("127.0.0.1:")) > 0


def test_the_socket_of_a_dead_process_is_replaced(directory: Path) -> None:
    listening_socket(directory / "s.sock").close()
    assert (directory / "s.sock").exists()
    assert bound(f"unix:{directory}/s.sock")[0] == f"unix:{directory}/s.sock"


def test_the_socket_of_a_live_server_is_left_alone(directory: Path) -> None:
    with listening_socket(directory / "s.sock"), pytest.raises(PgduetError, match="another server is listening on"):
        bound(f"unix:{directory}/s.sock")
    assert (directory / "s.sock").exists()


def test_a_file_that_is_no_socket_is_left_alone(directory: Path) -> None:
    (directory / "s.sock").write_text("mine")
    with pytest.raises(PgduetError, match="is not a socket"):
        bound(f"unix:{directory}/s.sock")
    assert (directory / "s.sock").read_text() == "mine"


def test_a_port_in_use_is_a_clear_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PgduetError, match=f"cannot listen on 127.0.0.1:{port}: it is in use") as caught:
            bound(f"127.0.0.1:{port}")
    assert "--listen" in caught.value.hint


def test_an_address_that_other_machines_reach_is_warned_of() -> None:
    with capture_logs() as logs:
        bound("0.0.0.0:0", "127.0.0.1:0", insecure=True)
    assert [(line["log_level"], line["address"]) for line in logs] == [("warning", "0.0.0.0:0")]


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "127.example.test:0", "10.0.0.1:50517"])
def test_an_address_that_other_machines_reach_is_refused_unless_that_was_asked_for(address: str) -> None:
    with pytest.raises(PgduetError, match="nothing keeps away who reads along or calls") as caught:
        bound(address)
    assert "PGDUET_TLS_CERTIFICATE_FILE" in caught.value.hint


@pytest.mark.parametrize("address", ["50517", "/run/x.sock", "localhost:", "localhost:http", "localhost:70000"])
def test_what_is_no_address_is_told_what_one_looks_like(address: str) -> None:
    with pytest.raises(PgduetError, match="is no address to listen on") as caught:
        bound(address)
    assert "host:port" in caught.value.hint


def test_a_path_too_long_or_without_a_folder_or_a_group_unknown_is_told(directory: Path) -> None:
    with pytest.raises(PgduetError, match="longer than 107 bytes"):
        bound(f"unix:{directory}/{'x' * 107}")
    with pytest.raises(PgduetError, match="does not exist"):
        bound(f"unix:{directory}/no/s.sock")
    with pytest.raises(PgduetError, match="there is no group 'nobody-knows'"):
        bound(f"unix:{directory}/s.sock", socket_group="nobody-knows")
