"""From text to words. Ours and in Python, so that every store finds the same and a hit can be explained."""

from __future__ import annotations

import re
import unicodedata

MAX_TERMS = 4000
"""Different words kept of one text; the longest real article seen has about 2,500."""

MAX_TERM_CHARS = 60

# Zero-width and bidirectional marks: invisible, used to split words past filters.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_LINK = re.compile(r"(?:https?://|www\.)\S+|\[url\]", re.IGNORECASE)
_MENTION = re.compile(r"(?<!\w)@\w[\w.\-]*(?:@[\w.\-]+)?")
_WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")
_REPEATED = re.compile(r"([^\W\d_])\1{2,}")

SLANG = {
    "ga": "tidak", "gak": "tidak", "ngga": "tidak", "nggak": "tidak", "enggak": "tidak", "gk": "tidak", "tdk": "tidak",
    "kagak": "tidak", "ndak": "tidak", "tak": "tidak", "yg": "yang", "dgn": "dengan", "dg": "dengan", "utk": "untuk",
    "dr": "dari", "krn": "karena", "karna": "karena", "sdh": "sudah", "udah": "sudah", "udh": "sudah", "dah": "sudah",
    "blm": "belum", "blom": "belum", "bgt": "banget", "org": "orang", "orng": "orang", "jgn": "jangan", "jng": "jangan",
    "sy": "saya", "gue": "saya", "gw": "saya", "gua": "saya", "aq": "aku", "lu": "kamu", "lo": "kamu", "elu": "kamu",
    "klo": "kalau", "kalo": "kalau", "kl": "kalau", "tp": "tapi", "tpi": "tapi", "sm": "sama", "aja": "saja", "aj": "saja",
    "jg": "juga", "jd": "jadi", "jdi": "jadi", "bs": "bisa", "bsa": "bisa", "dlm": "dalam", "pd": "pada", "spt": "seperti",
    "kpd": "kepada", "thd": "terhadap", "tgl": "tanggal", "thn": "tahun", "pemilu2024": "pemilu", "pilkda": "pilkada",
    "hoax": "hoaks", "hoak": "hoaks", "paslon": "paslon", "cawabup": "cawabup", "kab": "kabupaten", "prov": "provinsi",
    "emang": "memang", "emg": "memang", "gimana": "bagaimana", "gmn": "bagaimana", "knp": "kenapa", "msh": "masih",
    "trs": "terus", "lg": "lagi", "lgi": "lagi", "bnyk": "banyak", "byk": "banyak", "skrg": "sekarang", "skrng": "sekarang",
    "td": "tadi", "bkn": "bukan", "bikin": "buat", "smua": "semua", "sma": "sama", "dpt": "dapat", "hrs": "harus",
    "kmrn": "kemarin", "bsk": "besok", "mrk": "mereka", "rmh": "rumah", "duit": "uang", "polri": "polri", "tps": "tps",
}  # fmt: skip
"""Everyday short forms to their formal spelling: our own list of the most frequent ones."""

_CLITICS = ("nya", "lah", "kah", "pun", "ku", "mu")


def fold(text: str) -> str:
    """Compatibility form, lower case, without invisible characters."""
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).casefold()


def words(text: str) -> list[str]:
    """The words in order, folded; links and account names are left out, a hashtag is its word."""
    return _WORD.findall(_REPEATED.sub(r"\1\1", _MENTION.sub(" ", _LINK.sub(" ", fold(text)))))


def stem(word: str) -> str:
    """A formal spelling without clitics: `suaranya` and `suara` meet. Prefixes stay: they carry the sense (`memilih`, `dipilih`)."""
    word = SLANG.get(word, word)
    for clitic in _CLITICS:
        if word.endswith(clitic) and len(word) - len(clitic) >= 4:
            return word[: -len(clitic)]
    return word


def terms(text: str) -> list[str]:
    """The different words by which a text is found, in order of appearance; for documents and for queries alike."""
    found = dict.fromkeys(stem(word)[:MAX_TERM_CHARS] for word in words(text))
    return list(found)[:MAX_TERMS]
