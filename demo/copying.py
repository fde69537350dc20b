"""How people pass a message on: a shout before it, a tag behind it, abbreviations, slips of the thumb."""

from __future__ import annotations

import random
import re

_BEFORE = [
    "VIRAL!! ",
    "🚨🚨 ",
    "INFO PENTING: ",
    "Dapat dari grup sebelah: ",
    "Copas ya. ",
    "[DITERUSKAN BERKALI-KALI] ",
    "Ya Allah.. ",
    "Baca sampai habis! ",
    "Astaga 😱 ",
    "Dari grup WA alumni, ",
    "gaes ",
    "Mohon disebar: ",
]
_AFTER = [
    " Sebarkan sebelum dihapus!!",
    " 😱😱😱",
    " (sumber: grup WA RT)",
    " #ViralkanKebenaran",
    " cc semua warga",
    " Jangan berhenti di kamu.",
    " 🔥🔥",
    " tolong dibantu up",
    " Media besar bungkam.",
    " #Pilkada2026",
]
_SHORT = {
    "yang": "yg",
    "tidak": "gak",
    "sudah": "udah",
    "dengan": "dgn",
    "untuk": "utk",
    "dan": "n",
    "karena": "krn",
    "jangan": "jgn",
    "akan": "bakal",
    "orang": "org",
    "dari": "dr",
    "bisa": "bs",
    "semua": "smua",
    "banyak": "bnyk",
}


def near_copy(text: str, region: str, rng: random.Random) -> str:
    """The text as somebody else would pass it on; never the text itself. Draws only from `rng`."""
    way = rng.randrange(5)
    if way == 0:
        copy = rng.choice(_BEFORE) + text
    elif way == 1:
        copy = text + rng.choice(_AFTER)
    elif way == 2:
        copy = _abbreviated(text) + rng.choice(["", " 😡", "!!", " " + _tag(region)])
    elif way == 3:
        copy = text.upper()
    else:
        copy = rng.choice(_BEFORE) + _thumbed(text, rng) + rng.choice(["", " " + _tag(region)])
    return copy if copy != text else rng.choice(_BEFORE) + text


def _tag(region: str) -> str:
    return "#" + (region.replace("Kabupaten ", "").replace("Kota ", "").replace(" ", "") or "Pilkada")


def _abbreviated(text: str) -> str:
    return re.sub(r"\b[a-z]+\b", lambda match: _SHORT.get(match[0], match[0]), text)


def _thumbed(text: str, rng: random.Random) -> str:
    """Two or three words lose a vowel, double a letter or swap two; links and numbers stay."""
    words = text.split(" ")
    places = [i for i, word in enumerate(words) if len(word) > 4 and word.isalpha()]
    for place in rng.sample(places, min(3, len(places))):
        word = words[place]
        at = rng.randrange(1, len(word) - 2)
        words[place] = rng.choice(
            [
                word[:at] + word[at + 1 :],
                word[:at] + word[at] + word[at:],
                word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            ]
        )
    return " ".join(words)
