"""From the wire's bytes to the text that PostgreSQL's types read."""

import struct
from functools import cache

from pgduet.v1.embedding_pb2 import EmbedResponse


@cache
def _row_format(width: int) -> tuple[struct.Struct, str]:
    # Five significant digits tell any two half-precision numbers apart, so the text loses nothing.
    return struct.Struct(f"<{width}e"), "[" + ",".join(["%.5g"] * width) + "]"


def embedding_text(response: EmbedResponse, index: int) -> str:
    """Return one vector of a response in halfvec's text form, exact for half-precision numbers."""
    unpack, template = _row_format(response.width)
    return template % unpack.unpack_from(response.embeddings, index * unpack.size)


def sketch_text(response: EmbedResponse, index: int) -> str:
    """Return one sketch of a response in the hexadecimal text form of bit strings."""
    size = response.width // 8
    return "x" + response.sketches[index * size : (index + 1) * size].hex()


def is_complete(response: EmbedResponse, texts: int) -> bool:
    """Tell whether a response holds one row of each kind for every text asked for."""
    return (
        len(response.results) == texts
        and len(response.embeddings) == texts * response.width * 2
        and len(response.sketches) * 8 == texts * response.width
    )
