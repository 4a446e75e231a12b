"""The model calls behind the SQL functions."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from typing import Any, NoReturn

import grpc

from pgduet.backend.channel import addresses, ask_one, call, let_interrupts_act
from pgduet.backend.errors import raise_bad_value, raise_rpc_error, told_by
from pgduet.backend.plpy_types import Plpy
from pgduet.backend.settings import CallContext, read_context
from pgduet.backend.vectors import WIDTHS, embedding_text, is_complete, is_whole, sketch_text
from pgduet.v1 import embedding_pb2 as pb
from pgduet.v1.channels import handshake_hint
from pgduet.v1.credentials import CredentialsError

_ROLES = {"document": pb.ROLE_DOCUMENT, "query": pb.ROLE_QUERY}
_PARTS = {"both": pb.PART_BOTH, "code": pb.PART_CODE, "text": pb.PART_TEXT}
_MEMO_TEXTS = 64
# A character takes up to four bytes, a message 64 MiB.
_REQUEST_CHARACTERS = 8_000_000
_NO_TEXT = (None, None, None, None, None, "the text is null", None)

# Vectors of this statement's last texts, so that `ORDER BY embedding <=> pgduet.embed('x')` is one model call
# even where the planner evaluates it for every row. Valid for one statement of one session only.
_memo: OrderedDict[tuple[str, str, str, str, str], str] = OrderedDict()
_memo_statement: float | None = None
# Before a generation has its fingerprint, sidecars that disagree must not mix their vectors within one statement.
_first_seen: tuple[float, str, str] | None = None


@cache
def package_version() -> str:
    """Return the version of the package that the server's Python found."""
    return version("pgduet")


def embed(plpy: Plpy, content: str, role: str, part: str = "both") -> str:
    """Return the vector of one text, or one half of it with length 1, in halfvec's text form.

    Raises 22023 for a blank or over-long text or an unknown role or part, and what the sidecar's statuses map to.
    """
    global _memo_statement
    context = read_context(plpy)
    if _memo_statement != context.statement:
        _memo.clear()
        _memo_statement = context.statement
    key = (context.model, context.fingerprint, role, part, content)
    if key not in _memo:
        response = _request(plpy, context, [content], role, part)
        _refuse_failed(plpy, response.results[0])
        _memo[key] = embedding_text(response, 0)
        if len(_memo) > _MEMO_TEXTS:
            _memo.popitem(last=False)
    return _memo[key]


def embed_rows(
    plpy: Plpy, contents: Sequence[str | None], role: str, seconds: float, part: str = "both"
) -> list[tuple[Any, ...]]:
    """Return one row per text, in order, after one call to the sidecar (more only for megabytes of text).

    `seconds` limits the wait, beside the settings and what is left of statement_timeout.

    A row is (ordinality from 1, embedding, sketch, code tokens, text tokens, truncated, failure, fingerprint).
    A text without a vector has NULL for all but ordinality and failure; NULL and blank texts are not errors here.
    One half alone has no sketch.
    """
    context = read_context(plpy).within(seconds)
    made = iter(
        [
            _row(response, index)
            for texts in _requests([text for text in contents if text is not None])
            for response in [_request(plpy, context, texts, role, part)]
            for index in range(len(texts))
        ]
    )
    return [
        (ordinality, *(_NO_TEXT if text is None else next(made))) for ordinality, text in enumerate(contents, start=1)
    ]


def _requests(texts: Sequence[str]) -> Iterator[list[str]]:
    """Cut texts into requests well under the limit on one message."""
    request: list[str] = []
    characters = 0
    for text in texts:
        if request and characters + len(text) > _REQUEST_CHARACTERS:
            yield request
            request, characters = [], 0
        request.append(text)
        characters += len(text)
    if request:
        yield request


def _row(response: pb.EmbedResponse, index: int) -> tuple[Any, ...]:
    result = response.results[index]
    if result.HasField("error"):
        return (None, None, None, None, None, result.error.message, None)
    return (
        embedding_text(response, index),
        sketch_text(response, index) if response.sketches else None,
        result.code_tokens,
        result.text_tokens,
        result.truncated,
        None,
        response.fingerprint,
    )


def chunk_code(plpy: Plpy, content: str, language: str | None, path: str | None) -> list[tuple[Any, ...]]:
    """Return the chunks of one source text as (symbol, kind, language, start line, end line, content)."""
    context = read_context(plpy)
    request = pb.ChunkRequest(content=content, language=language or "", path=path or "")
    response = _call(plpy, context, "Chunk", request, texts=1)
    return [
        (chunk.symbol or None, chunk.kind, chunk.language or None, chunk.start_line, chunk.end_line, chunk.content)
        for chunk in response.chunks
    ]


def recent_queries(plpy: Plpy, most: int) -> list[tuple[str, str]]:
    """Return embedding and sketch of the last queries that the sidecar kept, newest first, `most` at most.

    None where it keeps none, which is the default, or is too old to. Vectors of another fingerprint than the active
    generation's are refused.
    """
    if most < 1:
        return []
    context = read_context(plpy)
    request = pb.RecentQueriesRequest(model=context.model, expected_fingerprint=context.fingerprint, most=most)
    timeout, _ = context.timeout(most)
    try:
        response = call(plpy, context, "RecentQueries", request, timeout)
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.UNIMPLEMENTED:
            return []
        raise_rpc_error(plpy, error, context, seconds=timeout)
    rows = len(response.embeddings) // (2 * WIDTHS[pb.PART_BOTH])
    if rows and not is_whole(response, rows, pb.PART_BOTH):
        _refuse_answer(plpy, context, f"recent queries of width {response.width}")
    return [(embedding_text(response, index), sketch_text(response, index)) for index in range(rows)]


