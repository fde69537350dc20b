"""Of which places a post speaks: provinces, regencies and cities by their official codes (Kepmendagri 300.2.2-2138 of 2025).

A name that is also an everyday word (Serang, Batu, Kudus, Puncak ...) counts only behind a word that leads to a place.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources

from pipeline.analysis import words

MAX_PLACES = 10
"""A text that names more is a list of places and is located nowhere in particular; the first are kept."""

LEADING = frozenset(
    (
        "di",
        "ke",
        "dari",
        "kota",
        "kab",
        "kabupaten",
        "warga",
        "wilayah",
        "daerah",
        "pemkot",
        "pemkab",
        "kpu",
        "kpud",
        "bawaslu",
        "polres",
        "polresta",
        "pilkada",
        "pilwalkot",
        "pilbup",
        "walikota",
        "wali",
        "bupati",
        "asal",
        "se",
        "dprd",
        "masyarakat",
        "seluruh",
    )
)


@cache
def _gazetteer() -> tuple[dict[tuple[str, ...], tuple[str, bool]], int]:
    spellings: dict[tuple[str, ...], tuple[str, bool]] = {}
    with resources.files("pipeline.stages").joinpath("places.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            for spelling in row["spellings"].split("|"):
                spellings.setdefault(tuple(words(spelling)), (row["code"], row["ambiguous"] == "1"))
    return spellings, max(map(len, spellings))


@cache
def names() -> dict[str, str]:
    """Code -> name of every place known here."""
    with resources.files("pipeline.stages").joinpath("places.csv").open(encoding="utf-8") as lines:
        return {row["code"]: row["name"] for row in csv.DictReader(lines)}


def locate(text: str, source_region: str | None = None) -> tuple[str, ...]:
    """Codes of the places named, in order, each city behind its province (`35`, `35.78`); the source's region if none is named."""
    spellings, longest = _gazetteer()
    said = words(text)
    found: dict[str, None] = {}
    at = 0
    while at < len(said) and len(found) < MAX_PLACES:
        for length in range(longest, 0, -1):
            place = spellings.get(tuple(said[at : at + length]))
            if place is not None and (not place[1] or (at > 0 and said[at - 1] in LEADING)):
                found[place[0][:2]] = found[place[0]] = None
                at += length
                break
        else:
            at += 1
    if not found and source_region:
        found[source_region[:2]] = found[source_region] = None
    return tuple(found)
