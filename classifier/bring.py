"""Bring in a sequence classifier: check its folder, export it, calibrate it on labelled data, and compare it with the
model at hand, on rows that the calibration has not seen.
"""

import importlib.util
import json
import shutil
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from . import measures
from .calibration import Calibration
from .curves import Costs, Curve
from .datasets import bucket
from .engine import Classifier, cpus
from .guest import FILES, MANIFEST, Guest, Head, Reader, open_logits, open_tokenizer
from .labels import LABELS
from .manifest import ModelError, sha256
from .sheet import BadSet, read
from .text import clean

FEW = 20
"""Rows of each class and label below which nothing can be calibrated."""
MAX_PIECES = 512
PARITY = 1e-3
EVEN = Costs(1.0, 1.0, 0.3)
"""The costs of the bands that a guest starts with; JAGA_COSTS sets others."""


def bring(source: Path, into: Path, data: Path, host: Classifier, label_map: Mapping[str, str]) -> dict[str, Any]:
    """Fill the new folder `into` with a guest made from the Hugging Face folder `source`; return its manifest.

    `data` is a CSV with the column text and a column of 0 or 1 for each mapped label; `label_map` is our label -> the
    guest's class, by name or number. Half of the rows calibrate, the other half compare. Raises ModelError or BadSet
    naming what is wrong; then nothing is left of `into`.
    """
    config = read_config(source / "config.json")
    heads = heads_of(config, label_map, source / "config.json")
    rows = labelled_rows(data, tuple(heads))
    into.mkdir(parents=True)
    try:
        tokenizer = open_tokenizer(source / "tokenizer.json")
        size = int(config.get("vocab_size", 0))
        if size and tokenizer.get_vocab_size() > size:
            raise ModelError(
                f"{source / 'tokenizer.json'}: has {tokenizer.get_vocab_size()} pieces, config.json's vocabulary says {size}"
            )
        shutil.copyfile(source / "tokenizer.json", into / "tokenizer.json")
        if (source / "model.onnx").exists():
            shutil.copyfile(source / "model.onnx", into / "model.onnx")
        else:
            export(source, into / "model.onnx")
        classes = len(config["id2label"])
        max_pieces = min(MAX_PIECES, int(config.get("max_position_embeddings", MAX_PIECES + 2)) - 2)
        reader = Reader(into, max_pieces, classes)
        manifest: dict[str, Any] = {
            "made": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "from": source.name,
            "architecture": ", ".join(config.get("architectures") or ["unknown"]),
            "classes": classes,
            "max_pieces": max_pieces,
            "vocabulary": reader.vocabulary,
            "heads": {name: {"index": head.index, "apart": head.apart} for name, head in heads.items()},
            "files": {name: {"sha256": sha256(into / name), "bytes": (into / name).stat().st_size} for name in FILES},
            "calibration": {},
            "bands": {},
            "curves": {},
            "data": {"file": data.name, "sha256": sha256(data), "rows": len(rows)},
        }
        fitted = [row for row in rows if bucket(row["text"], 2) == 0]
        held = [row for row in rows if bucket(row["text"], 2) == 1]
        logits = reader.logits([clean(row["text"]) for row in fitted])
        for name, head in heads.items():
            truth = _truth(fitted, name)
            margins = head.margins(logits)[~np.isnan(truth)]
            truth = truth[~np.isnan(truth)]
            calibration = Calibration(*platt(margins.astype(np.float64), truth))
            band = EVEN.band()
            scores = calibration.apply(margins, None).astype(np.float64)
            manifest["calibration"][name] = {
                "encoder": calibration.encoder, "grams": calibration.grams, "bias": calibration.bias,
            }  # fmt: skip
            manifest["bands"][name] = {"yes": band.yes, "unsure": band.unsure}
            manifest["curves"][name] = Curve.of(scores, truth, f"{data.name}, the half that calibrates").kept()
        _write(into, manifest)
        manifest["compared"] = compared(host, Guest.open(host, into), held, tuple(heads))
        _write(into, manifest)
    except BaseException:
        shutil.rmtree(into, ignore_errors=True)
        raise
    return manifest


def read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise ModelError(f"{path}: not JSON ({error})") from error
    if not isinstance(config, dict) or not isinstance(config.get("id2label"), dict) or not config["id2label"]:
        raise ModelError(f"{path}: id2label is missing: not a sequence classifier's")
    return config


def heads_of(config: Mapping[str, Any], label_map: Mapping[str, str], path: Path) -> dict[str, Head]:
    """Return a head for each mapped label; without a map, for the classes that are named like our labels."""
    classes = {int(index): str(name) for index, name in config["id2label"].items()}
    apart = config.get("problem_type") == "multi_label_classification"
    by_name = {name.lower(): index for index, name in classes.items()}
    if not label_map:
        label_map = {label: label for label in LABELS if label in by_name}
        if not label_map:
            known = ", ".join(f"{index} {name}" for index, name in sorted(classes.items()))
            raise ModelError(
                f"{path}: no class is named like one of our labels ({known}); map them: --label-map hate=CLASS"
            )
    heads = {}
    for label, wanted in label_map.items():
        if label not in LABELS:
            raise ModelError(f"--label-map: {label!r} is no label of ours; {', '.join(LABELS)}")
        index = int(wanted) if wanted.isdigit() else by_name.get(wanted.lower(), -1)
        if index not in classes:
            raise ModelError(f"--label-map: {wanted!r} is no class of {path}")
        heads[label] = Head(index, apart)
    return heads


