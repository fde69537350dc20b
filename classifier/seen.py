"""Which texts a model has learnt from, so that no figure is told of one of them.

Training may write `seen.npy` beside the weights: the first eight bytes of each text's SHA-256, by its letters and
digits alone. It names no text and costs eight bytes a row. Without it the training rows are read anew from the data
folder, as training reads them.
"""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from .manifest import ModelError
from .text import clean

FILE = "seen.npy"

_AROUND = re.compile(r"@user|\[\w+\]|\brt\b", re.IGNORECASE)
_MARKS = re.compile(r"[\W_]+")


class Seen:
    def __init__(self, marks: frozenset[int]) -> None:
        self._marks = marks

    def __len__(self) -> int:
        return len(self._marks)

    def __contains__(self, text: object) -> bool:
        return isinstance(text, str) and _mark(text) in self._marks

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Seen":
        return cls(frozenset(_mark(text) for text in texts))

    @classmethod
    def load(cls, folder: Path) -> "Seen | None":
        """Return what lies in the folder, None where nothing does. Raises ModelError for a file that is damaged."""
        path = folder / FILE
        if not path.exists():
            return None
        try:
            marks = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise ModelError(f"{path}: cannot be read ({error})") from error
        if marks.dtype != np.uint64 or marks.ndim != 1:
            raise ModelError(f"{path}: holds {marks.dtype} of {marks.ndim} dimensions, not a row of uint64")
        return cls(frozenset(marks.tolist()))


def write(folder: Path, texts: Iterable[str]) -> None:
    """Write `seen.npy` into the folder."""
    np.save(folder / FILE, np.array(sorted({_mark(text) for text in texts}), dtype=np.uint64))


def _mark(text: str) -> int:
    # Handles, links and RT go first: a post and its repost are one text.
    bare = _MARKS.sub("", _AROUND.sub("", clean(text)).lower())
    return int.from_bytes(hashlib.sha256(bare.encode()).digest()[:8], "big")