def sidecar_health(plpy: Plpy) -> list[tuple[str, str, str]]:
    """Return (component, status, detail) for each sidecar and for its model against the active generation.

    A sidecar that is away is a row, never an error.
    """
    context = read_context(plpy)
    return [row for address in addresses(plpy, context.address) for row in _health(plpy, context, address)]


def _health(plpy: Plpy, context: CallContext, address: str) -> list[tuple[str, str, str]]:
    timeout, _ = context.timeout(1)
    try:
        reply = ask_one(plpy, context, address, "ListModels", pb.ListModelsRequest(), timeout)
    except CredentialsError as error:
        return [("sidecar", "fail", f"{address} is not called: {error}; {error.hint}")]
    except grpc.RpcError as error:
        hint = handshake_hint(error.details() or "", context.credentials)
        found = f"{address}: {error.code().name}: {error.details()}"
        return [("sidecar", "fail", f"{found}; {hint}" if hint else found)]
    rows = [("sidecar", "ok", f"{address}, version {reply.version}")]
    served = {model.name: model.fingerprint for model in reply.models}
    if context.model not in served:
        names = ", ".join(sorted(served)) or "none"
        found = f"the active generation needs {context.model}; {address} serves: {names}"
        rows.append(("model", "fail", found))
    elif context.fingerprint and served[context.model] != context.fingerprint:
        found = f"{address} serves {served[context.model]}, the active generation holds {context.fingerprint}"
        rows.append(("model", "fail", f"fingerprints differ: {found}"))
    else:
        rows.append(("model", "ok", f"{context.model}, fingerprint {served[context.model]}"))
    return rows


def _request(plpy: Plpy, context: CallContext, texts: Sequence[str], role: str, part: str) -> pb.EmbedResponse:
    """Embed texts of one slice; refuse an answer that is not whole or not of the expected fingerprint."""
    if role not in _ROLES:
        raise_bad_value(plpy, f"unknown role: {role!r}", "Use 'document' for text to store or 'query' for a search.")
    if part not in _PARTS:
        hint = "Use 'both' for the fused vector that is stored, or 'code' or 'text' for that half alone."
        raise_bad_value(plpy, f"unknown part: {part!r}", hint)
    expected = _expected(context)
    request = pb.EmbedRequest(
        model=context.model, role=_ROLES[role], texts=texts, expected_fingerprint=expected, part=_PARTS[part]
    )
    response: pb.EmbedResponse = _call(plpy, context, "Embed", request, texts=len(texts))
    if not is_complete(response, len(texts), _PARTS[part]):
        found = f"{len(response.results)} results of width {response.width}"
        _refuse_answer(plpy, context, f"{found} for {len(texts)} texts and part {part!r}")
    if expected and response.fingerprint != expected:
        _refuse_answer(plpy, context, f"vectors of fingerprint {response.fingerprint} instead of {expected}")
    global _first_seen
    _first_seen = (context.statement, context.model, response.fingerprint)
    if len(texts) == 1 and response.results[0].error.kind == pb.EMBED_ERROR_KIND_FAILED:
        # No fault of the caller's: the same as a call that failed.
        hint = "The sidecar's log says more: it may lack memory. `pgduet doctor` checks every part."
        message = f"the embedding sidecar failed: {response.results[0].error.message}"
        plpy.error(message, sqlstate="58000", detail=told_by(context), hint=hint)
    return response


def _expected(context: CallContext) -> str:
    """Return the fingerprint that vectors must have: the generation's, or that of this statement's first vectors."""
    if context.fingerprint or _first_seen is None or _first_seen[:2] != (context.statement, context.model):
        return context.fingerprint
    return _first_seen[2]


def _call(plpy: Plpy, context: CallContext, method: str, request: object, *, texts: int) -> Any:
    timeout, by_statement = context.timeout(texts)
    try:
        return call(plpy, context, method, request, timeout)
    except grpc.RpcError as error:
        if by_statement and error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
            # PostgreSQL ends the statement here. If not, several statements came in one message, or the timeout was
            # set within this one: what is left of it is then not known, and the own deadline holds.
            let_interrupts_act(plpy, 0.1)
            return _call(plpy, replace(context, remaining=None), method, request, texts=texts)
        raise_rpc_error(plpy, error, context, seconds=timeout)


def _refuse_failed(plpy: Plpy, result: pb.EmbedResult) -> None:
    if result.HasField("error"):
        raise_bad_value(plpy, result.error.message, "A text needs at least one visible character.")


def _refuse_answer(plpy: Plpy, context: CallContext, found: str) -> NoReturn:
    hint = "The sidecar does not speak this version's protocol: upgrade both together."
    message = f"the embedding sidecar answered with {found}"
    plpy.error(message, sqlstate="58000", detail=told_by(context), hint=hint)
    raise AssertionError  # plpy.error always raises; this tells the type checker
