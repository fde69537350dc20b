"""What every text goes through before the model reads it: one deterministic cleaning, the same in training
and in use.
"""

import re
import unicodedata

from .disguise import undisguised

# A post's argument is in its beginning, and the model reads 128 pieces (about 500 characters). The cut
# comes first, so that a text of 5 MB costs no more than a long post.
MAX_CHARS = 2_000
_FIRST_CUT = 4 * MAX_CHARS

_ENTITY = re.compile(r"&(?:amp;)*(amp|lt|gt|quot|nbsp|#39|apos);", re.IGNORECASE)
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "nbsp": " ", "#39": "'", "apos": "'"}
_LINK = re.compile(
    r"(?:https?://|www\.)[^\s<>\"]+|\b(?:t\.me|bit\.ly|t\.co|youtu\.be|pic\.twitter\.com)/[^\s<>\"]+",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_HANDLE = re.compile(r"(?<![\w@\[])@(?!user\b)[A-Za-z0-9_][A-Za-z0-9_.]{0,39}")
_PHONE = re.compile(r"(?<![\w+])(?:\+62|62|0)8\d(?:[ -]?\d){7,10}(?!\w)")
_LETTERS = re.compile(r"([^\W\d_])\1{2,}", re.IGNORECASE)
_MARKS = re.compile(r"([^\w\s])\1{3,}")
_BLANKS = re.compile(r"\s+")
# Cf is what hides inside words (zero-width joiners, bidi marks, soft hyphens); Cs are lone surrogates; Co
# private use; Cn unassigned.
_DROPPED = frozenset({"Cf", "Cs", "Co", "Cn"})


def clean(text: str) -> str:
    """Return `text` as the model reads it: at most MAX_CHARS characters, one line, no disguise.

    NFKC; invisible characters and lone surrogates removed; control characters become a blank; links, mails,
    phone numbers and handles become `[url]`, `[email]`, `[phone]` and `@user`; disguised words are read as
    meant (see disguise.py); a letter repeated more than
    twice is written twice, a mark more than three times thrice. The result may be empty. Idempotent; never
    raises for a str.
    """
    text = text[:_FIRST_CUT]
    while (
        after := _pass(text)
    ) != text:  # every pass shortens or settles the text, so this ends; nearly always at once
        text = after
    return text


def _pass(text: str) -> str:
    text = _visible(text)
    # Links with an address inside ("https://user@host") must go before mails, mails before handles.
    text = _ENTITY.sub(lambda found: _ENTITIES[found[1].lower()], text)
    text = _LINK.sub("[url]", text)
    text = _EMAIL.sub("[email]", text)
    text = _HANDLE.sub("@user", text)
    text = _PHONE.sub("[phone]", text)
    text = undisguised(text)
    text = _LETTERS.sub(r"\1\1", text)
    text = _MARKS.sub(r"\1\1\1", text)
    return _BLANKS.sub(" ", text).strip()[:MAX_CHARS].rstrip()


def _visible(text: str) -> str:
    if text.isascii():
        # Also the common case's shortcut: only control characters can be wrong in ASCII.
        return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
    kept = []
    for char in unicodedata.normalize("NFKC", _without_surrogates(text)):
        kind = unicodedata.category(char)
        if kind not in _DROPPED:
            kept.append(" " if kind in {"Cc", "Zl", "Zp"} else char)
    return "".join(kept)


def _without_surrogates(text: str) -> str:
    # A pair of surrogates that stands for one character (JSON read carelessly) is mended; a lone one is
    # dropped.
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
