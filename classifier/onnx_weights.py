"""The weights read back out of the shipped ONNX file, for the reference engine. Needs the [train] extra."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

POSITIONS = 128
"""Rows of the position table that are shipped: no text is longer in pieces."""

LAYER_NORM_EPSILON = 1e-12

Floats = npt.NDArray[np.float32]


def read(path: Path) -> tuple[dict[str, Floats], dict[str, Any]]:
    """Return the dequantised weights by their state-dict names, and the arguments of a BertConfig."""
    model = onnx.load(str(path))
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    weights: dict[str, Floats] = {}
    for name, value in stored.items():
        if name.endswith(".int8"):
            plain = name.removesuffix(".int8")
            _unpack(weights, plain, value.astype(np.float32) * stored[f"{plain}.scale"])
        elif name.endswith((".weight", ".bias")):
            _unpack(weights, name, value)
    size = weights["project.bias"].shape[0]
    weights["encoder.embeddings.token_type_embeddings.weight"] = np.zeros((1, size), dtype=np.float32)
    heads = next(
        a.i for node in model.graph.node if node.op_type == "Attention" for a in node.attribute if a.name == "num_heads"
    )
    config = {
        "vocab_size": weights["encoder.embeddings.word_embeddings.weight"].shape[0],
        "hidden_size": size,
        "num_hidden_layers": sum(node.op_type == "Attention" for node in model.graph.node),
        "num_attention_heads": heads,
        "intermediate_size": weights["encoder.encoder.layer.0.intermediate.dense.bias"].shape[0],
        "max_position_embeddings": POSITIONS,
        "type_vocab_size": 1,
        "layer_norm_eps": LAYER_NORM_EPSILON,
        "pad_token_id": 1,
    }
    return weights, config


def _unpack(weights: dict[str, Floats], name: str, value: Floats) -> None:
    if ".qkv." in name:
        for part, third in zip(("query", "key", "value"), np.split(value, 3, axis=-1), strict=True):
            weights[name.replace("qkv", part)] = third.T if name.endswith(".weight") else third
    elif name == "heads.weight":
        weights[name] = value[0]
    elif name.endswith(("dense.weight", "project.weight")):
        weights[name] = value.T
    else:
        weights[name] = value
