"""Seeing through disguised words: look-alike letters, digits for letters, spaced-out words, marks put inside words.

Each step mends only what can hardly be anything else: `covid19`, `teman2`, `5rb` and `K.H.` stay as they are. Pure and linear in the
text's length.
"""

import re

# Letters of other scripts that most fonts draw like Latin ones.
_LOOKS_LIKE = str.maketrans(
    "аɑαӓάьƅЬсϲçԁеҽёéèêëēɡһħіιїíìîïјкκӏмոñоοօόöóòôрρԛгѕтτυսúùûüνѵԝωхχуγýᴢАΑВΒСΕЕНΗІΙЈКΚМΜΝОΟРΡЅТΤХΧΥУΖ",
    "aaaaabbbcccdeeeeeeeeghhiiiiiiijkklmnnooooooooppqrsttuuuuuuvvwwxxyyyzAABBCEEHHIIJKKMMNOOPPSTTXXYYZ",
)
_LATIN = re.compile(r"[A-Za-z]")
_FOREIGN = re.compile(r"[\u00c0-\u024f\u0370-\u058f\u1d00-\u1d7f]")

# "b u n u h", "b.u.n.u.h": single letters with one and the same sign between them.
_SPACED = re.compile(r"(?<![^\W_])(?<![^\W_][.\-_*])[^\W\d_](?:([ .\-_*])[^\W\d_])(?:\1[^\W\d_])+(?![^\W_])")
_TITLES = frozenset({"kh", "sh", "mh", "se", "mm", "st", "mt", "ma", "ms", "dr", "ir", "hj"})

DIGITS = str.maketrans({"4": "a", "@": "a", "8": "b", "3": "e", "6": "g", "9": "g", "1": "i", "!": "i", "0": "o", "5": "s", "$": "s", "7": "t"})  # fmt: skip
_TOKEN = re.compile(r"[A-Za-z0-9@$!]{3,}")
_INSIDE = re.compile(r"(?<=[A-Za-z])(?:[0134567$!89]|@(?!user\b))(?=[A-Za-z])")
_FIRST = re.compile(r"^[0134567$89](?=[a-z]{3,})", re.IGNORECASE)
_LAST = re.compile(r"(?<=[a-z])[014357]$", re.IGNORECASE)
# What a number is counted in: "4jam", "3orang" are no disguise.
_COUNTED = re.compile(
    r"^\d+(?:jam|hari|tahun|thn|th|bulan|bln|minggu|menit|mnt|detik|dtk|kali|orang|org|rb|ribu|jt|juta|m|miliar|milyar|triliun|kg|km|cm|mm"
    r"|ml|gb|mb|tb|persen|periode|putaran|tps|suara|kursi|partai|anak|buah|ekor|lembar|paslon|nomor|kilo|meter|liter|gram|an|x|st|nd|th|am|pm"
    r"|desember|november|oktober|september|agustus|juli|juni|mei|april|maret|februari|januari|des|nov|okt|sep|agu|jul|jun|apr|mar|feb|jan)\w*$",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"^(?:[A-Za-z]+\d+[A-Za-z]{0,2}|\d+[A-Za-z]\d*)$")
_PICTURE = "[\u2190-\u2bff\u3000-\u303f\ufe0f\U0001f000-\U0001faff]"
_PICTURE_INSIDE = re.compile(rf"(?<=[A-Za-z]){_PICTURE}+(?=[a-z])")


def undisguised(text: str) -> str:
    """Return `text` with disguised words as they are meant; most texts come back as they are."""
    if not text.isascii():
        if _FOREIGN.search(text) and len(_FOREIGN.findall(text)) <= 2 * len(_LATIN.findall(text)) + 2:
            text = text.translate(_LOOKS_LIKE)
        text = _PICTURE_INSIDE.sub("", text)
    text = _SPACED.sub(_joined, text)
    return _TOKEN.sub(_plain, text)


def _joined(found: re.Match[str]) -> str:
    word = found[0].replace(found[1], "")
    return found[0] if found[1] == "." and (len(word) < 4 or word.lower() in _TITLES) else word


def _plain(found: re.Match[str]) -> str:
    token = found[0]
    if token.isalpha() or token.isdigit() or _COUNTED.match(token):
        return token
    inside = _INSIDE.sub(_inner, token)
    disguised = inside != token
    # A digit at the end is a number or a doubled word, unless the word has shown itself to be disguised.
    if disguised:
        inside = _LAST.sub(lambda digit: digit[0].translate(DIGITS), inside)
    if _FIRST.match(inside) and (disguised or not _NUMBERED.match(inside)):
        inside = inside[0].translate(DIGITS) + inside[1:]
    return inside


def _inner(found: re.Match[str]) -> str:
    if found[0] == "!" and found.start() >= 4 and found.end() <= len(found.string) - 4:
        return "!"  # two sentences without a blank
    return found[0].translate(DIGITS)
