"""Does a post spread a claim, debunk it, or neither? Rules for Indonesian, slang, some Javanese and
Sundanese.

A first version without a model: cues that a reader would name, in this order: hoaxes that protest their
truth ("ini BUKAN hoax") are spreading; then corrections, then questions, quotation and irony; whoever only
tells the story spreads it.
"""

import re
from typing import Literal

from .text import clean

STANCES = ("spreads", "debunks", "neither")


# One alternative a line, joined by "or".
def _any(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives), re.IGNORECASE)


_HOAX = r"(?:hoax+|hoaks+|hoak|hoex|palsu|fitnah|disinformasi|misinformasi|kabar bohong|berita bohong|info sesat)"
_NOT = r"(?:bukan(?:lah)?|tidak|bkn|tdk|bukannya|dudu|sanes|sanés|lain)"
_FILLER = (
    r"(?:(?:ini|itu|iki|ieu|berita|kabar|video|info|sekadar|sekedar|cuma|hanya|lagi|kok|lho|loh|ya|mah"
    r"|merupakan)"
    r" ){0,3}"
)
_THING = r"(?:berita |kabar |info |video |foto |konten |pesan )?"

# "Ini bukan hoaks", "bukan hoax, ini nyata", "no hoax", "100% asli": the protest of those who spread.
_PROTEST = _any(
    rf"\b{_NOT} {_FILLER}{_HOAX}\b(?! (?:melainkan|tapi|tetapi) (?:fitnah|disinformasi))",
    r"\bno hoax\b",
    rf"\b(?:anti|bebas) {_HOAX}\b",
    r"\bdijamin (?:asli|nyata|benar)\b",
    r"\b(?:ini|iki|ieu) (?:asli|nyata|fakta|beneran)\b",
    rf"\b(?:masih |mau |berani )*bilang (?:ini |itu )?{_HOAX}\b",
    r"\b(?:mereka|media|pemerintah|buzzer)(?: \w+){0,3} (?:bilang|sebut|menyebut|cap)(?:nya)?(?: "
    r"\w+){0,2} hoa(?:x|ks)\b",
)
_DEBUNK = _any(
    rf"[\[(] ?(?:{_HOAX}|salah|penipuan|klarifikasi|cek fakta|false|menyesatkan|konten \w+) ?[\])]",
    rf"\b{_HOAX}\s*[!:.]",
    rf"^\s*{_HOAX}\b",
    rf"\b(?:ini|itu|iki|ieu|kuwi|eta|adalah|jelas|merupakan|ternyata|terbukti) {_THING}{_HOAX}\b",
    rf"\b(?:termasuk|cuma|hanya|memang|fix) {_THING}{_HOAX}\b",
    rf"\b{_HOAX} (?:itu|ini|kuwi|iki|ieu|eta|lagi|semua|banget|bro|gan|min|kok|mah)\b",
    rf"\b{_HOAX}\W*(?:\[url\]|#|$)",
    rf"\b(?:sebut|tegaskan|pastikan|nyatakan|menjawab)\b.{{0,80}}\b{_HOAX}\b",
    r"\b(?:tidak|tdk|gak|ga|nggak|enggak|ora|teu|bukan) (?:benar|bener|leres|betul)\b(?! ?\?)",
    r"\bcek ?fakta\b|\bfact ?check\b|\bturnbackhoax\b|\bklarifikasi\b|\bmeluruskan\b",
    # A story told in quotation marks and then called wrong, or put right.
    r"[\"'”’] ?(?:itu |ini |adalah |jelas )*salah\b|\b(?:me|di)?luruskan\b",
    r"\bdisinformasi\b|\bmisinformasi\b|\bmengada-?ada\b",
    r"\? ?(?:begini|ini|berikut) fakta(?:nya)?\b",
    r"\bjangan (?:mudah |gampang |langsung )?(?:percaya|termakan|tertipu|terkecoh|ikut menyebar\w*)\b",
    r"\b(?:aja|ojo|tong) (?:gampang )?perc(?:a|o)y[ao]\b",
    r"\b(?:telah|sudah|udah) dibantah\b|\b(?:mem)?bantah(?:an|kan)?\b|\bkeliru\b|\bmenyesatkan\b",
    r"\bfaktanya\b.{0,80}\b(?:tidak|bukan|justru|hanya)\b",
    r"\byang benar(?:nya)? (?:adalah|ialah)\b",
    r"\b(?:video|foto|gambar|potongan)\w*(?: \w+){0,4} (?:lama|editan|suntingan|rekayasa|lawas|hasil ai)\b",
    r"\b(?:editan|suntingan|rekayasa|deepfake|hasil manipulasi|dipelintir)\b",
    r"\bbukan(?:lah)?\b.{2,80}\bmelainkan\b",
    r"\b(?:hoax|hoaks)\b.{0,40}\b(?:penyebar|pembuat|dilaporkan|terbantah|basi|lawas)\b",
    r"\b(?:penyebar|tukang|termakan|kemakan|stop|lawan) hoa(?:x|ks)\b",
)
_ASK = _any(
    r"\b(?:benarkah|betulkah|validkah)\b",
    r"\bbenar(?:an|nya)? ?(?:gak|ga|nggak|kah|tidak|ya|tah)? ?\?",
    r"\bapa(?:kah)? (?:ini |itu )?(?:benar|betul|bener|hoa(?:x|ks))\b",
    r"\b(?:ini|itu) (?:hoax|hoaks|benar|bener|beneran|asli)(?: (?:gak|ga|nggak|apa|atau|bukan|kah"
    r"|ya)\b.{0,20})?\?",
    r"\bhoa(?:x|ks) (?:atau|apa|bukan|gak|ga|kah)\b",
    r"\b(?:ada|yang|yg|ana sing|aya nu) (?:yang |yg )?(?:tahu|tau|paham|ngerti|weruh|terang|bisa "
    r"konfirmasi)\b.{0,40}\?",
    r"\bmohon (?:info|konfirmasi|pencerahan|penjelasan)\b|\bminta (?:konfirmasi|klarifikasi|penjelasan)\b",
    r"\btolong (?:dicek|cekkan|cek|konfirmasi)\b",
    r"\bbener (?:ora|gak|ga|tah|teu|nggak)\b|\bleres (?:teu|kitu)\b|\bvalid (?:gak|ga|nggak)\b",
    r"\bmasa sih\b.{0,30}\?|\bserius nih\b.{0,10}\?|\bsumbernya (?:mana|apa)\b",
)
_DOUBT = _any(
    r"\b(?:konon|kabarnya|katanya|jarene|cenah|saurna|ceunah|rumor(?:nya)?|isu(?:nya)?|gosip(?:nya)?"
    r"|dikabarkan"
    r"|disebut-sebut|diduga)\b.{0,120}\b(?:entah|belum (?:tentu|jelas|terbukti|dikonfirmasi|ada "
    r"konfirmasi)|wallahu"
    r"|hmm|tahu deh|tau deh|mboh|duka)\b",
)
_IRONY = _any(
    r"\bsatire?\b|\bsatir\b|#satir\w*|\bparodi\b|\bsarkas\w*|/s$",
    r"\bwk(?:wk)+\w*|\bawok+\w*|\bngakak\b|\bheuheu\w*|\blucu (?:banget|amat|juga)\b",
    r"\bbercanda\b|\bcanda\b|\bguyon\w*|\bmimin ngarang\b",
)

