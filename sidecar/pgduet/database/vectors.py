"""Vectors as binary parameters: no number is ever written out as text."""

import struct
from typing import Any

from psycopg.adapt import Dumper
from psycopg.pq import Format
from psycopg.types import TypeInfo

from pgduet.database.connection import Connection
from pgduet.database.errors import readable_errors
from pgduet.database.queries import load_queries
from pgduet.errors import PgduetError


class Halfs(bytes):
    """Hold one vector's half-precision numbers, big-endian: pgvector's wire order."""


class Bits(bytes):
    """Hold one sketch, the first bit in the highest bit of the first byte; a multiple of eight bits."""


class _BitsDumper(Dumper):
    """The binary form of `bit`: count of bits, then the bytes (source: varbit_recv in PostgreSQL's varbit.c)."""

    format = Format.BINARY
    oid = 1560

    def dump(self, obj: Bits) -> bytes:
        return struct.pack("!i", len(obj) * 8) + obj


def register_vectors(connection: Connection) -> None:
    """Let a connection send Halfs as pgvector's `halfvec` and Bits as `bit`, alone, and in lists under `%b`.

    Works wherever the extension lives. Raises PgduetError where it is not installed.
    """
    with readable_errors():
        row = connection.execute(load_queries("queue")["halfvec"]).fetchone()
    if row is None:
        raise PgduetError("this database has no pgvector", hint="install pgduet in it: `pgduet db migrate`")
    number, array_number = row

    class HalfsDumper(Dumper):
        """The binary form of `halfvec`: dimension, a zero, the numbers (source: halfvec_recv in pgvector)."""

        format = Format.BINARY
        oid = number

        def dump(self, obj: Any) -> bytes:
            return struct.pack("!hh", len(obj) // 2, 0) + bytes(obj)

    TypeInfo("halfvec", number, array_number).register(connection)
    connection.adapters.register_dumper(Halfs, HalfsDumper)
    connection.adapters.register_dumper(Bits, _BitsDumper)
