"""The model as torch sees it: an encoder of few layers, heads on its pooled states, and a projection for
claim matching.

Needs the [train] extra. The shipped ONNX graph (export.py) computes the same from the same weights.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from transformers import AutoModel, BertConfig, BertModel

from .labels import HEADS


class Network(nn.Module):  # type: ignore[misc,unused-ignore]
    """`forward(ids, mask)`: `(batch, length)` int64 each -> logits `(batch, heads)`, embedding `(batch,
    dim)` of length one.
    """

    def __init__(self, encoder: BertModel) -> None:
        super().__init__()
        self.encoder = encoder
        size = encoder.config.hidden_size
        self.drop = nn.Dropout(0.1)
        self.heads = nn.Linear(2 * size, len(HEADS))
        self.project = nn.Linear(size, size)
        nn.init.eye_(self.project.weight)
        nn.init.zeros_(self.project.bias)
        nn.init.normal_(self.heads.weight, std=0.02)
        nn.init.zeros_(self.heads.bias)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        seen = mask.unsqueeze(-1).float()
        mean = (hidden * seen).sum(1) / seen.sum(1)
        top = hidden.masked_fill(mask.unsqueeze(-1) == 0, -1e4).amax(1)
        logits = self.heads(self.drop(torch.cat([mean, top], 1)).float())
        return logits, nn.functional.normalize(self.project(mean).float(), dim=1)


def from_base(path: Path, layers: int) -> Network:
    """Return a fresh network on the base model's first `layers` layers.

    Dropping the top layers costs a fine-tuned BERT least (Sajjad et al. 2023,
    https://arxiv.org/abs/2004.03844).
    """
    base = AutoModel.from_pretrained(path, dtype="float32", add_pooling_layer=False)
    base.encoder.layer = base.encoder.layer[:layers]
    base.config.num_hidden_layers = layers
    return Network(base)


def from_weights(weights: Mapping[str, npt.NDArray[np.float32]], config: Mapping[str, Any]) -> Network:
    """Return the network of the (dequantised) weights of a shipped ONNX file; a missing or spare name
    raises RuntimeError.
    """
    encoder = BertModel(BertConfig(**config), add_pooling_layer=False)
    network = Network(encoder)
    network.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in weights.items()}, strict=True)
    network.eval()
    return network
