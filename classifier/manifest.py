"""The manifest beside the weights: what they are, what belongs to them, and the proof that they are
unchanged.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .calibration import Band, Calibration

SHIPPED = Path(__file__).parent / "weights"
MANIFEST = "manifest.json"
FILES = ("model.onnx", "tokenizer.json", "ngrams.npz", "words.tsv")


class ModelError(Exception):
    """A model's file is missing, unreadable or not the one that the manifest names; the message names the
    file.
    """


@dataclass(frozen=True, slots=True)
class Manifest:
    folder: Path
    labels: tuple[str, ...]
    targets: tuple[str, ...]
    dim: int
    max_pieces: int
    vocabulary: int
    files: dict[str, str]  # name -> sha256
    calibration: dict[str, Calibration]  # of every label and target
    bands: dict[str, Band]  # of every label
    target_thresholds: dict[str, float]
    first_stage: dict[
        str, float
    ]  # label -> below which score of the first stage it is settled as "no"; empty: there is none
    text: dict[str, Any]  # the whole file

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Read and verify; raises ModelError naming the file or the field that is wrong."""
        path = folder / MANIFEST
        try:
            text = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ModelError(f"{path}: cannot be read ({error.strerror})") from error
        except ValueError as error:
            raise ModelError(f"{path}: not JSON ({error})") from error
        try:
            manifest = cls(
                folder=folder,
                labels=tuple(text["labels"]),
                targets=tuple(text["targets"]),
                dim=int(text["dim"]),
                max_pieces=int(text["max_pieces"]),
                vocabulary=int(text["vocabulary"]),
                files={name: str(text["files"][name]["sha256"]) for name in FILES},
                calibration={name: Calibration.read(kept) for name, kept in text["calibration"].items()},
                bands={name: Band.read(text["bands"][name]) for name in text["labels"]},
                target_thresholds={name: float(text["target_thresholds"][name]) for name in text["targets"]},
                first_stage={name: float(value) for name, value in text["first_stage"].items()},
                text=text,
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(f"{path}: field missing or wrong: {error}") from error
        absent = [name for name in (*manifest.labels, *manifest.targets) if name not in manifest.calibration]
        if absent:
            raise ModelError(f"{path}: calibration: missing for {', '.join(absent)}")
        unsettled = [name for name in manifest.labels if manifest.first_stage and name not in manifest.first_stage]
        if unsettled:
            raise ModelError(f"{path}: first_stage: missing for {', '.join(unsettled)}")
        for name, expected in manifest.files.items():
            verify(folder / name, expected)
        return manifest

    def model_id(self, engine: str, precision: str) -> str:
        """Return 16 hex digits that change with weights, engine, precision, calibration or thresholds."""
        decisive = {
            name: self.text[name]
            for name in ("files", "calibration", "bands", "target_thresholds", "first_stage", "max_pieces")
        }
        told = json.dumps([decisive, engine, precision], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:16]


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(path: Path, expected: str) -> None:
    """Raise ModelError unless the file is there and has this sha256."""
    try:
        found = sha256(path)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from error
    if found != expected:
        size = path.stat().st_size
        raise ModelError(
            f"{path}: sha256 is {found[:16]}..., the manifest says {expected[:16]}... ({size} bytes; cut or changed?)"
        )
