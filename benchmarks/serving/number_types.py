"""What other number types than float32 bring on this CPU: products of the encoders' shapes, and whole encoders.

Products are those of one layer (width 384, inner 1,536, as in both encoders of `small`) on 512 tokens. Encoders read
real chunks, each alone, so that nobody pays for padding. All take turns; ratios are medians. docs/performance.md shows
benchmarks/results/number_types.json.

    .venv/bin/python benchmarks/serving/number_types.py [--texts 48] [--rounds 9]
"""

import argparse
import json
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from fewer_bits import small_in
from number_graphs import INNER, TOKENS, WEIGHTS, WIDTH, integers, openvino_products, quantised_encoder, session
from speed_page import table_of_types, write_page
from speed_ratios import processor
from speed_texts import PREFIXES, read_texts

from pgduet.encoding.engines import OPENVINO, TORCH, Runtime, build_encoder
from pgduet.encoding.int8_model import Int8Model
from pgduet.encoding.manifest import Role, Slot, read_manifest
from pgduet.encoding.store.layout import MANIFEST, duet_folder
from pgduet.encoding.store.pull import pull
from pgduet.encoding.tokenizer import TextTokenizer

REPOSITORY = Path(__file__).resolve().parents[2]
RESULT = REPOSITORY / "benchmarks" / "results" / "number_types.json"
FLOAT32 = "torch, float32"
Ways = Mapping[str, Callable[[], Any]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    if "OMP_WAIT_POLICY" not in os.environ:
        # Threads that spin after torch's turn would slow down whoever comes next. It is read when torch is loaded.
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "OMP_WAIT_POLICY": "passive"})
    warnings.simplefilter("ignore")
    torch.set_num_threads(os.cpu_count() or 1)
    pull("small")
    result: dict[str, Any] = {
        "machine": f"{processor()}, {torch.backends.cpu.get_cpu_capability()}",
        "run": datetime.now(UTC).strftime("%Y-%m-%d"),
    }
    print("products", flush=True)
    result["products"] = _rows(_products(), options.rounds, FLOAT32)
    source = duet_folder("small")
    texts = read_texts(options.texts)
    with tempfile.TemporaryDirectory(prefix="pgduet-") as work:
        name, store = small_in("int8", Path(work))
        fast = store / name
        _measure_encoders(result, source, fast, texts, options.rounds)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    write_page(REPOSITORY / "docs" / "performance.md", RESULT.name, table_of_types(result))


def _measure_encoders(result: dict[str, Any], source: Path, fast: Path, texts: list[str], rounds: int) -> None:
    for slot in read_manifest(source / MANIFEST).slots:
        print(f"{slot.slot} half", flush=True)
        ways = _encoders(slot, source / slot.slot, fast / slot.slot, texts)
        rows = _rows(ways, rounds, FLOAT32)
        exact = ways[FLOAT32]()
        for row in rows:
            row["least_cosine"] = float((ways[row["name"]]() * exact).sum(axis=1).min())
        result[slot.slot] = rows


def _rows(ways: Ways, rounds: int, base: str) -> list[dict[str, Any]]:
    """Let all take turns; say how many times as fast as the base each was."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            # The first round warms up.
            if turn:
                seconds[name].append(time.perf_counter() - started)
    rows = []
    for name, taken in seconds.items():
        ratio = median(theirs / ours for ours, theirs in zip(taken, seconds[base], strict=True))
        rows.append({"name": name, "milliseconds": 1000 * median(taken), "times_as_fast": ratio})
    return rows


def _products() -> Ways:
    given = {size: np.random.default_rng(size).standard_normal((TOKENS, size), np.float32) for size in (WIDTH, INNER)}

    def in_torch(dtype: torch.dtype) -> Callable[[], Any]:
        states = {size: torch.from_numpy(numbers).to(dtype) for size, numbers in given.items()}
        weights = [torch.from_numpy(one).to(dtype) for one in WEIGHTS]
        return lambda: [states[len(one)] @ one for one in weights]

    def in_onnxruntime(way: str) -> Callable[[], Any]:
        running = session(integers(way))
        asked = {f"x{size}": numbers for size, numbers in given.items()}
        return lambda: running.run(None, asked)

    return {
        FLOAT32: in_torch(torch.float32),
        "torch, bfloat16": in_torch(torch.bfloat16),
        "OpenVINO, float32": openvino_products(given, eight_bits=False),
        "OpenVINO, weights in int8": openvino_products(given, eight_bits=True),
        "onnxruntime, int8, one scale for all tokens": in_onnxruntime("tensor"),
        "onnxruntime, int8, a scale for each token": in_onnxruntime("token"),
        "onnxruntime, int8 in blocks of 32": in_onnxruntime("blocks"),
    }


def _encoders(slot: Slot, folder: Path, fast: Path, texts: list[str]) -> Ways:
    tokenizer = TextTokenizer(folder / "tokenizer.json", 256, slot.end)
    ids = [torch.tensor([one.ids]) for one in tokenizer.encode([PREFIXES[slot.slot] + text for text in texts])]
    with tempfile.TemporaryDirectory(prefix="pgduet-") as work:
        quantised = session(quantised_encoder(folder, Path(work)))

    def reading(states_of: Callable[[torch.Tensor, torch.Tensor], Any]) -> Callable[[], Any]:
        def read() -> Any:
            with torch.inference_mode():
                found = np.stack([np.asarray(states_of(one, torch.ones_like(one)))[0].mean(axis=0) for one in ids])
            return found / np.linalg.norm(found, axis=1, keepdims=True)

        return read

    def in_onnxruntime(one: torch.Tensor, mask: torch.Tensor) -> Any:
        return quantised.run(None, {"ids": one.numpy(), "mask": mask.numpy()})[0]

    return {
        FLOAT32: reading(build_encoder(slot, folder, Role.DOCUMENT, "float32", Runtime(TORCH, "cpu")).model),
        "OpenVINO, float32": reading(
            build_encoder(slot, folder, Role.DOCUMENT, "float32", Runtime(OPENVINO, "cpu")).model
        ),
        "onnxruntime, int8, one scale for a text": reading(in_onnxruntime),
        "pgduet, int8, a scale for each token": reading(Int8Model(fast)),
    }


if __name__ == "__main__":
    main()
