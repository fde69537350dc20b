"""A sequence classifier of somebody else's making, brought in by an operator.

It knows some of our labels only, and has neither our embedding nor our targets. So it never stands alone: a host (our
own model) judges as ever, and the guest's calibrated scores and decisions take the place of the host's for the labels
that the guest was mapped to. Claims, targets and all other labels stay the host's; where the guest says that a text is
not hate, it has no targets.

A guest's folder holds `model.onnx` (inputs `input_ids`, `attention_mask` and perhaps `token_type_ids`; output
`logits`), `tokenizer.json` and `guest.json`, which says which files, labels, calibration, bands and figures.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from .calibration import Band, Calibration
from .engine import MAX_TOKENS, Classifier, Judgement, cpus
from .labels import LABELS
from .manifest import ModelError, verify
from .text import clean

MANIFEST = "guest.json"
FILES = ("model.onnx", "tokenizer.json")

Floats = npt.NDArray[np.float32]
Logits = Callable[[npt.NDArray[np.int64]], Floats]
"""`(batch, length)` token ids of equal length -> `(batch, classes)`."""


@dataclass(frozen=True, slots=True)
class Head:
    """How one of our labels is read off the guest's classes."""

    index: int
    """The class that means `yes`."""
    apart: bool
    """Classes are independent (a sigmoid each), not rivals (a softmax)."""

    def margins(self, logits: Floats) -> Floats:
        """Return the raw logit of `yes`, `(batch,)`: the class's own, or against all its rivals together."""
        if self.apart or logits.shape[1] == 1:
            return logits[:, self.index]
        own = logits[:, self.index].astype(np.float64)
        rivals = np.delete(logits, self.index, axis=1).astype(np.float64)
        top = rivals.max(axis=1)
        margins: Floats = (own - top - np.log(np.exp(rivals - top[:, None]).sum(axis=1))).astype(np.float32)
        return margins


@dataclass(frozen=True, slots=True)
class GuestManifest:
    folder: Path
    max_pieces: int
    vocabulary: int
    classes: int
    heads: dict[str, Head]
    calibration: dict[str, Calibration]
    bands: dict[str, Band]
    text: dict[str, Any]

    @classmethod
    def read(cls, folder: Path) -> "GuestManifest":
        """Read and verify; raises ModelError naming the file or the field that is wrong."""
        path = folder / MANIFEST
        try:
            text = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ModelError(f"{path}: cannot be read ({error.strerror})") from error
        except ValueError as error:
            raise ModelError(f"{path}: not JSON ({error})") from error
        try:
            heads = {name: Head(int(kept["index"]), bool(kept["apart"])) for name, kept in text["heads"].items()}
            found = cls(
                folder,
                int(text["max_pieces"]),
                int(text["vocabulary"]),
                int(text["classes"]),
                heads,
                {name: Calibration(**text["calibration"][name]) for name in heads},
                {name: Band.read(text["bands"][name]) for name in heads},
                text,
            )
            sums = {name: str(text["files"][name]["sha256"]) for name in FILES}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(f"{path}: field missing or wrong: {error}") from error
        unknown = [name for name in heads if name not in LABELS]
        if unknown or not heads:
            raise ModelError(f"{path}: heads: {', '.join(unknown) or 'none'}; labels are {', '.join(LABELS)}")
        for name, expected in sums.items():
            verify(folder / name, expected)
        return found

    @property
    def id(self) -> str:
        decisive = {name: self.text[name] for name in ("files", "heads", "calibration", "bands", "max_pieces")}
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()[:16]


