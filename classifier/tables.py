"""Reading CSV tables of texts, and telling texts apart and into parts by their content alone."""

import functools
import hashlib
import math
import re
from pathlib import Path

from . import sheet
from .text import clean

MASKED = math.nan
"""The value of a label that a set says nothing about; the loss leaves it out."""

OURS = Path(__file__).parent / "data"

_PLACEHOLDER = re.compile(r"@user|\[\w+\]|\brt\b")
_NOT_LETTER = re.compile(r"[\W_]+")
_NOT_DRAWN = re.compile(r"@user|\[\w+\]|\brt\b|[\W_]+")


@functools.lru_cache(maxsize=1 << 17)
def _cleaned(text: str) -> str:
    """Cleaning is nearly all that `key` and `bucket` cost, and the sets ask for both, again and again."""
    return clean(text).lower()


def key(text: str) -> str:
    """Return what two copies of a post share: letters and digits, without handles, links and `RT`."""
    return _NOT_LETTER.sub("", _PLACEHOLDER.sub(" ", _cleaned(text)))


def rows(path: Path) -> list[dict[str, str]]:
    """Return a CSV's rows; sheet.BadSet or FileNotFoundError name the file, and the line where one is wrong."""
    return sheet.read(path)


def bucket(text: str, parts: int) -> int:
    """Return a stable number 0..parts-1 for a text, the same in every run and for nearly every copy of the text.

    A handle after a blank counts here as the word "user", unlike in `key`: the halves of the election posts that were labelled and kept
    back were drawn so, and drawing them anew would mix them. What a held-out part shares with training is told by `key`.
    """
    drawn = _NOT_DRAWN.sub("", _cleaned(text))
    return int.from_bytes(hashlib.sha256(drawn.encode()).digest()[:4], "big") % parts


def hashed_split(text: str) -> str:
    """Return the part of a set that has no published split: 10 % dev, 15 % test, the rest train."""
    place = bucket(text, 20)
    return "dev" if place < 2 else "test" if place < 5 else "train"
