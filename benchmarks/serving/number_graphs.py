"""The same products and encoders as graphs of onnxruntime and OpenVINO, in whole numbers of eight bits."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer

from pgduet.encoding.openvino_model import import_openvino

TOKENS, WIDTH, INNER = 512, 384, 1536
# One layer: queries, keys, values and their output, up, down.
SHAPES = [(WIDTH, WIDTH)] * 4 + [(WIDTH, INNER), (INNER, WIDTH)]
WEIGHTS = [np.random.default_rng(9).standard_normal(shape, np.float32) / 20 for shape in SHAPES]
_BLOCK = 32
_MICROSOFT = "com.microsoft"
Parts = tuple[list[onnx.NodeProto], dict[str, np.ndarray[Any, Any]]]


def session(model: onnx.ModelProto | Path) -> onnxruntime.InferenceSession:
    """Load a graph with torch's number of threads, which rest when there is nothing to do."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    source = str(model) if isinstance(model, Path) else model.SerializeToString()
    return onnxruntime.InferenceSession(source, options)


def integers(way: str) -> onnx.ModelProto:
    """Return the products in whole numbers; `way` says what shares one scale: `tensor`, `token` or `blocks`."""
    nodes, kept = _by_token() if way == "token" else ([], {})
    for number, weights in enumerate(WEIGHTS):
        more, numbers = {"tensor": _plain, "token": _scaled, "blocks": _blocks}[way](
            f"x{len(weights)}", number, weights
        )
        nodes, kept = nodes + more, kept | numbers
    given = [helper.make_tensor_value_info(f"x{size}", TensorProto.FLOAT, [TOKENS, size]) for size in (WIDTH, INNER)]
    found = [
        helper.make_tensor_value_info(f"y{number}", TensorProto.FLOAT, [TOKENS, columns])
        for number, (_, columns) in enumerate(SHAPES)
    ]
    graph = helper.make_graph(nodes, "products", given, found, [numpy_helper.from_array(v, k) for k, v in kept.items()])
    sets = [helper.make_opsetid("", 17), helper.make_opsetid(_MICROSOFT, 1)]
    return helper.make_model(graph, opset_imports=sets, ir_version=8)


