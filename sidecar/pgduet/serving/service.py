"""The embedding service: checks a request, finds or computes its rows, packs the reply."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from importlib.metadata import version
from math import inf
from typing import TYPE_CHECKING, Any

import grpc

from pgduet.encoding import Part, Role
from pgduet.errors import PgduetError
from pgduet.serving.admission import FULL, BusyError
from pgduet.serving.cache import Row, RowCache, cache_key
from pgduet.serving.calls import Calls, Context, Refusal, request_id
from pgduet.serving.computing import ComputeError
from pgduet.serving.engine import Engine
from pgduet.serving.metrics import Metrics
from pgduet.serving.models import Models, Served
from pgduet.serving.replies import embed_response, failed_text, outcome_name, text_error
from pgduet.serving.settings import Settings
from pgduet.serving.streams import answer_stream
from pgduet.serving.timings import timings
from pgduet.serving.work import ExpiredError, ModelGoneError, Outcome
from pgduet.v1 import embedding_pb2 as pb
from pgduet.v1 import embedding_pb2_grpc

if TYPE_CHECKING:
    from pgduet.encoding import Duet

SERVICE_NAME: str = pb.DESCRIPTOR.services_by_name["EmbeddingService"].full_name
_ROLES = {pb.ROLE_DOCUMENT: Role.DOCUMENT, pb.ROLE_QUERY: Role.QUERY}
_PARTS = {pb.PART_BOTH: Part.BOTH, pb.PART_CODE: Part.CODE, pb.PART_TEXT: Part.TEXT}


class EmbeddingService(embedding_pb2_grpc.EmbeddingServiceServicer):
    """Answer for the duets that are served."""

    def __init__(self, models: Models, settings: Settings, metrics: Metrics) -> None:
        self.calls = Calls(metrics)
        self._metrics = metrics
        self._models = models
        self._settings = settings
        # One for all duets: its keys hold the fingerprint.
        self._cache = RowCache(settings.cache_bytes)

    async def Embed(self, request: pb.EmbedRequest, context: Context) -> pb.EmbedResponse:  # noqa: N802
        """Embed texts in the order given."""
        facts = {"role": _ROLES.get(request.role), "part": _PARTS.get(request.part), "texts": len(request.texts)}
        remaining = context.time_remaining()
        deadline = inf if remaining is None else time.monotonic() + remaining
        return await self.calls.run("embed", context, facts, self._embed(request, deadline, facts))

    async def EmbedStream(self, _requests: object, context: Context) -> None:  # noqa: N802
        """Embed the texts of many requests, answered as they are done."""
        name = request_id(context)
        await answer_stream(context, self.calls, lambda message: self._answer(message, name))

    async def Chunk(self, request: pb.ChunkRequest, context: Context) -> pb.ChunkResponse:  # noqa: N802
        """Cut one source file into chunks."""
        facts = {"characters": len(request.content)}
        return await self.calls.run("chunk", context, facts, self._chunk(request, facts))

    async def ListModels(self, request: pb.ListModelsRequest, context: Context) -> pb.ListModelsResponse:  # noqa: N802
        """List the models that may be used now."""
        return await self.calls.run("list_models", context, {}, self._list_models(), level="debug")

    async def LoadModel(self, request: pb.LoadModelRequest, context: Context) -> pb.LoadModelResponse:  # noqa: N802
        """Serve one more duet of the model store."""
        return await self.calls.run("load_model", context, {"model": request.name[:80]}, self._load_model(request))

    async def UnloadModel(self, request: pb.UnloadModelRequest, context: Context) -> pb.UnloadModelResponse:  # noqa: N802
        """Stop serving a duet."""
        return await self.calls.run("unload_model", context, {"model": request.name[:80]}, self._unload_model(request))

    async def RecentQueries(  # noqa: N802
        self, request: pb.RecentQueriesRequest, context: Context
    ) -> pb.RecentQueriesResponse:
        """Give the vectors of the last queries that were kept."""
        return await self.calls.run("recent_queries", context, {}, self._recent_queries(request))

    async def Timings(self, request: pb.TimingsRequest, context: Context) -> pb.TimingsResponse:  # noqa: N802
        """Give the times of stages and the slowest queries."""
        return await self.calls.run("timings", context, {}, self._timings(), level="debug")

    async def _answer(self, message: pb.EmbedStreamRequest, name: str) -> pb.EmbedResponse:
        request = message.request
        facts = {"role": _ROLES.get(request.role), "part": _PARTS.get(request.part), "texts": len(request.texts)}
        seconds = message.timeout_ms / 1000 or inf
        embedding = self._embed_in_time(request, seconds, facts)
        return await self.calls.watch("embed_stream", f"{name}.{message.id}", facts, embedding)

    async def _embed_in_time(self, request: pb.EmbedRequest, seconds: float, facts: dict[str, Any]) -> pb.EmbedResponse:
        deadline = time.monotonic() + seconds
        try:
            async with asyncio.timeout(None if seconds == inf else seconds):
                while True:
                    try:
                        return await self._embed(request, deadline, facts)
                    except Refusal as refusal:
                        if refusal.reason != FULL:
                            raise
                        # A stream may wait for room; nothing more is read of it meanwhile.
                        await asyncio.sleep(refusal.retry_after or 0)
        except TimeoutError:
            message = f"the request was not done within its {seconds:g} s"
            raise Refusal(grpc.StatusCode.DEADLINE_EXCEEDED, message) from None

    async def _embed(self, request: pb.EmbedRequest, deadline: float, facts: dict[str, Any]) -> pb.EmbedResponse:
        served = self._models.get(request.model)
        duet = served.duet
        role, part = self._check(request, duet)
        with served.in_use():
            outcomes = await self._outcomes(served, list(request.texts), role, part, deadline, facts)
        self._count(role, outcomes)
        # Many texts at a time are a program's, such as the names that recall is measured with.
        if role is Role.QUERY and part is Part.BOTH and len(outcomes) == 1 and isinstance(outcomes[0], Row):
            served.recent.note(outcomes[0])
        return embed_response(duet.fingerprint, duet.width_of(part), outcomes, sketched=part is Part.BOTH)

    async def _chunk(self, request: pb.ChunkRequest, facts: dict[str, Any]) -> pb.ChunkResponse:
        limit = self._settings.max_characters
        if len(request.content) > limit:
            message = f"the file has {len(request.content)} characters; the limit is {limit}"
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, message)
        try:
            chunks = await asyncio.to_thread(_chunks, request.content, request.language, request.path)
        except PgduetError as error:
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, f"{error}; {error.hint}") from error
        facts["chunks"] = len(chunks)
        return pb.ChunkResponse(chunks=chunks)

    async def _list_models(self) -> pb.ListModelsResponse:
        models = [self._model(duet) for duet in self._models.all()]
        return pb.ListModelsResponse(models=models, version=version("pgduet"))

    async def _load_model(self, request: pb.LoadModelRequest) -> pb.LoadModelResponse:
        served, loaded = await self._models.load(request.name)
        return pb.LoadModelResponse(model=self._model(served.duet), loaded=loaded)

    async def _unload_model(self, request: pb.UnloadModelRequest) -> pb.UnloadModelResponse:
        return pb.UnloadModelResponse(served=await self._models.unload(request.name))

    async def _recent_queries(self, request: pb.RecentQueriesRequest) -> pb.RecentQueriesResponse:
        served = self._models.get(request.model)
        _check_fingerprint(request.expected_fingerprint, served.duet)
        rows = served.recent.newest(request.most)
        return pb.RecentQueriesResponse(
            fingerprint=served.duet.fingerprint,
            width=served.duet.width,
            embeddings=b"".join(embedding for embedding, _ in rows),
            sketches=b"".join(sketch for _, sketch in rows),
        )

    async def _timings(self) -> pb.TimingsResponse:
        return timings(self._metrics)

    def _check(self, request: pb.EmbedRequest, duet: "Duet") -> tuple[Role, Part]:
        limit = self._settings.max_texts
        if not 1 <= len(request.texts) <= limit:
            message = f"the request has {len(request.texts)} texts; 1 to {limit} are allowed"
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, message)
        role = _ROLES.get(request.role)
        if role is None:
            message = f"the role is {request.role}; ROLE_DOCUMENT (1) or ROLE_QUERY (2) is required"
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, message)
        part = _PARTS.get(request.part)
        if part is None:
            message = f"the part is {request.part}; PART_BOTH (0), PART_CODE (1) or PART_TEXT (2) is required"
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, message)
        _check_fingerprint(request.expected_fingerprint, duet)
        return role, part

    async def _outcomes(
        self, served: Served, texts: list[str], role: Role, part: Part, deadline: float, facts: dict[str, Any]
    ) -> list[Row | pb.EmbedError]:
        """Give a row or an error for every text; equal texts are looked at once."""
        outcomes: dict[str, Row | pb.EmbedError] = {}
        missing = {}
        for text in dict.fromkeys(texts):
            if error := text_error(text, self._settings.max_characters):
                outcomes[text] = error
            elif row := self._cache.get(key := cache_key(served.duet.fingerprint, role, part, text)):
                outcomes[text] = row
            else:
                missing[text] = key
        facts["cache_hits"] = hits = sum(isinstance(outcome, Row) for outcome in outcomes.values())
        self._metrics.cache_hits.inc(hits)
        self._metrics.cache_misses.inc(len(missing))
        if missing:

            def keep(text: str, row: Row) -> None:
                self._cache.put(missing[text], row)

            computed = await _compute(served.engine, list(missing), role, part, deadline, keep)
            facts["tokens"] = sum(row.code_tokens + row.text_tokens for row in computed if isinstance(row, Row))
            for text, outcome in zip(missing, computed, strict=True):
                outcomes[text] = outcome if isinstance(outcome, Row) else failed_text(outcome)
        return [outcomes[text] for text in texts]

    def _count(self, role: Role, outcomes: list[Row | pb.EmbedError]) -> None:
        for name, texts in Counter(outcome_name(outcome) for outcome in outcomes).items():
            self._metrics.texts.labels(role, name).inc(texts)

    def _model(self, duet: "Duet") -> pb.Model:
        return pb.Model(
            name=duet.name,
            fingerprint=duet.fingerprint,
            width=duet.width,
            encoders=[
                pb.Encoder(
                    slot=half.slot,
                    name=half.name,
                    width=half.width,
                    max_tokens=half.max_tokens,
                    weight=half.weight,
                    dtype=half.dtype,
                )
                for half in duet.encoders
            ],
            max_texts=self._settings.max_texts,
            max_characters=self._settings.max_characters,
        )


async def _compute(
    engine: Engine, texts: list[str], role: Role, part: Part, deadline: float, keep: Callable[[str, Row], None]
) -> list[Outcome]:
    try:
        return await engine.embed(texts, role, part, deadline, keep)
    except BusyError as error:
        raise Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, str(error), error.retry_after, error.reason) from error
    except ExpiredError as error:
        raise Refusal(grpc.StatusCode.DEADLINE_EXCEEDED, str(error)) from error
    except ModelGoneError as error:
        raise Refusal(grpc.StatusCode.UNAVAILABLE, str(error)) from error
    except ComputeError as error:
        raise Refusal(grpc.StatusCode.INTERNAL, str(error)) from error


def _check_fingerprint(expected: str, duet: "Duet") -> None:
    if expected not in ("", duet.fingerprint):
        message = (
            f"vectors of fingerprint {expected[:80]!r} are expected, the model {duet.name} gives {duet.fingerprint!r}"
        )
        raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, message)


def _chunks(content: str, language: str, path: str) -> list[pb.CodeChunk]:
    from pgduet.chunking import chunk_code

    return [
        pb.CodeChunk(
            symbol=chunk.symbol,
            kind=chunk.kind,
            language=chunk.language,
            start_line=chunk.start_line,
            end_line=chunk.end_line,
            content=chunk.content,
        )
        for chunk in chunk_code(content, language or None, path or None)
    ]
