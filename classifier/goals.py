"""What the model is meant to reach, and how far it has come: the project's table of targets, filled from figures.

Each goal is told whether it is met by its figure, not by the kinder end of its interval.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Figures = Mapping[str, Any]
EVALUATE = "python -m classifier.evaluate --data PATH"


@dataclass(frozen=True, slots=True)
class Goal:
    what: str
    reference: str
    bound: float
    least: bool
    """Whether the figure must be at least the bound; else at most."""
    figure: list[float] | None
    """The figure, or figure, low and high; None where it was not measured."""
    command: str = EVALUATE
    note: str = ""

    def told(self) -> dict[str, Any]:
        met = None
        if self.figure is not None:
            met = self.figure[0] >= self.bound if self.least else self.figure[0] <= self.bound
        return {
            "what": self.what,
            "reference": self.reference,
            "goal": f"{'at least' if self.least else 'at most'} {self.bound:g}",
            "figure": self.figure,
            "met": met,
            "command": self.command,
            "note": self.note,
        }


def filled(figures: Figures, apart: Figures) -> list[dict[str, Any]]:
    """Return the goals in their order; `apart` holds what other commands measured (`claims`, `stance`, `bench`,
    `reading`)."""
    return [goal.told() for goal in (*_labels(figures), *_speech(figures, apart), *_trust(figures), *_apart(apart))]


def _labels(figures: Figures) -> Iterator[Goal]:
    folds = figures["folds"]
    spread = f"spread {folds['spread']:.4f}, " if folds["folds"] > 1 else ""
    yield Goal(
        "hate, published folds, F1",
        "IndoBERTweet .888",
        0.89,
        True,
        [folds["mean F1"]] if folds["folds"] > 1 else figures["labels"]["hate"]["published fold"].get("F1"),
        note=f"{spread}{folds['folds']} of 5 folds",
    )
    twelve = figures["twelve labels"]
    yield Goal(
        "twelve labels, multi-label accuracy", ".77", 0.80, True, twelve.get("accuracy"),
        note=f"{twelve.get('accuracy without strength', [0])[0]:.3f} without the three of strength",
    )  # fmt: skip
    yield Goal(
        "functional cases, macro F1", ".702 fine-tuned, .815 large", 0.82, True,
        figures["functional cases"].get("macro F1"),
    )  # fmt: skip
    hate = figures["labels"]["hate"]
    ours = hate["published fold"].get("F1")
    for language in ("javanese", "sundanese"):
        theirs = hate.get(language, {}).get("F1")
        behind = [round(ours[0] - theirs[0], 4)] if ours and theirs else None
        note = (
            f"F1 {theirs[0]:.3f} of {hate[language]['positive']} positive rows" if theirs else "too few positive rows"
        )
        yield Goal(f"{language.capitalize()}: hate F1 behind Indonesian", "", 0.05, False, behind, note=note)


def _speech(figures: Figures, apart: Figures) -> Iterator[Goal]:
    reviews = figures["ordinary"].get("reviews (held out)", {})
    yield Goal("false alarms on reviews", "", 0.003, False, reviews.get("alarm"))
    reading = apart.get("reading", {})
    if reading.get("model") != figures["about"]["model"]:
        reading = {}  # another model's
    yield Goal(
        "flagged election posts that are right", "", 0.80, True, reading.get("right"),
        command="python -m classifier.read_flagged --data PATH",
        note=f"{reading['rows']} read by {reading['by']}" if reading else "not read yet",
    )  # fmt: skip
    for name, row in figures["protected speech"].items():
        yield Goal(
            f"wrongly yes: {name}", "56-87 % of counter-speech", 0.05, False, row["wrongly yes"],
            note=f"{row['rows']} rows",
        )  # fmt: skip
    for kind, row in figures["swaps"].items():
        yield Goal(
            f"identity swapped: {kind}", "", 0.02, False, row["any decision flips"],
            note=f"{row['pairs']} pairs; yes gained or lost {row['yes gained or lost'][0]:.4f}",
        )  # fmt: skip


def _trust(figures: Figures) -> Iterator[Goal]:
    for label, sets in figures["labels"].items():
        chosen = next((name for name in ("published fold", "relabelled") if "ECE" in sets.get(name, {})), None)
        yield Goal(
            f"expected calibration error, {label}", "", 0.03, False,
            sets[chosen]["ECE"] if chosen else None, note=chosen or "too few real rows",
        )  # fmt: skip
    for label, sets in figures["labels"].items():
        chosen = next((name for name in ("published fold", "relabelled") if name in sets), None)
        yield Goal(
            f"unsure share, {label}", "", 0.10, False,
            sets[chosen]["unsure"] if chosen else None, note=chosen or "no real rows",
        )  # fmt: skip
    fold = figures["labels"]["hate"]["published fold"]
    gain = [round(fold["F1 where sure"][0] - fold["F1"][0], 4)] if "F1" in fold else None
    yield Goal("hate: F1 won where the model is sure", "", 0.03, True, gain)
    for kind, row in figures["attacks"].items():
        if "lost" in row:
            yield Goal(f"F1 lost to disguise: {kind}", "", 0.03, False, row["lost"])


def _apart(apart: Figures) -> Iterator[Goal]:
    stance = apart.get("stance", {}).get("pilpres_2019, topics held back", {})
    yield Goal(
        "stance, macro F1, unseen topics", ".647", 0.80, True, _number(stance.get("macro F1")),
        command="python -m classifier.stance_evaluate --data PATH",
    )  # fmt: skip
    claims = apart.get("claims", {}).get("fused", {})
    for at, reference, bound in ((1, ".648", 0.80), (5, ".822", 0.93)):
        yield Goal(
            f"claim recall at {at}, 2024 posts", reference, bound, True, _number(claims.get(f"recall@{at}")),
            command="python -m classifier.claims_fit --data PATH",
        )  # fmt: skip
    bench = apart.get("bench", {})
    yield Goal(
        "speed against the transformers pipeline", "1", 20, True,
        _number(bench.get("times the plain pipeline at its better batch size")),
        command="python -m classifier.bench --data PATH --base PATH",
    )  # fmt: skip
    yield Goal(
        "the same on a real stream with copies", "1", 60, True, _number(bench.get("times the plain pipeline on a stream")),
        command="python -m classifier.bench --data PATH --base PATH",
    )  # fmt: skip


def _number(value: Any) -> list[float] | None:
    return None if value is None else [float(v) for v in value] if isinstance(value, list) else [float(value)]
