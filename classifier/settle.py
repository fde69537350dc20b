"""The provocation head, fitted anew on the finished encoder. Needs the [train] extra.

Some four hundred rows of our own are drowned among thousands of others while the encoder is trained, and
the head then takes every "ayo ... TPS" for a call to violence. A logistic model on the frozen pooled
states, with both classes and our own rows weighing as much as all others, is the better head; its weights
replace the trained ones in the same file.
"""

import random

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from tokenizers import Tokenizer

from .batch import padded
from .datasets import Example
from .labels import LABELS
from .network import Network

HEAD = LABELS.index("provocation")
OTHERS = 3_000
STRENGTH = 0.02
"""Inverse regularisation of the logistic model on standardised states."""


def settle(network: Network, tokenizer: Tokenizer, examples: list[Example], seed: int) -> None:
    """Replace the provocation head's weights in place, using training rows only."""
    known = [e for e in examples if e.split == "train" and not np.isnan(e.labels[HEAD])]
    own = [e for e in known if e.source == "ours" or e.labels[HEAD] == 1]
    rest = [e for e in known if e.source != "ours" and e.labels[HEAD] == 0]
    chosen = own + random.Random(seed).sample(rest, min(OTHERS, len(rest)))  # noqa: S311 (not a secret)
    pieces = [tokenizer.encode(e.text).ids for e in chosen]
    order = sorted(range(len(chosen)), key=lambda i: len(pieces[i]))
    states = np.empty((len(chosen), network.heads.in_features), dtype=np.float32)
    network.eval()
    with torch.no_grad():
        for start in range(0, len(order), 64):
            part = order[start : start + 64]
            network(*padded([pieces[i] for i in part]))
            states[part] = network.pooled.numpy()
    wanted = np.array([e.labels[HEAD] for e in chosen])
    if len(set(wanted.tolist())) < 2:
        return  # a tiny --limit run
    mean, spread = states.mean(axis=0), states.std(axis=0) + 1e-6
    weight = np.where(np.arange(len(chosen)) < len(own), len(rest) and min(OTHERS, len(rest)) / len(own), 1.0)
    model = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=500)
    model.fit((states - mean) / spread, wanted, sample_weight=weight)
    row = (model.coef_[0] / spread).astype(np.float32)
    with torch.no_grad():
        network.heads.weight[HEAD] = torch.from_numpy(row)
        network.heads.bias[HEAD] = float(model.intercept_[0] - (row * mean).sum())
