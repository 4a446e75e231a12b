"""The vectors of the corpus, computed once in blocks that are kept, so that an interrupted run goes on where it was."""

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
from corpus import MAX_TOKENS, Question, Row, cache_folder, count_rows, read_corpus

from pgduet.encoding import Role
from pgduet.encoding.fusion import fuse
from pgduet.encoding.half import Half
from pgduet.encoding.lift import lift_matrix
from pgduet.encoding.manifest import Manifest
from pgduet.encoding.sketch import Sketcher
from pgduet.encoding.store import layout

Floats = npt.NDArray[np.float32]
Halves = tuple[Floats, Floats]
BLOCK = 2048


def manifest() -> Manifest:
    """Return what `small` says about itself."""
    return layout.checked_manifest(layout.duet_folder("small", None))


def vectors_of(count: int) -> tuple[Floats, Floats]:
    """Return the fused vectors [count, 2560] of the corpus and those of its questions, both of unit length.

    What is missing is computed by one process a core; `small` has to be in the model store.
    """
    small = manifest()
    weights = (small.code.weight, small.text.weight)
    vectors = np.empty((count, sum(slot.slot_width for slot in small.slots)), np.float32)
    for start, block in zip(range(0, count, BLOCK), halves_of(count), strict=True):
        vectors[start : start + BLOCK] = fused(block, weights)[: count - start]
    return vectors, fused(question_halves(), weights)


def halves_of(count: int) -> Iterator[Halves]:
    """Yield both halves of the corpus as the encoders gave them, block by block; compute those that lack."""
    # Whole blocks only: the next run may want more of the last one.
    rows, questions = read_corpus(min(-(-count // BLOCK) * BLOCK, count_rows()))
    _fill(rows, questions)
    for start in range(0, count, BLOCK):
        yield _load(_block_file(start))


def question_halves() -> Halves:
    """Return both halves of the questions' vectors."""
    return _load(_questions_file())


def sketches_of(vectors: Floats) -> npt.NDArray[np.uint8]:
    """Return the packed sketches [n, 320]."""
    sketcher = Sketcher(vectors.shape[1], manifest().sketch_seed)
    return np.concatenate([sketcher.sketch(vectors[at : at + 4096]) for at in range(0, len(vectors), 4096)])


def fused(halves: Halves, weights: tuple[float, float]) -> Floats:
    """Return unit vectors [n, 2560] of halves [n, 384], lifted and joined as `small` does it."""
    small = manifest()
    lifted = [
        half / np.linalg.norm(half, axis=1, keepdims=True) @ lift_matrix(slot.slot_width, slot.width, small.lift_seed).T
        for half, slot in zip(halves, small.slots, strict=True)
    ]
    return fuse(lifted[0], lifted[1], *weights)


def _fill(rows: Sequence[Row], questions: Sequence[Question]) -> None:
    jobs: list[tuple[Path, list[str], str]] = []
    if not _questions_file().exists():
        jobs.append((_questions_file(), [question.text for question in questions], "query"))
    for start in range(0, len(rows), BLOCK):
        if not _block_file(start).exists():
            jobs.append((_block_file(start), [row.content for row in rows[start : start + BLOCK]], "document"))
    if not jobs:
        return
    processes = os.cpu_count() or 1
    print(f"embedding {len(jobs)} blocks of {BLOCK} chunks with {processes} processes", flush=True)
    started = time.monotonic()
    # Fresh processes: torch's threads do not survive a fork.
    with get_context("spawn").Pool(processes, initializer=_load_halves) as pool:
        for done, _ in enumerate(pool.imap_unordered(_embed, jobs), start=1):
            rest = (time.monotonic() - started) / done * (len(jobs) - done)
            print(f"{done} of {len(jobs)} blocks, about {rest / 60:.0f} min left", flush=True)


_halves: list[Half] = []


def _load_halves() -> None:
    import torch

    os.nice(19)
    torch.set_num_threads(1)
    folder, small = layout.duet_folder("small", None), manifest()
    for slot in small.slots:
        short = replace(slot, max_tokens=MAX_TOKENS)
        _halves.append(Half(short, folder / slot.slot, small.dtype, small.lift_seed))


def _embed(job: tuple[Path, list[str], str]) -> None:
    file, texts, role = job
    vectors = []
    for half in _halves:
        ids = [tokens.ids for tokens in half.tokenise(texts, Role(role))]
        rows, finite = half.encoders[Role(role)].encode(ids)
        if not finite.all():
            raise SystemExit("an encoder gave numbers that are not finite")
        vectors.append(rows.astype(np.float16))
    # A file is there whole or not at all.
    partial = file.with_suffix(f".{os.getpid()}")
    with partial.open("wb") as out:
        np.savez(out, code=vectors[0], text=vectors[1])
    partial.replace(file)


def _load(file: Path) -> Halves:
    with np.load(file) as both:
        return both["code"].astype(np.float32), both["text"].astype(np.float32)


def _block_file(start: int) -> Path:
    return cache_folder() / f"block-{start // BLOCK:04d}.npz"


def _questions_file() -> Path:
    return cache_folder() / "questions.npz"
