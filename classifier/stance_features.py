"""What the stance model sees of a claim and a text: what the rules say, how far the two speak of the same,
how the text is written, and its n-grams with the claim's own words masked.

The claim's words are masked so that the model learns how people spread, deny and ask, and not what is true of
a topic that it has seen: with topics held back, that is what carries over.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from .ngrams import hashes
from .stance_cues import ASK, DEBUNK, DOUBT, IRONY, NEGATED, PROTEST, denies, ends, rule, title
from .text import clean

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

BUCKETS = 1 << 16
TOPIC_WORDS = 5
"""A claim of so few words is a topic ("Surat Suara Tercoblos Bantul"): it says what a text is about, not what
is claimed, and the model weighs a text beside it differently.
"""

_WORD = re.compile(r"\w+")
_MARK = re.compile(r"\[(?:url|phone|email|nik)\]|@user")
_NUMBER = re.compile(r"\d[\d.,]*")
_NAME = re.compile(r"\b[A-Z][a-z]{2,}")
_NAME_WITHIN = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{2,}")
_PICTURE = re.compile("[\U0001f300-\U0001faff☀-➿]")
_QUOTE = re.compile('["“”‘’]')
_TAG = re.compile(r"\[[A-Z ]{4,}\]")
_FIRST_TAG = re.compile(r"\W{0,3}[\[(]?[A-Z ]{4,}[\])]")
_CHAT = re.compile(
    r"\b(?:lo|lu|loe|kau|elu|ente|lho|kok|sih|dong|deh|nih|gak|ga|gw|gue|yg|dgn|bkn|krn|klo|sdh|tdk|utk|tp|jd|bs|dr"
    r"|sy|org|skrg|blm|dlm|pd)\b"
)
_SAYS = re.compile(
    r"\b(?:menegaskan|tegaskan|membantah|bantah|menepis|tepis|klarifikasi|ujar|kata|menurut|menyatakan|mengatakan)\b"
)
_SELF = re.compile(r"\b(?:aku|saya|gue|gw|ane|beta|kami)\b")
_SOMEWHERE = re.compile(r"\b(?:di|dari) [A-Z]")
_PREFIXES = ("meng", "meny", "mem", "men", "peng", "pem", "pen", "ber", "ter", "per", "di", "me", "ke", "se")
_SUFFIXES = ("kannya", "annya", "kan", "nya", "lah", "kah", "an", "i")
_COMMON = frozenset(
    [
        "yang",
        "di",
        "ke",
        "dari",
        "dan",
        "untuk",
        "dengan",
        "pada",
        "dalam",
        "adalah",
        "itu",
        "ini",
        "akan",
        "telah",
        "sudah",
        "oleh",
        "karena",
        "saat",
        "ada",
        "jika",
        "sebagai",
        "tidak",
    ]
)

NAMES = (
    "protest", "debunk", "debunk early", "ask", "doubt", "irony", "denies", "rule debunks", "rule neither",
    "overlap", "overlap full", "overlap low", "overlap none", "claim words", "text words", "claim share",
    "claim first", "topic",
    "link", "link last", "handle", "handle first", "handles", "hashtags", "question", "question last",
    "exclaims", "exclamations", "quotes", "picture", "capitals", "shouts", "digits", "colon", "ellipsis",
    "not near claim", "tag", "tag first", "chat", "chat share", "says",
    "number other", "number same", "number missing", "name missing share", "name missing", "names more",
    "name other", "not in text", "not in claim", "not differs", "self", "somewhere",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """A claim and a text as the model sees them."""

    empty: bool  # nothing to read in one of the two
    topic: bool  # the claim is a topic of a few words
    dense: Floats  # (len(NAMES),), not scaled
    places: Ints  # of the masked text's n-grams, in 0..BUCKETS-1, sorted
    values: Floats  # their weights; length one


_FIGURES = {
    "satu": "1", "dua": "2", "tiga": "3", "empat": "4", "lima": "5", "enam": "6", "tujuh": "7", "delapan": "8",
    "sembilan": "9", "sepuluh": "10",
}  # fmt: skip


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Return a lower-case word without a common prefix and suffix: enough to find "membakar" in "dibakarnya".

    A number's word becomes its figure.
    """
    if word in _FIGURES:
        return _FIGURES[word]
    for prefix in _PREFIXES:
        if word.startswith(prefix) and len(word) - len(prefix) >= 4:
            word = word[len(prefix) :]
            break
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 4:
            return word[: -len(suffix)]
    return word


