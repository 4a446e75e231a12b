"""From the wire's bytes to the text that PostgreSQL's types read."""

from struct import unpack, unpack_from

from pgduet.v1 import embedding_pb2 as pb
from pgduet.v1.embedding_pb2 import EmbedResponse

# Numbers in a vector by what was asked for.
WIDTHS = {pb.PART_BOTH: 2560, pb.PART_CODE: 1536, pb.PART_TEXT: 1024}


class _HalfTexts(dict[int, str]):
    """Text forms of half-precision numbers by their bits, made as they come up: formatting is the slow part."""

    def __missing__(self, bits: int) -> str:
        # Five significant digits tell any two half-precision numbers apart, so the text loses nothing.
        text = self[bits] = format(unpack("<e", bits.to_bytes(2, "little"))[0], ".5g")
        return text


_text_of = _HalfTexts().__getitem__


def embedding_text(response: EmbedResponse, index: int) -> str:
    """Return one vector of a response in halfvec's text form, exact for half-precision numbers."""
    bits = unpack_from(f"<{response.width}H", response.embeddings, index * response.width * 2)
    return f"[{','.join(map(_text_of, bits))}]"


def sketch_text(response: EmbedResponse, index: int) -> str:
    """Return one sketch of a response in the hexadecimal text form of bit strings."""
    size = response.width // 8
    return "x" + response.sketches[index * size : (index + 1) * size].hex()


def is_complete(response: EmbedResponse, texts: int, part: pb.Part) -> bool:
    """Tell whether a response holds one row of each kind, as wide as the part is, for every text asked for.

    A sidecar that knows no parts answers a question for a half with fused vectors: they are not complete.
    """
    width = WIDTHS[part]
    return (
        len(response.results) == texts
        and response.width == width
        and len(response.embeddings) == texts * width * 2
        and len(response.sketches) * 8 == (texts * width if part == pb.PART_BOTH else 0)
    )
