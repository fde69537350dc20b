"""Words written in haste or in disguise, read as the word they stand for: `prnah` as pernah, `gobllookk` as goblok, `semu4` as semua.

A word that the training texts know stays as it is, slang too: the model has learnt it. One that they do not know is read as a frequent
word with (nearly) the same consonants, if its letters become that word at little cost: in haste people leave out vowels, double letters
and write sounds otherwise (k for q, i for y), but keep the consonants that make out a word.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from .disguise import DIGITS
from .manifest import ModelError

KNOWN = 2
"""A word that so many training texts hold is known, and never read as another."""

FREQUENT = 8
"""What an unknown word may be read as stands in so many texts."""

SHORTEST = 3
MOST_DOUBLED = 4
"""Doubled letters in a word of which any may be one too many; of more, no reader would say."""

_ANY_WORD = re.compile(r"[^\W\d_]+")
_WORD = re.compile(r"(?<![@\[#\w])[^\W\d_]{3,24}(?![\w\]@$]|!\w)")
_DISGUISED = re.compile(r"(?<![@\[#\w])(?=[0-9@$!]*[A-Za-z])(?=[A-Za-z]*[0-9@$!])[A-Za-z0-9@$!]{3,24}(?![\w\]])")
_COUNTED_OR_NUMBERED = re.compile(r"\d+(?:[A-Za-z]|an|th|nd|st)|[A-Za-z]{1,2}\d+", re.IGNORECASE)
_DOUBLED = re.compile(r"([a-z])\1")

_VOWELS = frozenset("aeiou")
_SOUNDS = (("dj", "j"), ("tj", "c"), ("oe", "u"), ("sy", "s"), ("kh", "k"), ("x", "ks"), ("q", "k"), ("z", "s"), ("v", "p"), ("f", "p"))  # fmt: skip
_SUFFIXES = ("nya", "ku", "mu", "lah", "kah", "pun", "kan", "an", "i")
_PREFIXES = ("di", "ke", "se", "ku", "me", "mem", "men", "meng", "ber", "be", "ter", "per", "pe", "pem", "pen", "peng", "nge", "ng")  # fmt: skip

# What a reader forgives, in edits: set by hand on disguised dev texts of fold 0 (docs/model/README.md).
_LIMIT = 0.28
_LIMIT_OTHER_CONSONANTS = 0.2
"""Edits a letter of the word as it was written, where its consonants are the same and where one is more or less."""
_FREQUENCY = 0.12
"""What a word is preferred for each e-fold of its count."""
_SWAPPED: Mapping[tuple[str, str], float] = {
    ("u", "w"): 0.4, ("i", "y"): 0.4, ("k", "q"): 0.3, ("k", "g"): 0.7, ("f", "p"): 0.4, ("v", "p"): 0.5, ("p", "f"): 0.4, ("s", "z"): 0.4,
    ("z", "s"): 0.4, ("c", "k"): 0.6, ("k", "c"): 0.6, ("j", "z"): 0.7, ("a", "e"): 0.45, ("i", "e"): 0.5, ("u", "o"): 0.5,
    ("e", "i"): 0.6, ("o", "u"): 0.6, ("e", "a"): 0.7, ("h", "k"): 0.7, ("t", "d"): 0.9, ("g", "k"): 0.8, ("b", "p"): 0.9, ("d", "t"): 0.8,
}  # fmt: skip
"""(as it should be, as it was written) -> edits."""


class Respelling:
    """Reads unknown words as known ones. `words` gives in how many training texts each word stands (small letters)."""

    def __init__(self, words: Mapping[str, int]) -> None:
        self.words = dict(words)
        self._by_consonants: dict[str, list[str]] = {}
        for word, count in self.words.items():
            if count >= FREQUENT and len(word) >= SHORTEST:
                self._by_consonants.setdefault(consonants(word), []).append(word)
        self._one_less: dict[str, set[str]] = {}
        for kept in self._by_consonants:
            for shorter in _shortened(kept):
                self._one_less.setdefault(shorter, set()).add(kept)
        # A stream repeats its misspellings.
        self.word = lru_cache(1 << 16)(self._word)

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Respelling":
        """Made from cleaned training texts."""
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update({word.lower() for word in _ANY_WORD.findall(text)})
        return cls({word: count for word, count in counts.items() if count >= KNOWN})

    @classmethod
    def load(cls, path: Path) -> "Respelling":
        """Read what `save` wrote. Raises ModelError naming file and line."""
        words: dict[str, int] = {}
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            word, _, count = line.partition("\t")
            if not word or not count.isdecimal():
                raise ModelError(f"{path}: line {number}: not a word, a tab and a count")
            words[word] = int(count)
        return cls(words)

    def save(self, path: Path) -> None:
        path.write_text("".join(f"{word}\t{count}\n" for word, count in sorted(self.words.items())), encoding="utf-8")

    def read(self, text: str) -> str:
        """Return a cleaned text with unknown words as they are meant; as many words as before, blanks and marks kept. Linear in
        the text's length. Names, as far as a capital tells them, stay.
        """
        text = _DISGUISED.sub(self._plain, text)
        return _WORD.sub(self._meant, text)

    def _plain(self, found: re.Match[str]) -> str:
        token = found[0]
        if _COUNTED_OR_NUMBERED.fullmatch(token):
            return token
        plain = token.translate(DIGITS)
        # "kelas4" is a number behind a word; "semu4" is no word without its last sign.
        if not plain.isalpha() or self.words.get(token.strip("0123456789!").lower(), 0) >= FREQUENT:
            return token
        return plain if self.words.get(plain.lower(), 0) >= FREQUENT else token

    def _meant(self, found: re.Match[str]) -> str:
        written = found[0]
        small = written.lower()
        if written[0].isupper() and not written.isupper():
            once = self._once(small)
            return once.capitalize() if once else written
        meant = self.word(small)
        return written if meant == small else meant.upper() if written.isupper() else meant

    def _word(self, word: str) -> str:
        if self.words.get(word, 0) >= KNOWN:
            return word
        if once := self._once(word):
            return once
        if self._derived(word):
            return word
        if word.endswith("x") and self.words.get(word[:-1] + "nya", 0) >= KNOWN:
            return word[:-1] + "nya"
        heard = consonants(word)
        near = self._nearest(word, self._by_consonants.get(heard, ()), _LIMIT)
        if near is None and len(word) > SHORTEST:
            near = self._nearest(word, self._with_other_consonants(heard), _LIMIT_OTHER_CONSONANTS)
        return near or word

    def _once(self, word: str) -> str | None:
        """The most frequent known word that an unknown one is, if some of its doubled letters are taken once."""
        doubled = [found.start() for found in _DOUBLED.finditer(word)]
        if not 0 < len(doubled) <= MOST_DOUBLED or self.words.get(word, 0) >= KNOWN:
            return None
        once = {word}
        for place in reversed(doubled):  # from behind: the places before stay where they are
            once |= {one[:place] + one[place + 1 :] for one in once}
        best = max(once - {word}, key=lambda one: (self.words.get(one, 0), one))
        return best if self.words.get(best, 0) >= KNOWN else None

    def _derived(self, word: str) -> bool:
        """A known word with what the language puts before or behind it."""
        stems = [word.removesuffix(end) for end in _SUFFIXES if word.endswith(end)]
        stems += [stem.removeprefix(start) for stem in (word, *stems) for start in _PREFIXES if stem.startswith(start)]
        return any(len(stem) > SHORTEST and self.words.get(stem, 0) >= FREQUENT for stem in stems)

    def _with_other_consonants(self, heard: str) -> Iterator[str]:
        """Words with one consonant more or less."""
        for other in {*_shortened(heard), *self._one_less.get(heard, ())}:
            yield from self._by_consonants.get(other, ())

    def _nearest(self, word: str, words: Iterable[str], limit: float) -> str | None:
        most = limit * len(word)
        found: list[tuple[float, str]] = []
        for one in words:
            if abs(len(one) - len(word)) <= 4 and (paid := edits(one, word, most)) <= most:
                found.append((paid - _FREQUENCY * math.log(self.words[one]), one))
        return min(found)[1] if found else None


def consonants(word: str) -> str:
    """Return what haste leaves of a word: its consonants as they sound, none twice in a row, without h, w and y."""
    for written, sound in _SOUNDS:
        word = word.replace(written, sound)
    kept: list[str] = []
    for letter in word:
        if letter not in "aeiouhwy" and kept[-1:] != [letter]:
            kept.append(letter)
    return "".join(kept)


def edits(meant: str, written: str, most: float) -> float:
    """Return how much it takes to write `meant` as `written`, in edits; anything over `most` once it is more. Levenshtein's distance
    with prices by letter: what people leave out, double or exchange in haste costs less.
    """
    before = [0.0]
    for place in range(len(written)):
        before.append(before[-1] + _added(written, place))
    for row, letter in enumerate(meant):
        left_out = _left_out(meant, row)
        now = [before[0] + left_out]
        for place, other in enumerate(written):
            same = before[place] + (0.0 if other == letter else _exchanged(letter, other))
            now.append(min(same, before[place + 1] + left_out, now[place] + _added(written, place)))
        if min(now) > most:
            return min(now)
        before = now
    return before[-1]


def _added(written: str, place: int) -> float:
    letter = written[place]
    if place and written[place - 1] == letter:
        return 0.15
    if letter == "h" or (place == len(written) - 1 and letter in "kgs"):
        return 0.6
    return 0.9 if letter in _VOWELS else 1.3


def _left_out(meant: str, place: int) -> float:
    letter = meant[place]
    if place and meant[place - 1] == letter:
        return 0.15
    if letter in _VOWELS:
        return 0.35 if 0 < place < len(meant) - 1 else 0.8
    if letter == "h":
        return 0.45
    if place == 0 and letter == "s":
        return 0.8
    return 0.9 if letter in "ngm" else 1.1


def _exchanged(meant: str, written: str) -> float:
    return _SWAPPED.get((meant, written), 0.9 if meant in _VOWELS and written in _VOWELS else 1.5)


def _shortened(word: str) -> set[str]:
    return {word[:place] + word[place + 1 :] for place in range(len(word))} if len(word) > 2 else set()
