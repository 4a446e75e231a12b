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
from fewer_bits import KINDS, small_in
from speed_page import table, write_page
from speed_peers import ENVIRONMENTS, Peer, environment, layout
from speed_ratios import CEILINGS, summary
from speed_texts import PREFIXES, read_texts

from pgduet.client import EmbeddingClient
from pgduet.encoding import Part, Role
from pgduet.encoding.manifest import read_manifest
from pgduet.encoding.openvino_model import multiplies_bfloat16
from pgduet.encoding.store.layout import MANIFEST, duet_folder
from pgduet.encoding.store.pull import pull
from pgduet.encoding.tokenizer import TextTokenizer

REPOSITORY = Path(__file__).resolve().parents[2]
RESULT = REPOSITORY / "benchmarks" / "results" / "serving.json"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pgduet" / "bench-serving"
_CHECKED = 64


class Sidecar:
    """pgduet as its users reach it, with an engine, or with `small` in fewer bits."""

    def __init__(self, kind: str, folder: Path, threads: int) -> None:
        self.name = f"pgduet, {kind}"
        address = f"unix:{folder}/{kind}.sock"
        self._model, store = small_in(kind, folder) if kind in KINDS else ("small", None)
        settings = {
            "PGDUET_ENGINE": "auto" if kind in KINDS else kind,
            "PGDUET_MODEL": self._model,
            "PGDUET_LISTEN": address,
            "PGDUET_THREADS": str(threads),
            "PGDUET_CACHE_BYTES": "0",
            "PGDUET_LOG_LEVEL": "warning",
        } | ({"PGDUET_MODELS_DIR": str(store)} if store else {})
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
        # Where the CPU imitates bfloat16 a slice would take minutes.
        dtypes = ["float32", "bfloat16"] if multiplies_bfloat16() else ["float32"]
        asked: list[Sidecar | Peer] = [
            running.enter_context(Sidecar(kind, Path(work), options.threads))
            for kind in ("openvino", "torch", "int8", *dtypes[1:])
        ]
        for kind, name in ENVIRONMENTS.items():
            if kind not in options.skip:
                python = environment(name, CACHE)
                asked += [
                    running.enter_context(Peer(kind, dtype, python, folders, options.threads)) for dtype in dtypes
                ]
        tokens = {
            one.slot: TextTokenizer(source / one.slot / "tokenizer.json", 256, one.end).encode(
                [PREFIXES[one.slot] + text for text in texts]
            )
            for one in manifest.slots
        }
        ceilings = {
            dtype: [Ceiling(source / one.slot, getattr(torch, dtype)) for one in manifest.slots] for dtype in CEILINGS
        }
        apart, least = _agreement(asked, texts[:_CHECKED])
        seconds: dict[str, list[float]] = {name: [] for name in (*(one.name for one in asked), *CEILINGS.values())}
        for start in range(0, len(texts), options.slice):
            part = texts[start : start + options.slice]
            # Whoever is asked first may find the machine cooler: the order turns with every slice.
            turn = (start // options.slice) % len(asked)
            for one in asked[turn:] + asked[:turn]:
                seconds[one.name].append(one.ask(part)[0])
            lengths = [[len(each.ids) for each in some[start : start + len(part)]] for some in tokens.values()]
            for dtype, name in CEILINGS.items():
                # Imitated, it takes a second for each repeat.
                repeats = {} if dtype in dtypes else {"repeats": 3}
                pairs = zip(ceilings[dtype], lengths, strict=True)
                seconds[name].append(sum(ceiling.seconds(some, **repeats) for ceiling, some in pairs))
            print(f"{start + len(part)} of {len(texts)} texts", flush=True)
    count = sum(len(each.ids) for some in tokens.values() for each in some)
    result = summary(seconds, apart, least, len(texts), count, options.threads)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    write_page(REPOSITORY / "docs" / "performance.md", RESULT.name, table(result))


def _agreement(asked: "list[Sidecar | Peer]", texts: list[str]) -> tuple[dict[str, float], dict[str, float]]:
    """Compare everybody's vectors with those of pgduet in torch; the first call warms all up.

    Return one less the largest difference of a cosine between texts, and of pgduet's own, which are lifted alike, the
    least cosine of a text's vectors.
    """
    found = {one.name: [np.asarray(half) for half in one.ask(texts, vectors=True)[1] or []] for one in asked}
    reference = found["pgduet, torch"]
    pairs = {name: list(zip(halves, reference, strict=True)) for name, halves in found.items()}
    least = {
        one.name: min(float(_cosines(*pair).min()) for pair in pairs[one.name])
        for one in asked
        if isinstance(one, Sidecar)
    }
    return {name: min(_least(*pair) for pair in some) for name, some in pairs.items()}, least


def _cosines(vectors: Any, others: Any) -> Any:
    """Return the cosine of each row with that of the other; half precision leaves no row of length one."""
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(others, axis=1)
    return (vectors * others).sum(axis=1) / lengths


def _least(vectors: Any, lifted: Any) -> float:
    """Compare by the cosines among the vectors: pgduet lifts them into wider ones, which keeps these."""
    return float(1 - np.abs(vectors @ vectors.T - lifted @ lifted.T).max())


if __name__ == "__main__":
    main()
