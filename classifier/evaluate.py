"""Measure a model through its public interface: `python -m classifier.evaluate --data PATH [--model PATH]
[--fold K] [--write]`.

Prints every figure as a table. `--json FILE` keeps the figures for other readers; `--write` puts them into
docs/model/ (metrics.json, metrics.md, pictures), the short form of them and the curves of thresholds into the
manifest, and writes the model's card. A figure of fold K needs a model trained without fold K's test part: the
manifest says which fold was held out, and another one is refused. Rows that the model has been trained or calibrated
on are left out everywhere, and counted.
"""

import argparse
import inspect
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from . import datasets, exams, labels, measures, report, seen
from .attacks import KINDS as ATTACKS
from .attacks import attack, halves, read_respellings
from .card import card
from .curves import Curve
from .engine import Classifier
from .exams import DIMENSIONS, ELECTIONS, PROTECTED, Exam, Item
from .goals import filled
from .labels import LABELS, TARGETS
from .manifest import MANIFEST, SHIPPED, Manifest, ModelError
from .measures import FEW, Values
from .seen import Seen
from .sheet import BadSet
from .swaps import KINDS as SWAPS
from .swaps import names_in, swaps

Figures = dict[str, Any]

ACCUSING = ("hate", "provocation")
"""The labels that can raise an alert."""
APART = ("reading", "reasons")
"""Figures that other commands measure and keep in the manifest."""
SEED = 20241127
PREVALENCES = (0.1, 0.01, 0.001)
CUT = 0.5
"""Where a model that may not abstain decides, unless its manifest names the cut that was best on dev (`bands`, field
`cut`): published models do not abstain."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a model said of one text."""

    scores: dict[str, float]
    decisions: dict[str, str]
    targets: tuple[str, ...]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m classifier.evaluate", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=SHIPPED)
    parser.add_argument("--engine", choices=("onnx", "torch"), default="onnx")
    parser.add_argument("--fold", type=int, help="published fold to test on; by default the one the model held out")
    parser.add_argument(
        "--folds", type=Path, nargs="*", default=[], help="figures (--json) of the other folds' models, to be averaged"
    )
    parser.add_argument("--limit", type=int, help="so many texts of each set at most, for a quick try; never written")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--write", action="store_true", help="keep the figures in docs, manifest and card")
    parser.add_argument("--docs", type=Path, default=Path("docs/model"))
    args = parser.parse_args(argv)
    if args.write and args.limit:
        parser.error("--write: figures of a part of the rows (--limit) are not kept")
    try:
        classifier = Classifier.load(args.model, engine=args.engine)
        others = [json.loads(path.read_text(encoding="utf-8")) for path in args.folds]
        figures = measure(classifier, args.data, fold=args.fold, limit=args.limit, progress=_progress)
    except (ModelError, BadSet, OSError, ValueError) as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return 2
    join_folds(figures, others)
    figures["goals"] = filled(figures, measured_apart(classifier.manifest, args.docs))
    print(report.markdown(figures))
    if args.json:
        _write_json(args.json, figures)
    if args.write:
        keep(args.model, args.docs, figures, classifier)
    return 0


def measured_apart(manifest: Manifest, docs: Path) -> Figures:
    """Return what other commands measured of this model: kept in its manifest, with the claims' weights, and in `docs` as
    `stance.json` and `bench.json` (what their commands print)."""
    apart: Figures = dict(manifest.text.get("metrics", {}))
    claims = manifest.folder / "claims.json"
    if claims.exists():
        apart["claims"] = json.loads(claims.read_text(encoding="utf-8"))["metrics"]
    for name in ("stance", "bench"):
        path = docs / f"{name}.json"
        if path.exists():
            apart[name] = json.loads(path.read_text(encoding="utf-8"))
    return apart


