"""Training the table of claim_vectors.py: every piece alone through the base encoder, then posts drawn to
their titles and away from others' (InfoNCE within a batch). Needs the [train] extra.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch.nn import functional

from .claim_vectors import pieces

Floats = npt.NDArray[np.float32]
Pair = tuple[str, str]  # title, post

DIM = 128
EPOCHS = 16
RATE = 5e-3
BATCH = 256
DROPPED = 0.2
"""Share of a text's pieces left out at each look, so that no single word is leant on."""


def piece_vectors(base: Path, kept: Path) -> Floats:
    """Return what the base encoder says of each piece alone, `(vocabulary, width)`; read from the file
    `kept` if it is there, else computed (minutes) and written to it.
    """
    if kept.exists():
        found: Floats = np.load(kept)
        return found
    from transformers import AutoModel

    model = AutoModel.from_pretrained(base, dtype="float32", add_pooling_layer=False).eval()
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer.no_padding()
    *before, end = tokenizer.encode("query:").ids
    out = np.zeros((tokenizer.get_vocab_size(), model.config.hidden_size), dtype=np.float32)
    with torch.no_grad():
        for start in range(0, len(out), BATCH):
            ids = torch.arange(start, min(len(out), start + BATCH))[:, None]
            ids = torch.cat([torch.tensor([before]).repeat(len(ids), 1), ids, torch.full_like(ids, end)], dim=1)
            out[start : start + BATCH] = model(input_ids=ids).last_hidden_state.mean(1).numpy()
    np.save(kept, out)
    return out


def train(pairs: Sequence[Pair], tokenizer: Tokenizer, start: Floats, seed: int = 0) -> Floats:
    """Return the table `(vocabulary, DIM)`, each vector times its weight."""
    torch.manual_seed(seed)
    draw = np.random.default_rng(seed)
    titles = pieces(tokenizer, [title for title, _ in pairs])
    posts = pieces(tokenizer, [post for _, post in pairs])
    keep = [i for i in range(len(pairs)) if titles[i] and posts[i]]
    names = np.array([title.casefold() for title, _ in pairs], dtype=object)
    table = torch.nn.EmbeddingBag.from_pretrained(
        torch.tensor(_reduced(start, seed)), freeze=False, mode="sum", sparse=True
    )
    weight = torch.nn.Embedding.from_pretrained(
        torch.tensor(_rarity(titles + posts, len(start)))[:, None], freeze=False, sparse=True
    )
    sharpness = torch.nn.Parameter(torch.tensor(3.0))
    optimizers = [
        torch.optim.SparseAdam([table.weight], lr=RATE),
        torch.optim.SparseAdam([weight.weight], lr=10 * RATE),
        torch.optim.Adam([sharpness], lr=1e-2),
    ]

    def encode(texts: list[list[int]]) -> torch.Tensor:
        rows = [[one for one in text if draw.random() > DROPPED] or text for text in texts]
        ids = torch.tensor([one for row in rows for one in row])
        begins = torch.tensor([0, *np.cumsum([len(row) for row in rows[:-1]])], dtype=torch.long)
        weights = functional.softplus(weight(ids)[:, 0])
        return functional.normalize(table(ids, begins, per_sample_weights=weights), dim=1)

    size = min(BATCH, len(keep))
    steps = EPOCHS * (len(keep) // size)
    step = 0
    for _ in range(EPOCHS):
        draw.shuffle(keep)
        for begin in range(0, len(keep) - size + 1, size):
            left = 1 - step / steps
            optimizers[0].param_groups[0]["lr"] = RATE * left
            optimizers[1].param_groups[0]["lr"] = 10 * RATE * left
            step += 1
            chosen = keep[begin : begin + size]
            close = encode([posts[i] for i in chosen]) @ encode([titles[i] for i in chosen]).T * sharpness.exp()
            # Two posts with one title: the other's title is no wrong answer.
            same = torch.tensor((names[chosen][:, None] == names[chosen]) & ~np.eye(size, dtype=bool))
            close = close.masked_fill(same, -1e4)
            own = torch.arange(size)
            loss = functional.cross_entropy(close, own) + functional.cross_entropy(close.T, own)
            for optimizer in optimizers:
                optimizer.zero_grad()
            loss.backward()
            for optimizer in optimizers:
                optimizer.step()
    with torch.no_grad():
        out: Floats = (table.weight * functional.softplus(weight.weight)).numpy()
    return out


def int8(table: Floats) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float16]]:
    """Return the table as whole numbers and a scale a row."""
    scales = (np.abs(table).max(axis=1) / 127).astype(np.float16)
    rounded = np.rint(table / np.maximum(scales.astype(np.float32), 1e-9)[:, None])
    return np.clip(rounded, -127, 127).astype(np.int8), scales


def _reduced(start: Floats, seed: int) -> Floats:
    centred = start - start.mean(axis=0)
    some = np.random.default_rng(seed).permutation(len(centred))[:15_000]
    axes = np.linalg.svd(centred[some], full_matrices=False)[2][:DIM]
    reduced = centred @ axes.T
    out: Floats = (reduced / np.linalg.norm(reduced, axis=1).mean()).astype(np.float32)
    return out


def _rarity(texts: list[list[int]], vocabulary: int) -> Floats:
    """Return what softplus turns into an idf between .05 and 4."""
    held = np.bincount([one for text in texts for one in text], minlength=vocabulary)
    idf = np.log((len(texts) + 1) / (held + 0.5))
    out: Floats = np.log(np.expm1(np.maximum(idf / idf.max() * 4, 0.05))).astype(np.float32)
    return out
