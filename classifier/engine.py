"""Text in, scores out: `Classifier.load().judge(texts)`."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from .labels import HEADS
from .manifest import SHIPPED, Manifest, ModelError
from .ngrams import Grams
from .respelling import Respelling
from .text import clean

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]

Forward = Callable[[Ids], tuple[Floats, Floats]]
"""`(batch, length)` token ids of texts of equal length -> logits `(batch, heads)` and embedding `(batch,
dim)`.
"""

FIRST_STAGE = "first:"
"""Columns of the n-gram model that stand for the whole model in its first stage are named so, with the label."""

# Pieces in one run of the model: bounds memory (a batch's widest state is 4096 x 1536 floats, 25 MB) and
# keeps it in cache.
MAX_TOKENS = 4_096


@dataclass(frozen=True, slots=True)
class Judgement:
    scores: dict[str, float]  # label -> calibrated 0..1
    decisions: dict[str, str]  # label -> "yes" | "no" | "unsure"
    targets: list[str]  # whom the hate is for; empty where hate is "no"
    embedding: Floats  # (dim,), length one; zeros for a text with nothing to read


class Classifier:
    """A loaded model. Not thread-safe in its progress, but `judge` may be called from several threads."""

    def __init__(self, manifest: Manifest, tokenizer: Tokenizer, grams: Grams, forward: Forward, model_id: str) -> None:
        self.manifest = manifest
        self.model_id = model_id
        self.dim = manifest.dim
        self._tokenizer = tokenizer
        self.grams = grams
        names = [FIRST_STAGE + name for name in manifest.labels]
        self._first = [grams.labels.index(name) for name in names if name in grams.labels]
        self.forward = forward
        self.respelling = Respelling.load(manifest.folder / "words.tsv")

    @classmethod
    def load(cls, path: Path | None = None, *, engine: str = "onnx", threads: int | None = None) -> "Classifier":
        """Load the model in `path`, or the shipped one.

        `engine` is "onnx" or "torch" (the reference; needs the [train] extra). `threads` is how many CPUs
        to use, by default those this process really has. Raises ModelError naming the file that is missing,
        cut or changed.
        """
        manifest = Manifest.read(path or SHIPPED)
        tokenizer_path = manifest.folder / "tokenizer.json"
        try:
            tokenizer = Tokenizer.from_file(str(tokenizer_path))
        except Exception as error:  # the library raises plain Exception
            raise ModelError(f"{tokenizer_path}: not a tokenizer ({error})") from error
        if tokenizer.get_vocab_size() != manifest.vocabulary:
            raise ModelError(
                f"{tokenizer_path}: has {tokenizer.get_vocab_size()} pieces, the manifest's vocabulary "
                f"says {manifest.vocabulary}"
            )
        tokenizer.no_padding()
        tokenizer.enable_truncation(manifest.max_pieces)
        grams = Grams.load(manifest.folder / "ngrams.npz")
        model = manifest.folder / "model.onnx"
        if engine == "onnx":
            from .onnx_engine import PRECISION, open_onnx

            forward = open_onnx(model, manifest, threads or cpus())
        elif engine == "torch":
            from .torch_engine import PRECISION, open_torch

            forward = open_torch(model, threads or cpus())
        else:
            raise ValueError(f"engine: {engine!r} is neither 'onnx' nor 'torch'")
        return cls(manifest, tokenizer, grams, forward, manifest.model_id(engine, PRECISION))

    def read(self, text: str) -> str:
        """Return a text as the model reads it: cleaned, and with unknown words as the known ones they stand for."""
        return self.respelling.read(clean(text))

    def judge(self, texts: Sequence[str], *, first_stage: bool = True) -> list[Judgement]:
        """Judge any number of texts, order kept; equal texts are judged once.

        What the first stage is sure to be nothing for any label does not reach the encoder (and has a zero embedding), unless
        `first_stage` is false.

        A text's scores do not depend on the others in the call. A text with nothing to read after cleaning
        (empty, blanks, invisible characters) gets score 0, decision "no" and a zero embedding: there is
        nothing to accuse.
        """
        cleaned = [self.read(text) for text in texts]
        distinct = list(dict.fromkeys(cleaned))
        judged = dict(zip(distinct, self._judge_cleaned(distinct, first_stage), strict=True))
        return [judged[text] for text in cleaned]

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return `(len(texts), dim)` embeddings of length one, for the claim index."""
        cleaned = [self.read(text) for text in texts]
        distinct = list(dict.fromkeys(cleaned))
        place = {text: row for row, text in enumerate(distinct)}
        embedding = self._encode(distinct)[1]
        return embedding[[place[text] for text in cleaned]]

    def raw(self, texts: Sequence[str]) -> tuple[Floats, Floats]:
        """Return uncalibrated logits: the encoder's `(n, labels + targets)`, the n-grams' `(n,
        grams.labels)`.
        """
        cleaned = [self.read(text) for text in texts]
        return self._encode(cleaned)[0], self.grams.logits(cleaned)

    def first_scores(self, texts: Sequence[str]) -> Floats:
        """Return `(n, labels)` scores 0..1 of the first stage alone; it is made to say "no", not to accuse."""
        return _first_scores(self.grams.logits([self.read(text) for text in texts])[:, self._first])

    def _judge_cleaned(self, texts: list[str], first_stage: bool) -> list[Judgement]:
        grams = self.grams.logits(texts)
        out: list[Judgement | None] = [None if text else self._nothing() for text in texts]
        if first_stage and self.manifest.first_stage:
            guesses = _first_scores(grams[:, self._first])
            enough = np.array([self.manifest.first_stage[label] for label in self.manifest.labels])
            for row in np.flatnonzero((guesses < enough).all(axis=1)).tolist():
                out[row] = out[row] or self._settled(guesses[row])
        left = [row for row, judged in enumerate(out) if judged is None]
        for row, judged in zip(left, self._judge_whole([texts[row] for row in left], grams[left]), strict=True):
            out[row] = judged
        return [judged for judged in out if judged is not None]

    def _judge_whole(self, texts: list[str], grams: Floats) -> list[Judgement]:
        logits, embedding = self._encode(texts)
        columns = {}
        for place, name in enumerate((*self.manifest.labels, *self.manifest.targets)):
            own = grams[:, self.grams.labels.index(name)] if name in self.grams.labels else None
            columns[name] = self.manifest.calibration[name].apply(logits[:, place], own, logits)
        out = []
        for row in range(len(texts)):
            scores = {label: float(columns[label][row]) for label in self.manifest.labels}
            decisions = {label: self.manifest.bands[label].decide(score) for label, score in scores.items()}
            thresholds = self.manifest.target_thresholds
            hateful = decisions["hate"] != "no"
            targets = [name for name in self.manifest.targets if hateful and columns[name][row] >= thresholds[name]]
            out.append(Judgement(scores, decisions, targets, embedding[row]))
        return out

    def _settled(self, guesses: Floats) -> Judgement:
        labels = self.manifest.labels
        # What is settled as "no" has a score that says so: it lies below the label's band.
        scores = {
            label: round(min(float(score), self.manifest.bands[label].unsure - 1e-6), 6)
            for label, score in zip(labels, guesses, strict=True)
        }
        return Judgement(scores, dict.fromkeys(labels, "no"), [], np.zeros(self.dim, dtype=np.float32))

    def _nothing(self) -> Judgement:
        labels = self.manifest.labels
        return Judgement(
            dict.fromkeys(labels, 0.0), dict.fromkeys(labels, "no"), [], np.zeros(self.dim, dtype=np.float32)
        )

    def _encode(self, texts: list[str]) -> tuple[Floats, Floats]:
        logits = np.zeros((len(texts), len(HEADS)), dtype=np.float32)
        embedding = np.zeros((len(texts), self.dim), dtype=np.float32)
        by_length: dict[int, list[int]] = {}
        # Capitals shout; they do not change what is said.
        pieces = [found.ids for found in self._tokenizer.encode_batch([text.lower() for text in texts])]
        for row, ids in enumerate(pieces):
            if texts[row]:
                by_length.setdefault(len(ids), []).append(row)
        for length, rows in sorted(by_length.items()):
            most = max(1, MAX_TOKENS // length)
            for start in range(0, len(rows), most):
                chosen = rows[start : start + most]
                logits[chosen], embedding[chosen] = self.forward(
                    np.array([pieces[row] for row in chosen], dtype=np.int64)
                )
        return logits, embedding


def _first_scores(logits: Floats) -> Floats:
    scores: Floats = (1 / (1 + np.exp(-logits.astype(np.float64)))).astype(np.float32)
    return scores


def cpus() -> int:
    """Return how many CPUs this process may really use: its affinity, and its container's quota."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        if quota != "max":
            allowed = min(allowed, max(1, int(quota) // int(period)))
    except (OSError, ValueError):
        pass  # no cgroup v2 here: the affinity stands
    return allowed
