"""A real server with TLS and tokens over a duet that computes nothing: who is let in, and who is not."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from structlog.testing import capture_logs

from fix_wire import TOKENS, Authority, Pair
from gated_server import SERVING, Running, eventually, running, status_of
from pgduet.errors import PgduetError
from pgduet.serving.securing import server_credentials
from pgduet.serving.settings import read_settings
from pgduet.v1 import embedding_pb2 as pb
from pgduet.v1 import embedding_pb2_grpc

LIST = "/pgduet.v1.EmbeddingService/ListModels"
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"


def free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"127.0.0.1:{taken.getsockname()[1]}"


def named(pair: Pair) -> dict[str, Path]:
    return {"tls_certificate_file": pair.certificate, "tls_key_file": pair.key}


@asynccontextmanager
async def guarded(**settings: Any) -> AsyncIterator[tuple[Running, str]]:
    """Serve on a unix socket and on TCP."""
    address = free_address()
    async with running(also=(address,), **settings) as server:
        for duet in server.store.duets.values():
            duet.gate.set()
        yield server, address


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


async def list_models(
    address: str, authority: Authority | None = None, pair: Pair | None = None, token: str | None = None
) -> pb.ListModelsResponse:
    key, certificate = pair.bytes() if pair else (None, None)
    channel = grpc.aio.insecure_channel(address)
    if authority is not None:
        credentials = grpc.ssl_channel_credentials(authority.file.read_bytes(), key, certificate)
        channel = grpc.aio.secure_channel(address, credentials)
    async with channel:
        stub = embedding_pb2_grpc.EmbeddingServiceStub(channel)  # type: ignore[no-untyped-call]
        reply: pb.ListModelsResponse = await stub.ListModels(
            pb.ListModelsRequest(), timeout=5, metadata=bearer(token) if token else ()
        )
        return reply


async def refusal(*args: Any, **more: Any) -> grpc.StatusCode:
    code, _ = await status_of(list_models(*args, **more))
    return code


def test_tcp_speaks_tls_and_only_tls_and_the_unix_socket_none(authority: Authority, wire_folder: Path) -> None:
    async def scenario() -> None:
        async with guarded(**named(authority.issue())) as (server, address):
            assert (await list_models(address, authority)).version
            assert await refusal(address) is grpc.StatusCode.UNAVAILABLE
            assert await refusal(address, Authority(wire_folder, "another")) is grpc.StatusCode.UNAVAILABLE
            assert (await server.stub.ListModels(pb.ListModelsRequest(), timeout=5)).version

    asyncio.run(scenario())


def test_with_an_authority_of_callers_each_must_show_a_certificate_of_it(
    authority: Authority, wire_folder: Path
) -> None:
    callers = Authority(wire_folder, "callers")

    async def scenario() -> None:
        async with guarded(**named(authority.issue()), tls_client_ca_file=callers.file) as (_, address):
            assert (await list_models(address, authority, callers.issue())).version
            for pair in (None, authority.issue(), callers.issue(days=-1)):
                assert await refusal(address, authority, pair) is grpc.StatusCode.UNAVAILABLE

    asyncio.run(scenario())


def test_a_renewed_certificate_holds_for_the_next_connection_and_a_bad_one_never(authority: Authority) -> None:
    served, renewed, expired = authority.issue(), authority.issue("IP:127.0.0.1,DNS:renewed"), authority.issue(days=-1)

    async def certificate(address: str) -> bytes:
        _, writer = await asyncio.open_connection(*address.split(":"), ssl=_any_certificate())
        writer.close()
        found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        assert isinstance(found, bytes)
        return found

    async def scenario() -> None:
        with capture_logs() as logs:
            async with guarded(**named(served)) as (_, address):
                first = await certificate(address)
                authority.replace(served, renewed)
                second = await certificate(address)
                assert second != first
                authority.replace(served, expired)
                assert await certificate(address) == second
                served.key.unlink()
                assert await certificate(address) == second
                assert (await list_models(address, authority)).version
        kept = [line["reason"] for line in logs if line["event"] == "what was read before is kept"]
        assert len(kept) == 2, "once for each fault, however many connections come"
        assert "has expired" in kept[0]
        assert "cannot be read" in kept[1]

    asyncio.run(scenario())


def _call(channel: grpc.aio.Channel, method: str) -> Any:
    """Send no bytes to a method, whatever it is."""
    make: Any = channel.unary_unary(method)
    return make(b"", timeout=5)


def _any_certificate() -> Any:
    import ssl

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    return context


def test_a_call_without_one_of_the_tokens_is_refused_on_every_address(authority: Authority) -> None:
    token_file = authority.write("tokens", "# two at a time", *TOKENS)

    async def scenario() -> None:
        with capture_logs() as logs:
            async with guarded(**named(authority.issue()), token_file=token_file) as (server, address):
                for token in TOKENS:
                    assert (await list_models(address, authority, token=token)).version
                for wrong in (None, "another-token-of-this-test", TOKENS[0][:-1], "x" * 5000):
                    assert await refusal(address, authority, token=wrong) is grpc.StatusCode.UNAUTHENTICATED
                code, details = await status_of(server.embed("no token on the socket either"))
                assert (code, details) == (grpc.StatusCode.UNAUTHENTICATED, "the bearer token is missing")
                assert server.duet.batches == []
        lines = [line for line in logs if line.get("call") == "unauthenticated"]
        assert {line["reason"] for line in lines} == {
            "the bearer token is missing",
            "the bearer token is none of the sidecar's",
        }
        assert lines[0]["peer"].startswith("ipv4:127.0.0.1:")
        assert not any(token in str(logs) for token in TOKENS)

    asyncio.run(scenario())


def test_tokens_are_rotated_without_a_restart_and_a_bad_file_keeps_the_last_good_ones(authority: Authority) -> None:
    token_file = authority.write("tokens", TOKENS[0])

    async def scenario() -> None:
        async with guarded(token_file=token_file) as (_, address):

            async def let_in() -> list[bool]:
                results = await asyncio.gather(
                    *(list_models(address, token=token) for token in TOKENS), return_exceptions=True
                )
                return [not isinstance(result, Exception) for result in results]

            assert await let_in() == [True, False]
            authority.write("tokens", TOKENS[1], TOKENS[0])
            assert await let_in() == [True, True]
            authority.write("tokens", TOKENS[1])
            assert await let_in() == [False, True]
            with capture_logs() as logs:
                authority.write("tokens", "short")
                assert await let_in() == [False, True]
                authority.write("tokens", TOKENS[0], mode=0o644)
                assert await let_in() == [False, True]
            assert [line["log_level"] for line in logs if "reason" in line and "hint" in line] == ["error"] * 2
            authority.write("tokens", TOKENS[0])
            assert await let_in() == [True, False]

    asyncio.run(scenario())


def test_probes_need_no_token_and_all_else_does(authority: Authority) -> None:
    token_file = authority.write("tokens", TOKENS[0])

    async def scenario() -> None:
        async with guarded(token_file=token_file) as (server, address):
            await server.until_serving()
            async with grpc.aio.insecure_channel(address) as channel:
                health = health_pb2_grpc.HealthStub(channel)  # type: ignore[no-untyped-call]
                assert (await health.Check(health_pb2.HealthCheckRequest(), timeout=5)).status == SERVING
                watch = health.Watch(health_pb2.HealthCheckRequest(), timeout=5)
                assert (await watch.read()).status == SERVING
                watch.cancel()
                for method in (
                    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                    "/no.such/Method",
                    LIST,
                ):
                    code, _ = await status_of(_call(channel, method))
                    assert code is grpc.StatusCode.UNAUTHENTICATED

    asyncio.run(scenario())


def test_a_stream_without_a_token_ends_before_it_has_sent_anything(authority: Authority) -> None:
    token_file = authority.write("tokens", TOKENS[0])

    async def scenario() -> None:
        async with guarded(token_file=token_file) as (server, _):
            silent = server.stub.EmbedStream(timeout=5)
            code, _ = await status_of(silent.read())
            assert code is grpc.StatusCode.UNAUTHENTICATED
            known = server.stub.EmbedStream(timeout=5, metadata=bearer(TOKENS[0]))
            request = pb.EmbedRequest(model="small", role=pb.ROLE_DOCUMENT, texts=["a"])
            await known.write(pb.EmbedStreamRequest(id=1, request=request))
            assert (await known.read()).id == 1
            await known.done_writing()
            await eventually(server.duet.entered.is_set)

    asyncio.run(scenario())


def test_a_server_whose_files_cannot_be_used_does_not_start(authority: Authority, wire_folder: Path) -> None:
    good, other, old = authority.issue(), authority.issue(), authority.issue(days=-1)
    for files, words in (
        ({"tls_certificate_file": good.certificate}, "TLS needs a certificate and its key"),
        ({"tls_client_ca_file": authority.file}, "TLS needs a certificate and its key"),
        (named(Pair(good.certificate, other.key)), "cannot be used together"),
        (named(old), "has expired"),
        (named(Pair(wire_folder / "none.pem", good.key)), "cannot be read: No such file"),
    ):
        with pytest.raises(PgduetError, match=words) as caught:
            server_credentials(read_settings(**files))
        assert caught.value.hint

    async def scenario(token_file: Path) -> None:
        async with guarded(token_file=token_file):
            pass

    with pytest.raises(PgduetError, match="more than its owner"):
        asyncio.run(scenario(authority.write("tokens", TOKENS[0], mode=0o644)))


def test_a_certificate_that_ends_soon_is_warned_of(authority: Authority) -> None:
    with capture_logs() as logs:
        server_credentials(read_settings(**named(authority.issue(days=29))))
        server_credentials(read_settings(**named(authority.issue(days=31))))
    assert [(line["log_level"], round(line["valid_days"])) for line in logs] == [("warning", 29), ("info", 31)]


@pytest.mark.parametrize(
    ("known", "lacking"),
    [
        (("tls",), "nothing keeps away who calls"),
        (("token_file",), "nothing keeps away who reads along"),
        (("tls", "token_file"), None),
        (("tls", "tls_client_ca_file"), None),
    ],
)
def test_other_machines_are_let_in_with_tls_and_a_proof_of_who_calls(
    authority: Authority, known: tuple[str, ...], lacking: str | None
) -> None:
    settings: dict[str, Any] = {"tls_client_ca_file": authority.file, "token_file": authority.write("tokens", *TOKENS)}
    chosen = {name: settings[name] for name in known if name != "tls"}
    chosen |= named(authority.issue()) if "tls" in known else {}

    async def scenario() -> None:
        async with running(also=("0.0.0.0:0",), **chosen):
            pass

    if lacking is None:
        asyncio.run(scenario())
    else:
        with pytest.raises(PgduetError, match=lacking):
            asyncio.run(scenario())
