"""Vectors written straight into the tables, as many as a test needs: no sidecar takes part.

`structured` draws vectors that lie as those of real code do: topics, functions within them, few dimensions that count.
`load_vectors` stores them with their chunks, in the form and with the sketches that a sidecar would give.
"""

import hashlib
import struct
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from fix_database import Connection
from pgduet.encoding.sketch import Sketcher

Floats = npt.NDArray[np.float32]
Texts = Sequence[str | None] | str | None

WIDTH = 2560
# The dimensions that count. With these numbers an index needs as many lists as with real code: about a third for 0.95.
_LATENT = 128
_FALL = -0.4
_TOPIC, _FAMILY, _OWN = 0.5, 0.8, 0.8
_FAMILIES = 12
# The binary form of COPY: signature, flags, length of an extension; and the end (source: PostgreSQL's manual on COPY).
_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TAIL = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_CHUNKS = "COPY pgduet.code_chunks (chunk_id, repo, path, symbol, language, content) FROM STDIN (FORMAT binary)"
_VECTORS = (
    "COPY {} (chunk_id, generation_id, content_hash, embedding, sketch, repo, path, language)"
    " FROM STDIN (FORMAT binary)"
)


@cache
def sketcher() -> Sketcher:
    return Sketcher(WIDTH, WIDTH)


@cache
def _axes() -> Floats:
    return np.linalg.qr(np.random.default_rng(1).standard_normal((WIDTH, _LATENT)))[0].T.astype(np.float32)


@cache
def _rotated_axes() -> Floats:
    return sketcher().rotate(_axes())


def sketches(vectors: Floats) -> npt.NDArray[np.uint8]:
    """Give the packed sketches [n, 320] of vectors [n, 2560]."""
    latent = vectors @ _axes().T
    # Rotating is linear: where the axes make up the vectors, the few axes are rotated instead, which is much faster.
    if np.allclose(np.linalg.norm(latent, axis=1), np.linalg.norm(vectors, axis=1), atol=1e-3):
        return np.packbits(latent @ _rotated_axes() > 0, axis=1)
    return np.concatenate([sketcher().sketch(vectors[at : at + 64]) for at in range(0, len(vectors), 64)])


