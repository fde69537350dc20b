"""Words by which a reader tells who spreads, who corrects and who asks: rules for Indonesian, slang, some
Javanese and Sundanese.

They are looked for in this order: hoaxes that protest their truth ("ini BUKAN hoax") are spreading; then
corrections, then questions, quotation and irony. The stance model (stance.py) has them among its features.
"""

import re
from typing import Literal

from .text import clean


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
PROTEST = _any(
    rf"\b{_NOT} {_FILLER}{_HOAX}\b(?! (?:melainkan|tapi|tetapi) (?:fitnah|disinformasi))",
    r"\bno hoax\b",
    rf"\b(?:anti|bebas) {_HOAX}\b",
    r"\bdijamin (?:asli|nyata|benar)\b",
    r"\b(?:ini|iki|ieu) (?:asli|nyata|fakta|beneran)\b",
    rf"\b(?:masih |mau |berani )*bilang (?:ini |itu )?{_HOAX}\b",
    r"\b(?:mereka|media|pemerintah|buzzer)(?: \w+){0,3} (?:bilang|sebut|menyebut|cap)(?:nya)?(?: "
    r"\w+){0,2} hoa(?:x|ks)\b",
)
DEBUNK = _any(
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
    r"\b(?:menyangkal|disangkal|sangkal|menampik|ditampik|tampik|menepis|ditepis|tepis)\b",
    r"\bfaktanya\b.{0,80}\b(?:tidak|bukan|justru|hanya)\b",
    r"\byang benar(?:nya)? (?:adalah|ialah)\b",
    r"\b(?:video|foto|gambar|potongan)\w*(?: \w+){0,4} (?:lama|editan|suntingan|rekayasa|lawas|hasil ai)\b",
    r"\b(?:editan|suntingan|rekayasa|deepfake|hasil manipulasi|dipelintir)\b",
    r"\bbukan(?:lah)?\b.{2,80}\bmelainkan\b",
    r"\b(?:hoax|hoaks)\b.{0,40}\b(?:penyebar|pembuat|dilaporkan|terbantah|basi|lawas)\b",
    r"\b(?:penyebar|tukang|termakan|kemakan|stop|lawan) hoa(?:x|ks)\b",
)
ASK = _any(
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
DOUBT = _any(
    r"\b(?:konon|kabarnya|katanya|jarene|cenah|saurna|ceunah|rumor(?:nya)?|isu(?:nya)?|gosip(?:nya)?"
    r"|dikabarkan"
    r"|disebut-sebut|diduga)\b.{0,120}\b(?:entah|belum (?:tentu|jelas|terbukti|dikonfirmasi|ada "
    r"konfirmasi)|wallahu"
    r"|hmm|tahu deh|tau deh|mboh|duka)\b",
)
IRONY = _any(
    r"\bsatire?\b|\bsatir\b|#satir\w*|\bparodi\b|\bsarkas\w*|/s$",
    r"\bwk(?:wk)+\w*|\bawok+\w*|\bngakak\b|\bheuheu\w*|\blucu (?:banget|amat|juga)\b",
    r"\bbercanda\b|\bcanda\b|\bguyon\w*|\bmimin ngarang\b",
)

# In a long post a question or a laugh somewhere is about something else: only its ends count.
_END_CHARS = 120

NEGATED = re.compile(r"^(?:tidak|tak|bukan|bukanlah|belum|gak|ga|nggak|enggak|tdk|bkn|ora|dudu|teu|lain|batal)$")
_WORD = re.compile(r"\w+")
_TITLE_MARK = re.compile(r"^\s*[\[(][^\])]{1,30}[\])]:?")
_BORROWED = re.compile(
    rf"\b(?:{_HOAX}|editan|suntingan|rekayasa|klarifikasi|(?:mem)?bantah(?:an|kan)?|keliru)\b", re.IGNORECASE
)


def told(text: str) -> Literal["debunks", "neither"] | None:
    """Return what a cleaned text alone says of its story; None where nothing speaks against spreading."""
    if not text.strip():
        return "neither"
    outer = ends(text)
    if ASK.search(outer):
        return "neither"
    rest = PROTEST.sub(" ", text)
    if DEBUNK.search(rest):
        return "debunks"
    if DOUBT.search(rest) or IRONY.search(outer):
        return "neither"
    return None


def ends(text: str) -> str:
    """Return where a question or a laugh is about the story: all of a short text, both ends of a long one."""
    return text if len(text) <= 2 * _END_CHARS else f"{text[:_END_CHARS]} | {text[-_END_CHARS:]}"


def title(claim: str) -> str:
    """Return a claim cleaned and without the mark that fact-checkers put before a title ("[SALAH]")."""
    return clean(_TITLE_MARK.sub(" ", clean(claim)))


def rule(claim: str, text: str) -> Literal["debunks", "neither"] | None:
    """Return what the rules say of a cleaned text beside a cleaned claim without its title's mark."""
    # A claim that itself says "palsu" or "hoaks" lends the word to whoever repeats it.
    for word in {found.lower() for found in _BORROWED.findall(claim)}:
        text = re.sub(rf"(?<![\[(])\b{re.escape(word)}\b", " ", text, flags=re.IGNORECASE)
    found = told(text)
    return "debunks" if found is None and denies(claim, text) else found


def denies(claim: str, text: str) -> bool:
    """Does a short text say the claim's own words, with a "not" right before one of them that the claim
    lacks?
    """
    said = set(_WORD.findall(claim.lower()))
    words = _WORD.findall(PROTEST.sub(" ", text).lower())
    if not said or len(words) > 1.5 * len(said) + 4 or any(NEGATED.match(word) for word in said):
        return False
    if len(said & set(words)) / len(said) < 0.7:
        return False
    return any(NEGATED.match(word) and said & set(words[at + 1 : at + 3]) for at, word in enumerate(words))
