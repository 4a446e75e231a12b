"""Small random checkpoints of the true architectures, in the layouts in which they are published."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from pgduet.encoding.formats.jina_names import Module, modules, native_config, pooler
from pgduet.encoding.formats.xlmr import tokenizer_json
from pgduet.encoding.manifest import Role
from reference_jina import ReferenceJina, Tensors

# In the order of the released config, which is the order of the adapters within their tensors.
JINA_TASKS = ["retrieval.query", "retrieval.passage", "separation", "classification", "text-matching"]
JINA_ADAPTER = {Role.DOCUMENT: "retrieval.passage", Role.QUERY: "retrieval.query"}
RANK = 4
WORDS = [*"abcdefghijklmnopqrstuvwxyz()[]<>/.,:", "def", "return", "▁Represent", "▁the", "▁for"]


def jina_config(**changes: Any) -> dict[str, Any]:
    """The original config.json's keys, with small sizes."""
    config: dict[str, Any] = {
        "architectures": ["XLMRobertaModel"],
        "attention_probs_dropout_prob": 0.1,
        "auto_map": {"AutoModel": "jinaai/xlm-roberta-flash-implementation--modeling_lora.XLMRobertaLoRA"},
        "bos_token_id": 0,
        "emb_pooler": "mean",
        "eos_token_id": 2,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": 64,
        "intermediate_size": 96,
        "layer_norm_eps": 1e-05,
        "load_trained_adapters": True,
        "lora_adaptations": JINA_TASKS,
        "lora_alpha": 1,
        "lora_dropout_p": 0.0,
        "lora_main_params_trainable": False,
        "lora_rank": RANK,
        "max_position_embeddings": 130,
        "model_type": "xlm-roberta",
        "num_attention_heads": 4,
        "num_hidden_layers": 2,
        "pad_token_id": 1,
        "position_embedding_type": "rotary",
        "rotary_emb_base": 20000.0,
        "type_vocab_size": 1,
        "use_flash_attn": True,
        "vocab_size": 300,
    }
    return {key: value for key, value in (config | changes).items() if value is not None}


def jina_tensors(config: dict[str, Any], seed: int = 5) -> Tensors:
    """Random weights of the original layout, with adapters large enough to be seen."""
    rng = np.random.default_rng(seed)
    tensors: Tensors = {}

    def put(name: str, *shape: int, scale: float, middle: float = 0.0) -> None:
        tensors[f"roberta.{name}"] = (rng.standard_normal(shape) * scale + middle).astype(np.float32)

    native = native_config(config, "float32")
    for module in [*modules(native), pooler(native)]:
        name, shape = module.original, module.shape
        if module.kind == "norm":
            put(f"{name}.weight", *shape, scale=0.1, middle=1.0)
            put(f"{name}.bias", *shape, scale=0.1)
            continue
        put(f"{name}.parametrizations.weight.original", *shape, scale=0.15)
        for side, sizes in _adapter_shapes(module, len(config["lora_adaptations"])).items():
            put(f"{name}.parametrizations.weight.0.{side}", *sizes, scale=0.4)
        if module.has_bias:
            put(f"{name}.bias", shape[0], scale=0.1)
    return tensors


def _adapter_shapes(module: Module, tasks: int) -> dict[str, tuple[int, ...]]:
    rows, columns = module.shape
    if module.kind == "linear":
        return {"lora_A": (tasks, RANK, columns), "lora_B": (tasks, rows, RANK)}
    return {"lora_A": (tasks, rows, RANK), "lora_B": (tasks, RANK, columns)}


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")


def write_jina_tokenizer(folder: Path) -> None:
    """XLM-R's pipeline over a few pieces; the rest of the vocabulary is never met."""
    specials = ["<s>", "<pad>", "</s>", "<unk>"]
    pieces = [*((piece, 0.0) for piece in specials), ("▁", -2.0), *((word, -3.0) for word in WORDS), ("<mask>", 0.0)]
    write_json(folder / "tokenizer.json", tokenizer_json(pieces))
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "XLMRobertaTokenizer", "model_max_length": 128})


def write_original_jina(folder: Path, tensors: Tensors | None = None, config: dict[str, Any] | None = None) -> Path:
    """Lay out the folder as the original repository is: one file with all adapters in it."""
    config = config or jina_config()
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "config.json", config)
    save_file(tensors or jina_tensors(config), folder / "model.safetensors", metadata={"format": "pt"})
    write_jina_tokenizer(folder)
    return folder


