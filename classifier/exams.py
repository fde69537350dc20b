"""The labelled and unlabelled texts a model is examined on, with what is known of each: a set, its years, platform,
language, whom it is about, how long it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import datasets
from .labels import LABELS, TARGETS
from .sheet import BadSet, read
from .tables import OURS, hashed_split, key
from .text import clean

FOLDS = range(5)
DIMENSIONS = ("set", "year", "platform", "language", "target", "length")
ELECTIONS = ("pilkada_dki_2017", "pilpres_2024", "pilpres_2024_debates")
YEARS = {"pilkada_dki_2017": "2017", "pilpres_2024": "2024", "pilpres_2024_debates": "2023-2024"}
PROTECTED = ("criticism", "counter_speech")
OURS_KNOW = tuple(dict.fromkeys((*LABELS, "suspect", *PROTECTED)))
"""Labels that our own readers gave, those the model at hand lacks too."""
STRENGTH = ("HS_Weak", "HS_Moderate", "HS_Strong")
"""The three labels of the set of twelve that no label of ours is; see `evaluate.twelve`."""

_LENGTHS = ((50, "to 50 characters"), (100, "51 to 100"), (200, "101 to 200"))
_TARGET_COLUMNS = {
    "religion": "HS_Religion", "ethnicity": "HS_Race", "group": "HS_Group", "person": "HS_Individual",
    "gender": "HS_Gender", "body": "HS_Physical", "other": "HS_Other",
}  # fmt: skip
_LANGUAGE = {"id": "Indonesian", "jv": "Javanese", "su": "Sundanese"}


@dataclass(frozen=True, slots=True)
class Item:
    text: str
    truth: dict[str, float] = field(default_factory=dict)
    """Label or target -> 0 or 1; what is not known is absent."""
    slices: dict[str, str] = field(default_factory=dict)
    """Dimension -> value."""


@dataclass(frozen=True, slots=True)
class Exam:
    name: str
    origin: str
    """`labelled by others`, `labelled by us` (real posts) or `ours` (written by us: never told as a real figure)."""
    items: list[Item]


def exams(data: Path, fold: int, part: str = "test") -> list[Exam]:
    """Return the labelled sets' rows of one part (`dev` or `test`), with published fold `fold` as that part.

    Raises FileNotFoundError or BadSet naming what is missing.
    """
    found = [
        Exam("published fold", "labelled by others", list(_fold(data, fold, part))),
        Exam("groups", "labelled by others", list(_groups(data, part))),
        Exam("javanese", "labelled by others", list(_regional(data, "javanese", part))),
        Exam("sundanese", "labelled by others", list(_regional(data, "sundanese", part))),
        Exam("relabelled", "labelled by us", list(_relabelled(data, fold, part))),
        Exam("elections", "labelled by us", list(_elections(data)) if part == "test" else []),
        Exam("written", "ours", list(_written(part))),
    ]
    return [replace(exam, items=[_measured(item, exam.name) for item in exam.items]) for exam in found]


def functional(data: Path) -> list[tuple[str, Item]]:
    """Return the functional cases with their function."""
    table = read(data / "hate" / "functional_cases_silver.csv", "function", "target", "label", "text")
    return [
        (row["function"], Item(row["text"], {"hate": float(row["label"] == "hateful")}, {"target": row["target"]}))
        for row in table
    ]


def ordinary(data: Path) -> dict[str, list[str]]:
    """Return ordinary posts by set, those that training reads too (the caller leaves them out): almost none of them may
    raise an alert."""
    sets = {name: [row["text"] for row in read(data / "ordinary" / f"{name}.csv", "text")] for name in ELECTIONS}
    sets["reviews (held out)"] = datasets.held_out_reviews(data)
    for row in read(data / "regional" / "nusax.csv", "language", "text"):
        sets.setdefault(f"nusax {row['language']}", []).append(row["text"])
    return sets


def twelve(data: Path, fold: int) -> list[tuple[str, list[float]]]:
    """Return text and the twelve labels (hate, abusive, seven targets, three strengths) of the fold's test part."""
    wanted = {key(row["text"]) for row in _published(data, fold) if row[f"fold{fold}"] == "test"}
    columns = ("HS", "Abusive", *_TARGET_COLUMNS.values(), *STRENGTH)
    path = data / "hate" / "ibrohim_2019.csv"
    return [
        (row["text"], [float(row[column]) for column in columns])
        for row in read(path, "text", *columns)
        if key(row["text"]) in wanted
    ]


