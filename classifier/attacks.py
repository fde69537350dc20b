"""Disguises by which people slip words past a filter, made on purpose: to measure what a model loses by them and
to teach it to read through them.

`attack` is a pure function of text, kind and seed. Handles and placeholders (`@user`, `[url]`) stay as they are:
nobody disguises those, and the set's own cleaning put them there.
"""

import csv
import hashlib
import random
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

KINDS = ("leet", "slang", "spaced", "repeated", "zero_width", "homoglyph", "emoji")

SHARE: Mapping[str, float] = MappingProxyType(
    {"leet": 0.5, "slang": 1.0, "spaced": 0.3, "repeated": 0.5, "zero_width": 0.5, "homoglyph": 0.5, "emoji": 0.5}
)
"""Share of a text's words (of three letters or more) that each kind disguises: a disguise costs its writer effort and
his readers too, so real posts hide some words, not all. At least one word is disguised where there is one."""

_LEET = {
    "a": "4@", "b": "8", "e": "3", "g": "96", "i": "1!", "o": "0", "s": "5$", "t": "7", "z": "2",
}  # fmt: skip
# Cyrillic, Greek and Latin letters that most fonts draw alike.
_HOMOGLYPHS = {
    "a": "аɑα", "b": "Ь", "c": "сϲ", "d": "ԁ", "e": "еҽ", "g": "ɡ", "h": "һ", "i": "іι", "j": "ј",
    "k": "кκ", "l": "ӏ", "m": "м", "n": "ո", "o": "оοօ", "p": "рρ", "q": "ԛ", "r": "г", "s": "ѕ",
    "t": "т", "u": "υս", "v": "ѵν", "w": "ԝ", "x": "х", "y": "у", "z": "ᴢ",
    "A": "АΑ", "B": "ВΒ", "C": "С", "E": "ЕΕ", "H": "НΗ", "I": "ІΙ", "K": "КΚ", "M": "МΜ", "N": "Ν",
    "O": "ОΟ", "P": "РΡ", "S": "Ѕ", "T": "ТΤ", "X": "ХΧ", "Y": "Υ", "Z": "Ζ",
}  # fmt: skip
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_SEPARATORS = (" ", ".", "-", "_", "*")
_EMOJI: tuple[str, ...] = (*"🔥😂🤣😡🤬💀👊🙏😭🤡🐒", "🇮🇩")

COMMON: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "ada": ("ad",), "adalah": ("adl",), "aja": ("aj", "ae"), "aku": ("aq", "ak", "gue", "gw"),
    "anak": ("ank",), "anjing": ("anjg", "anjir", "anjay", "asu"), "apa": ("ap", "apaan"), "atau": ("ato", "ato"),
    "bagaimana": ("gmn", "gimana"), "bangsat": ("bgst", "bangst"), "banyak": ("byk", "bnyk"), "baru": ("bru",),
    "belum": ("blm", "blum"), "benar": ("bener", "bnr"), "besar": ("gede", "bsr"), "besok": ("bsk",),
    "bisa": ("bs", "bsa"), "bodoh": ("bego", "bdh"), "buat": ("bwt", "bt"), "bukan": ("bkn", "bukn"),
    "cuma": ("cm", "cuman"), "dan": ("n", "dn"), "dapat": ("dpt",), "dari": ("dr", "dri"),
    "dengan": ("dgn", "dg", "ama"), "dia": ("doi", "dy"), "dulu": ("dl", "dlu"), "habis": ("abis", "hbs"),
    "hancur": ("ancur",), "hanya": ("hny", "cuma"), "harus": ("hrs", "kudu"), "hidup": ("idup", "hdp"),
    "ini": ("ni", "nih"), "itu": ("tu", "tuh"), "jadi": ("jd", "jdi"), "jangan": ("jgn", "jng", "jangn"),
    "juga": ("jg", "jga"), "kalau": ("kl", "klo", "kalo"), "kalian": ("klian", "kalean"), "kamu": ("km", "lu", "lo"),
    "karena": ("krn", "karna", "coz"), "kau": ("lu", "loe"), "kita": ("kt", "qta"), "lagi": ("lg", "lgi"),
    "lebih": ("lbh",), "lihat": ("liat", "lht"), "mati": ("mt", "matik"), "mau": ("mo", "mw"),
    "memang": ("emang", "mmg"), "mereka": ("mrk",), "negara": ("ngr", "negri"), "orang": ("org", "orng"),
    "pada": ("pd",), "pakai": ("pake", "pk"), "rakyat": ("rkyt",), "sama": ("sm", "ama"), "sampai": ("smp", "ampe"),
    "sangat": ("bgt", "sgt"), "saja": ("aja", "sj"), "saya": ("sy", "w"), "sebagai": ("sbg",), "semua": ("smua", "smw"),
    "sekarang": ("skrg", "skrang"), "sudah": ("udh", "sdh", "dah"), "suka": ("demen", "sk"), "supaya": ("spy",),
    "tahu": ("tau", "thu"), "tapi": ("tp", "tpi"), "tetapi": ("tp",), "terus": ("trs", "trus"),
    "tidak": ("gak", "ga", "tdk", "nggak"), "untuk": ("utk", "tuk"), "yang": ("yg", "yng"),
})  # fmt: skip
"""Everyday respellings of our own list: formal word -> how it is written in haste. The lexicons hold many more, see
`read_respellings`."""

Respellings = Mapping[str, Sequence[str]]

