"""The reference engine: transformers' BertModel on the weights of the shipped file. Needs the [train]
extra.
"""

from pathlib import Path

import numpy as np
import torch

from .engine import Forward, Ids
from .network import from_weights
from .onnx_weights import read

PRECISION = "fp32"


def open_torch(path: Path, threads: int) -> Forward:
    """Return the forward pass in torch, float32."""
    torch.set_num_threads(threads)
    network = from_weights(*read(path))

    def forward(ids: Ids) -> tuple[np.ndarray, np.ndarray]:
        with torch.no_grad():
            tokens = torch.from_numpy(ids)
            logits, embedding = network(tokens, torch.ones_like(tokens))
        return logits.numpy(), embedding.numpy()

    return forward
