"""The figures of an evaluation as Markdown and pictures. Nothing is measured here: what is told stands in metrics.json."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .pictures import pictures

Figures = Mapping[str, Any]

_LABEL_COLUMNS = (
    "rows", "positive", "F1", "F1 of yes", "precision of yes", "recall of yes", "unsure", "F1 where sure",
    "false alarms", "ECE", "ECE by chance",
)  # fmt: skip
_READING = """\
`F1` is of decisions that may not abstain (the score against one cut); `F1 of yes` counts `unsure` as no; `F1 where sure`
leaves the unsure rows out. `ECE` is over 15 bins of equal mass, `ECE by chance` what perfect scores would show on
so few rows. Behind each figure stands its 95 % bootstrap interval.
Rows "written" are our own invented texts on topics held back from training: they say where the line is drawn, not how
the model does on posts."""


def write(docs: Path, figures: Figures) -> None:
    """Write metrics.md and the pictures into `docs`."""
    (docs / "metrics.md").write_text(markdown(figures), encoding="utf-8")
    for name, drawn in pictures(figures).items():
        (docs / name).write_text(drawn, encoding="utf-8")


def markdown(figures: Figures) -> str:
    """Return the whole report."""
    about = figures["about"]
    parts = [
        "# What the shipped model scores",
        "Written by `python -m classifier.evaluate --data PATH --write`; do not edit by hand. "
        f"Model `{about['model']}`, measured {about['measured']}, published fold {about['fold']}, {about['texts']} "
        f"texts. Rows left out because the model has seen them: "
        f"{about['rows left out because the model has seen them']} (known from {about['seen rows are known from']})."
        + (f" **A quick try: at most {about['limit']} texts of each set.**" if about["limit"] else ""),
        _READING,
        "## Goals",
        goals(figures["goals"]),
        "## Labels, by set",
        labels(figures["labels"]),
        "![Reliability of each label](reliability.svg)",
        "## Slices",
        *_slices(figures["slices"]),
        "![F1 of hate by slice](hate-by-slice.svg)",
        "## Targets of hate",
        _rows(figures["targets of hate"]),
        "## The set of twelve labels",
        _rows({"all": figures["twelve labels"]}),
        "## Functional cases (SEAHateCheck, silver)",
        _rows({"all": {name: figures["functional cases"][name] for name in ("rows", "macro F1", "macro F1 of yes")}}),
        _rows(figures["functional cases"]["by function"]),
        _rows(figures["functional cases"]["by group"]),
        "![Functional cases](functions.svg)",
        "## Criticism and counter-speech wrongly accused",
        _rows(figures["protected speech"]),
        "## Ordinary posts",
        "Unlabelled; an alarm is `hate` or `provocation` = yes. Posts of elections hold real abuse too.",
        _rows(figures["ordinary"]),
        "![Alarms on ordinary posts](ordinary.svg)",
        "## Precision where hate is rare",
        _rows(figures["prevalence"]),
        "## Identities swapped",
        _rows(figures["swaps"]),
        "![Flips by identity](swaps.svg)",
        "## Disguises",
        _rows(figures["attacks"]),
        "![F1 lost to disguises](disguises.svg)",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def goals(rows: Iterable[Figures]) -> str:
    lines = ["| what | reference | goal | figure | met | note | command |", "|---" * 7 + "|"]
    for row in rows:
        met = {True: "yes", False: "**no**", None: ""}[row["met"]]
        figure = "not measured" if row["figure"] is None else cell(row["figure"])
        lines.append(
            f"| {row['what']} | {row['reference']} | {row['goal']} | {figure} | {met} | {row['note']} | `{row['command']}` |"
        )
    return "\n".join(lines)


def labels(told: Figures) -> str:
    return "\n\n".join(f"### {label}\n\n{_rows(sets, _LABEL_COLUMNS)}" for label, sets in told.items() if sets)


def cell(value: Any) -> str:
    """Return a figure as text: `0.123` or `0.123 (0.1-0.2)`."""
    if isinstance(value, list):
        figure = f"{value[0]:.4g}" if len(value) == 1 else f"{value[0]:.3f} ({value[1]:.3f}-{value[2]:.3f})"
        return figure
    return "" if value is None else str(value)


def _rows(rows: Figures, columns: Iterable[str] | None = None) -> str:
    found = dict.fromkeys(key for row in rows.values() for key in row if key != "reliability")
    shown = [column for column in (columns or found) if column in found]
    if not shown:
        return "No row."
    lines = [f"| | {' | '.join(shown)} |", "|---" * (len(shown) + 1) + "|"]
    lines += [f"| {name} | {' | '.join(cell(row.get(column)) for column in shown)} |" for name, row in rows.items()]
    return "\n".join(lines)


def _slices(slices: Figures) -> Iterable[str]:
    for label, dimensions in slices.items():
        for dimension, rows in dimensions.items():
            yield f"### {label}, by {dimension}\n\n{_rows(rows, _LABEL_COLUMNS)}"
