"""A thin synchronous client of the sidecar."""

import os
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from pgduet.client.errors import BadReplyError, SidecarError, SidecarUnavailableError, from_rpc_error
from pgduet.v1 import dialing, embedding_pb2_grpc
from pgduet.v1 import embedding_pb2 as pb
from pgduet.v1.channels import open_channel
from pgduet.v1.credentials import Credentials, CredentialsError

DEFAULT_ADDRESS = "127.0.0.1:50517"
REQUEST_ID_KEY = "x-request-id"
MESSAGE_LIMIT = 64 * 1024 * 1024
ROLES = {"document": pb.ROLE_DOCUMENT, "query": pb.ROLE_QUERY}
PARTS = {"both": pb.PART_BOTH, "code": pb.PART_CODE, "text": pb.PART_TEXT}

_OPTIONS: dialing.Options = [
    ("grpc.max_receive_message_length", MESSAGE_LIMIT),
    ("grpc.max_send_message_length", MESSAGE_LIMIT),
]


def sidecar_address(address: str | None = None) -> str:
    """Return the address given, else the one in the environment, else the default; it may be a list."""
    return address or os.environ.get("PGDUET_SIDECAR") or DEFAULT_ADDRESS


def sidecar_addresses(address: str | None = None) -> list[str]:
    """Return the addresses of all sidecars one by one; raises SidecarError where they cannot be called together."""
    with _bad_settings_told(sidecar_address(address)):
        return dialing.addresses(sidecar_address(address))


def sidecar_credentials() -> Credentials:
    """Return the files that the environment names: PGDUET_SIDECAR_CA_FILE and so on."""
    found = {field.name: os.environ.get(f"PGDUET_SIDECAR_{field.name.upper()}", "") for field in fields(Credentials)}
    return Credentials(**found)


@contextmanager
def _bad_settings_told(address: str) -> Iterator[None]:
    try:
        yield
    except dialing.AddressError as error:
        raise SidecarError(str(error), hint=error.hint, code=grpc.StatusCode.INVALID_ARGUMENT) from error
    except CredentialsError as error:
        raise SidecarError(
            f"the sidecar at {address} is not called: {error}",
            hint=f"{error.hint} (PGDUET_SIDECAR_CA_FILE, _CERTIFICATE_FILE, _KEY_FILE, _TOKEN_FILE, _SERVER_NAME)",
            code=grpc.StatusCode.UNAUTHENTICATED,
        ) from error


def new_request_id() -> str:
    """Return what names one call in the logs of both sides."""
    return uuid.uuid4().hex[:16]


