"""The model's papers, written from the manifest so that they cannot disagree with it."""

from typing import Any

from .labels import LABEL_DEFINITIONS, LABELS, TARGET_DEFINITIONS


def table(told: dict[str, Any]) -> str:
    """Return the measured figures as Markdown tables, one a part."""
    parts = []
    for name in (*LABELS, "targets", "functional cases", "ordinary"):
        rows = told.get(name) or {}
        if not rows:
            continue
        columns = list(dict.fromkeys(key for row in rows.values() for key in row))
        lines = [f"## {name}", "", f"| | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
        lines += [
            f"| {key} | {' | '.join(str(row.get(column, '')) for column in columns)} |" for key, row in rows.items()
        ]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def card(manifest: dict[str, Any], model_id: str) -> str:
    """Return the card that lies beside the weights."""
    training = manifest["training"]
    claims = manifest["metrics"].get("claims", {})
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
        "Indonesia; Javanese and Sundanese are weaker (see the figures) and other regional languages "
        "unmeasured. Provocation has no "
        "public corpus: it is learnt from the few strongest rows of the hate set, weak rules and our own "
        "invented rows, and its "
        "figures are those of small sets. Counter-speech and quotation are the known weak side: look at "
        "the functional cases.",
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
        table(manifest["metrics"]),
    ]
    if claims:
        lines += [
            "## claim matching",
            "",
            "Posts of April to August 2024 searched among the fact-check titles of their day and earlier.",
            "",
            "| | recall@1 | recall@5 | recall@10 |",
            "|---|---|---|---|",
            *(
                f"| {name.replace('_', ' ')} | {' | '.join(str(claims[name][f'recall@{k}']) for k in (1, 5, 10))} |"
                for name in ("words_alone", "base_embedding_alone", "embedding_alone", "fused")
                if name in claims
            ),
            "",
            "| threshold | " + " | ".join(name.replace("_", " ") for name in claims["at_yes"]) + " |",
            "|---" * (len(claims["at_yes"]) + 1) + "|",
            *(
                f"| {name} from {claims['thresholds'][name]} | "
                f"{' | '.join(str(v) for v in claims[f'at_{name}'].values())} |"
                for name in ("yes", "unsure")
            ),
            "",
        ]
    return "\n".join(lines)
