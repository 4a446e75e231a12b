"""What fine-tuning costs: peak memory, and time for 1,000 triplets: all weights or LoRA, whole batches or pieces.

Triplets are docstrings of installed packages, the functions they stand in and others of the same file. Each run is a
fresh process. Its memory is the most that it used while it trained, weights and libraries included; on a processor that
is a process of its own, in which freed memory is given back at once: the C library may keep up to twice as much. Where
the machine is shared, processor seconds count, not those of the clock.

    .venv/bin/python benchmarks/finetune_cost.py [--batch 16] [--steps 1]     # `small`, on this machine's processor
    benchmarks/gpu_finetune.sh [--batch 64] [--steps 5]                       # Qodo's architecture, on a CUDA card
"""

import argparse
import ast
import json
import os
import platform
import re
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pgduet.encoding import Duet
    from pgduet.training.tuning.batches import Triplet
    from pgduet.training.tuning.loop import Step

REPOSITORY = Path(__file__).resolve().parent.parent
RESULTS = REPOSITORY / "benchmarks" / "results"
RANK = 16
SMALL: dict[str, dict[str, Any]] = {
    "triplet, all weights": {"objective": "triplet"},
    "triplet, all weights, pieces of 4": {"objective": "triplet", "chunk": 4},
    "pairs in-batch, all weights": {},
    "pairs in-batch, all weights, pieces of 4": {"chunk": 4},
    f"pairs in-batch, LoRA of rank {RANK}": {"lora_rank": RANK},
    f"pairs in-batch, LoRA of rank {RANK}, pieces of 4": {"lora_rank": RANK, "chunk": 4},
}
QODO: dict[str, dict[str, Any]] = {
    f"in-batch, LoRA of rank {RANK}{name}": {"hard": True, "part": "code", "lora_rank": RANK} | changes
    for name, changes in {"": {}, ", pieces of 8": {"chunk": 8}}.items()
}
# The numbers of the published config; untied, so that the states are all there is.
SHAPE: dict[str, Any] = {
    "vocab_size": 151646,
    "hidden_size": 1536,
    "intermediate_size": 8960,
    "num_hidden_layers": 28,
    "num_attention_heads": 12,
    "num_key_value_heads": 2,
    "max_position_embeddings": 131072,
    "rms_norm_eps": 1e-6,
    "rope_parameters": {"rope_type": "default", "rope_theta": 1e6},
    "tie_word_embeddings": False,
}
# So small that every tensor of note is a mapping of its own, which costs time.
GIVEN_BACK = {"MALLOC_MMAP_THRESHOLD_": "65536"}
WEIGHTS = 1_543_268_864


def read_triplets(count: int) -> "list[Triplet]":
    """Pair what docstrings say with the code that they stand in and, as a negative, other code of the file."""
    from pgduet.training.tuning.batches import Triplet

    found: dict[Triplet, None] = {}
    for path in sorted(Path(sysconfig.get_path("purelib")).rglob("*.py")):
        try:
            functions = list(_functions(ast.parse(path.read_text(encoding="utf-8"))))
        except (SyntaxError, ValueError, OSError):
            continue
        for (said, code), (_, other) in zip(functions[::2], functions[1::2], strict=False):
            found[Triplet(said, code, other)] = None
        if len(found) >= count:
            return list(found)[:count]
    raise SystemExit(f"the installed packages hold {len(found)} triplets, {count} were asked for")