def structured(count: int, *, seed: int = 0, topics: tuple[int, int] = (0, 40)) -> Floats:
    """Draw unit vectors [count, 2560] of the topics in that range, topic by topic.

    A topic has families of chunks that are alike: overloads, variants, tests of one thing. Topics and families are the
    same under every seed.
    """
    draw = np.random.default_rng([seed, *topics])
    numbers = np.repeat(np.arange(*topics), -(-count // (topics[1] - topics[0])))[:count]
    families = draw.integers(0, _FAMILIES, count)
    mean = np.stack([_topic(topic) for topic in range(*topics)])[numbers - topics[0], families]
    # Early dimensions count for more, as in real vectors.
    scale = (1 + np.arange(_LATENT)) ** _FALL
    latent = ((mean + _OWN * draw.standard_normal((count, _LATENT))) * scale).astype(np.float32)
    latent /= np.linalg.norm(latent, axis=1, keepdims=True)
    return np.asarray(latent @ _axes(), dtype=np.float32)


@cache
def _topic(topic: int) -> npt.NDArray[np.float64]:
    draw = np.random.default_rng([7, topic])
    return _TOPIC * draw.standard_normal(_LATENT) + _FAMILY * draw.standard_normal((_FAMILIES, _LATENT))


def load_vectors(
    connection: Connection,
    vectors: Floats,
    *,
    languages: Texts = "python",
    repos: Texts = "repo",
    paths: Texts = None,
    symbols: Texts = None,
    contents: Texts = None,
    generation_id: int = 1,
) -> range:
    """Store chunks with these vectors [n, 2560], no trigger and no queue involved; return their ids.

    What is given as one text holds for all rows. Contents are distinct where none are given.
    """
    count = len(vectors)
    (last,) = connection.execute("SELECT coalesce(max(chunk_id), 0) FROM pgduet.code_chunks").fetchone() or (0,)
    ids = range(last + 1, last + 1 + count)
    bodies = _each(contents, count) if contents is not None else [f"chunk {chunk_id}" for chunk_id in ids]
    repo, path, language = (_each(texts, count) for texts in (repos, paths, languages))
    with connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        _copy(connection, _CHUNKS, zip(ids, repo, path, _each(symbols, count), language, bodies, strict=True))
        connection.execute(
            "SELECT setval(pg_get_serial_sequence('pgduet.code_chunks', 'chunk_id'), max(chunk_id))"
            " FROM pgduet.code_chunks"
        )
        _copy_vectors(connection, ids, bodies, vectors, (repo, path, language), generation_id)
    return ids


def replace_vectors(connection: Connection, ids: Sequence[int], vectors: Floats, generation_id: int = 1) -> None:
    """Give stored chunks other contents and vectors, by UPDATE as the worker does."""
    bodies: list[str | None] = [f"chunk {chunk_id} changed by {vectors[0, 0]}" for chunk_id in ids]
    nothing: list[str | None] = [None] * len(ids)
    with connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("CREATE TEMP TABLE changed (LIKE pgduet.code_embeddings INCLUDING DEFAULTS) ON COMMIT DROP")
        _copy_vectors(connection, ids, bodies, vectors, (nothing, nothing, nothing), generation_id, "pg_temp.changed")
        connection.execute(
            "UPDATE pgduet.code_chunks c SET content = u.content"
            " FROM unnest(%s::bigint[], %s::text[]) u (chunk_id, content) WHERE c.chunk_id = u.chunk_id",
            (list(ids), bodies),
        )
        connection.execute(
            "UPDATE pgduet.code_embeddings e SET (content_hash, embedding, sketch) ="
            " (n.content_hash, n.embedding, n.sketch) FROM changed n"
            " WHERE e.chunk_id = n.chunk_id AND e.generation_id = n.generation_id"
        )


def halfvec(vector: Floats) -> str:
    """Write one vector as pgvector reads it."""
    return "[" + ",".join(f"{number:.6g}" for number in vector) + "]"


def bits(vector: Floats) -> str:
    """Write one vector's sketch as PostgreSQL reads it."""
    return "".join(f"{byte:08b}" for byte in sketches(vector[None])[0])


def _each(texts: Texts, count: int) -> list[str | None]:
    return [texts] * count if texts is None or isinstance(texts, str) else list(texts)


def _copy_vectors(
    connection: Connection,
    ids: Sequence[int],
    contents: Sequence[str | None],
    vectors: Floats,
    columns: tuple[list[str | None], list[str | None], list[str | None]],
    generation_id: int,
    table: str = "pgduet.code_embeddings",
) -> None:
    halfs = vectors.astype(">f2")
    head, size = struct.pack("!hh", WIDTH, 0), struct.pack("!i", WIDTH)
    generation = struct.pack("!i", generation_id)

    def rows() -> Iterator[tuple[Any, ...]]:
        for at, sketch in enumerate(sketches(vectors)):
            digest = hashlib.sha256((contents[at] or "").encode()).digest()
            vector, bits = head + halfs[at].tobytes(), size + sketch.tobytes()
            yield ids[at], generation, digest, vector, bits, *(column[at] for column in columns)

    _copy(connection, _VECTORS.format(table), rows())


def _copy(connection: Connection, statement: str, rows: Iterator[tuple[Any, ...]]) -> None:
    with connection.cursor().copy(statement.encode()) as copy:
        copy.write(_HEAD)
        for row in rows:
            copy.write(struct.pack("!h", len(row)) + b"".join(map(_field, row)))
        copy.write(_TAIL)


def _field(value: int | str | bytes | None) -> bytes:
    if value is None:
        return _NULL
    data = struct.pack("!q", value) if isinstance(value, int) else value.encode() if isinstance(value, str) else value
    return struct.pack("!i", len(data)) + data
