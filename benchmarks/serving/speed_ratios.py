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
_BFLOAT16 = "pgduet, bfloat16"
# Down to this cosine vectors count as the same ones, only less exact.
_ENOUGH = 0.9995
# With vectors equal to pgduet's and torch under them; the backend for CPUs is a peer of its own.
_TORCH_PEERS = ("sentence-transformers", "transformers", "infinity")
_OPENVINO_PEER = "sentence-transformers, OpenVINO"
CEILINGS = {"float32": "ceiling", "bfloat16": "ceiling, bfloat16"}


def summary(
    seconds: Mapping[str, Sequence[float]],
    apart: Mapping[str, float],
    least: Mapping[str, float],
    texts: int,
    tokens: int,
    threads: int,
) -> dict[str, Any]:
    """Return every row, and pgduet's ratios to its peers and to the ceilings, medians over the slices.

    `apart` and `least` say how far vectors are from those in float32; `tokens` are those that both encoders read. A
    ratio above one means that pgduet is faster. The best precision is bfloat16 where that was measured and is near
    enough, else float32.
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
            "least_cosine": least.get(name),
        }
        for name in seconds
    ]
    best_peer = max((_ratio(seconds, name, _PGDUET), name) for name in _TORCH_PEERS if name in seconds)[1]
    peers = [name for name in seconds if not name.startswith(("pgduet", "ceiling"))]
    quickest_peer = max((_ratio(seconds, name, _PGDUET), name) for name in peers)[1]
    best = _BFLOAT16 if least.get(_BFLOAT16, 0) >= _ENOUGH else _PGDUET
    result = {
        "texts": texts,
        "tokens": tokens,
        "threads": threads,
        "slices": len(seconds["ceiling"]),
        "machine": f"{processor()}, {torch.backends.cpu.get_cpu_capability()}",
        "run": datetime.now(UTC).strftime("%Y-%m-%d"),
        "best_torch_peer": best_peer,
        "quickest_peer": quickest_peer,
        "best_precision": best,
        "ratio_equal_vectors": _ratio(seconds, _PGDUET, best_peer),
        "ratio_best_precision": _ratio(seconds, best, best_peer),
        "ratio_best_precision_both": _ratio(seconds, best, quickest_peer),
        "ratio_int8": _ratio(seconds, _INT8, best_peer),
        "ratio_to_ceiling_fp32": _ratio(seconds, _PGDUET, CEILINGS["float32"]),
        "ratio_to_ceiling_bf16": _ratio(seconds, best, CEILINGS["bfloat16"]),
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