# In a long post a question or a laugh somewhere is about something else: only its ends count.
_END_CHARS = 120

_NEGATED = re.compile(r"^(?:tidak|tak|bukan|bukanlah|belum|gak|ga|nggak|enggak|tdk|bkn|ora|dudu|teu|lain|batal)$")
_WORD = re.compile(r"\w+")
_TITLE_MARK = re.compile(r"^\s*[\[(][^\])]{1,30}[\])]:?")
_BORROWED = re.compile(
    rf"\b(?:{_HOAX}|editan|suntingan|rekayasa|klarifikasi|(?:mem)?bantah(?:an|kan)?|keliru)\b", re.IGNORECASE
)


def cue(text: str) -> Literal["debunks", "neither"] | None:
    """Return what the text alone says of its story: "debunks", "neither", or None where nothing speaks
    against spreading.
    """
    return _cue(clean(text))


def stance(claim: str, text: str) -> tuple[Literal["spreads", "debunks", "neither"], dict[str, float]]:
    """Return the stance of `text` to `claim` and a score a stance (they sum to one; rules, so coarse and
    uncalibrated).
    """
    claim = _TITLE_MARK.sub(" ", clean(claim))
    text = clean(text)
    # A claim that itself says "palsu" or "hoaks" lends the word to whoever repeats it.
    for word in {found.lower() for found in _BORROWED.findall(claim)}:
        text = re.sub(rf"(?<![\[(])\b{re.escape(word)}\b", " ", text, flags=re.IGNORECASE)
    told = _cue(text)
    if told is None and _denies(claim, text):
        told = "debunks"
    if told is None:
        return "spreads", {"spreads": 0.85, "debunks": 0.05, "neither": 0.1}
    if told == "debunks":
        return "debunks", {"spreads": 0.05, "debunks": 0.85, "neither": 0.1}
    return "neither", {"spreads": 0.15, "debunks": 0.15, "neither": 0.7}


def _cue(text: str) -> Literal["debunks", "neither"] | None:
    if not text.strip():
        return "neither"
    ends = text if len(text) <= 2 * _END_CHARS else f"{text[:_END_CHARS]} | {text[-_END_CHARS:]}"
    if _ASK.search(ends):
        return "neither"
    rest = _PROTEST.sub(" ", text)
    if _DEBUNK.search(rest):
        return "debunks"
    if _DOUBT.search(rest) or _IRONY.search(ends):
        return "neither"
    return None


def _denies(claim: str, text: str) -> bool:
    """Does a short text say the claim's own words, with a "not" right before one of them that the claim
    lacks?
    """
    told = set(_WORD.findall(claim.lower()))
    words = _WORD.findall(_PROTEST.sub(" ", text).lower())
    if not told or len(words) > 1.5 * len(told) + 4 or any(_NEGATED.match(word) for word in told):
        return False
    if len(told & set(words)) / len(told) < 0.7:
        return False
    return any(_NEGATED.match(word) and told & set(words[at + 1 : at + 3]) for at, word in enumerate(words))
