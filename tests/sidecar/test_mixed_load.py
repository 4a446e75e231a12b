"""Everything at once, for a while: the sidecar keeps its answers, its memory and its threads."""

import os
import random
import statistics
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import numpy as np
import numpy.typing as npt
import pytest

from fix_sidecar import Sidecar, open_directory, running_sidecar, wait_serving
from pgduet.v1 import embedding_pb2 as pb
from pgduet.v1 import embedding_pb2_grpc

# PGDUET_SOAK_SECONDS=600 is the run that is worth a coffee.
SECONDS = float(os.environ.get("PGDUET_SOAK_SECONDS") or 60)
CLIENTS = 50
# What the protocol's description allows these clients to get, by what they did.
ALLOWED = {
    "embed": {"OK", "RESOURCE_EXHAUSTED"},
    "cancel": {"OK", "CANCELLED", "RESOURCE_EXHAUSTED"},
    "hurry": {"OK", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"},
    "empty": {"INVALID_ARGUMENT"},
    "role": {"INVALID_ARGUMENT"},
    "model": {"NOT_FOUND"},
    "fingerprint": {"FAILED_PRECONDITION"},
    "partly": {"OK", "RESOURCE_EXHAUSTED"},
}
WORDS = ["def", "return", "self", "é", "日本", "x1", "(", ")", "</s>", "\n    "]


def texts() -> list[str]:
    """Texts of 1 to some 8,000 tokens, most of them short, as chunks are."""
    chosen = random.Random(3)
    sizes = [1, 2, 5, 9, 17, 40, 80, 120, 200, 256, 300, 512, 600, 1000, 2000, 4000, 8000]
    return [
        " ".join(["w", *chosen.choices(WORDS, k=size - 1)]) for size in sizes for _ in range(2 if size < 600 else 1)
    ]


@dataclass
class Seen:
    """What the clients saw, and what was wrong with it."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, action: str, outcome: str, wrong: str = "") -> None:
        with self.lock:
            self.outcomes[action, outcome] += 1
            if wrong or outcome not in ALLOWED[action]:
                self.wrong.append(f"{action}: {outcome} {wrong}")


class Client(threading.Thread):
    """One that embeds, gives up, is in a hurry, or asks for nonsense."""

    def __init__(self, number: int, address: str, alone: dict[str, npt.NDArray[np.float16]], seen: Seen) -> None:
        super().__init__()
        self.stop = threading.Event()
        self._random = random.Random(number)
        self._channel = grpc.insecure_channel(address)
        self._embed = embedding_pb2_grpc.EmbeddingServiceStub(self._channel).Embed  # type: ignore[no-untyped-call]
        self._alone = alone
        self._seen = seen

    def run(self) -> None:
        actions = ["embed"] * 6 + [action for action in ALLOWED if action != "embed"]
        while not self.stop.is_set():
            action = self._random.choice(actions)
            outcome, wrong = self._act(action)
            self._seen.note(action, outcome, wrong)
            if outcome == "RESOURCE_EXHAUSTED":
                self.stop.wait(0.2)
        self._channel.close()

    def _act(self, action: str) -> tuple[str, str]:
        chosen = self._random.choices(list(self._alone), k=self._random.choice([1, 1, 1, 4]))
        request = pb.EmbedRequest(model="small", role=pb.ROLE_DOCUMENT, texts=chosen)
        timeout = self._random.choice([0.001, 0.05, 0.5]) if action == "hurry" else 120
        if action == "empty":
            del request.texts[:]
        elif action == "role":
            request.role = pb.ROLE_UNSPECIFIED
        elif action == "model":
            request.model = "../small"
        elif action == "fingerprint":
            request.expected_fingerprint = "0" * 16
        elif action == "partly":
            request.texts.append(" \n\t")
        future = self._embed.future(request, timeout=timeout)
        if action == "cancel":
            self.stop.wait(self._random.choice([0, 0.01, 0.2]))
            future.cancel()
        try:
            reply = future.result()
        except grpc.FutureCancelledError:
            return "CANCELLED", ""
        except grpc.RpcError as error:
            return error.code().name, ""
        return "OK", self._wrong(chosen, reply, blank=action == "partly")

    def _wrong(self, chosen: list[str], reply: pb.EmbedResponse, *, blank: bool) -> str:
        rows = np.frombuffer(reply.embeddings, "<f2").reshape(-1, reply.width)
        errors = [result.HasField("error") for result in reply.results]
        if errors != [False] * len(chosen) + [True] * blank:
            return f"errors {errors}"
        off = max(float(np.abs(row - self._alone[text]).max()) for text, row in zip(chosen, rows, strict=False))
        return f"a vector is off by {off}" if off > 1e-4 else ""


def held(sidecar: Sidecar) -> tuple[int, int]:
    """Return the sidecar's memory in kB and its threads."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{sidecar.process.pid}/status").read_text().splitlines())
    return int(status["VmRSS"].split()[0]), int(status["Threads"])


@pytest.mark.slow
def test_answers_memory_and_threads_stay_what_they_were() -> None:
    with open_directory() as folder, running_sidecar(folder, cache_bytes="0") as sidecar:
        wait_serving(sidecar)
        stub = embedding_pb2_grpc.EmbeddingServiceStub(grpc.insecure_channel(sidecar.address))  # type: ignore[no-untyped-call]
        alone = {}
        for text in texts():
            reply = stub.Embed(pb.EmbedRequest(model="small", role=pb.ROLE_DOCUMENT, texts=[text]), timeout=60)
            alone[text] = np.frombuffer(reply.embeddings, "<f2")
        seen = Seen()
        clients = [Client(number, sidecar.address, alone, seen) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        samples = []
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            time.sleep(0.5)
            samples.append(held(sidecar))
        for client in clients:
            client.stop.set()
        for client in clients:
            client.join(150)
        assert not seen.wrong, (len(seen.wrong), seen.wrong[:5])
        # Each kind of thing was done, and every allowed end of a plain call was met but perhaps the overload.
        assert {action for action, _ in seen.outcomes} == set(ALLOWED)
        assert seen.outcomes["embed", "OK"] > SECONDS / 2
        quarter = len(samples) // 4
        early, late = samples[quarter : 2 * quarter], samples[-quarter:]
        memory = [statistics.median(kilobytes for kilobytes, _ in some) for some in (early, late)]
        assert memory[1] < 1.05 * memory[0], memory
        assert max(threads for _, threads in late) <= max(threads for _, threads in early), (early, late)
        assert sidecar.process.poll() is None
        assert stub.Embed(pb.EmbedRequest(model="small", role=pb.ROLE_QUERY, texts=["x"]), timeout=60).embeddings
        print(f"\n{dict(seen.outcomes)}, memory {memory} kB, threads {late[-1][1]}")
