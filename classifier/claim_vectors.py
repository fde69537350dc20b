"""One vector a text for claim matching, without running the encoder: a learnt, weighted sum of its pieces'
vectors.

A table of one vector a piece starts from what the base encoder says of each piece alone (as model2vec does,
https://github.com/MinishLab/model2vec) and is then trained on posts and the fact-check titles that name
them (claims_fit.py). It costs microseconds a text, and stays the same when the encoder is trained anew.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from .manifest import SHIPPED, ModelError, verify
from .text import clean

Floats = npt.NDArray[np.float32]

CLAIMS = "claims.json"
VECTORS = "claim_vectors.npz"
MAX_PIECES = 128

SAID = 0.6
"""Cosine from which a piece of the claim counts as said by the post."""

_WORD = re.compile(r"[^\W_]+")
_DISGUISED = re.compile(r"[a-z][013457]+[a-z]|[a-z]{2}[013457]$|^[013457][a-z]{2}")
_FIGURE = re.compile(r"\d{3}|^\d+[a-z]{1,3}$|[a-z]\d\d")
_LETTERS = str.maketrans("013457", "oieast")


@dataclass(frozen=True, slots=True)
class ClaimVectors:
    """A loaded table with what was fitted on it: the fusion's weights and the thresholds of a decision."""

    tokenizer: Tokenizer
    table: Floats  # (vocabulary, dim), every piece's vector times its weight
    lengths: Floats  # (vocabulary,), of those: what a piece weighs
    fusion: tuple[float, ...]
    yes: float
    unsure: float
    id: str
    """16 hex digits that change with the table, the fusion or the thresholds."""

    @classmethod
    def load(cls, folder: Path = SHIPPED) -> "ClaimVectors":
        """Load and verify; raises ModelError naming the file or field that is wrong."""
        path = folder / CLAIMS
        try:
            told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            files = {name: str(told["files"][name]["sha256"]) for name in (VECTORS, "tokenizer.json")}
            fusion = tuple(float(value) for value in told["fusion"].values())
            yes, unsure = float(told["thresholds"]["yes"]), float(told["thresholds"]["unsure"])
        except OSError as error:
            raise ModelError(f"{path}: cannot be read ({error.strerror})") from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(f"{path}: field missing or wrong: {error}") from error
        for name, expected in files.items():
            verify(folder / name, expected)
        with np.load(folder / VECTORS) as kept:
            table = kept["vectors"].astype(np.float32) * kept["scales"].astype(np.float32)[:, None]
        tokenizer = open_tokenizer(folder / "tokenizer.json")
        decisive = json.dumps([files, fusion, yes, unsure])
        identity = hashlib.sha256(decisive.encode()).hexdigest()[:16]
        return cls(tokenizer, table, weigh(table), fusion, yes, unsure, identity)

    def pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """Return each text's different pieces, the first MAX_PIECES of them read."""
        return pieces(self.tokenizer, texts)

    def embed(self, texts: Sequence[list[int]]) -> Floats:
        """Return `(len(texts), dim)` vectors of length one from texts' pieces; zeros for a text with nothing
        to read. A text's vector does not depend on the others.
        """
        out = np.zeros((len(texts), self.table.shape[1]), dtype=np.float32)
        for row, found in enumerate(texts):
            if found:
                vector = self.table[found].sum(axis=0, dtype=np.float64)
                out[row] = vector / max(float(np.sqrt((vector * vector).sum())), 1e-9)
        return out

    def near(self, post: list[int], claims: Sequence[list[int]]) -> npt.NDArray[np.float64]:
        """Return `(claims, 2)`: how close a claim's pieces come to their nearest piece of the post, on average by
        weight (late interaction, Khattab and Zaharia 2020, https://arxiv.org/abs/2004.12832), and the share of
        its weight that comes closer than SAID.
        """
        out = np.zeros((len(claims), 2))
        sizes = [len(claim) for claim in claims]
        if not post or not sum(sizes):
            return out
        said = [piece for claim in claims for piece in claim]
        weights = self.lengths[said].astype(np.float64)
        ours = self.table[post] / np.maximum(self.lengths[post], 1e-9)[:, None]
        closest = (ours @ self.table[said].T).max(axis=0) / np.maximum(weights, 1e-9)
        owner = np.repeat(np.arange(len(claims)), sizes)
        whole = np.maximum(np.bincount(owner, weights, len(claims)), 1e-9)
        out[:, 0] = np.bincount(owner, weights * closest, len(claims)) / whole
        out[:, 1] = np.bincount(owner, weights * (closest > SAID), len(claims)) / whole
        return out

    def decide(self, score: float) -> Literal["yes", "no", "unsure"]:
        """Return whether a match's score says "yes" (the same claim), "unsure" or "no"."""
        return "yes" if score >= self.yes else "unsure" if score >= self.unsure else "no"


def weigh(table: Floats) -> Floats:
    """Return the length of each vector of a table, `(vocabulary,)`."""
    lengths: Floats = np.linalg.norm(table, axis=1).astype(np.float32)
    return lengths


def open_tokenizer(path: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def pieces(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    """Return each text's different pieces, the first MAX_PIECES of them read."""
    found = tokenizer.encode_batch([plain(text) for text in texts], add_special_tokens=False)
    return [list(dict.fromkeys(one.ids[:MAX_PIECES])) for one in found]


def plain(text: str) -> str:
    """Return a text as matching reads it: cleaned, lower case, without handles, links and digits for
    letters.
    """
    text = clean(text).lower().replace("@user", " ").replace("[url]", " ")
    return _WORD.sub(lambda found: _undisguised(found[0]), text)


def _undisguised(word: str) -> str:
    # `j0k0wi` is a name, `50jt`, `covid19` and `g30s` are not.
    return word.translate(_LETTERS) if _DISGUISED.search(word) and not _FIGURE.search(word) else word