def keep(model: Path, docs: Path, figures: Figures, classifier: Classifier) -> None:
    """Write docs/model, the short form in the manifest, and the card."""
    docs.mkdir(parents=True, exist_ok=True)
    _write_json(docs / "metrics.json", figures)
    report.write(docs, figures)
    path = model / MANIFEST
    manifest = json.loads(path.read_text(encoding="utf-8"))
    old = manifest.get("metrics", {})
    apart = {name: old[name] for name in APART if name in old}
    manifest["metrics"] = apart | {name: figures[name] for name in ("about", "goals", "labels", "curves", "stream")}
    _write_json(path, manifest)
    (model / "README.md").write_text(card(manifest, classifier.model_id), encoding="utf-8")


def _write_json(path: Path, told: Figures) -> None:
    path.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _progress(step: str) -> None:
    print(f"evaluate: {step}", file=sys.stderr, flush=True)


def measure(
    classifier: Classifier,
    data: Path,
    *,
    fold: int | None = None,
    limit: int | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> Figures:
    """Return every figure by its name; shares are 0..1, `[figure, low, high]` is a figure with its 95 % interval.

    Raises BadSet for a fold that the model has seen and for a set without its columns, FileNotFoundError for one that
    is not there.
    """
    began = time.monotonic()
    held_out = int(classifier.manifest.text.get("training", {}).get("fold") or 0)
    fold = held_out if fold is None else fold
    if fold != held_out:
        raise BadSet(f"fold {fold}: the model's training held out fold {held_out}; fold {fold}'s test rows it has seen")
    progress("what training has read")
    trained, calibrated, dev = read_by_training(classifier, data, fold)
    bench = Bench(classifier, limit, trained, calibrated)
    labelled = [bench.unseen(exam) for exam in exams.exams(data, fold)]
    figures: Figures = {}
    progress("labels")
    figures["labels"] = bench.labels(labelled)
    figures["slices"] = bench.slices(labelled)
    figures["targets of hate"] = bench.targets(labelled[0])
    figures["twelve labels"] = bench.twelve(exams.twelve(data, fold))
    progress("functional cases and protected speech")
    cases = exams.functional(data)
    figures["functional cases"] = bench.functional(cases)
    figures["protected speech"] = bench.protected(cases, labelled)
    progress("ordinary posts")
    posts = bench.unseen_posts(exams.ordinary(data))
    figures["ordinary"] = bench.ordinary(posts)
    figures["prevalence"] = bench.prevalence(labelled[0], posts)
    progress("identities swapped")
    figures["swaps"] = bench.swapped(labelled, posts)
    progress("disguises")
    figures["attacks"] = bench.attacked(labelled[0], data)
    progress("curves")
    rows = [bench.untrained(exam) for exam in exams.exams(data, fold, "dev")]
    rows.append(Exam("all rows of calibration", "mixed", dev[:limit]))
    figures["curves"] = bench.curves(rows, labelled)
    figures["stream"] = bench.stream(posts)
    figures["about"] = {
        "model": classifier.model_id,
        "measured": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "fold": fold,
        "texts": len(bench.said),
        "seconds": round(time.monotonic() - began),
        "rows left out because the model has seen them": bench.left_out,
        "seen rows are known from": seen.FILE
        if (classifier.manifest.folder / seen.FILE).exists()
        else "the training sets",
        "limit": limit,
    }
    return figures


def read_by_training(classifier: Classifier, data: Path, fold: int) -> tuple[Seen, Seen, list[Item]]:
    """Return the texts that the model was trained on, those it was calibrated on, and the latter with their labels."""
    fold_of: dict[str, Any] = {"fold": fold} if "fold" in inspect.signature(datasets.load).parameters else {}
    examples = datasets.load(data, **fold_of)
    trained = Seen.load(classifier.manifest.folder) or Seen.of(e.text for e in examples if e.split == "train")
    dev = [
        Item(one.text, {label: v for label, v in zip(LABELS, one.labels, strict=False) if not np.isnan(v)})
        for one in examples
        if one.split == "dev"
    ]
    return trained, Seen.of(item.text for item in dev), dev


class Bench:
    """A model on the bench: what it says of each text is asked once."""

    def __init__(
        self,
        classifier: Classifier,
        limit: int | None = None,
        trained: Seen | None = None,
        calibrated: Seen | None = None,
    ) -> None:
        self.classifier = classifier
        self.limit = limit
        self.trained = trained or Seen.of(())
        self.calibrated = calibrated or Seen.of(())
        self.left_out = 0
        self.said: dict[str, Said] = {}
        self.known = tuple(label for label in LABELS if label in classifier.manifest.bands)

    def judge(self, texts: Sequence[str]) -> list[Said]:
        new = [text for text in dict.fromkeys(texts) if text not in self.said]
        for start in range(0, len(new), 4096):
            part = new[start : start + 4096]
            for text, judged in zip(part, self.classifier.judge(part), strict=True):
                self.said[text] = Said(judged.scores, judged.decisions, tuple(judged.targets))
        return [self.said[text] for text in texts]

    def untrained(self, exam: Exam) -> Exam:
        """As `unseen`, with the rows of calibration: for choosing thresholds, not for figures."""
        return Exam(exam.name, exam.origin, [i for i in exam.items if i.text not in self.trained][: self.limit])

    def unseen(self, exam: Exam) -> Exam:
        items = [item for item in exam.items if self._unseen(item.text)][: self.limit]
        return Exam(exam.name, exam.origin, items)

    def unseen_posts(self, sets: dict[str, list[str]]) -> dict[str, list[str]]:
        return {name: [t for t in texts if self._unseen(t)][: self.limit] for name, texts in sets.items()}

    def _unseen(self, text: str) -> bool:
        if text not in self.trained and text not in self.calibrated:
            return True
        self.left_out += 1
        return False

    def cut(self, label: str) -> float:
        return float(self.classifier.manifest.text["bands"][label].get("cut", CUT))

    def columns(self, items: Sequence[Item], label: str) -> tuple[Values, Values, list[str]]:
        """Return scores, truth and decisions of the items whose truth is known."""
        chosen = [item for item in items if label in item.truth]
        said = self.judge([item.text for item in chosen])
        scores = np.array([one.scores[label] for one in said], dtype=float)
        return scores, np.array([i.truth[label] for i in chosen], dtype=float), [o.decisions[label] for o in said]

    def row(self, items: Sequence[Item], label: str) -> Figures | None:
        """Return the figures of a label on some rows, None where none of them is known."""
        scores, truth, decided = self.columns(items, label)
        if not len(truth):
            return None
        row: Figures = {"rows": len(truth), "positive": int(truth.sum())}
        yes = np.array([d == "yes" for d in decided], dtype=float)
        sure = np.array([d != "unsure" for d in decided])
        row["unsure"] = measures.told(measures.mean, 1 - sure.astype(float))
        if truth.sum() >= FEW:
            forced = (scores >= self.cut(label)).astype(float)
            row["F1"] = measures.told(measures.f1, forced, truth)
            row["F1 of yes"] = measures.told(measures.f1, yes, truth)
            row["precision of yes"] = measures.told(measures.precision, yes, truth)
            row["recall of yes"] = measures.told(measures.recall, yes, truth)
            row["F1 where sure"] = measures.told(measures.f1, yes[sure], truth[sure])
        if (1 - truth).sum() >= FEW:
            row["false alarms"] = measures.told(measures.mean, yes[truth == 0])
        if len(truth) >= 10 * measures.BINS:
            row["ECE"] = [round(measures.calibration_error(scores, truth), 4)]
            row["ECE by chance"] = round(measures.calibration_noise(scores), 4)
            row["reliability"] = measures.reliability(scores, truth)
        return row

    def labels(self, labelled: list[Exam]) -> dict[str, Figures]:
        told: dict[str, Figures] = {}
        for label in self.known:
            rows = {exam.name: self.row(exam.items, label) for exam in labelled}
            told[label] = {name: row for name, row in rows.items() if row is not None}
        return told

    def slices(self, labelled: list[Exam]) -> dict[str, dict[str, dict[str, Figures]]]:
        """Return label -> dimension -> value -> figures, over rows that others or we labelled; rows of our own writing
        stand in `labels` alone."""
        items = [item for exam in labelled if exam.origin != "ours" for item in exam.items]
        told: dict[str, dict[str, dict[str, Figures]]] = {}
        for label in self.known:
            told[label] = {}
            for dimension in DIMENSIONS:
                values = sorted({i.slices[dimension] for i in items if dimension in i.slices and label in i.truth})
                rows = {v: self.row([i for i in items if i.slices.get(dimension) == v], label) for v in values}
                kept = {v: r for v, r in rows.items() if r is not None and ("F1" in r or "false alarms" in r)}
                for row in kept.values():
                    row.pop("reliability", None)
                if kept:
                    told[label][dimension] = kept
        return told

    def targets(self, exam: Exam) -> dict[str, Figures]:
        told = {}
        for target in TARGETS:
            items = [item for item in exam.items if target in item.truth]
            said = np.array([target in one.targets for one in self.judge([i.text for i in items])], dtype=float)
            truth = np.array([item.truth[target] for item in items])
            if truth.sum() >= FEW:
                told[target] = {
                    "rows": len(truth),
                    "positive": int(truth.sum()),
                    "F1": measures.told(measures.f1, said, truth),
                    "precision": measures.told(measures.precision, said, truth),
                    "recall": measures.told(measures.recall, said, truth),
                }
        return told

    def twelve(self, table: list[tuple[str, list[float]]]) -> Figures:
        """Return the accuracy over the twelve labels of Ibrohim and Budi."""
        table = [(text, truth) for text, truth in table if self._unseen(text)][: self.limit]
        texts = [text for text, _ in table]
        said = []
        for one, strength in zip(self.judge(texts), self._strengths(texts), strict=True):
            hate = one.scores["hate"] >= self.cut("hate")
            named = [float(hate and target in one.targets) for target in TARGETS]
            abusive = one.scores["abusive"] >= self.cut("abusive")
            said.append(
                [float(hate), float(abusive), *named, *(float(hate and place == strength) for place in range(3))]
            )
        found, truth = np.array(said), np.array([truth for _, truth in table])
        if not len(found):
            return {"rows": 0}
        return {
            "rows": len(found),
            "accuracy": measures.told(measures.mean, measures.row_accuracy(found, truth)),
            "accuracy without strength": measures.told(
                measures.mean, measures.row_accuracy(found[:, :9], truth[:, :9])
            ),
            "share of labels right": measures.told(measures.mean, (found == truth).mean(axis=1)),
        }

    def _strengths(self, texts: list[str]) -> list[int]:
        """Return for each text 0 weak, 1 moderate or 2 strong: by the model's own heads where it has them (the last three
        of its logits), else by the set's definition: strong where the text incites, moderate against a group."""
        if len(getattr(labels, "SEVERITIES", ())) == 3 and texts:
            logits = self.classifier.raw(texts)[0]
            if logits.shape[1] == len(LABELS) + len(TARGETS) + 3:
                return [int(place) for place in logits[:, -3:].argmax(axis=1)]
        cut = self.cut("provocation")
        return [
            2 if one.scores.get("provocation", 0) >= cut else int("group" in one.targets) for one in self.judge(texts)
        ]

    def functional(self, cases: list[tuple[str, Item]]) -> Figures:
        cases = cases[:: max(1, len(cases) // self.limit)] if self.limit else cases
        said = self.judge([item.text for _, item in cases])
        truth = np.array([item.truth["hate"] for _, item in cases])
        yes = np.array([one.decisions["hate"] == "yes" for one in said], dtype=float)
        forced = np.array([one.scores["hate"] >= self.cut("hate") for one in said], dtype=float)
        functions = np.array([function for function, _ in cases])
        groups = np.array([item.slices["target"] for _, item in cases])

        def right_by(names: Any) -> Figures:
            return {
                str(name): {
                    "rows": int((names == name).sum()),
                    "right": measures.told(measures.mean, (forced == truth)[names == name].astype(float)),
                    "yes": measures.told(measures.mean, yes[names == name]),
                }
                for name in sorted(set(names.tolist()))
            }

        return {
            "rows": len(cases),
            "macro F1": measures.told(measures.macro_f1, forced, truth),
            "macro F1 of yes": measures.told(measures.macro_f1, yes, truth),
            "by function": right_by(functions),
            "by group": right_by(groups),
        }

    def accused(self, texts: Sequence[str]) -> Values:
        """Return for each text whether any label that can alert says yes."""
        names = [label for label in ACCUSING if label in self.known]
        return np.array([any(o.decisions[n] == "yes" for n in names) for o in self.judge(texts)], dtype=float)

    def protected(self, cases: list[tuple[str, Item]], labelled: list[Exam]) -> Figures:
        """Return, by origin, how much criticism and counter-speech is wrongly accused."""
        sets = {
            f"functional cases: {name}": [item.text for function, item in cases if function == name]
            for name in sorted({function for function, _ in cases if function.startswith("counter")})
        }
        for exam in labelled:
            for label in PROTECTED:
                texts = [item.text for item in exam.items if item.truth.get(label) == 1]
                if texts:
                    sets[f"{exam.name}: {label}"] = texts
        told: Figures = {}
        for name, texts in sets.items():
            chosen = texts[: self.limit]
            told[name] = {
                "rows": len(chosen),
                "wrongly yes": measures.told(measures.mean, self.accused(chosen)),
                "hate unsure": round(float(np.mean([o.decisions["hate"] == "unsure" for o in self.judge(chosen)])), 4),
            }
        real = [t for name, texts in sets.items() if not name.startswith("written") for t in texts[: self.limit]]
        if real:
            told["all but our own rows"] = {
                "rows": len(real),
                "wrongly yes": measures.told(measures.mean, self.accused(real)),
            }
        return told

    def ordinary(self, posts: dict[str, list[str]]) -> Figures:
        told: Figures = {}
        for name, texts in posts.items():
            if not texts:
                continue
            said = self.judge(texts)
            told[name] = {
                "rows": len(texts),
                "alarm": measures.told(measures.mean, self.accused(texts)),
            } | {
                f"{label} {decision}": round(float(np.mean([o.decisions[label] == decision for o in said])), 5)
                for label in self.known
                for decision in ("yes", "unsure")
            }
        return told

    def prevalence(self, exam: Exam, posts: dict[str, list[str]]) -> Figures:
        """Return the precision to expect of `hate` where few posts are hateful.

        The hit rate is the fold's; false alarms are counted on held-out reviews (as if none were hateful, so the
        precision is a lower bound) and on the fold's own rows that are not hateful.
        """
        _, truth, decided = self.columns(exam.items, "hate")
        yes = np.array([d == "yes" for d in decided], dtype=float)
        reviews = posts["reviews (held out)"]
        alarms = {
            "other posts of the fold": float(yes[truth == 0].mean()) if (truth == 0).any() else 0.0,
            "held-out reviews": float(np.mean([o.decisions["hate"] == "yes" for o in self.judge(reviews)])),
        }
        hit = measures.recall(yes, truth)
        return {
            name: {"false alarms": round(alarm, 5)}
            | {f"precision at {p:g}": round(measures.precision_at(p, hit, alarm), 4) for p in PREVALENCES}
            for name, alarm in alarms.items()
        }

    def swapped(self, labelled: list[Exam], posts: dict[str, list[str]]) -> Figures:
        """Return, by kind of identity, how often a decision changes when another stands in its place."""
        election = [text for name in ELECTIONS for text in posts[name]]
        names = names_in(election)
        texts = list(dict.fromkeys([i.text for exam in labelled for i in exam.items] + election))
        pairs = [(text, swap) for text in texts for swap in swaps(text, SEED, names)]
        before = self.judge([text for text, _ in pairs])
        after = self.judge([swap.text for _, swap in pairs])
        kinds = np.array([swap.kind for _, swap in pairs])

        def changed(label: str, *, only_yes: bool) -> Values:
            told = [(b.decisions[label], a.decisions[label]) for b, a in zip(before, after, strict=True)]
            return np.array([(b == "yes") != (a == "yes") if only_yes else b != a for b, a in told], dtype=float)

        accusing = [label for label in ACCUSING if label in self.known]
        any_change = np.max([changed(label, only_yes=False) for label in accusing], axis=0) if pairs else np.array([])
        yes_change = np.max([changed(label, only_yes=True) for label in accusing], axis=0) if pairs else np.array([])
        told: Figures = {}
        for kind in (*SWAPS, "all"):
            chosen = np.ones(len(pairs), dtype=bool) if kind == "all" else kinds == kind
            if not chosen.any():
                continue
            told[kind] = {
                "pairs": int(chosen.sum()),
                "any decision flips": measures.told(measures.mean, any_change[chosen]),
                "yes gained or lost": measures.told(measures.mean, yes_change[chosen]),
            }
        return told

    def attacked(self, exam: Exam, data: Path) -> Figures:
        """Return F1 of hate under each disguise, and the points it loses against the same rows undisguised."""
        respellings = read_respellings(data)
        items = [item for item in exam.items if "hate" in item.truth]
        truth = np.array([item.truth["hate"] for item in items])
        clean = np.array(
            [o.scores["hate"] >= self.cut("hate") for o in self.judge([i.text for i in items])], dtype=float
        )
        told: Figures = {"none": {"rows": len(items), "F1": measures.told(measures.f1, clean, truth)}}

        def loss(said: Values, undisguised: Values, truth: Values) -> float:
            return measures.f1(undisguised, truth) - measures.f1(said, truth)

        _, unseen = halves(respellings)
        ways = [(kind, kind, respellings) for kind in ATTACKS] + [("slang, spellings unseen", "slang", unseen)]
        for name, kind, words in ways:
            said = self.judge([attack(item.text, kind, SEED, words) for item in items])
            forced = np.array([o.scores["hate"] >= self.cut("hate") for o in said], dtype=float)
            told[name] = {
                "rows": len(items),
                "F1": measures.told(measures.f1, forced, truth),
                "lost": measures.told(loss, forced, clean, truth),
                "decisions changed": measures.told(measures.mean, (forced != clean).astype(float)),
            }
        return told

    def curves(self, dev: list[Exam], test: list[Exam]) -> dict[str, Figures]:
        """Return each label's curve, on the dev rows of its first set that has enough of both classes, else on test."""
        told: dict[str, Figures] = {}
        for label in self.known:
            for part, found in (("dev", dev), ("test", test)):
                exam = next((e for e in found if self._enough(e, label)), None)
                if exam is not None:
                    scores, truth, _ = self.columns(exam.items, label)
                    told[label] = Curve.of(scores, truth, f"{exam.name}, {part} part, {exam.origin}").kept()
                    break
        return told

    @staticmethod
    def _enough(exam: Exam, label: str) -> bool:
        truth = [item.truth[label] for item in exam.items if label in item.truth]
        return min(truth.count(0.0), truth.count(1.0)) >= FEW

    def stream(self, posts: dict[str, list[str]]) -> dict[str, Figures]:
        """Return each label's scores on election posts, unlabelled: how much a band would put before people."""
        said = self.judge([text for name in ELECTIONS for text in posts[name]])
        none = np.zeros(len(said))
        source = f"{len(said)} ordinary election posts, unlabelled"
        return {label: Curve.of(np.array([o.scores[label] for o in said]), none, source).kept() for label in self.known}


def join_folds(figures: Figures, others: list[Figures]) -> None:
    """Add the mean over published folds, of this model's and the other folds' models. Raises BadSet for a fold told twice."""
    told: dict[int, list[float]] = {}
    for one in (figures, *others):
        fold = int(one["about"]["fold"])
        if fold in told:
            raise BadSet(f"fold {fold} is told twice")
        told[fold] = one["labels"]["hate"]["published fold"]["F1"]
    values = [told[fold][0] for fold in sorted(told)]
    figures["folds"] = {
        "F1 by fold": {str(fold): told[fold] for fold in sorted(told)},
        "folds": len(values),
        "mean F1": round(float(np.mean(values)), 4),
        "spread": round(float(np.std(values)), 4),
    }


if __name__ == "__main__":
    raise SystemExit(main())
