"""What pgduet's SQL functions call; every function takes `plpy` first, so it can be tested outside a server."""

from pgduet.backend.calls import chunk_code, embed, embed_rows, package_version, recent_queries, sidecar_health

__all__ = ["chunk_code", "embed", "embed_rows", "package_version", "recent_queries", "sidecar_health"]
