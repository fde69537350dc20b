"""What the stance model learns from: the hand-labelled rumours of 2019, our own pairs, and pairs derived from
fact-checkers' titles.

Derived pairs are for training only and never for evaluation: they are made by rule, so they say nothing of
how good a model is.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from .annotations import read_stance_pairs
from .datasets import OURS, rows
from .text import clean

PUBLIC = {"False News": "spreads", "True News": "debunks"}
"""The set's labels as stances; its other three ("Misleading News", "Other 1", "Other 2") are neither."""

_CUE = re.compile(
    r"hoa(x|ks)|salah|tidak benar|keliru|fakta|klarifikasi|bantah|palsu|bohong|fitnah|benarkah|penjelasan",
    re.IGNORECASE,
)
_MARK = re.compile(r"^\s*[\[(][^\])]{1,30}[\])]:?")
_EDGES = " :“”\"'"
_PLACES = (
    "Jakarta", "Bandung", "Surabaya", "Medan", "Palembang", "Semarang", "Bekasi", "Depok", "Bogor", "Aceh", "Bali",
    "Papua", "Riau", "Jambi", "Lampung", "Banten", "Makassar", "Malang", "Solo", "Padang", "Pontianak", "Kupang",
    "Ambon", "Ternate", "Garut", "Sampang", "Jember",
)  # fmt: skip
_PLACE = re.compile(rf"\b(?:{'|'.join(_PLACES)})\b")
_NUMBER = re.compile(r"\b\d[\d.,]*\b")

# How many are derived, and how each kind is made; more of them did not help with topics held back.
FRAMED = {"debunks": 900, "neither": 500, "spreads": 500}
POSTS, NEAR, MOVED = 800, 700, 1_000


@dataclass(frozen=True, slots=True)
class StanceExample:
    claim: str
    text: str
    stance: str
    topic: str  # held back as a whole
    source: str  # "pilpres", "ours" or "derived"
    part: str  # "train" or "test"
    label: str = ""  # the public set's own label


def public(data: Path) -> list[StanceExample]:
    """Return the rumours of `data/stance/pilpres_2019.csv`."""
    return [
        StanceExample(
            row["topic"],
            row["text"],
            PUBLIC.get(row["label"], "neither"),
            row["topic"],
            "pilpres",
            "train",
            row["label"],
        )
        for row in rows(data / "stance" / "pilpres_2019.csv")
    ]


def ours() -> list[StanceExample]:
    """Return our own pairs, both parts."""
    return [StanceExample(p.claim, p.text, p.stance, p.topic, "ours", p.part) for p in read_stance_pairs()]


def derived(data: Path, seed: int) -> list[StanceExample]:
    """Return pairs made from the titles and posts of `data/claims`, by `stance_frames.csv` and by swapping.

    A title within a frame takes the frame's stance; a hoax post spreads its own title; a post beside a near
    but other title, or beside its title with another place or number, is neither.
    """
    chance = random.Random(seed)  # noqa: S311 (a sample, not a secret)
    hoaxes = _hoaxes(data)
    chance.shuffle(hoaxes)
    frames: dict[str, list[str]] = {}
    for row in rows(OURS / "stance_frames.csv"):
        frames.setdefault(row["stance"], []).append(row["frame"])
    found: list[tuple[str, str, str]] = []
    titles = cycle(hoaxes)
    for stance, count in FRAMED.items():
        for title, _ in (next(titles) for _ in range(min(count, len(hoaxes)))):
            found.append((_claim(title, chance), _framed(chance.choice(frames[stance]), title, chance), stance))
    posts = [(title, text) for title, text in hoaxes if len(text) > 25 and text != title and not _CUE.search(text)]
    found += [(_claim(title, chance), text, "spreads") for title, text in posts[:POSTS] if "?" not in text[:200]]
    found += [(_claim(title, chance), text, "neither") for title, text in list(_near(hoaxes, frames, chance))[:NEAR]]
    for title, _ in hoaxes[:MOVED]:
        told = chance.choice([title, chance.choice(frames["spreads"]).format(c=title)])
        if moved := _moved(title, chance):
            found.append((moved, told, "neither"))
    return [
        StanceExample(claim, text, stance, "derived", "derived", "train")
        for claim, text, stance in found
        if claim and text
    ]


def _hoaxes(data: Path) -> list[tuple[str, str]]:
    kept = []
    for name in ("turnbackhoax_2015_2020.csv", "turnbackhoax_2024_jan_aug.csv"):
        for row in rows(data / "claims" / name):
            title = _MARK.sub("", clean(row["title"])).strip(_EDGES)
            if row.get("label", "hoax") == "hoax" and 15 < len(title) < 110 and not _CUE.search(title):
                kept.append((title, clean(row["text"]).strip(_EDGES)))
    return kept


def _claim(title: str, chance: random.Random) -> str:
    """Return the title, or three times in ten its first few weighty words, as topics of rumours are told."""
    if chance.random() >= 0.3:
        return title
    weighty = [word for word in re.findall(r"[\w-]+", title) if len(word) > 3 or word.isupper()]
    return " ".join(weighty[: chance.choice((3, 4, 5))])


def _framed(frame: str, title: str, chance: random.Random) -> str:
    lower = chance.random() < 0.6 and not title[:2].isupper()
    return clean(frame.format(c=title[0].lower() + title[1:] if lower else title))


def _near(
    hoaxes: list[tuple[str, str]], frames: dict[str, list[str]], chance: random.Random
) -> Iterator[tuple[str, str]]:
    """Yield a title and what is told of another story that shares some of its words, but not most."""
    words = [{word for word in re.findall(r"\w+", title.lower()) if len(word) > 3} for title, _ in hoaxes]
    by_word: dict[str, list[int]] = {}
    for place, own in enumerate(words):
        for word in sorted(own):
            by_word.setdefault(word, []).append(place)
    for place, own in enumerate(words):
        shared: dict[int, int] = {}
        for word in own:
            if len(by_word[word]) < 60:
                for other in by_word[word]:
                    shared[other] = shared.get(other, 0) + 1
        near = sorted(other for other, count in shared.items() if other != place and 1 < count < 0.6 * len(own))
        if near:
            title, text = hoaxes[chance.choice(near)]
            told = text if chance.random() < 0.5 and len(text) > 20 else title
            framed = chance.choice(frames[chance.choice(("spreads", "debunks"))])
            yield hoaxes[place][0], told if chance.random() < 0.7 else _framed(framed, title, chance)


def _moved(title: str, chance: random.Random) -> str | None:
    """Return the title with another place or number, or None where it has neither."""
    if found := _PLACE.search(title):
        other = chance.choice([place for place in _PLACES if place != found[0]])
    elif found := _NUMBER.search(title):
        other = str(chance.randrange(2, 99))
        if other == found[0]:
            return None
    else:
        return None
    return title[: found.start()] + other + title[found.end() :]