def _whole(weights: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    scale = np.abs(weights).max(axis=0) / 127
    return np.round(weights / scale).astype(np.int8), scale.astype(np.float32)


def _plain(x: str, number: int, weights: np.ndarray[Any, Any]) -> Parts:
    whole, scale = _whole(weights)
    node = helper.make_node("DynamicQuantizeMatMul", [x, f"w{number}", f"s{number}"], [f"y{number}"], domain=_MICROSOFT)
    return [node], {f"w{number}": whole, f"s{number}": scale}


def _by_token() -> Parts:
    """Quantise each token's numbers by the largest of them: what its neighbours are then changes nothing."""
    nodes: list[onnx.NodeProto] = []
    for size in (WIDTH, INNER):
        x = f"x{size}"
        nodes += [
            helper.make_node("Abs", [x], [f"{x}_abs"]),
            helper.make_node("ReduceMax", [f"{x}_abs"], [f"{x}_most"], axes=[1], keepdims=1),
            helper.make_node("Mul", [f"{x}_most", "step"], [f"{x}_scale"]),
            helper.make_node("Reshape", [f"{x}_scale", "flat"], [f"{x}_scales"]),
            helper.make_node("QuantizeLinear", [x, f"{x}_scales", "middles"], [f"{x}_whole"], axis=0),
        ]
    kept: dict[str, np.ndarray[Any, Any]] = {
        "step": np.array(1 / 127, np.float32),
        "flat": np.array([-1], np.int64),
        "middles": np.full(TOKENS, 128, np.uint8),
        "middle": np.array(128, np.uint8),
        "one": np.array(1, np.float32),
    }
    return nodes, kept


def _scaled(x: str, number: int, weights: np.ndarray[Any, Any]) -> Parts:
    whole, scale = _whole(weights)
    given = [f"{x}_whole", f"w{number}", "one", f"s{number}", "middle"]
    nodes = [
        helper.make_node("MatMulIntegerToFloat", given, [f"z{number}"], domain=_MICROSOFT),
        helper.make_node("Mul", [f"z{number}", f"{x}_scale"], [f"y{number}"]),
    ]
    return nodes, {f"w{number}": whole, f"s{number}": scale}


def _blocks(x: str, number: int, weights: np.ndarray[Any, Any]) -> Parts:
    rows, columns = weights.shape
    blocks = weights.T.reshape(columns, rows // _BLOCK, _BLOCK)
    scale = np.abs(blocks).max(axis=2, keepdims=True) / 127
    whole = (np.round(blocks / scale) + 128).astype(np.uint8)
    shape = {"K": rows, "N": columns, "bits": 8, "block_size": _BLOCK, "accuracy_level": 4}
    given = [x, f"w{number}", f"s{number}"]
    node = helper.make_node("MatMulNBits", given, [f"y{number}"], domain=_MICROSOFT, **shape)
    return [node], {f"w{number}": whole, f"s{number}": scale.reshape(-1).astype(np.float32)}


def openvino_products(given: Mapping[int, np.ndarray[Any, Any]], *, eight_bits: bool) -> Callable[[], Any]:
    """Return a call that has OpenVINO make the products, with weights in float32 or in eight bits."""
    openvino = import_openvino()
    ops = openvino.opset13
    inputs = {size: ops.parameter([TOKENS, size], np.float32) for size in given}

    def constant(weights: np.ndarray[Any, Any]) -> Any:
        if not eight_bits:
            return ops.constant(weights)
        whole, scale = _whole(weights)
        halves = ops.multiply(ops.convert(ops.constant(whole), "f16"), ops.constant(scale[None].astype(np.float16)))
        return ops.convert(halves, "f32")

    products = [ops.matmul(inputs[len(one)], constant(one), False, False) for one in WEIGHTS]
    model = openvino.Model([ops.result(product) for product in products], list(inputs.values()))
    settings = {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,
    } | ({"DYNAMIC_QUANTIZATION_GROUP_SIZE": str(_BLOCK)} if eight_bits else {})
    request = openvino.Core().compile_model(model, "CPU", settings).create_infer_request()
    numbers: Sequence[Any] = list(given.values())
    return lambda: request.infer(numbers, share_inputs=True, share_outputs=True)


def quantised_encoder(folder: Path, work: Path) -> Path:
    """Return the encoder in a folder as onnxruntime's own tools make it: fused for BERT, products in eight bits."""
    from transformers import AutoModel

    module = AutoModel.from_pretrained(folder, attn_implementation="eager").eval().requires_grad_(False)

    class States(torch.nn.Module):
        def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> Any:
            return module(input_ids=ids, attention_mask=mask).last_hidden_state

    ids = torch.arange(5, 32).reshape(3, 9)
    free = {name: {0: "texts", 1: "tokens"} for name in ("ids", "mask", "states")}
    plain, fused, small = (work / f"{name}.onnx" for name in ("plain", "fused", "small"))
    torch.onnx.export(
        States(),
        (ids, (ids % 4 > 0).long()),
        str(plain),
        input_names=["ids", "mask"],
        output_names=["states"],
        dynamic_axes=free,
        dynamo=False,
        opset_version=17,
    )
    config = module.config
    optimizer.optimize_model(
        str(plain), "bert", num_heads=config.num_attention_heads, hidden_size=config.hidden_size
    ).save_model_to_file(str(fused))
    # Seven bits for weights: on CPUs without VNNI the sums of eight overflow.
    more = {"DefaultTensorType": TensorProto.FLOAT}
    quantize_dynamic(
        str(fused), str(small), per_channel=True, reduce_range=True, weight_type=QuantType.QInt8, extra_options=more
    )
    return small
