"""Reading the research sets for training and evaluation, with a split that no text crosses."""

import hashlib
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from . import sheet
from .labels import TARGETS
from .text import clean

MASKED = math.nan
"""The value of a label that a set says nothing about; the loss leaves it out."""

OURS = Path(__file__).parent / "data"

_IBROHIM_TARGETS = {
    "religion": "HS_Religion", "ethnicity": "HS_Race", "group": "HS_Group", "person": "HS_Individual",
    "gender": "HS_Gender", "body": "HS_Physical", "other": "HS_Other",
}  # fmt: skip
_GROUP_TARGETS = {
    "muslim": "religion", "nonislam": "religion", "wanita": "gender", "lgbt": "gender",
    "arab": "ethnicity", "cina": "ethnicity", "rohingya": "ethnicity",
}  # fmt: skip

# Verbs by which a strong hate text becomes a call to violence. Incomplete on purpose: a weak rule for
# training only.
_VIOLENT = re.compile(
    r"\b(?:di)?(?:bunuh|bantai|habisi|bakar|penggal|gantung|tembak|musnah|ganyang|serbu|serang|bacok"
    r"|gorok|pukuli|keroyok|"
    r"hajar|bom|gebuk|injak|perangi|basmi|tumpas|pateni|pates[ie]|obong)\w*\b|\bgantung (?:saja|aja)\b"
    r"|\bdarah\w* halal\b",
    re.IGNORECASE,
)
# Political slogans: hard words for an office, none of the state's business.
_SLOGAN = re.compile(
    r"\b(?:lengser\w*|turunkan|mundur|bubar\w*|penjara\w*|tangkap|golput|copot|pecat|makzul\w*|adili"
    r"|ganti ?presiden\w*|tolak)\b",
    re.IGNORECASE,
)
_NOT_KEY = re.compile(r"@user|\[\w+\]|\brt\b|[\W_]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Example:
    text: str  # cleaned
    labels: tuple[float, ...]  # LABELS then TARGETS: 0, 1 or MASKED
    split: str  # train | dev | test
    source: str


def key(text: str) -> str:
    """Return what two copies of a post share: letters and digits, without handles, links and `RT`."""
    return _NOT_KEY.sub("", clean(text).lower())


def rows(path: Path) -> list[dict[str, str]]:
    """Return a CSV's rows; FileNotFoundError or BadSet names the file, and the line or column, that is wrong."""
    return sheet.read(path)


def bucket(text: str, parts: int) -> int:
    """Return a stable number 0..parts-1 for a text, the same in every run and for every copy of the text."""
    return int.from_bytes(hashlib.sha256(key(text).encode()).digest()[:4], "big") % parts


def hashed_split(text: str) -> str:
    """Return the part of a set that has no published split: 10 % dev, 15 % test, the rest train."""
    place = bucket(text, 20)
    return "dev" if place < 2 else "test" if place < 5 else "train"


def load(data: Path, limit: int | None = None) -> list[Example]:
    """Read every labelled set under `data` (and our own rows); `limit` keeps that many a set, for a quick
    try.

    A text that stands in fold 0's dev or test part, or in a held-out part of another set, is dropped from
    every training part, whatever set it comes from.
    """
    sets = [
        _first(_ibrohim(data / "hate"), limit),
        _first(_groups(data / "hate"), limit),
        _first(_regional(data / "hate", "javanese"), limit),
        _first(_regional(data / "hate", "sundanese"), limit),
        _first(_reviews(data / "ordinary"), limit),
        list(ours()),
    ]
    everything = [example for one in sets for example in one]
    held = {key(example.text): example.source for example in everything if example.split != "train"}
    held |= {key(row["text"]): "functional" for row in rows(data / "hate" / "functional_cases_silver.csv")}
    held |= {
        key(r["text"]): "fold 0"
        for r in rows(data / "hate" / "ibrohim_2019_published_folds.csv")
        if r["fold0"] != "train"
    }
    kept: list[Example] = []
    seen: set[tuple[str, str]] = set()
    for example in everything:
        mark = (example.split, key(example.text))
        if example.split == "train" and (mark[1] in held or mark in seen or not mark[1]):
            continue
        seen.add(mark)
        kept.append(example)
    return kept


def ours() -> Iterator[Example]:
    """Yield our own invented rows: calls to violence and what only looks like them."""
    for row in rows(OURS / "provocation.csv"):
        provocation = float(row["label"] == "yes")
        hate = {"yes": 1.0, "no": 0.0}.get(row["hate"], MASKED)
        targets = (0.0,) * len(TARGETS) if hate == 0 else (MASKED,) * len(TARGETS)
        yield Example(clean(row["text"]), (hate, provocation, MASKED, *targets), hashed_split(row["text"]), "ours")


def folds(data: Path, part: str) -> list[tuple[str, int]]:
    """Return `(text, hate)` of one part of the published fold 0, every row of it, as the published figures
    count.
    """
    published = rows(data / "hate" / "ibrohim_2019_published_folds.csv")
    return [(row["text"], int(row["HS"])) for row in published if row["fold0"] == part]


def _ibrohim(folder: Path) -> Iterator[Example]:
    split = {key(row["text"]): row["fold0"] for row in rows(folder / "ibrohim_2019_published_folds.csv")}
    # A text that stands twice, in two parts, belongs to the part that must stay unseen.
    for row in rows(folder / "ibrohim_2019_published_folds.csv"):
        if row["fold0"] == "test" or (row["fold0"] == "dev" and split[key(row["text"])] == "train"):
            split[key(row["text"])] = row["fold0"]
    for row in rows(folder / "ibrohim_2019.csv"):
        text = clean(row["text"])
        hate = float(row["HS"])
        targets = [float(row[_IBROHIM_TARGETS[target]]) for target in TARGETS]
        part = split.get(key(text), "train")
        provocation = _weak_provocation(text, strong=row["HS_Strong"] == "1")
        if row["HS_Strong"] == "1" and provocation == 0.0 and part == "train":
            # "Lengserkan ..." is hate speech to the labellers of 2018 and a slogan to us: neither is taught.
            hate, targets = MASKED, [MASKED] * len(TARGETS)
        yield Example(text, (hate, provocation, float(row["Abusive"]), *targets), part, "ibrohim")


def _weak_provocation(text: str, *, strong: bool) -> float:
    violent = _VIOLENT.search(text) is not None
    if strong:
        return 1.0 if violent else 0.0 if _SLOGAN.search(text) else MASKED
    return MASKED if violent else 0.0


def _groups(folder: Path) -> Iterator[Example]:
    for row in rows(folder / "groups_2012_2024.csv"):
        text = clean(row["text"])
        hate = float(row["label"] == "hate")
        targets = [MASKED if hate else 0.0] * len(TARGETS)
        if hate:
            targets[TARGETS.index(_GROUP_TARGETS[row["target"]])] = 1.0
            targets[TARGETS.index("group")] = 1.0
        labels = (hate, _weak_provocation(text, strong=False), MASKED, *targets)
        yield Example(text, labels, hashed_split(text), "groups")


def _regional(folder: Path, language: str) -> Iterator[Example]:
    for row in rows(folder / f"{language}.csv"):
        text = clean(row["text"])
        hate = float(row["hate"])
        targets = (MASKED if hate else 0.0,) * len(TARGETS)
        labels = (hate, _weak_provocation(text, strong=False), float(row["abusive"]), *targets)
        yield Example(text, labels, hashed_split(text), language)


def _reviews(folder: Path) -> Iterator[Example]:
    # Some teach what ordinary speech is, most of the rest measure false alarms. Unlabelled, so
    # taken as negative: of 12,000 reviews and tweets on products and places hardly any is hate.
    for row in rows(folder / "reviews.csv"):
        place = bucket(row["text"], 20)
        if place in (0, 1, 2, 5):
            labels = (0.0, 0.0, MASKED, *(0.0,) * len(TARGETS))
            yield Example(clean(row["text"]), labels, "dev" if place == 5 else "train", "reviews")


def held_out_reviews(data: Path) -> list[str]:
    """Return the reviews that neither training nor calibration has seen."""
    return [row["text"] for row in rows(data / "ordinary" / "reviews.csv") if bucket(row["text"], 20) >= 6]


def _first(examples: Iterable[Example], limit: int | None) -> list[Example]:
    everything = list(examples)
    if limit is None or limit >= len(everything):
        return everything
    # Every part of a split must be there however small the try.
    by_split = {part: [e for e in everything if e.split == part] for part in ("train", "dev", "test")}
    share = limit / len(everything)
    return [e for part in by_split.values() for e in part[: max(1, math.ceil(len(part) * share))]]