def labelled_rows(data: Path, labels: tuple[str, ...]) -> list[dict[str, str]]:
    """Return the rows; raises BadSet where a column is missing, holds other things than 0, 1 or nothing, or where too few
    rows of a class are there."""
    try:
        rows = read(data, "text", *labels)
    except FileNotFoundError:
        raise BadSet(f"{data}: no such file") from None
    for number, row in enumerate(rows, start=1):
        for label in labels:
            if row[label] not in ("0", "1", ""):
                raise BadSet(f"{data}: row {number}, column {label}: {row[label]!r} is none of 0, 1 and nothing")
    for label in labels:
        for half in (0, 1):
            for value in ("0", "1"):
                count = sum(row[label] == value and bucket(row["text"], 2) == half for row in rows)
                if count < FEW:
                    raise BadSet(
                        f"{data}: column {label}: {count} rows of {value} in one half; {FEW} are needed in each half"
                    )
    return rows


def platt(margins: Any, truth: Any) -> tuple[float, float, float]:
    """Return (slope, 0, bias) of the logistic curve through the margins, by Newton's method.

    Platt 1999, with the targets drawn in as he does, so that separable data keep a finite slope.
    """
    positive = truth.sum()
    wanted = np.where(truth == 1, (positive + 1) / (positive + 2), 1 / (len(truth) - positive + 2))
    spread = float(np.std(margins)) or 1.0
    design = np.stack([margins / spread, np.ones_like(margins)], axis=1)
    weights = np.zeros(2)
    for _ in range(100):
        p = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        slope = design.T @ (p - wanted)
        curve = (design * (p * (1 - p))[:, None]).T @ design + 1e-6 * np.eye(2)
        step = np.linalg.solve(curve, slope)
        weights -= step * min(1.0, 4.0 / max(1e-9, float(np.abs(step).max())))
        if np.abs(step).max() < 1e-8:
            break
    return round(float(weights[0] / spread), 6), 0.0, round(float(weights[1]), 6)


def compared(
    host: Classifier, guest: Classifier, rows: list[dict[str, str]], labels: tuple[str, ...]
) -> dict[str, Any]:
    """Return F1 of both on rows that calibrated neither, decisions that would flip, and texts a second of both."""
    texts = [row["text"] for row in rows]
    told: dict[str, Any] = {"rows": len(rows), "labels": {}}
    judged, pace = {}, {}
    for name, model in (("current", host), ("guest", guest)):
        model.judge(texts[:8])
        began = time.perf_counter()
        judged[name] = model.judge(texts)
        pace[name] = round(len(texts) / (time.perf_counter() - began), 1)
    for label in labels:
        truth = _truth(rows, label)
        known = ~np.isnan(truth)
        row: dict[str, Any] = {"rows": int(known.sum()), "positive": int(np.nansum(truth))}
        for name, found in judged.items():
            scores = np.array([one.scores[label] for one in found])[known]
            yes = np.array([one.decisions[label] == "yes" for one in found], dtype=float)[known]
            row[name] = {
                "F1": measures.told(measures.f1, (scores >= 0.5).astype(float), truth[known]),
                "F1 of yes": measures.told(measures.f1, yes, truth[known]),
                "unsure": round(float(np.mean([one.decisions[label] == "unsure" for one in found])), 4),
                "ECE": round(measures.calibration_error(scores, truth[known]), 4),
            }
        pairs = zip(judged["current"], judged["guest"], strict=True)
        row["flips"] = round(float(np.mean([a.decisions[label] != b.decisions[label] for a, b in pairs])), 4)
        told["labels"][label] = row
    # The guest runs beside its host, and this is what a worker would see.
    told["texts a second"] = pace
    return told


def export(source: Path, path: Path) -> None:
    """Write the folder's model as ONNX. Needs the [train] extra; reads safetensors only and runs no code of the folder's."""
    if importlib.util.find_spec("torch") is None or importlib.util.find_spec("transformers") is None:
        raise ModelError(
            f"{source}: holds no model.onnx, and exporting one needs the training environment (pip install "
            "'jaga-ruang[train]', or make test-train's .venv-train); a folder that holds model.onnx needs neither"
        )
    import torch
    from transformers import AutoModelForSequenceClassification

    if not list(source.glob("*.safetensors")):
        raise ModelError(f"{source}: holds neither model.onnx nor *.safetensors")
    try:
        model = AutoModelForSequenceClassification.from_pretrained(
            source, dtype=torch.float32, use_safetensors=True, trust_remote_code=False, local_files_only=True
        ).eval()
    except Exception as error:  # whatever a foreign folder provokes
        raise ModelError(f"{source}: transformers cannot load it ({error})") from error
    model.config.return_dict = False
    ids = torch.ones((2, 8), dtype=torch.long)
    axes = {0: "batch", 1: "length"}
    torch.onnx.export(
        model,
        (ids, torch.ones_like(ids)),
        str(path),
        input_names=["input_ids", "attention_mask"],
        output_names=["logits"],
        dynamic_axes={"input_ids": axes, "attention_mask": axes, "logits": {0: "batch"}},
        opset_version=17,
        dynamo=False,
    )
    # A trace may have frozen the length it was made with.
    logits = open_logits(path, model.config.num_labels, cpus())
    for shape in ((1, 5), (3, 12)):
        ids = torch.randint(0, model.config.vocab_size, shape, generator=torch.Generator().manual_seed(1))
        with torch.no_grad():
            wanted = model(ids, torch.ones_like(ids))[0].numpy()
        off = float(np.abs(logits(ids.numpy()) - wanted).max())
        if off > PARITY:
            raise ModelError(f"{source}: exported, its logits differ by {off:.4f} from its own")


def _truth(rows: list[dict[str, str]], label: str) -> Any:
    return np.array([float(row[label]) if row[label] else np.nan for row in rows])


def _write(folder: Path, manifest: Mapping[str, Any]) -> None:
    (folder / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
