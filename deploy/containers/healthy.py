"""Exit with 0 where the sidecar that PGDUET_SIDECAR names says that it serves; for container health checks.

With an argument HOST:PORT, ask for Prometheus metrics there instead: the worker's sign of life.
"""

import os
import sys
import urllib.request

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

_SECONDS = 5


def sidecar_serves(address: str) -> bool:
    """Ask the health service of one sidecar."""
    try:
        with grpc.insecure_channel(address) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            reply = stub.Check(health_pb2.HealthCheckRequest(), timeout=_SECONDS, wait_for_ready=True)
    except grpc.RpcError:
        return False
    return bool(reply.status == health_pb2.HealthCheckResponse.SERVING)


def answers_metrics(address: str) -> bool:
    """Ask for metrics over HTTP."""
    try:
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=_SECONDS) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


if __name__ == "__main__":
    healthy = answers_metrics(sys.argv[1]) if len(sys.argv) > 1 else sidecar_serves(os.environ["PGDUET_SIDECAR"])
    sys.exit(0 if healthy else 1)