def length_of(text: str) -> str:
    size = len(clean(text))
    return next((name for most, name in _LENGTHS if size <= most), "over 200")


def _measured(item: Item, name: str) -> Item:
    return replace(item, slices={"set": name, "length": length_of(item.text)} | item.slices)


def _published(data: Path, fold: int) -> list[dict[str, str]]:
    if fold not in FOLDS:
        raise BadSet(f"fold {fold}: the published folds are 0 to {FOLDS[-1]}")
    return read(data / "hate" / "ibrohim_2019_published_folds.csv", "text", "HS", f"fold{fold}")


def _fold(data: Path, fold: int, part: str) -> Iterator[Item]:
    path = data / "hate" / "ibrohim_2019.csv"
    known = {key(row["text"]): row for row in read(path, "text", "Abusive", *_TARGET_COLUMNS.values())}
    for row in _published(data, fold):
        if row[f"fold{fold}"] != part:
            continue
        truth = {"hate": float(row["HS"])}
        slices = {"year": "to 2018", "platform": "twitter", "language": "Indonesian"}
        full = known.get(key(row["text"]))
        if full is not None:
            truth |= {"abusive": float(full["Abusive"])}
            truth |= {target: float(full[_TARGET_COLUMNS[target]]) for target in TARGETS}
            hated = [target for target in TARGETS if truth[target]]
            if hated:
                slices["target"] = hated[0]
        yield Item(row["text"], truth, slices)


def _groups(data: Path, part: str) -> Iterator[Item]:
    for row in read(data / "hate" / "groups_2012_2024.csv", "text", "label", "target"):
        if hashed_split(row["text"]) == part:
            slices = {"year": "2012-2024", "platform": "twitter", "language": "Indonesian", "target": row["target"]}
            yield Item(row["text"], {"hate": float(row["label"] == "hate")}, slices)


def _regional(data: Path, language: str, part: str) -> Iterator[Item]:
    for row in read(data / "hate" / f"{language}.csv", "text", "hate", "abusive"):
        if hashed_split(row["text"]) == part:
            truth = {"hate": float(row["hate"]), "abusive": float(row["abusive"])}
            yield Item(row["text"], truth, {"platform": "twitter", "language": language.capitalize()})


def _relabelled(data: Path, fold: int, part: str) -> Iterator[Item]:
    """Public rows under our labels, those that lie in this part of the fold."""
    wanted = {key(row["text"]) for row in _published(data, fold) if row[f"fold{fold}"] == part}
    texts = {row["id"]: row["text"] for row in read(data / "hate" / "ibrohim_2019.csv", "id", "text")}
    for row in read(OURS / "relabelled.csv", "id"):
        text = texts.get(row["id"])
        if text is not None and key(text) in wanted:
            yield Item(text, _known(row), {"year": "to 2018", "platform": "twitter", "language": "Indonesian"})


def _elections(data: Path) -> Iterator[Item]:
    """Real election posts that an earlier model thought the most hateful, under our labels; a hard part of the stream,
    not a sample of it."""
    path = OURS / "elections.csv"
    if not path.exists():
        return
    texts = {
        row["id"]: (row["text"], name)
        for name in ELECTIONS
        for row in read(data / "ordinary" / f"{name}.csv", "id", "text")
    }
    for row in read(path, "id"):
        if row["id"] in texts:
            text, name = texts[row["id"]]
            slices = {"year": YEARS[name], "platform": "twitter", "language": "Indonesian"}
            yield Item(text, _known(row), slices)


def _written(part: str) -> Iterator[Item]:
    for row in read(OURS / "written.csv", "text", "part", "language", "kind"):
        if row["part"] == part:
            yield Item(row["text"], _known(row), {"language": _LANGUAGE[row["language"]], "target": row["kind"]})


def _known(row: dict[str, str]) -> dict[str, float]:
    return {label: float(row[label]) for label in OURS_KNOW if row.get(label)}