def pair(claim: str, text: str) -> Pair:
    """Read one pair; any two strings are taken, at most 2,000 characters of each are looked at."""
    claim, text = title(claim), clean(text)
    said = [stem(word) for word in _WORD.findall(claim.lower()) if word not in _COMMON]
    dense = _dense(claim, text, set(said), _WORD.findall(_MARK.sub(" ", text).lower()))
    places, counts = np.unique(hashes(_masked(text, set(said)), BUCKETS), return_counts=True)
    values = 1 + np.log(counts.astype(np.float32))
    length = float(np.sqrt((values * values).sum()))
    return Pair(
        empty=not (claim and text),
        topic=len(claim.split()) <= TOPIC_WORDS,
        dense=dense,
        places=places,
        values=(values / length if length else values).astype(np.float32),
    )


def _masked(text: str, said: set[str]) -> str:
    return _WORD.sub(lambda found: "xclaimx" if stem(found[0]) in said else found[0], text.lower())


def _dense(claim: str, text: str, said: set[str], words: list[str]) -> Floats:
    told = [stem(word) for word in words]
    lower = text.lower()
    there = set(told)
    starts = {word[:5] for word in there if len(word) >= 5}
    hit = sum(word in there or (len(word) > 4 and word[:5] in starts) for word in said)
    overlap = hit / max(1, len(said))
    at = [place for place, word in enumerate(told) if word in said]
    near = {place + step for place in at for step in range(-3, 4)}
    rest = PROTEST.sub(" ", text)
    outer = ends(text)
    ruled = rule(claim, text)
    letters = sum(char.isalpha() for char in text)
    capitals = sum(char.isupper() for char in text) / max(1, letters)
    chat = len(_CHAT.findall(lower))
    claimed, numbers = _numbers(claim), _numbers(text)
    names = {stem(found.lower()) for found in _NAME.findall(claim)}
    missing = [name for name in names if name not in there]
    others = {stem(found.lower()) for found in _NAME_WITHIN.findall(text)} - said
    not_text = any(NEGATED.match(word) for word in words)
    not_claim = any(NEGATED.match(word) for word in _WORD.findall(claim.lower()))
    found = (
        bool(PROTEST.search(text)), bool(DEBUNK.search(rest)), bool(DEBUNK.search(rest[:80])),
        bool(ASK.search(outer)), bool(DOUBT.search(rest)), bool(IRONY.search(outer)), denies(claim, text),
        ruled == "debunks", ruled == "neither",
        overlap, overlap == 1, overlap < 0.35, hit == 0, len(said), np.log1p(len(told)),
        len(at) / max(1, len(told)), at[0] / len(told) if at else 1.0, len(claim.split()) <= TOPIC_WORDS,
        "[url]" in text, text.endswith("[url]"), "@user" in text, text.startswith("@user"),
        min(3, text.count("@user")), min(4, text.count("#")), "?" in text, text.endswith("?"),
        "!" in text, min(4, text.count("!")), bool(_QUOTE.search(text)), bool(_PICTURE.search(text)),
        capitals, capitals > 0.5, any(char.isdigit() for char in text), ":" in text, "..." in text or "…" in text,
        any(NEGATED.match(word) for place, word in enumerate(words) if place in near),
        bool(_TAG.search(text)), bool(_FIRST_TAG.match(text)), chat > 0, 10 * chat / max(1, len(told)),
        bool(_SAYS.search(lower)),
        bool(claimed - numbers) and bool(numbers), bool(claimed & numbers), bool(claimed - numbers),
        len(missing) / max(1, len(names)), bool(missing), min(3, len(others)), bool(missing) and bool(others),
        not_text, not_claim, not_text != not_claim, bool(_SELF.search(lower)), bool(_SOMEWHERE.search(text)),
    )  # fmt: skip
    return np.array(found, dtype=np.float32)


def _numbers(text: str) -> set[str]:
    figures = {re.sub(r"\D", "", found) for found in _NUMBER.findall(text)}
    return figures | {_FIGURES[word] for word in _WORD.findall(text.lower()) if word in _FIGURES}
