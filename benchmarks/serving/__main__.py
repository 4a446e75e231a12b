"""Texts a second through the sidecar beside its peers: the two encoders of `small`, the same chunks, the same threads.

All are loaded at once and take turns, slice by slice, so that what disturbs the machine disturbs all; ratios are
medians over the slices. Peers get environments of their own under ~/.cache/pgduet/bench-serving (minutes, two gigabytes
on the first run). pgduet's time is that of a gRPC client.

    .venv/bin/python benchmarks/serving [--texts 2000] [--slice 100] [--threads 2] [--skip infinity]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ceiling import Ceiling
from int8_duet import NAME, int8_store
from speed_page import table, write_page
from speed_peers import ENVIRONMENTS, Peer, environment, layout
from speed_ratios import summary
from speed_texts import PREFIXES, read_texts

from pgduet.client import EmbeddingClient
from pgduet.encoding import Part, Role
from pgduet.encoding.manifest import read_manifest
from pgduet.encoding.store.layout import MANIFEST, duet_folder
from pgduet.encoding.store.pull import pull
from pgduet.encoding.tokenizer import TextTokenizer

REPOSITORY = Path(__file__).resolve().parents[2]
RESULT = REPOSITORY / "benchmarks" / "results" / "serving.json"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pgduet" / "bench-serving"
_CHECKED = 64


class Sidecar:
    """pgduet as its users reach it, with an engine, or with `small` in eight bits."""

    def __init__(self, kind: str, folder: Path, threads: int) -> None:
        self.name = f"pgduet, {kind}"
        address = f"unix:{folder}/{kind}.sock"
        self._model, store = (NAME, str(int8_store(folder))) if kind == "int8" else ("small", None)
        settings = {
            "PGDUET_ENGINE": "auto" if kind == "int8" else kind,
            "PGDUET_MODEL": self._model,
            "PGDUET_LISTEN": address,
            "PGDUET_THREADS": str(threads),
            "PGDUET_CACHE_BYTES": "0",
            "PGDUET_LOG_LEVEL": "warning",
        } | ({"PGDUET_MODELS_DIR": store} if store else {})
        command = [str(Path(sys.executable).with_name("pgduet")), "serve"]
        self._process = subprocess.Popen(command, env={**os.environ, **settings})
        self._client = EmbeddingClient(address)
        self._client.wait_ready(600)

    def ask(self, texts: list[str], *, vectors: bool = False) -> tuple[float, Any]:
        """Return the seconds for the fused vectors, and on request the halves alone, asked for afterwards."""
        started = time.perf_counter()
        self._client.embed(self._model, texts, Role.DOCUMENT, timeout=600)
        seconds = time.perf_counter() - started
        halves = [self._half(texts, part) for part in (Part.CODE, Part.TEXT)] if vectors else None
        return seconds, halves

    def _half(self, texts: list[str], part: Part) -> Any:
        reply = self._client.embed(self._model, texts, Role.DOCUMENT, part=part, timeout=600)
        return np.frombuffer(reply.embeddings, "<f2").reshape(len(texts), reply.width).astype(np.float32)

    def __enter__(self) -> "Sidecar":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self._process.terminate()
        self._process.wait()


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--slice", type=int, default=100, help="texts of one turn, at most 256")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--skip", nargs="*", default=[], choices=ENVIRONMENTS, help="peers to leave out")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    pull("small")
    texts = read_texts(options.texts)
    with tempfile.TemporaryDirectory(prefix="pgduet-") as work, ExitStack() as running:
        source = duet_folder("small")
        manifest = read_manifest(source / MANIFEST)
        folders = [layout(source / one.slot, Path(work) / one.slot, one.width, 256) for one in manifest.slots]
        asked: list[Sidecar | Peer] = [
            running.enter_context(Sidecar(kind, Path(work), options.threads)) for kind in ("openvino", "torch", "int8")
        ]
        for kind, name in ENVIRONMENTS.items():
            if kind not in options.skip:
                python = environment(name, CACHE)
                asked.append(running.enter_context(Peer(kind, python, folders, options.threads)))
        tokens = {
            one.slot: TextTokenizer(source / one.slot / "tokenizer.json", 256, one.end).encode(
                [PREFIXES[one.slot] + text for text in texts]
            )
            for one in manifest.slots
        }
        ceilings = {one.slot: Ceiling(source / one.slot, torch.float32) for one in manifest.slots}
        cosines = _agreement(asked, texts[:_CHECKED])
        seconds: dict[str, list[float]] = {name: [] for name in (*(one.name for one in asked), "ceiling")}
        for start in range(0, len(texts), options.slice):
            part = texts[start : start + options.slice]
            # Whoever is asked first may find the machine cooler: the order turns with every slice.
            turn = (start // options.slice) % len(asked)
            for one in asked[turn:] + asked[:turn]:
                seconds[one.name].append(one.ask(part)[0])
            lengths = {
                slot: [len(each.ids) for each in some[start : start + len(part)]] for slot, some in tokens.items()
            }
            seconds["ceiling"].append(sum(ceilings[slot].seconds(lengths[slot]) for slot in ceilings))
            print(f"{start + len(part)} of {len(texts)} texts", flush=True)
        # Where the CPU emulates it this takes a second for each repeat; the last slice is enough to tell.
        halves = {one.slot: Ceiling(source / one.slot, torch.bfloat16) for one in manifest.slots}
        in_bf16 = sum(half.seconds(lengths[slot], 3) for slot, half in halves.items())
    count = sum(len(each.ids) for some in tokens.values() for each in some)
    result = summary(seconds, in_bf16, cosines, len(texts), count, options.threads)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    write_page(REPOSITORY / "docs" / "performance.md", RESULT.name, table(result))


def _agreement(asked: "list[Sidecar | Peer]", texts: list[str]) -> dict[str, float]:
    """Return the least cosine of each one's vectors with those of pgduet in torch; the first call warms all up."""
    found = {one.name: [np.asarray(half) for half in one.ask(texts, vectors=True)[1] or []] for one in asked}
    reference = found["pgduet, torch"]
    return {
        name: min(_least(half, other) for half, other in zip(halves, reference, strict=True))
        for name, halves in found.items()
    }


def _least(vectors: Any, lifted: Any) -> float:
    """Compare by the cosines among the vectors: pgduet lifts them into wider ones, which keeps these."""
    return float(1 - np.abs(vectors @ vectors.T - lifted @ lifted.T).max())


if __name__ == "__main__":
    main()
