"""From seconds by slice to the ratios that count."""

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import torch

_PGDUET = "pgduet, openvino"
_INT8 = "pgduet, int8"
# With vectors equal to pgduet's and torch under them; the backend for CPUs is a peer of its own.
_TORCH_PEERS = ("sentence-transformers", "transformers", "infinity")
_OPENVINO_PEER = "sentence-transformers, OpenVINO"


def summary(
    seconds: Mapping[str, Sequence[float]],
    in_bf16: float,
    apart: Mapping[str, float],
    texts: int,
    tokens: int,
    threads: int,
) -> dict[str, Any]:
    """Return every row, and pgduet's ratios to its peers and to the ceiling, medians over the slices.

    `in_bf16` are the seconds of the ceiling in bfloat16 for the last slice; `tokens` are those that both
    encoders read. A ratio above one means that pgduet is faster.
    """
    whole = {name: sum(times) for name, times in seconds.items()}
    rows = [
        {
            "name": name,
            "texts_per_second": texts / whole[name],
            "tokens_per_second": tokens / whole[name],
            "to_ceiling": _ratio(seconds, name, "ceiling"),
            "pgduet_to_it": _ratio(seconds, _PGDUET, name),
            "cosines_apart": apart.get(name),
        }
        for name in seconds
    ]
    best = max((_ratio(seconds, name, _PGDUET), name) for name in _TORCH_PEERS if name in seconds)[1]
    result = {
        "texts": texts,
        "tokens": tokens,
        "threads": threads,
        "slices": len(seconds["ceiling"]),
        "machine": f"{processor()}, {torch.backends.cpu.get_cpu_capability()}",
        "run": datetime.now(UTC).strftime("%Y-%m-%d"),
        "best_torch_peer": best,
        "ratio_equal_vectors": _ratio(seconds, _PGDUET, best),
        # The encoders of `small` are in float32, the best that this CPU computes fast in.
        "ratio_best_precision": _ratio(seconds, _PGDUET, best),
        "ratio_int8": _ratio(seconds, _INT8, best),
        "ratio_to_ceiling_fp32": _ratio(seconds, _PGDUET, "ceiling"),
        "ratio_to_ceiling_bf16": in_bf16 / seconds[_PGDUET][-1],
        "rows": rows,
    }
    return result | (
        {"ratio_openvino_peer": _ratio(seconds, _PGDUET, _OPENVINO_PEER)} if _OPENVINO_PEER in seconds else {}
    )


def _ratio(seconds: Mapping[str, Sequence[float]], name: str, other: str) -> float:
    """Return how many times as fast one is as another, the median over the slices."""
    return median(theirs / ours for ours, theirs in zip(seconds[name], seconds[other], strict=True))


def processor() -> str:
    """Return the name of this machine's processor."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()
