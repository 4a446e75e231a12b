"""A peer in a process of its own: each line of JSON that it reads is a slice of texts, its answer the seconds it took.

Runs in the peer's own environment, which has no pgduet:

    python speed_peer.py KIND DTYPE CODE_FOLDER TEXT_FOLDER THREADS

The folders are those of sentence-transformers; the texts of the text half come with its prefix.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

Encode = Callable[[Sequence[str]], Any]
_BATCH = 32


def sentence_transformers(folder: str, threads: int, dtype: str) -> Encode:
    """Sorts by length itself."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(folder, device="cpu", model_kwargs={"dtype": getattr(torch, dtype)})
    return lambda texts: model.encode(list(texts), batch_size=_BATCH, normalize_embeddings=True)


def sentence_transformers_openvino(folder: str, threads: int, dtype: str) -> Encode:
    """The same with its backend for CPUs."""
    from sentence_transformers import SentenceTransformer

    hint = {"float32": "f32", "bfloat16": "bf16"}[dtype]
    settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": hint, "ENABLE_CPU_PINNING": False}
    model = SentenceTransformer(folder, device="cpu", backend="openvino", model_kwargs={"ov_config": settings})
    return lambda texts: model.encode(list(texts), batch_size=_BATCH, normalize_embeddings=True)


def transformers(folder: str, threads: int, dtype: str) -> Encode:
    """Plain use of the library: batches in the order of their length, padded, mean of the states."""
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, dtype=getattr(torch, dtype)).eval()

    def encode(texts: Sequence[str]) -> Any:
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        found = np.zeros((len(texts), model.config.hidden_size), np.float32)
        for start in range(0, len(texts), _BATCH):
            rows = order[start : start + _BATCH]
            given = tokenizer(
                [texts[row] for row in rows], padding=True, truncation=True, max_length=256, return_tensors="pt"
            )
            with torch.inference_mode():
                states = model(**given).last_hidden_state.float()
            mask = given["attention_mask"].unsqueeze(-1)
            pooled = (states * mask).sum(dim=1) / mask.sum(dim=1)
            found[rows] = torch.nn.functional.normalize(pooled, dim=1).numpy()
        return found

    return encode


def infinity(folder: str, threads: int, dtype: str) -> Encode:
    """Its engine in this process, without its web server."""
    from infinity_emb import AsyncEmbeddingEngine, EngineArgs

    args = EngineArgs(
        model_name_or_path=folder,
        engine="torch",
        device="cpu",
        dtype=dtype,
        compile=False,
        bettertransformer=False,
        batch_size=_BATCH,
        model_warmup=False,
        lengths_via_tokenize=True,
    )
    engine = AsyncEmbeddingEngine.from_args(args)
    loop = asyncio.get_event_loop_policy().get_event_loop()
    loop.run_until_complete(engine.astart())

    def encode(texts: Sequence[str]) -> Any:
        found, _ = loop.run_until_complete(engine.embed(sentences=list(texts)))
        return np.stack(found)

    return encode


KINDS = {
    "sentence-transformers": sentence_transformers,
    "sentence-transformers, OpenVINO": sentence_transformers_openvino,
    "transformers": transformers,
    "infinity": infinity,
}


def main() -> None:
    """Load both encoders, say that they are ready, and answer until the input ends."""
    kind, dtype, code, text, threads = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5])
    torch.set_num_threads(threads)
    # What libraries print must not stand between the answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    halves = [KINDS[kind](folder, threads, dtype) for folder in (code, text)]
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        started = time.perf_counter()
        found = [encode(texts) for encode, texts in zip(halves, asked["texts"], strict=True)]
        answer: dict[str, Any] = {"seconds": time.perf_counter() - started}
        if asked["vectors"]:
            answer["vectors"] = [np.asarray(vectors, np.float32).tolist() for vectors in found]
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
