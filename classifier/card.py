"""The model's papers, written from the manifest so that they cannot disagree with it."""

from typing import Any

from . import report
from .labels import LABEL_DEFINITIONS, LABELS, TARGET_DEFINITIONS


def card(manifest: dict[str, Any], model_id: str) -> str:
    """Return the card that lies beside the weights."""
    training = manifest["training"]
    lines = [
        "# The shipped model",
        "",
        "Written by `python -m classifier.evaluate --write` from `manifest.json`; do not edit by hand.",
        "",
        f"Scores a text for {', '.join(LABELS)}, names whom hate is for, and gives an embedding for "
        f"claim matching. "
        f"{training['layers']} transformer layers of width {manifest['dim']}, fused with a logistic "
        f"model on hashed n-grams. "
        f"Model id with the default engine: `{model_id}`. Made {manifest['created']}.",
        "",
        "**Licence.** The weights are under CC BY-NC-SA 4.0, because the hate speech set they learnt "
        "from is; the code is under Apache-2.0.",
        "",
        "## What the labels mean",
        "",
        *(f"- **{name}**: {text}" for name, text in LABEL_DEFINITIONS.items()),
        *(f"- target **{name}**: {text}" for name, text in TARGET_DEFINITIONS.items()),
        "",
        "Decisions: `yes` at or above a label's upper threshold, `no` below its lower one, `unsure` "
        "between. A text with nothing to "
        "read gets 0 and `no`.",
        "",
        "| label | yes from | unsure from |",
        "|---|---|---|",
        *(f"| {name} | {band['yes']} | {band['unsure']} |" for name, band in manifest["bands"].items()),
        "",
        "## What it may be used for, and what not",
        "",
        "To bring posts before a person's eyes, never to decide that something is a crime or to remove "
        "it. It was made for Bahasa "
        "Indonesia; of Javanese and Sundanese see the figures, in ten other languages only false alarms are measured. "
        "Provocation, suspect, criticism and counter-speech have no public corpus: they are learnt from rows that we "
        "labelled or wrote, and their figures are those of small sets.",
        "",
        "## Data",
        "",
        "| set | origin | licence |",
        "|---|---|---|",
        *(f"| {one['set']} | {one['origin']} | {one['licence']} |" for one in manifest["data"]),
        "",
        f"Base: {manifest['base']}. A text of a held-out part (matched by its letters and digits) is in "
        f"no training part.",
        "",
        "Training: "
        + ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in training.items() if value is not None)
        + ".",
        "",
        "## Files",
        "",
        "| file | bytes | sha256 |",
        "|---|---|---|",
        *(f"| {name} | {one['bytes']} | `{one['sha256']}` |" for name, one in manifest["files"].items()),
        "",
        f"Precision: {manifest['precision']}.",
        "",
        "# Figures",
        "",
        *_figures(manifest["metrics"]),
    ]
    return "\n".join(lines) + "\n"


def _figures(metrics: dict[str, Any]) -> list[str]:
    if "goals" not in metrics:
        return ["Not measured yet: `python -m classifier.evaluate --data PATH --write`."]
    about = metrics["about"]
    return [
        f"Measured {about['measured']} on {about['texts']} texts, published fold {about['fold']} held out. By set, time, "
        "platform, language, target and length: docs/model/metrics.md.",
        "",
        report.goals(metrics["goals"]),
        "",
        report.labels(metrics["labels"]),
    ]