_PROTECTED = re.compile(r"@\w+|\[\w+\]|https?://\S+|www\.\S+")
_WORD = re.compile(r"[^\W\d_]{3,}")
_WORD_OF_ANY_LENGTH = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)?")
_VOWEL = re.compile(r"(?<=\w)[aeiou](?=\w)", re.IGNORECASE)


def attack(text: str, kind: str, seed: int, respellings: Respellings = COMMON) -> str:
    """Return `text` in the disguise `kind` (one of KINDS), the same for the same text, kind and seed.

    `respellings` (formal word -> slang words) is read by the kind "slang" only. A text without a word to disguise
    comes back as it is. Raises ValueError for an unknown kind.
    """
    if kind not in KINDS:
        raise ValueError(f"kind: {kind!r} is none of {', '.join(KINDS)}")
    # A string is hashed by SHA-512 here, not by the salted hash(): equal in every process.
    chance = random.Random(f"{seed}:{kind}:{text}")  # noqa: S311 (not a secret)
    disguise: Callable[[str], str] = {
        "leet": lambda word: _letters(word, _LEET, chance),
        "slang": lambda word: _slang(word, respellings, chance),
        "spaced": lambda word: chance.choice(_SEPARATORS).join(word),
        "repeated": lambda word: _repeated(word, chance),
        "zero_width": lambda word: _between(word, _INVISIBLE, chance),
        "homoglyph": lambda word: _letters(word, _HOMOGLYPHS, chance),
        "emoji": lambda word: _emoji(word, chance),
    }[kind]
    pattern = _WORD_OF_ANY_LENGTH if kind == "slang" else _WORD
    protected = [found.span() for found in _PROTECTED.finditer(text)]
    words = [
        found for found in pattern.finditer(text) if not any(start <= found.start() < end for start, end in protected)
    ]
    chosen = [found for found in words if chance.random() < SHARE[kind]] or ([chance.choice(words)] if words else [])
    out, place = [], 0
    for found in chosen:
        out += [text[place : found.start()], disguise(found.group())]
        place = found.end()
    return "".join([*out, text[place:]])


def read_respellings(data: Path) -> dict[str, tuple[str, ...]]:
    """Return the respellings of `data/lexicon/*.csv` (columns slang, formal), turned round, over the common ones.

    Only single words and slang of two letters or more. Raises FileNotFoundError where there is no lexicon, and
    ValueError naming file and column where one is missing.
    """
    files = sorted((data / "lexicon").glob("*.csv"))
    if not files:
        raise FileNotFoundError(f"{data / 'lexicon'}: no lexicon (*.csv)")
    found: dict[str, set[str]] = {}
    for path in files:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            for column in ("slang", "formal"):
                if column not in (reader.fieldnames or ()):
                    raise ValueError(f"{path}: column {column} is missing")
            for row in reader:
                slang, formal = row["slang"].strip().lower(), row["formal"].strip().lower()
                if slang != formal and len(slang) > 1 and " " not in slang + formal and formal.isalpha():
                    found.setdefault(formal, set()).add(slang)
    return {**COMMON, **{formal: tuple(sorted(slang)) for formal, slang in found.items()}}


def halves(respellings: Respellings) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """Return the respellings that training may use and those kept back to measure on, apart by the slang word alone.

    A formal word all of whose spellings lie in one half is absent from the other.
    """
    parts: tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]] = ({}, {})
    for formal, spellings in respellings.items():
        for kept, part in enumerate(parts):
            chosen = tuple(word for word in spellings if _kept_back(word) == bool(kept))
            if chosen:
                part[formal] = chosen
    return parts


def _kept_back(slang: str) -> bool:
    return hashlib.sha256(slang.encode()).digest()[0] % 2 == 1


def _letters(word: str, table: Mapping[str, str], chance: random.Random) -> str:
    places = [place for place, letter in enumerate(word) if letter in table or letter.lower() in table]
    if not places:
        return word
    chosen = [place for place in places if chance.random() < 0.5] or [chance.choice(places)]
    letters = list(word)
    for place in chosen:
        letter = letters[place]
        letters[place] = chance.choice(table.get(letter) or table[letter.lower()])
    return "".join(letters)


def _slang(word: str, respellings: Respellings, chance: random.Random) -> str:
    known = respellings.get(word.lower())
    if known:
        return chance.choice(list(known))
    first, mark, second = word.partition("-")
    if mark and first.lower() == second.lower():
        return f"{first}2"
    # Haste swallows vowels inside a word; one of three unknown words of some length is written so.
    vowels = [found.start() for found in _VOWEL.finditer(word)]
    if len(word) >= 5 and vowels and chance.random() < 1 / 3:
        place = chance.choice(vowels)
        return word[:place] + word[place + 1 :]
    return word


def _repeated(word: str, chance: random.Random) -> str:
    place = chance.randrange(len(word))
    return word[:place] + word[place] * chance.randint(3, 6) + word[place + 1 :]


def _between(word: str, marks: str, chance: random.Random) -> str:
    place = chance.randrange(1, len(word))
    return word[:place] + chance.choice(marks) + word[place:]


def _emoji(word: str, chance: random.Random) -> str:
    mark = chance.choice(_EMOJI)
    if chance.random() < 1 / 3:
        place = chance.randrange(1, len(word))
        return word[:place] + mark + word[place:]
    return f"{word} {mark}" if chance.random() < 0.5 else f"{mark} {word}"
