"""Token ids of several texts as one padded batch, for torch."""

from collections.abc import Sequence

import torch

PAD = 1


def padded(pieces: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    # Few different lengths: torch prepares its kernels anew for every shape.
    length = -(-max(len(one) for one in pieces) // 8) * 8
    ids = torch.full((len(pieces), length), PAD)
    mask = torch.zeros((len(pieces), length), dtype=torch.long)
    for row, one in enumerate(pieces):
        ids[row, : len(one)] = torch.tensor(one)
        mask[row, : len(one)] = 1
    return ids, mask