class EmbeddingClient:
    """Call one sidecar or several alike; safe to share between threads, not across a fork.

    `address` is in gRPC form: `unix:/run/pgduet/sidecar.sock`, `host:port`, `dns:///name:port` or a list of the first
    two. Without one PGDUET_SIDECAR is used, and without that `127.0.0.1:50517`. Calls go to those that are well, in
    turn, and are made again where one cannot take them, but an embed() that was lost: its texts may have ended the
    sidecar, and shall not end the next. With `direct` the one sidecar is asked as it is, and once. Every method raises
    a `SidecarError` that tells what to do. `credentials` are those of the environment by default; the token is read
    again when its file changes, certificates by the next client.
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        timeout: float = 60.0,
        direct: bool = False,
        credentials: Credentials | None = None,
    ) -> None:
        self.address = sidecar_address(address)
        self.timeout = timeout
        self.credentials = credentials or sidecar_credentials()
        options = dialing.direct_options() if direct else dialing.options(embed_again=False)
        with _bad_settings_told(self.address):
            self._may_be_several = dialing.may_be_several(self.address)
            self._stamps = self.credentials.stamps()
            self._channel = open_channel(self.address, self.credentials, [*_OPTIONS, *options])
        self._service = embedding_pb2_grpc.EmbeddingServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._health = health_pb2_grpc.HealthStub(self._channel)  # type: ignore[no-untyped-call]

    def __enter__(self) -> "EmbeddingClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the channel; calls in flight are cancelled."""
        self._channel.close()

    def embed(
        self,
        model: str,
        texts: Sequence[str],
        role: str = "document",
        expected_fingerprint: str = "",
        timeout: float | None = None,
        part: str = "both",
    ) -> pb.EmbedResponse:
        """Embed texts in order as `document` or `query`; `timeout` in seconds.

        `part` is `both` for the fused vector, or `code` or `text` for that half alone, without sketches. Raises
        BadReplyError where the reply does not hold one row per text.
        """
        request = self.embed_request(model, texts, role, expected_fingerprint, part)
        reply: pb.EmbedResponse
        reply, place = self._call_one(self._service.Embed, request, timeout)
        self.check_reply(reply, len(texts), place, sketched=part == "both")
        return reply

    @staticmethod
    def embed_request(
        model: str, texts: Sequence[str], role: str, expected_fingerprint: str, part: str = "both"
    ) -> pb.EmbedRequest:
        """Make the message that asks for vectors."""
        return pb.EmbedRequest(
            model=model, role=ROLES[role], texts=texts, expected_fingerprint=expected_fingerprint, part=PARTS[part]
        )

    def open_stream(self, requests: Iterator[pb.EmbedStreamRequest], request_id: str) -> Any:
        """Start a call of EmbedStream: an iterator over its answers, with `cancel()`."""
        metadata = self._metadata(request_id)
        try:
            return self._service.EmbedStream(requests, metadata=metadata)
        except ValueError as error:
            raise self._closed(error) from error

    def chunk(self, content: str, language: str = "", path: str = "", timeout: float | None = None) -> pb.ChunkResponse:
        """Cut one source file into chunks; without a language it is told from the path, else by lines."""
        request = pb.ChunkRequest(content=content, language=language, path=path)
        reply: pb.ChunkResponse = self._call(self._service.Chunk, request, timeout)
        return reply

    def list_models(self, timeout: float | None = None) -> pb.ListModelsResponse:
        """List the models that the sidecar serves, with fingerprints and limits."""
        reply: pb.ListModelsResponse = self._call(self._service.ListModels, pb.ListModelsRequest(), timeout)
        return reply

    def load_model(self, name: str, timeout: float | None = None) -> pb.LoadModelResponse:
        """Have the sidecar serve one more duet of its model store; served already, it answers at once.

        Takes seconds, for large encoders minutes: a `timeout` that passes ends the wait, not the loading. Raises
        RequestRefusedError where the duet is not in the store, cannot be used, would be one too many, or is served with
        other files than the store holds now.
        """
        request = pb.LoadModelRequest(name=name)
        reply: pb.LoadModelResponse = self._call(self._service.LoadModel, request, timeout, about_models=True)
        return reply

    def unload_model(self, name: str, timeout: float | None = None) -> pb.UnloadModelResponse:
        """Have the sidecar stop serving a duet, once its calls in flight have ended; return what is still served.

        Raises RequestRefusedError where it is not served, or is the only one.
        """
        request = pb.UnloadModelRequest(name=name)
        reply: pb.UnloadModelResponse = self._call(self._service.UnloadModel, request, timeout, about_models=True)
        return reply

    def recent_queries(
        self, model: str, most: int = 0, expected_fingerprint: str = "", timeout: float | None = None
    ) -> pb.RecentQueriesResponse:
        """Return vectors of the last queries, newest first, at most `most` (0: all); none where none are kept."""
        request = pb.RecentQueriesRequest(model=model, expected_fingerprint=expected_fingerprint, most=most)
        reply: pb.RecentQueriesResponse = self._call(self._service.RecentQueries, request, timeout)
        return reply

    def timings(self, timeout: float | None = None) -> pb.TimingsResponse:
        """Return how long requests and their stages took since the sidecar started, and its slowest queries.

        Raises SidecarError with code UNIMPLEMENTED for a sidecar of an older version.
        """
        reply: pb.TimingsResponse = self._call(self._service.Timings, pb.TimingsRequest(), timeout)
        return reply

    def healthy(self, timeout: float = 2.0) -> bool:
        """Tell whether the sidecar says SERVING (grpc.health.v1); an unreachable one is not healthy."""
        request = health_pb2.HealthCheckRequest(service=dialing.SERVICE_NAME)
        try:
            reply = self._health.Check(request, timeout=timeout)
        except grpc.RpcError:
            return False
        return bool(reply.status == health_pb2.HealthCheckResponse.SERVING)

    def wait_ready(self, timeout: float = 60.0) -> None:
        """Wait until the sidecar serves; raises SidecarUnavailableError after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not self.healthy(timeout=min(2.0, timeout)):
            if time.monotonic() >= deadline:
                raise SidecarUnavailableError(
                    f"the sidecar at {self.address} was not ready within {timeout:g} s",
                    hint="see the sidecar's log: the model may still load, or its self-test failed",
                    code=grpc.StatusCode.UNAVAILABLE,
                )
            time.sleep(0.05)

    def place(self, sidecar: str = "") -> str:
        """Say who was called: the address, and of several the one that answered, where it told its name."""
        return f"on {sidecar}, called at {self.address}," if sidecar and self._may_be_several else f"at {self.address}"

    def _call(self, method: Any, request: Any, timeout: float | None, *, about_models: bool = False) -> Any:
        return self._call_one(method, request, timeout, about_models=about_models)[0]

    def _call_one(
        self, method: Any, request: Any, timeout: float | None, *, about_models: bool = False
    ) -> tuple[Any, str]:
        """Make a call; return its reply, and who answered."""
        request_id = new_request_id()
        metadata = self._metadata(request_id)
        seconds = self.timeout if timeout is None else timeout
        try:
            reply, call = method.with_call(request, timeout=seconds, metadata=metadata)
            return reply, self.place(dialing.answered_by(call.trailing_metadata()))
        except grpc.RpcError as error:
            raise self.translated(error, request_id, about_models=about_models) from error
        except ValueError as error:
            raise self._closed(error) from error

    def translated(self, error: grpc.RpcError, request_id: str, *, about_models: bool = False) -> SidecarError:
        """Translate a failed call into an error with a hint, that of certificates where those are what is wrong."""
        return from_rpc_error(error, self.place, request_id, self.credentials, about_models=about_models)

    def is_stale(self) -> bool:
        """Tell whether a file that the connection was made with has changed: another client would use the new one."""
        try:
            return self.credentials.stamps() != self._stamps
        except CredentialsError:
            return True

    def _metadata(self, request_id: str) -> tuple[tuple[str, str], ...]:
        with _bad_settings_told(self.address):
            return ((REQUEST_ID_KEY, request_id), *self.credentials.authorization())

    def _closed(self, error: ValueError) -> SidecarUnavailableError:
        """Translate gRPC's only word for a channel that was closed meanwhile."""
        return SidecarUnavailableError(
            f"the connection to the sidecar at {self.address} was closed: {error}",
            hint="the program is ending, or moved to another address",
            code=grpc.StatusCode.CANCELLED,
        )

    def check_reply(self, reply: pb.EmbedResponse, texts: int, place: str, *, sketched: bool = True) -> None:
        """Raise BadReplyError where a reply does not hold one row per text; `place` says who answered."""
        expected = (texts, texts * reply.width * 2, texts * (reply.width // 8) if sketched else 0)
        found = (len(reply.results), len(reply.embeddings), len(reply.sketches))
        if found != expected:
            raise BadReplyError(
                f"the sidecar {place} answered {found} results, vector bytes and sketch bytes "
                f"where {expected} were due",
                hint="restart the sidecar and report this: its reply contradicts itself",
                code=grpc.StatusCode.INTERNAL,
            )
