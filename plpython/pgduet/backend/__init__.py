"""What pgduet's SQL functions call; every function takes `plpy` first, so it can be tested outside a server."""

from pgduet.backend.calls import chunk_code, embed, embed_rows, package_version, recent_queries, sidecar_health

# Counted up when functions in sql/ and this package no longer understand each other: see pgduet._load_backend().
INTERFACE = 1

__all__ = ["INTERFACE", "chunk_code", "embed", "embed_rows", "package_version", "recent_queries", "sidecar_health"]
