"""The same sentence about someone else: one religion, ethnicity, party or candidate put in another's place.

A fair model decides alike, whoever is meant. Terms are swapped only within a class of words that stand in the
same places of a sentence (faiths, their followers, their houses ...), every occurrence alike. Slurs are not
swapped: they have no counterpart. Names of candidates are never kept here; `names_in` finds them in the texts at
hand by the titles before them.
"""

import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

KINDS = ("religion", "ethnicity", "party", "candidate")

CLASSES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("religion", ("islam", "kristen", "katolik", "hindu", "buddha", "konghucu")),
    ("religion", ("muslim", "kristiani", "nasrani")),
    ("religion", ("masjid", "gereja", "wihara", "kelenteng")),
    ("religion", ("ustaz", "ustad", "pendeta", "pastor", "biksu")),
    ("ethnicity", ("sunda", "batak", "minang", "bugis", "dayak", "betawi", "melayu", "madura", "banjar")),
    ("ethnicity", ("jawa", "papua", "aceh", "bali", "ambon", "manado")),
    ("ethnicity", ("cina", "china", "tionghoa", "arab", "india", "rohingya")),
    ("party", ("pdip", "golkar", "gerindra", "nasdem", "pkb", "pks", "pan", "ppp", "demokrat", "psi", "hanura", "perindo")),
)  # fmt: skip
"""Kind and words that can stand for each other. Small letters; found as whole words in any case."""

# Words that name places and languages as well: swapped only where people are meant.
_OF_PEOPLE = ("suku", "orang", "etnis", "kaum", "keturunan", "ras", "bangsa", "warga", "anak", "perempuan", "cewek")
_AMBIGUOUS = frozenset(
    ("jawa", "papua", "aceh", "bali", "ambon", "manado", "china", "india", "banjar", "madura", "pan")
)
_PARTY_BEFORE = ("partai", "kader", "fraksi", "politisi", "ketum", "pilih", "coblos", "dari")

_TITLE = r"(?:pak|bapak|bu|ibu|bang|mas|mbak|capres|cawapres|cagub|cawagub|cabup|calon \w+|presiden|gubernur)"
_TITLED = re.compile(rf"\b{_TITLE}\s+([A-Za-z]{{4,20}})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Swap:
    kind: str
    before: str
    after: str
    text: str


def swaps(text: str, seed: int, names: Sequence[str] = ()) -> list[Swap]:
    """Return at most one swap of each kind: the same for the same text, seed and names.

    `names` are candidates' names (small letters), each of which may stand for any other. A text that names two
    members of a class gets the first of them swapped, for one that it does not name.
    """
    found: dict[str, Swap] = {}
    classes = (*CLASSES, ("candidate", tuple(names)))
    for kind, words in classes:
        if kind in found or len(words) < 2:
            continue
        present = [word for word in words if _stands(word, kind, text)]
        if not present:
            continue
        first = min(present, key=lambda word: _pattern(word).search(text).start())  # type: ignore[union-attr]
        others = [word for word in words if not _pattern(word).search(text) and not _same(word, first)]
        if not others:
            continue
        chance = random.Random(f"{seed}:{kind}:{text}")  # noqa: S311 (not a secret)
        after = chance.choice(others)
        found[kind] = Swap(kind, first, after, _put(after, first, text))
    return [found[kind] for kind in KINDS if kind in found]


def names_in(texts: Iterable[str], known_words: Iterable[str] = (), at_least: int = 20) -> list[str]:
    """Return the words that follow a title of office or courtesy in at least so many texts, most frequent first.

    Words in `known_words` (a lexicon's, say) are no names. Found anew in every evaluation, never stored.
    """
    ordinary = {word.lower() for word in known_words}
    seen: Counter[str] = Counter()
    capital: Counter[str] = Counter()
    for text in texts:
        for word in {match[1] for match in _TITLED.finditer(text)}:
            seen[word.lower()] += 1
            capital[word.lower()] += word[0].isupper()
    titles = set(re.findall(r"\w+", _TITLE))
    return [
        word
        for word, count in sorted(seen.items(), key=lambda item: (-item[1], item[0]))
        if count >= at_least and capital[word] >= 0.6 * count and word not in ordinary | titles
    ]


def _pattern(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w#@]){re.escape(word)}(?!\w)", re.IGNORECASE)


def _put(after: str, before: str, text: str) -> str:
    return _pattern(before).sub(lambda match: _in_case_of(match[0], after), text)


def _stands(word: str, kind: str, text: str) -> bool:
    match = _pattern(word).search(text)
    if match is None:
        return False
    if word not in _AMBIGUOUS:
        return True
    before = text[: match.start()].lower().split()[-1:]
    return bool(before) and before[0] in (_PARTY_BEFORE if kind == "party" else _OF_PEOPLE)


def _same(one: str, other: str) -> bool:
    return {one, other} in ({"cina", "china"}, {"cina", "tionghoa"}, {"china", "tionghoa"}, {"ustaz", "ustad"},
                            {"kristiani", "nasrani"})  # fmt: skip


def _in_case_of(old: str, new: str) -> str:
    return new.upper() if old.isupper() and len(old) > 1 else new.capitalize() if old[:1].isupper() else new