def _functions(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and len(node.body) > 2 and (said := ast.get_docstring(node)):
            node.body = node.body[1:]
            yield said, ast.unparse(node)


def write_qodo(folder: Path) -> None:
    """Write random weights of Qodo-Embed-1-1.5B's architecture in bfloat16, its tokenizer, and a tiny text half."""
    import torch
    from transformers import AutoModel, BertConfig, Qwen2Config

    sys.path.append(str(REPOSITORY / "tests"))
    from fix_tokenizers import QWEN_END, build_qwen

    torch.manual_seed(0)
    ends: dict[str, Any] = {"pad_token_id": QWEN_END, "eos_token_id": QWEN_END}
    tiny: dict[str, Any] = {
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 64,
    }
    tokenizer = build_qwen(folder / "tokenizer").ended.read_bytes()
    for half, config in (
        ("text", BertConfig(vocab_size=SHAPE["vocab_size"], **tiny)),
        ("code", Qwen2Config(**SHAPE, **ends)),
    ):
        model = AutoModel.from_config(config, dtype=torch.bfloat16)  # type: ignore[no-untyped-call]
        weights = sum(values.numel() for values in model.parameters())
        assert half == "text" or weights == WEIGHTS, weights
        model.save_pretrained(folder / half)
        (folder / half / "tokenizer.json").write_bytes(tokenizer)
        (folder / half / "tokenizer_config.json").write_text("{}")
    (folder / "complete").touch()


def load_qodo(dtype: str) -> "Duet":
    """Load the duet with random weights; they are made once and kept in the user's cache."""
    from pgduet.encoding import Manifest, Role
    from pgduet.encoding.duet import Duet
    from pgduet.encoding.manifest import Slot
    from pgduet.encoding.sources import FolderSource

    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pgduet" / "bench-qodo"
    if not (folder / "complete").exists():
        print("writing random weights, once", file=sys.stderr)
        write_qodo(folder)

    def slot(name: str, width: int, pooling: str) -> Slot:
        source = FolderSource(str(folder / name), "transformers")
        prefix = dict.fromkeys(Role, "")
        # Random weights are known by no hash.
        files = {"model.safetensors": "0" * 64}
        end = "<|endoftext|>"
        return Slot(name, name, "none", "", width, pooling, "auto", 512, end, 0.5, prefix, {}, (), source, files)

    code, text = slot("code", SHAPE["hidden_size"], "last"), slot("text", 32, "mean")
    return Duet(Manifest("qodo-shape", "Random weights", dtype, 1, 2, "", code, text), folder)


class Memory:
    """Memory in MiB: of this process, or of the card where one is used."""

    def __init__(self, device: str) -> None:
        """Start anew: what loading took is no part of the peak."""
        self._on_card = device == "cuda"
        self.loaded = self._read("VmRSS")
        if self._on_card:
            import torch

            torch.cuda.reset_peak_memory_stats()
        else:
            Path("/proc/self/clear_refs").write_text("5")

    def peak(self) -> int:
        return self._read("VmHWM")

    def _read(self, field: str) -> int:
        if self._on_card:
            import torch

            held = torch.cuda.memory_allocated() if field == "VmRSS" else torch.cuda.max_memory_allocated()
            return held >> 20
        found = re.search(rf"^{field}:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
        assert found is not None
        return int(found[1]) >> 10


def run_here(duet_name: str, settings: dict[str, Any]) -> dict[str, float]:
    """Train as `settings` of a plan say; return memory in MiB, and seconds for 1,000 triplets."""
    from pgduet.encoding import Part, load_duet
    from pgduet.encoding.engines import TORCH_ON_CPU
    from pgduet.training.tuning.batches import Batches
    from pgduet.training.tuning.checkpoint import Checkpoints, Progress
    from pgduet.training.tuning.loop import Run
    from pgduet.training.tuning.plan import Plan
    from pgduet.training.tuning.trainee import Trainee

    class Unwritten(Checkpoints):
        """What a checkpoint costs is the disk's."""

        def save(self, progress: Progress, state: dict[str, Any]) -> None:
            return

    plan = Plan(**settings | {"part": Part(settings.get("part", "both"))})
    duet = (
        load_duet("small", runtime=TORCH_ON_CPU)
        if duet_name == "small"
        else load_qodo("bfloat16" if plan.bfloat16 else "float32")
    )
    # Twice as many as are read: a text that stands in two triplets keeps one of them out of a batch.
    batches = Batches(duet, read_triplets(2 * plan.batch * plan.steps), plan)
    trainee = Trainee(duet, plan)
    memory = Memory(trainee.device.type)
    steps: list[Step] = []
    with tempfile.TemporaryDirectory() as folder:
        run = Run(trainee, batches, plan, Unwritten(Path(folder), ""))
        began = time.process_time()
        run.train(steps.append)
        processor = time.process_time() - began
    # A card compiles and allocates in its first step.
    timed = steps[1:] or steps
    return {
        "weights_that_learn": sum(weights.numel() for _, weights in trainee.learning()),
        "loaded_mib": memory.loaded,
        "peak_mib": memory.peak(),
        "seconds_per_1000": round(sum(step.seconds for step in timed) / len(timed) / plan.batch * 1000, 1),
        "processor_seconds_per_1000": round(processor / len(steps) / plan.batch * 1000, 1),
        "first_loss": round(steps[0].loss, 4),
    }


def run_apart(qodo: bool, settings: dict[str, Any], **environment: str) -> dict[str, float]:
    arguments = [*(["--qodo"] if qodo else []), "--child", json.dumps(settings)]
    command = [sys.executable, __file__, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=os.environ | environment)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def machine(device: str) -> dict[str, Any]:
    import torch

    found: dict[str, Any] = {"processor": platform.machine(), "cores": os.cpu_count(), "torch": torch.__version__}
    if device == "cuda":
        card = torch.cuda.get_device_properties(0)
        found |= {"card": card.name, "card_mib": card.total_memory >> 20}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--qodo", action="store_true", help="Qodo's architecture instead of `small`")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=1, help="the first is not timed where there are more")
    parser.add_argument("--max-tokens", type=int, default=96)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    duet = "qodo-shape" if asked.qodo else "small"
    if asked.child:
        print(json.dumps(run_here(duet, json.loads(asked.child))))
        return
    from pgduet.training.tuning.errors import TuningError
    from pgduet.training.tuning.processes import device_for

    try:
        device_for(asked.device)
    except TuningError as error:
        raise SystemExit(f"{error}: {error.hint}") from error
    # Processors without instructions for bfloat16 take minutes for a text.
    bfloat16 = asked.qodo and asked.device == "cuda"
    common = {
        "bfloat16": bfloat16,
        "batch": asked.batch,
        "steps": asked.steps,
        "max_tokens": asked.max_tokens,
        "device": asked.device,
    }
    figures: dict[str, Any] = {"duet": duet, **common, "machine": machine(asked.device), "runs": {}}
    head = ("learn", "loaded MiB", "peak MiB", "s / 1,000", "processor s")
    print(f"{'':42}" + "".join(f"{name:>13}" for name in head))
    for name, changes in (QODO if asked.qodo else SMALL).items():
        figures["runs"][name] = run = run_apart(asked.qodo, common | changes)
        if asked.device == "cpu":
            run["peak_mib"] = run_apart(asked.qodo, common | changes, **GIVEN_BACK)["peak_mib"]
        print(f"{name:42}" + "".join(f"{value:>13,}" for value in list(run.values())[:-1]), flush=True)
    path = RESULTS / ("gpu_finetune.json" if asked.qodo else "finetune_cost.json")
    if not asked.qodo or asked.device == "cuda":
        path.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
