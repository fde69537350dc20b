"""The evaluation's pictures as SVG, drawn from templates: no drawing library in the installation."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

Figures = Mapping[str, Any]

_DRAW = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, trim_blocks=True)


def pictures(figures: Figures) -> dict[str, str]:
    """Return file name -> SVG."""
    drawn = {"reliability.svg": _reliability(figures["labels"])}
    hate = figures["slices"].get("hate", {})
    slices = [
        (f"{dimension}: {value}", row["F1"], row["positive"])
        for dimension, rows in hate.items()
        for value, row in rows.items()
        if "F1" in row
    ]
    drawn["hate-by-slice.svg"] = _bars("hate: F1 by slice (positive rows)", slices, None)
    attacks = [(kind, row["lost"], row["rows"]) for kind, row in figures["attacks"].items() if "lost" in row]
    drawn["disguises.svg"] = _bars("hate: F1 lost to each disguise (rows)", attacks, 0.03)
    alarms = [(name, row["alarm"], row["rows"]) for name, row in figures["ordinary"].items()]
    drawn["ordinary.svg"] = _bars("ordinary posts: share with an alarm (rows)", alarms, 0.003)
    swapped = [(kind, row["any decision flips"], row["pairs"]) for kind, row in figures["swaps"].items()]
    drawn["swaps.svg"] = _bars("identity swapped: share of decisions that flip (pairs)", swapped, 0.02)
    functions = [(n, row["right"], row["rows"]) for n, row in figures["functional cases"]["by function"].items()]
    drawn["functions.svg"] = _bars("functional cases: share right (rows)", functions, None)
    return drawn


def _reliability(labels: Figures) -> str:
    panels = []
    for label, sets in labels.items():
        chosen = next(
            (name for name in ("published fold", "relabelled", "written") if "ECE" in sets.get(name, {})), None
        )
        if chosen is not None:
            row = sets[chosen]
            panels.append({"name": f"{label} ({chosen})", "bins": row["reliability"], "error": f"{row['ECE'][0]:.3f}"})
    return _DRAW.get_template("reliability.svg").render(panels=panels)


def _bars(title: str, rows: list[tuple[str, list[float], int]], goal: float | None) -> str:
    bars = [
        {
            "name": name,
            # A loss may be below nothing; its bar is then none.
            "figure": max(0.0, told[0]),
            "low": max(0.0, told[1]),
            "high": max(0.0, told[2]),
            "rows": count,
            "missed": goal is not None and told[0] > goal,
        }
        for name, told, count in rows
    ]
    top = max([goal or 0.0, 1e-6, *(bar["high"] for bar in bars)])  # type: ignore[type-var]
    return _DRAW.get_template("bars.svg").render(title=title, bars=bars, goal=goal, top=top)