def write_native_jina(folder: Path, *, saved_by_class: bool = True) -> Path:
    """Lay out the same model as the repository for transformers is: a base, and a folder per adapter.

    The base has the names under which transformers' class saves itself (projections fused), or its own ones.
    """
    config, tensors = jina_config(), jina_tensors(jina_config())
    native = native_config(config, "float32")
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "config.json", native)
    write_jina_tokenizer(folder)
    base: Tensors = {}
    for module in [*modules(native), pooler(native)]:
        for kind, name in (("weight", _base_name(module)), ("bias", f"roberta.{module.original}.bias")):
            if name not in tensors:
                continue
            names = [module.original] if saved_by_class else module.natives
            parts = np.split(tensors[name], len(names))
            base |= {f"{each}.{kind}": part for each, part in zip(names, parts, strict=True)}
    save_file(base, folder / "model.safetensors", metadata={"format": "pt"})
    for task, name in enumerate(JINA_TASKS):
        _write_peft(folder / name.replace(".", "_").replace("-", "_"), native, tensors, task)
    return folder


def _base_name(module: Module) -> str:
    name = f"roberta.{module.original}"
    return f"{name}.weight" if module.kind == "norm" else f"{name}.parametrizations.weight.original"


def _write_peft(folder: Path, native: dict[str, Any], tensors: Tensors, task: int) -> None:
    """Write one adapter as peft does: A and B of each projection apart, those of embeddings transposed."""
    folder.mkdir()
    adapter: Tensors = {}
    for module in [*modules(native), pooler(native)]:
        weight = f"roberta.{module.original}.parametrizations.weight.0"
        if module.kind == "norm":
            continue
        a, b = tensors[f"{weight}.lora_A"][task], tensors[f"{weight}.lora_B"][task]
        for native_name, rows in zip(module.natives, np.split(b, len(module.natives)), strict=True):
            name = f"base_model.model.{native_name}"
            if module.kind == "embedding":
                adapter[f"{name}.lora_embedding_A"] = np.ascontiguousarray(a.T)
                adapter[f"{name}.lora_embedding_B"] = np.ascontiguousarray(b.T)
            else:
                adapter[f"{name}.lora_A.weight"] = a.copy()
                adapter[f"{name}.lora_B.weight"] = rows.copy()
    save_file(adapter, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    write_json(folder / "adapter_config.json", peft_config())


def peft_config(**changes: Any) -> dict[str, Any]:
    """The keys of peft's adapter_config.json that decide what an adapter does."""
    config: dict[str, Any] = {
        "alpha_pattern": {},
        "bias": "none",
        "fan_in_fan_out": False,
        "lora_alpha": 1,
        "lora_bias": False,
        "lora_dropout": 0.0,
        "modules_to_save": None,
        "peft_type": "LORA",
        "r": RANK,
        "rank_pattern": {},
        "task_type": "FEATURE_EXTRACTION",
        "use_dora": False,
        "use_rslora": False,
    }
    return {key: value for key, value in (config | changes).items() if value != "absent"}


class _OneTask(ReferenceJina):
    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, *_: torch.Tensor) -> torch.Tensor:
        return super().forward(input_ids, attention_mask, torch.tensor(JINA_TASKS.index("retrieval.query")))


def export_jina(folder: Path, *, with_task: bool = True) -> None:
    """Write the small jina as the repository's ONNX files: the weights beside the graph, the task an input."""
    config = jina_config()
    model = (ReferenceJina if with_task else _OneTask)(jina_tensors(config), config).eval()
    ids = torch.ones((2, 7), dtype=torch.long)
    axes = {0: "texts", 1: "tokens"}
    names, inputs = ["input_ids", "attention_mask"], (ids, ids)
    with warnings.catch_warnings():
        # The exporter is old, and says so; onnx warns about what it imports.
        warnings.simplefilter("ignore")
        import onnx

        torch.onnx.export(
            model,
            (*inputs, torch.tensor(1)) if with_task else inputs,
            folder / "whole.onnx",
            input_names=[*names, "task_id"] if with_task else names,
            output_names=["token_embeddings"],
            dynamic_axes=dict.fromkeys(("input_ids", "attention_mask", "token_embeddings"), axes),
            dynamo=False,
        )
        onnx.save_model(
            onnx.load(folder / "whole.onnx"),
            folder / "model.onnx",
            save_as_external_data=True,
            location="model.onnx_data",
            size_threshold=1024,
        )
    (folder / "whole.onnx").unlink()
    write_json(folder / "config.json", config)


@pytest.fixture(scope="session")
def original_jina(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small jina-embeddings-v3 in the original layout. Tests do not write here."""
    return write_original_jina(tmp_path_factory.mktemp("jina") / "original")
