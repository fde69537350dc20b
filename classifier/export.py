"""Write the network as one ONNX file: weights stored as int8 with a scale a channel, computed in float32.

The graph is built here, operator by operator, with ONNX Runtime's fused attention. It has no mask: the
engine gives it texts of equal length only, so that a text's scores do not depend on what else is in the
batch. Matrices lie as `(in, out)`; names are the state dict's, with query, key and value side by side as
`qkv`.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from .network import Network
from .onnx_weights import LAYER_NORM_EPSILON, POSITIONS

Floats = npt.NDArray[np.float32]


class _Graph:
    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.stored: list[onnx.TensorProto] = []

    def keep(self, name: str, value: npt.NDArray[np.generic]) -> str:
        self.stored.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def put(self, kind: str, inputs: list[str], output: str, domain: str = "", **attributes: object) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, domain=domain, **attributes))
        return output

    def matrix(self, name: str, value: Floats) -> str:
        """Keep a matrix `(in, out)` as int8 with a scale an output column."""
        scale = np.maximum(np.abs(value).max(axis=0) / 127, 1e-12).astype(np.float32)
        self.keep(f"{name}.int8", np.round(value / scale).astype(np.int8))
        self.keep(f"{name}.scale", scale)
        return self.put("DequantizeLinear", [f"{name}.int8", f"{name}.scale"], name, axis=1)

    def norm(self, name: str, source: str, weights: dict[str, Floats]) -> str:
        inputs = [
            source,
            self.keep(f"{name}.weight", weights[f"{name}.weight"]),
            self.keep(f"{name}.bias", weights[f"{name}.bias"]),
        ]
        return self.put("LayerNormalization", inputs, f"{name}.out", axis=-1, epsilon=LAYER_NORM_EPSILON)


def export(network: Network, path: Path) -> None:
    """Write `path`. Input `ids (batch, length)` int64; outputs `logits (batch, heads)` and `embedding
    (batch, dim)`.
    """
    weights = {name: value.detach().float().numpy() for name, value in network.state_dict().items()}
    config = network.encoder.config
    graph = _Graph()
    hidden = _embeddings(graph, weights)
    for place in range(config.num_hidden_layers):
        hidden = _layer(graph, weights, f"encoder.encoder.layer.{place}", hidden, config.num_attention_heads)
    _outputs(graph, weights, hidden)
    heads, size = weights["heads.bias"].shape[0], config.hidden_size
    proto = helper.make_graph(
        graph.nodes,
        "judge",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["batch", "length"])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", heads]),
            helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", size]),
        ],
        graph.stored,
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(proto, opset_imports=opsets, producer_name="jaga-ruang", ir_version=9)
    onnx.save(model, str(path))


def _embeddings(graph: _Graph, weights: dict[str, Floats]) -> str:
    # A row of the table is dequantised after it is looked up, so the table stays int8 in memory too.
    name = "encoder.embeddings"
    table = weights[f"{name}.word_embeddings.weight"]
    scale = np.maximum(np.abs(table).max(axis=1, keepdims=True) / 127, 1e-12).astype(np.float32)
    words = f"{name}.word_embeddings.weight"
    graph.keep(f"{words}.int8", np.round(table / scale).astype(np.int8))
    graph.keep(f"{words}.scale", scale)
    graph.put("Gather", [f"{words}.int8", "ids"], "words.int8", axis=0)
    graph.put("Cast", ["words.int8"], "words.float", to=TensorProto.FLOAT)
    graph.put("Gather", [f"{words}.scale", "ids"], "words.scale", axis=0)
    graph.put("Mul", ["words.float", "words.scale"], "words")
    # Token types are all 0: their row is added to the positions once, here.
    places = (
        weights[f"{name}.position_embeddings.weight"][:POSITIONS] + weights[f"{name}.token_type_embeddings.weight"][0]
    )
    graph.keep(f"{name}.position_embeddings.weight", places)
    graph.keep("zero", np.array([0], dtype=np.int64))
    graph.keep("one", np.array([1], dtype=np.int64))
    graph.put("Shape", ["ids"], "length", start=1, end=2)
    graph.put("Slice", [f"{name}.position_embeddings.weight", "zero", "length", "zero", "one"], "places")
    graph.put("Add", ["words", "places"], "embedded")
    return graph.norm(f"{name}.LayerNorm", "embedded", weights)


def _layer(graph: _Graph, weights: dict[str, Floats], name: str, hidden: str, heads: int) -> str:
    own = f"{name}.attention.self"
    qkv = np.concatenate([weights[f"{own}.{part}.weight"].T for part in ("query", "key", "value")], axis=1)
    bias = np.concatenate([weights[f"{own}.{part}.bias"] for part in ("query", "key", "value")])
    inputs = [hidden, graph.matrix(f"{own}.qkv.weight", qkv), graph.keep(f"{own}.qkv.bias", bias)]
    mixed = graph.put("Attention", inputs, f"{own}.out", domain="com.microsoft", num_heads=heads)
    mixed = _linear(graph, weights, f"{name}.attention.output.dense", mixed)
    mixed = graph.put("Add", [mixed, hidden], f"{name}.attention.sum")
    mixed = graph.norm(f"{name}.attention.output.LayerNorm", mixed, weights)
    wide = _linear(graph, weights, f"{name}.intermediate.dense", mixed)
    wide = graph.put("Gelu", [wide], f"{name}.gelu", domain="com.microsoft")
    out = _linear(graph, weights, f"{name}.output.dense", wide)
    out = graph.put("Add", [out, mixed], f"{name}.sum")
    return graph.norm(f"{name}.output.LayerNorm", out, weights)


def _linear(graph: _Graph, weights: dict[str, Floats], name: str, source: str) -> str:
    matrix = graph.matrix(f"{name}.weight", weights[f"{name}.weight"].T)
    product = graph.put("MatMul", [source, matrix], f"{name}.product")
    return graph.put("Add", [product, graph.keep(f"{name}.bias", weights[f"{name}.bias"])], f"{name}.out")


def _outputs(graph: _Graph, weights: dict[str, Floats], hidden: str) -> None:
    graph.keep("last axis", np.array([2], dtype=np.int64))
    # The heads are a product and a sum, not a MatMul: with one text in the batch that would take another
    # kernel, and the last bits of a score would depend on the batch.
    # Pooling operators, not ReduceMean: ONNX Runtime reduces in another order when the batch holds one text
    # only. All before this point is the same to the last bit for every batch.
    graph.put("Transpose", [hidden], "states", perm=[0, 2, 1])
    graph.put("GlobalAveragePool", ["states"], "mean")
    graph.put("GlobalMaxPool", ["states"], "top")
    graph.put("Concat", ["mean", "top"], "both", axis=1)
    graph.put("Transpose", ["both"], "pooled", perm=[0, 2, 1])
    graph.put("Mul", ["pooled", graph.keep("heads.weight", weights["heads.weight"][None])], "weighed")
    graph.put("ReduceSum", ["weighed", "last axis"], "summed", keepdims=0)
    graph.put("Add", ["summed", graph.keep("heads.bias", weights["heads.bias"])], "logits")
    # Projected before the mean for the same reason: the order does not matter to a linear map.
    projected = _linear(graph, weights, "project", hidden)
    graph.put("Transpose", [projected], "project.states", perm=[0, 2, 1])
    graph.put("GlobalAveragePool", ["project.states"], "claim")
    graph.put("Squeeze", ["claim", "last axis"], "claim.flat")
    graph.put("LpNormalization", ["claim.flat"], "embedding", axis=1, p=2)
