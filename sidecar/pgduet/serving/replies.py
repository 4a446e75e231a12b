"""From rows to the reply of Embed, and the texts that get an error in place of a row."""

import re
from collections.abc import Sequence

from pgduet.serving.cache import Row
from pgduet.serving.work import TextFailure
from pgduet.v1 import embedding_pb2 as pb

# White space, and the characters that show nothing: byte order mark, zero-width spaces and joiners, word joiner.
_BLANK = re.compile(r"[\s\ufeff\u200b-\u200d\u2060]*")


def failed_text(failure: TextFailure) -> pb.EmbedError:
    """Tell that the model failed on a text."""
    return pb.EmbedError(kind=pb.EMBED_ERROR_KIND_FAILED, message=failure.message)


def text_error(text: str, max_characters: int) -> pb.EmbedError | None:
    """Tell why a text gets no vector, or None where it may have one."""
    if len(text) > max_characters:
        message = f"the text has {len(text)} characters; the limit is {max_characters}"
        return pb.EmbedError(kind=pb.EMBED_ERROR_KIND_TOO_LONG, message=message)
    if _BLANK.fullmatch(text):
        return pb.EmbedError(kind=pb.EMBED_ERROR_KIND_BLANK, message="the text is blank: nothing but white space")
    return None


def outcome_name(outcome: Row | pb.EmbedError) -> str:
    """Say in one word what became of a text: ok, or the kind of its error in small letters."""
    if isinstance(outcome, Row):
        return "ok" if outcome.finite else "not_finite"
    return pb.EmbedErrorKind.Name(outcome.kind).removeprefix("EMBED_ERROR_KIND_").lower()


def embed_response(
    fingerprint: str, width: int, outcomes: Sequence[Row | pb.EmbedError], *, sketched: bool
) -> pb.EmbedResponse:
    """Pack the outcomes of all texts, in order; a text without a vector gets zeros.

    `sketched` is False where the rows have no sketches: those of one half.
    """
    no_embedding, no_sketch = bytes(width * 2), bytes(width // 8 if sketched else 0)
    embeddings, sketches, results = [], [], []
    for outcome in outcomes:
        row = outcome if isinstance(outcome, Row) else None
        usable = row is not None and row.finite
        embeddings.append(row.embedding if row and usable else no_embedding)
        sketches.append(row.sketch if row and usable else no_sketch)
        results.append(_result(outcome))
    return pb.EmbedResponse(
        fingerprint=fingerprint,
        width=width,
        embeddings=b"".join(embeddings),
        sketches=b"".join(sketches),
        results=results,
    )


def _result(outcome: Row | pb.EmbedError) -> pb.EmbedResult:
    if isinstance(outcome, pb.EmbedError):
        return pb.EmbedResult(error=outcome)
    error = None
    if not outcome.finite:
        message = "the model gave numbers that are not finite for this text"
        error = pb.EmbedError(kind=pb.EMBED_ERROR_KIND_NOT_FINITE, message=message)
    return pb.EmbedResult(
        code_tokens=outcome.code_tokens,
        text_tokens=outcome.text_tokens,
        truncated=outcome.code_truncated or outcome.text_truncated,
        code_truncated=outcome.code_truncated,
        text_truncated=outcome.text_truncated,
        error=error,
    )
