"""What jina-embeddings-v3 is made of: its modules, what each checkpoint calls them, and the shapes of their tensors.

The body is XLM-R large with rotary positions. Tensor names of the original checkpoint and of transformers' own class:
transformers 5.24, `conversion_mapping.py` and `models/jina_embeddings_v3`; where the adapters sit: the modelling code
that the original repository ships (every linear and embedding layer is parametrised).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pgduet.encoding.errors import WeightsError

Shape = tuple[int, ...]

# Weights that no token state depends on.
UNUSED = ("pooler.", "lm_head.")
_SIZES = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "type_vocab_size",
    "max_position_embeddings",
)
# The base of the rotary angles of the released weights, and the default of transformers' class.
_THETA = 20000.0


class Module(NamedTuple):
    """A module with a weight of `shape`; `natives` are its names in transformers' class, which splits it by rows."""

    original: str
    natives: tuple[str, ...]
    shape: Shape
    kind: str  # "linear" and "embedding" carry adapters, "norm" does not

    @property
    def has_bias(self) -> bool:
        """Linear and norm modules have one, as long as the weight has rows."""
        return self.kind != "embedding"

    @property
    def rows(self) -> int:
        """Rows of the weight that one of `natives` takes."""
        return self.shape[0] // len(self.natives)


def modules(config: Mapping[str, Any]) -> list[Module]:
    """List the modules of a native config, without the pooler."""
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    found = [
        Module(name, (name,), (config[size], hidden), "embedding")
        for name, size in (
            ("embeddings.word_embeddings", "vocab_size"),
            ("embeddings.token_type_embeddings", "type_vocab_size"),
        )
    ]
    found.append(Module("emb_ln", ("embeddings.LayerNorm",), (hidden,), "norm"))
    for layer in range(config["num_hidden_layers"]):
        old, new = f"encoder.layers.{layer}.", f"layers.{layer}."
        projections = tuple(f"{new}self_attn.{part}_proj" for part in "qkv")
        found += [
            Module(f"{old}mixer.Wqkv", projections, (3 * hidden, hidden), "linear"),
            Module(f"{old}mixer.out_proj", (f"{new}self_attn.o_proj",), (hidden, hidden), "linear"),
            Module(f"{old}norm1", (f"{new}post_attention_layernorm",), (hidden,), "norm"),
            Module(f"{old}mlp.fc1", (f"{new}mlp.fc1",), (inner, hidden), "linear"),
            Module(f"{old}mlp.fc2", (f"{new}mlp.fc2",), (hidden, inner), "linear"),
            Module(f"{old}norm2", (f"{new}post_mlp_layernorm",), (hidden,), "norm"),
        ]
    return found


def pooler(config: Mapping[str, Any]) -> Module:
    """Return the pooler's only module."""
    hidden = config["hidden_size"]
    return Module("pooler.dense", ("pooler.dense",), (hidden, hidden), "linear")


def native_shapes(config: Mapping[str, Any]) -> dict[str, Shape]:
    """Map every tensor that transformers' class needs, the pooler apart, to its shape."""
    shapes: dict[str, Shape] = {}
    for module in modules(config):
        for name in module.natives:
            shapes[f"{name}.weight"] = (module.rows, *module.shape[1:])
            if module.has_bias:
                shapes[f"{name}.bias"] = (module.rows,)
    return shapes


def original_shapes(module: Module, tasks: int, rank: int) -> dict[str, Shape]:
    """Map the tensors of one module in the original checkpoint to their shapes; adapters of all tasks lie in one."""
    name = f"roberta.{module.original}"
    bias = {f"{name}.bias": module.shape[:1]} if module.has_bias else {}
    if module.kind == "norm":
        return {f"{name}.weight": module.shape, **bias}
    rows, columns = module.shape
    left, right = (tasks, rows, rank), (tasks, rank, columns)
    # The adapter of a linear layer is B @ A, that of an embedding A @ B.
    a, b = (right, left) if module.kind == "linear" else (left, right)
    weight = f"{name}.parametrizations.weight"
    return {f"{weight}.original": module.shape, f"{weight}.0.lora_A": a, f"{weight}.0.lora_B": b, **bias}


def native_config(config: Mapping[str, Any], dtype: str) -> dict[str, Any]:
    """Return the config of transformers' class for an original or native config.

    Raises WeightsError when a size is missing or odd, or positions are not the plain rotary ones.
    """
    for name in _SIZES:
        if type(config.get(name)) is not int or config[name] < 1:
            raise WeightsError(f"the config.json says {name} = {config.get(name)!r}, which is no size")
    if config["hidden_size"] % config["num_attention_heads"]:
        raise WeightsError("the hidden_size in the config.json is no multiple of num_attention_heads")
    sizes = {name: config[name] for name in _SIZES}
    return {
        "architectures": ["JinaEmbeddingsV3Model"],
        "model_type": "jina_embeddings_v3",
        "dtype": dtype,
        **sizes,
        "hidden_act": config.get("hidden_act", "gelu"),
        "layer_norm_eps": config.get("layer_norm_eps", 1e-5),
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "bos_token_id": config.get("bos_token_id", 0),
        "eos_token_id": config.get("eos_token_id", 2),
        "pad_token_id": config.get("pad_token_id", 1),
        "rope_parameters": {"rope_type": "default", "rope_theta": _theta(config)},
    }


def _theta(config: Mapping[str, Any]) -> float:
    """Read the base of the rotary angles: `rotary_emb_base` in the original config, `rope_parameters` in the native."""
    rope = config.get("rope_parameters") or {}
    kind = config.get("position_embedding_type", "rotary"), rope.get("rope_type", "default")
    theta = config.get("rotary_emb_base", rope.get("rope_theta", _THETA))
    if kind != ("rotary", "default") or type(theta) not in (int, float) or theta <= 0:
        raise WeightsError("the config.json asks for other positions than the rotary ones of jina-embeddings-v3")
    return float(theta)
