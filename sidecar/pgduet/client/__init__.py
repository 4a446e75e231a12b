"""The gRPC client of the sidecar that the worker and the command line share."""

from pgduet.client.embedding import DEFAULT_ADDRESS, EmbeddingClient, sidecar_address, sidecar_addresses
from pgduet.client.errors import (
    BadReplyError,
    RequestRefusedError,
    SidecarBusyError,
    SidecarError,
    SidecarUnavailableError,
)
from pgduet.client.streaming import EmbeddingStream

__all__ = [
    "DEFAULT_ADDRESS",
    "BadReplyError",
    "EmbeddingClient",
    "EmbeddingStream",
    "RequestRefusedError",
    "SidecarBusyError",
    "SidecarError",
    "SidecarUnavailableError",
    "sidecar_address",
    "sidecar_addresses",
]