class Reader:
    """The guest's forward pass over texts; a text's logits do not depend on the others in the call."""

    def __init__(self, folder: Path, max_pieces: int, classes: int, threads: int | None = None) -> None:
        self._tokenizer = open_tokenizer(folder / "tokenizer.json")
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_pieces)
        self.vocabulary = self._tokenizer.get_vocab_size()
        self._classes = classes
        self._logits = open_logits(folder / "model.onnx", classes, threads or cpus())

    def logits(self, texts: Sequence[str]) -> Floats:
        """Return `(len(texts), classes)` of cleaned texts."""
        out = np.zeros((len(texts), self._classes), dtype=np.float32)
        by_length: dict[int, list[int]] = {}
        pieces = [found.ids for found in self._tokenizer.encode_batch(list(texts))]
        for row, ids in enumerate(pieces):
            if ids:
                by_length.setdefault(len(ids), []).append(row)
        for length, rows in sorted(by_length.items()):
            most = max(1, MAX_TOKENS // length)
            for start in range(0, len(rows), most):
                chosen = rows[start : start + most]
                out[chosen] = self._logits(np.array([pieces[row] for row in chosen], dtype=np.int64))
        return out


class Guest(Classifier):
    """A host that hands some of its labels to a guest."""

    def __init__(self, host: Classifier, manifest: GuestManifest, reader: Reader) -> None:
        # Everything that is not a label's score is the host's own.
        self.__dict__.update(host.__dict__)
        self._host = host
        self._guest = manifest
        self._reader = reader
        self.manifest = replace(host.manifest, bands={**host.manifest.bands, **manifest.bands})
        self.model_id = hashlib.sha256(f"{host.model_id} {manifest.id}".encode()).hexdigest()[:16]

    @classmethod
    def open(cls, host: Classifier, folder: Path) -> "Guest":
        """Raises ModelError naming what is wrong: a file that is missing, cut or changed, another vocabulary or shape."""
        manifest = GuestManifest.read(folder)
        reader = Reader(folder, manifest.max_pieces, manifest.classes)
        if reader.vocabulary != manifest.vocabulary:
            raise ModelError(
                f"{folder / 'tokenizer.json'}: has {reader.vocabulary} pieces, {MANIFEST} says {manifest.vocabulary}"
            )
        return cls(host, manifest, reader)

    def judge(self, texts: Sequence[str], **stages: bool) -> list[Judgement]:
        """As the host's; options go to the host."""
        host: Callable[..., list[Judgement]] = self._host.judge
        judged = host(texts, **stages)
        cleaned = [clean(text) for text in texts]
        distinct = [text for text in dict.fromkeys(cleaned) if text]
        logits = self._reader.logits(distinct)
        scores = {
            label: self._guest.calibration[label].apply(head.margins(logits), None)
            for label, head in self._guest.heads.items()
        }
        place = {text: row for row, text in enumerate(distinct)}
        return [
            self._replaced(one, {label: float(found[place[text]]) for label, found in scores.items()}) if text else one
            for text, one in zip(cleaned, judged, strict=True)
        ]

    def _replaced(self, one: Judgement, scores: dict[str, float]) -> Judgement:
        decided = {label: self.manifest.bands[label].decide(score) for label, score in scores.items()}
        decisions = {**one.decisions, **decided}
        targets = one.targets if decisions["hate"] != "no" else []
        return replace(one, scores={**one.scores, **scores}, decisions=decisions, targets=targets)


def open_tokenizer(path: Path) -> Tokenizer:
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises plain Exception
        raise ModelError(f"{path}: not a tokenizer ({error})") from error


def open_logits(path: Path, classes: int, threads: int) -> Logits:
    """Return the forward pass; raises ModelError where the file is no classifier of so many classes."""
    from .onnx_engine import open_session

    session = open_session(path, threads)
    given = {one.name for one in session.get_inputs()}
    known = {"input_ids", "attention_mask", "token_type_ids"}
    if "input_ids" not in given or given - known:
        raise ModelError(f"{path}: inputs are {', '.join(sorted(given))}; input_ids and of {', '.join(sorted(known))}")
    if "logits" not in {one.name for one in session.get_outputs()}:
        raise ModelError(f"{path}: has no output logits")

    def logits(ids: npt.NDArray[np.int64]) -> Floats:
        fed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        try:
            found = session.run(["logits"], {name: fed[name] for name in given})[0]
        except Exception as error:  # onnxruntime raises its own classes, made at run time
            raise ModelError(f"{path}: does not run on token ids ({error})") from error
        if found.shape != (len(ids), classes):
            raise ModelError(f"{path}: gives {found.shape[1:]} logits a text, config.json says {classes}")
        return np.asarray(found, dtype=np.float32)

    return logits
