"""The layers of an encoder as a graph of onnxruntime whose products are of whole numbers in eight bits.

Each token's numbers are scaled by the largest of them. All between two products is float32, and so are the values that
attention sums up: a twelfth of the work, and half of what eight bits move a vector by (measured on both encoders of
`small`).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from torch import nn

Array = np.ndarray[Any, Any]
# Weights [inputs, outputs] in whole numbers, with the scale of each output.
Whole = Callable[[nn.Linear], tuple[Array, Array]]

Shape = Sequence[str | int]

STATES = "states"
_MICROSOFT = "com.microsoft"
# The least that GELU gives is -0.17: so many of the 256 steps are enough below zero.
_BELOW, _LEAST = 16, 0.17
_ROWS, _SHAPE, _ONE = "rows", "shape", "one"


class Graph:
    """Nodes and numbers, as they come; names of values are made up."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.numbers: dict[str, Array] = {}

    def add(self, kind: str, *given: str, domain: str = "", **how: Any) -> str:
        """Add a node; return the name of what it gives."""
        name = f"{kind}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(given), [name], domain=domain, **how))
        return name

    def keep(self, numbers: Array) -> str:
        """Add numbers that are always the same; return their name."""
        name = f"numbers{len(self.numbers)}"
        self.numbers[name] = numbers
        return name


def make_graph(module: Any, whole: Whole) -> bytes:
    """Return the graph of a BERT-like encoder: states [n, t, width] behind the embeddings in, those of its end out.

    It knows no padding. `whole` gives the weights of each product.
    """
    graph, width = Graph(), module.config.hidden_size
    graph.nodes.append(helper.make_node("Shape", [STATES], [_SHAPE]))
    graph.numbers[_ROWS] = np.array([-1, width], np.int64)
    graph.numbers[_ONE] = np.array(1, np.float32)
    rows = graph.add("Reshape", STATES, _ROWS)
    first, second = (graph.keep(np.array([place], np.int64)) for place in (0, 1))
    count = graph.add("Slice", graph.add("Shape", rows), first, second)
    layers = _Layers(graph, whole, count, module.config.num_attention_heads)
    for layer in module.encoder.layer:
        rows = layers.add(layer, rows)
    graph.nodes.append(helper.make_node("Reshape", [rows, _SHAPE], ["found"]))
    shape = ["texts", "tokens"]
    return written(graph, [(STATES, TensorProto.FLOAT, [*shape, width])], [("found", [*shape, width])])


def written(graph: Graph, given: Sequence[tuple[str, int, Shape]], found: Sequence[tuple[str, Shape]]) -> bytes:
    """Return a graph as a file holds it; it takes `given` (name, type, shape) and gives `found` (name, shape)."""
    made = helper.make_graph(
        graph.nodes,
        "encoder",
        [helper.make_tensor_value_info(*one) for one in given],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in found],
        [numpy_helper.from_array(numbers, name) for name, numbers in graph.numbers.items()],
    )
    sets = [helper.make_opsetid("", 17), helper.make_opsetid(_MICROSOFT, 1)]
    file: bytes = helper.make_model(made, opset_imports=sets, ir_version=8).SerializeToString()
    return file


class _Layers:
    """Adds layer after layer; states are rows [n * t, width] but for attention."""

    def __init__(self, graph: Graph, whole: Whole, count: str, heads: int) -> None:
        self._graph = graph
        self._whole = whole
        self._heads = heads
        self._flat = graph.keep(np.array([-1], np.int64))
        # Zero, among the 256 steps: in the middle, or for GELU near the end.
        self._middle, self._low = (graph.keep(np.array(zero, np.uint8)) for zero in (128, _BELOW))
        self._middles, self._lows = (
            graph.add("ConstantOfShape", count, value=helper.make_tensor("zero", TensorProto.UINT8, [1], [zero]))
            for zero in (128, _BELOW)
        )

    def add(self, layer: Any, rows: str) -> str:
        graph, own = self._graph, layer.attention.self
        given = self._scaled(rows)
        values = graph.add("MatMul", rows, graph.keep(own.value.weight.detach().t().contiguous().numpy()))
        found = [self._product(given, own.query), self._product(given, own.key), values]
        parts = [graph.add("Reshape", one, _SHAPE) for one in found]
        shifts = graph.keep(np.concatenate([one.bias.detach().numpy() for one in (own.query, own.key, own.value)]))
        seen = graph.add("MultiHeadAttention", *parts, shifts, domain=_MICROSOFT, num_heads=self._heads)
        seen = graph.add("Reshape", seen, _ROWS)
        out = layer.attention.output
        rows = self._added(self._product(self._scaled(seen), out.dense), rows, out)
        up = layer.intermediate.dense
        inner = self._product(self._scaled(rows), up)
        inner = graph.add("BiasGelu", inner, graph.keep(up.bias.detach().numpy()), domain=_MICROSOFT)
        return self._added(self._product(self._scaled(inner, gelu=True), layer.output.dense), rows, layer.output)

    def _scaled(self, rows: str, *, gelu: bool = False) -> tuple[str, str, str]:
        """Return rows in whole numbers, the scale [n * t, 1] of each, and which whole number is zero."""
        graph = self._graph
        most = graph.add("ReduceMax", rows if gelu else graph.add("Abs", rows), axes=[1], keepdims=1)
        steps = 255 - _BELOW if gelu else 127
        scale = graph.add("Mul", most, graph.keep(np.array(1 / steps, np.float32)))
        # A token of zeros has a scale too.
        least = _LEAST / _BELOW if gelu else np.finfo(np.float32).tiny
        scale = graph.add("Max", scale, graph.keep(np.array(least, np.float32)))
        zeros, zero = (self._lows, self._low) if gelu else (self._middles, self._middle)
        return graph.add("QuantizeLinear", rows, graph.add("Reshape", scale, self._flat), zeros, axis=0), scale, zero

    def _product(self, given: tuple[str, str, str], linear: nn.Linear) -> str:
        graph, (rows, scale, zero) = self._graph, given
        weights, steps = (graph.keep(numbers) for numbers in self._whole(linear))
        found = graph.add("MatMulIntegerToFloat", rows, weights, _ONE, steps, zero, domain=_MICROSOFT)
        return graph.add("Mul", found, scale)

    def _added(self, found: str, rows: str, end: Any) -> str:
        """Add what a layer found to its rows and normalise the sum."""
        graph, norm = self._graph, end.LayerNorm
        shift, weight, bias = (graph.keep(one.detach().numpy()) for one in (end.dense.bias, norm.weight, norm.bias))
        # One node does all three, and takes three times as long.
        rows = graph.add("Add", graph.add("Add", found, shift), rows)
        return graph.add("LayerNormalization", rows, weight, bias, axis=-1, epsilon=float(norm.eps))
