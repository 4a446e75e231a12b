"""The sidecar that a worker uses, found where its options, the environment or the database say."""

import os
import threading

from pgduet.client import EmbeddingClient
from pgduet.database.queue import Queue
from pgduet.worker.options import Options


class SidecarPlace:
    """Keep one client for all lanes; `follow` moves on when an admin changed the address or a certificate's file."""

    def __init__(self, queue: Queue, options: Options) -> None:
        self._fixed = options.sidecar or os.environ.get("PGDUET_SIDECAR")
        # A signal may close it while the same thread is closing it.
        self._lock = threading.RLock()
        self._closed = False
        # Well within the lease, so that a request that hangs ends before another worker takes its chunks.
        self.deadline = min(int(queue.setting("batch_deadline_ms")) / 1000, options.lease / 3)
        self._client = EmbeddingClient(self._address(queue))

    @property
    def client(self) -> EmbeddingClient:
        """Give the client of the address known last."""
        return self._client

    def follow(self, queue: Queue) -> EmbeddingClient:
        """Read the address again, look whether files have changed; return the client for them."""
        with self._lock:
            address = self._address(queue)
            if (address != self._client.address or self._client.is_stale()) and not self._closed:
                before, self._client = self._client, EmbeddingClient(address)
                before.close()
            return self._client

    def close(self) -> None:
        """Cancel the calls in flight and take no more."""
        with self._lock:
            self._closed = True
            self._client.close()

    def _address(self, queue: Queue) -> str:
        return self._fixed or queue.setting("sidecar_address")
