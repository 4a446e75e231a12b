"""What the two encoders of `qodo-jina` do on a card: tokens a second beside plain transformers and the arithmetic.

Random weights of the true shapes in bfloat16, token ids instead of texts: the encoders alone are measured. They, plain
transformers (padded batches of 16, its own SDPA) and torch's matrix products of the same shapes take turns.

    benchmarks/gpu.sh [--lengths 128 512 2048 8192] [--tokens 65536] [--rounds 5]
    .venv/bin/python benchmarks/gpu_serving.py --device cpu --layers 1 --lengths 64 --tokens 512  # does it run?
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from pgduet.encoding.encoder import Encoder

RESULT = Path(__file__).resolve().parent / "results" / "gpu_serving.json"
_QUERY_TOKENS = 16
_BATCH = 16
_SHAPES: dict[str, dict[str, Any]] = {
    "qwen2": {
        "vocab_size": 151_646,
        "hidden_size": 1536,
        "intermediate_size": 8960,
        "num_hidden_layers": 28,
        "num_attention_heads": 12,
        "num_key_value_heads": 2,
        "max_position_embeddings": 131_072,
    },
    "jina_embeddings_v3": {
        "vocab_size": 250_002,
        "hidden_size": 1024,
        "intermediate_size": 4096,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "max_position_embeddings": 8194,
        "type_vocab_size": 1,
        "pad_token_id": 1,
    },
}
_POOLINGS = {"qwen2": "last", "jina_embeddings_v3": "mean"}


class Model:
    """Random weights, used as the sidecar uses those of a checkpoint."""

    engine = "torch"
    first_position = 0

    def __init__(self, kind: str, device: str, layers: int | None) -> None:
        import torch
        from transformers import AutoConfig, AutoModel

        shape = _SHAPES[kind] | ({"num_hidden_layers": layers} if layers else {})
        config = AutoConfig.for_model(kind, **shape, use_cache=False)
        config.is_causal = kind == "qwen2"
        dtype = torch.bfloat16 if device == "cuda" else torch.float32
        with torch.device(device):
            self.module: PreTrainedModel = AutoModel.from_config(config, dtype=dtype).eval()  # type: ignore[no-untyped-call]
        self.width: int = shape["hidden_size"]

    def __call__(self, ids: "torch.Tensor", mask: "torch.Tensor") -> "torch.Tensor":
        place = self.module.device
        states: torch.Tensor = self.module(input_ids=ids.to(place), attention_mask=mask.to(place)).last_hidden_state
        return states

    def flops(self, length: int) -> float:
        """Return the arithmetic of one token in a text of this length: products of weights, and attention."""
        config = self.module.config
        words = config.vocab_size * config.hidden_size
        weights = sum(values.numel() for values in self.module.parameters()) - words
        return float(2 * weights + 4 * config.num_hidden_layers * config.hidden_size * length)


def peak_flops(device: str) -> float:
    """Return the arithmetic a second of a large matrix product, which is what the card can do here and now."""
    import torch

    size, dtype = (8192, torch.bfloat16) if device == "cuda" else (1024, torch.float32)
    left, right = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    return 2.0 * size**3 / median(timed(lambda: left @ right, device) for _ in range(10))


def timed(action: Callable[[], object], device: str) -> float:
    """Return the seconds that an action takes, to its end on the card."""
    import torch

    started = time.perf_counter()
    action()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def main() -> None:
    """Measure, print and, on a card, write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--lengths", type=int, nargs="+", default=[128, 512, 2048, 8192])
    parser.add_argument("--tokens", type=int, default=65_536, help="of one measurement")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--layers", type=int, help="fewer than the true ones, to see whether it runs")
    options = parser.parse_args()
    import torch

    from pgduet.encoding.encoder import Encoder
    from pgduet.encoding.packed import PackedEncoder

    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit("error: torch finds no CUDA card here\nhint: --device cpu --layers 1 tries whether the program runs")
    packed: dict[str, Encoder] = {}
    plain: dict[str, Encoder] = {}
    models = {kind: Model(kind, options.device, options.layers) for kind in _SHAPES}
    for kind, model in models.items():
        # The same weights: only the way to attend differs, and each has a module of its own for it.
        twin = Model(kind, options.device, options.layers)
        twin.module.load_state_dict(model.module.state_dict())
        plain[kind] = Encoder(twin, _POOLINGS[kind], tokens_per_pass=10**9)
        packed[kind] = PackedEncoder(model, _POOLINGS[kind])  # type: ignore[arg-type]
    rows = [_row(length, models, packed, plain, options) for length in options.lengths]
    result = {"device": _device(options.device), "query": _query(packed, options), "rows": rows}
    print(json.dumps(result, indent=2))
    if options.device == "cuda":
        RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def _row(
    length: int, models: dict[str, Model], packed: "dict[str, Encoder]", plain: "dict[str, Encoder]", options: Any
) -> dict[str, Any]:
    """Measure texts of 50 to 100 % of a length, as chunks are; the cosine tells whether both ways agree."""
    import numpy as np
    import torch

    generator = torch.Generator().manual_seed(length)
    count = max(2, options.tokens * 4 // (3 * length))
    sizes = torch.randint(length // 2, length + 1, (count,), generator=generator).tolist()
    texts = [tuple(torch.randint(3, 30_000, (size,), generator=generator).tolist()) for size in sizes]
    batches = [texts[start : start + _BATCH] for start in range(0, count, _BATCH)]
    ways: dict[str, Callable[[], Any]] = {
        "packed": lambda: [encoder.encode(texts) for encoder in packed.values()],
        "plain": lambda: [encoder.encode(batch) for encoder in plain.values() for batch in batches],
    }
    found = {name: way() for name, way in ways.items()}
    cosines = [
        float((one[0] * np.concatenate([vectors for vectors, _ in batched])).sum(axis=1).min())
        for one, batched in zip(
            found["packed"], (found["plain"][: len(batches)], found["plain"][len(batches) :]), strict=True
        )
    ]
    seconds: dict[str, list[float]] = {name: [] for name in (*ways, "ceiling")}
    for _ in range(options.rounds):
        for name, way in ways.items():
            seconds[name].append(timed(way, options.device))
        work = sum(model.flops(length * 3 // 4) for model in models.values()) * sum(sizes)
        seconds["ceiling"].append(work / peak_flops(options.device))
    taken = {name: median(times) for name, times in seconds.items()}
    return {
        "length": length,
        "tokens": sum(sizes),
        "tokens_per_second": sum(sizes) / taken["packed"],
        "to_ceiling": median(c / p for c, p in zip(seconds["ceiling"], seconds["packed"], strict=True)),
        "to_plain": median(c / p for c, p in zip(seconds["plain"], seconds["packed"], strict=True)),
        "least_cosine_to_plain": dict(zip(packed, cosines, strict=True)),
    }


def _query(packed: "dict[str, Encoder]", options: Any) -> dict[str, float]:
    """Return milliseconds of a lone query, and of the pass of documents that it may have to wait for."""
    from pgduet.encoding.packed import TOKENS_PER_PASS

    def milliseconds(texts: list[tuple[int, ...]]) -> float:
        return 1000 * median(
            timed(lambda: [encoder.encode(texts) for encoder in packed.values()], options.device)
            for _ in range(3 * options.rounds)
        )

    text = tuple(range(100, 100 + 512))
    full = min(TOKENS_PER_PASS, options.tokens)
    return {"alone_ms": milliseconds([text[:_QUERY_TOKENS]]), "one_pass_ms": milliseconds([text] * (full // 512 or 1))}


def _device(device: str) -> dict[str, Any]:
    import torch

    if device == "cpu":
        return {"name": "cpu"}
    return {
        "name": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "peak_memory_mb": torch.cuda.max_memory_allocated() >> 20,
    }


if __name__ == "__main__":
    main()
