"""What a post's text says of people's numbers and names, taken out before it is put on the log. `docs/privacy.md` says what and why.

The words put in their place are those that the model was trained with (`classifier/text.py`): `[phone] [nik] [email] @user`; and `[plate]
[npwp] [account]`. Pure, without a key: the same text gives the same text, so that a post seen again has the revision it had.

Time is linear in the text, whatever it holds: links and runs of digits are cut out in one pass each, and every look around a candidate
is at a bounded stretch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from pipeline.contracts import Claim, Post

BEFORE_CHARS = 40
"""How far back a word is looked for that says what a number is ("rekening", "plat", "Rp")."""
MOST_GROUPS = 14
"""Most groups of digits that make one number: a phone number written digit by digit has 13."""
MOST_PASSES = 8
"""No text was found that takes more than three; the bound keeps the time linear for one that somebody makes up."""

# Invisible characters by which numbers are hidden from filters count as nothing.
_HIDDEN = "\u00ad\u200b-\u200f\u2060\ufeff"
_DASHES = "\\-\u2010-\u2015\u2212"
_BETWEEN = rf"[ \u00a0.()/{_DASHES}{_HIDDEN}]"

_LINK = re.compile(r"(?:https?://|www\.|(?<![\w.])(?:wa\.me|t\.me|api\.whatsapp\.com)/)[^\s<>\"]+", re.IGNORECASE)
_CHAT = re.compile(r"(?:https?://)?(?:www\.)?(?:wa\.me|(?:api\.|web\.)?whatsapp\.com|t\.me/(?=\+\d))(?![\w.])", re.I)
_CHAT_NUMBER = re.compile(r"(?<![\w-])(?:\+|%2B)?\d{9,15}(?!\w)", re.IGNORECASE)
_PASSED_MAIL = re.compile(r"(?<=[=:])[\w.+-]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}(?![\w/])")

_DOMAIN = r"[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}"
_FEDIVERSE = re.compile(rf"(?<![\w@.+-])@[\w.-]{{1,64}}@{_DOMAIN}")
_EMAIL = re.compile(rf"(?<![\w.+-])[\w.+-]{{1,64}}@{_DOMAIN}")
_SPELT_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64} {0,2}[\[(] {0,2}(?:at|et) {0,2}[\])] {0,2}[\w-]{1,63}"
    r"(?: {0,2}(?:\.|[\[(] {0,2}(?:dot|titik) {0,2}[\])]) {0,2}[\w-]{2,63}){1,3}",
    re.IGNORECASE,
)
_SPELT_AT = re.compile(r"[\[(] {0,2}at {0,2}[\])]", re.IGNORECASE)
_REDDITOR = re.compile(r"(?<![\w/.@])/?u/[A-Za-z0-9_-]{3,20}(?![\w-])")
"""How Reddit writes an account in a text. Elsewhere `u/` is Indonesian for "for", and stays."""
_HANDLE = re.compile(r"(?<![\w@\[])@(?!user\b)([A-Za-z0-9_][A-Za-z0-9_.]*)")
_PRICE = re.compile(r"[\d.]+(?:k|kg|rb|ribu|jt|juta|m|perak)?\.*", re.IGNORECASE)

_RUN = re.compile(rf"[(+]{{0,3}}\d+(?:{_BETWEEN}{{1,4}}\d+)*")
_DIGITS = re.compile(r"\d+")
_UNSEEN = re.compile(f"[{_HIDDEN}]")

_PLATE_CODES = (
    "AA AB AD AE AG BA BB BD BE BG BH BK BL BM BN BP DA DB DC DD DE DG DH DK DL DM DN DR DS DT EA EB ED KB KH KT KU PA PB "
    "A B D E F G H K L M N P R S T W Z"
).replace(" ", "|")
"""Perpol 7/2021, annex: the regions' letters. PT, PS, PG and PY are left out: they are words of their own in most texts."""
_PLATE = re.compile(
    rf"(?<![\w\-./])({_PLATE_CODES})[ .{_DASHES}]{{0,2}}([1-9]\d{{0,3}})[ .{_DASHES}]{{0,2}}([A-Z]{{1,3}})(?![\w\-])",
    re.IGNORECASE,
)
_LIKE_A_PLATE = re.compile(rf"(?<=[A-Za-z .{_DASHES}])[1-9]\d{{0,3}}[ .{_DASHES}]{{0,2}}[A-Za-z]{{1,3}}(?![\w\-])")
_VEHICLE = re.compile(r"\b(?:plat|pelat|nopol|no\.? ?pol|nomor polisi|mobil|motor|kendaraan|bernopol|truk|bus)\b", re.I)
_UNITS = frozenset(
    re.compile("[A-Z]+").findall(
        "KG GR GB MB KB TB CM MM KM ML CC HP PK WIB WIT JT RB M H AM PM HA NEO MAX VS DAN THN TH BLN HR TPS DPT DPD DPR KPU RT RW KK PSU"
    )
)

_NOT_A_NUMBER_OF_SOMEONE = re.compile(
    r"(?:\b(?:tps|rt|rw|rp|idr|usd|us\$|sgd|pasal|ayat|uu|pp|perpu|pkpu|perpres|perda|permen\w*|kepmen\w*|dapil|isbn|issn|sk|resi|invoice)"
    r"|\$|€|£)[ .:]{0,3}(?:no(?:mor|\.)?[ .:]{0,2})?$",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(
    r"\b(?:rek(?:ening)?|norek|no\.? ?rek|bca|bri|bni|btn|bsi|mandiri|cimb|permata|danamon|muamalat|jago|seabank|jenius|va|virtual account)\b"
    r"\W{0,3}(?:[A-Za-z]{1,12}\W{1,3}){0,3}$",
    re.IGNORECASE,
)
_CALL = re.compile(
    r"\b(?:telp|telepon|telpon|tlp|tel|phone|call center|fax|faks|hub(?:ungi)?|wa|hp)\b\W{0,3}(?:[A-Za-z]{1,10}\W{1,3}){0,2}$",
    re.I,
)
_CITIZEN = re.compile(
    r"\b(?:nik|ktp|e-ktp|nkk|no\.? ?kk|kk|kartu keluarga)\b\W{0,3}(?:[A-Za-z]{1,10}\W{1,3}){0,2}$", re.I
)
_TAXPAYER = re.compile(r"\bnpwp\b\W{0,3}(?:[A-Za-z]{1,10}\W{1,3}){0,2}$", re.IGNORECASE)

_PROVINCES = frozenset(
    _DIGITS.findall(
        "11 12 13 14 15 16 17 18 19 21 31 32 33 34 35 36 51 52 53 61 62 63 64 65 71 72 73 74 75 76 81 82 91 92 93 94 95 96 97"
    )
)
"""The first two digits of a NIK: the province where it was given (Kepmendagri 300.2.2-2138/2025)."""


_NIK_CUTS = ((16,), (4, 4, 4, 4), (6, 6, 4), (2, 2, 2, 6, 4), (2, 4, 6, 4), (6, 10))


def _codes(*ranges: tuple[int, int]) -> frozenset[str]:
    return frozenset(f"0{code}" for first, last in ranges for code in range(first, last + 1))


_AREAS = _codes(
    (21, 22), (24, 24), (31, 31), (61, 61), (231, 234), (251, 257), (260, 267), (271, 276), (280, 298), (321, 328), (331, 338),
    (341, 343), (351, 358), (361, 376), (380, 389), (401, 438), (443, 445), (450, 465), (471, 485), (511, 518), (525, 528),
    (531, 539), (541, 556), (561, 568), (620, 636), (639, 646), (650, 659), (702, 702), (711, 737), (739, 748), (751, 779),
    (901, 902), (910, 918), (921, 931), (951, 986),
)  # fmt: skip
"""Codes of fixed lines with their 0 (Fundamental Technical Plan 2000 and later; blocks as a whole, so that a new exchange is known)."""


class Masked(NamedTuple):
    """A post whose text and links have passed through here: it need not do so again."""

    post: Post


class _Group(NamedTuple):
    digits: str
    start: int
    end: int
    before: str
    """What stands between it and the group before it, the signs `+` and `(` that belong to it at the end."""


def mask(text: str, platform: str = "") -> str:
    """The text without people's numbers, mail addresses, plates and account names. Idempotent; never raises for a str.

    `platform`: where it was written, for what only that platform's readers take for a name.
    """
    reddit = platform == "reddit"
    for _ in range(MOST_PASSES):
        # What was masked may have hidden something else: nearly always the second pass changes nothing.
        if (after := _pass(text, reddit)) == text:
            break
        text = after
    return text


def masked_post(post: Post) -> Post:
    """The post as it may be kept. Raises ValidationError if the words put in make its text too long."""
    text, links = mask(post.text, post.platform), tuple(_link(link) for link in post.links)
    if text == post.text and links == post.links:
        return post
    return Post.model_validate({**dict(post), "text": text, "links": links})


def masked_claim(claim: Claim) -> Claim:
    """The claim as it may be kept: fact-checkers quote texts with numbers in them. Raises ValidationError as `masked_post`."""
    text = mask(claim.text)
    return claim if text == claim.text else Claim.model_validate({**dict(claim), "text": text})


def _pass(text: str, reddit: bool) -> str:
    if not (reddit and "u/" in text) and not any(sign in text for sign in "@[(") and _DIGITS.search(text) is None:
        return text
    kept: list[str] = []
    at = 0
    # Here and below a cheap look first: most texts have none of it, and masking takes half the time.
    for link in _LINK.finditer(text) if "/" in text or "ww" in text or "WW" in text else ():
        kept += (_words(text[at : link.start()], reddit), _link(link.group()))
        at = link.end()
    kept.append(_words(text[at:], reddit))
    return "".join(kept)


def _link(link: str) -> str:
    """Of an address only what it passes on of people: the number that a chat is opened with, a mail address as a parameter.

    All else in it stays, digits too: it names a public page, and shared addresses are how copies are found.
    """
    if _CHAT.match(link):
        link = _CHAT_NUMBER.sub("[phone]", link)
    return _PASSED_MAIL.sub("[email]", link)


def _words(text: str, reddit: bool) -> str:
    if reddit and "u/" in text:
        text = _REDDITOR.sub("@user", text)
    if "@" in text:
        text = _FEDIVERSE.sub("@user", text)
        text = _EMAIL.sub("[email]", text)
        text = _HANDLE.sub(_handle, text)
    if _SPELT_AT.search(text):
        text = _SPELT_EMAIL.sub("[email]", text)
    if _DIGITS.search(text) is None:
        return text
    text = _replace(_RUN, text, _numbers)
    return _replace(_PLATE, text, _plates) if _LIKE_A_PLATE.search(text) else text


def _handle(found: re.Match[str]) -> str:
    name = found.group(1)
    if _PRICE.fullmatch(name):
        return found.group()  # "@15.000", "@10rb": a price each
    return "@user" + name[len(name.rstrip(".")) :]


def _replace(pattern: re.Pattern[str], text: str, look: Callable[[re.Match[str], str, str], str | None]) -> str:
    """As `pattern.sub`, but `look` gets the end of what was made so far and what follows; None leaves the match as it is.

    It looks at the masked text before it, not at the raw one, so that a second time it sees what it saw the first.
    """
    made: list[str] = []
    at, tail = 0, ""
    for found in pattern.finditer(text):
        passed = text[at : found.start()]
        tail = (tail + passed[-BEFORE_CHARS:])[-BEFORE_CHARS:]
        new = look(found, tail, text[found.end() : found.end() + 2])
        new = found.group() if new is None else new
        made += (passed, new)
        tail = (tail + new[-BEFORE_CHARS:])[-BEFORE_CHARS:]
        at = found.end()
    return "".join((*made, text[at:])) if made else text


# ---------------------------------------------------------------- plates


def _plates(found: re.Match[str], before: str, after: str) -> str | None:
    code, number, letters = found.groups()
    told = _VEHICLE.search(before) is not None
    if told and letters.upper() not in _UNITS:
        return "[plate]"
    if not found.group().isupper() or letters in _UNITS or len(number) < 3:
        return None  # "B2B", "G30S", "F-16C", "B 2 KG"
    if len(letters) == 1 and not (len(number) == 4 and len(code) == 2):
        return None if len(number) == 3 or number[:2] in ("14", "19", "20") else "[plate]"  # "H 1445 H", "M 2024 A"
    return "[plate]"


# ---------------------------------------------------------------- numbers


def _numbers(run: re.Match[str], before: str, after: str) -> str | None:
    """One run of digits and what separates them: which of its groups are a number of someone."""
    text = run.group()
    if len(text) < 8:
        return None
    groups: list[_Group] = []
    for found in _DIGITS.finditer(text):
        between = text[groups[-1].end if groups else 0 : found.start()]
        groups.append(_Group(_ascii(found.group()), found.start(), found.end(), between))
    made: list[str] = []
    at = number = 0
    said = before
    while number < len(groups):
        first = groups[number]
        sign = len(first.before) - len(first.before.rstrip("(+"))
        begin = first.start - sign
        said = (said + text[at:begin])[-BEFORE_CHARS:]
        made.append(text[at:begin])
        at = begin
        count, word = (0, "") if _within(first, number, said) else _number(groups[number : number + MOST_GROUPS], said)
        if count and number + count == len(groups) and (after[:1].isalpha() or after[:1] == "_"):
            count = 0
        if count:
            last = groups[number + count - 1]
            if "(" in text[begin : first.start] and ")" not in text[first.start : last.end]:
                word = "(" + word  # the bracket encloses more than the number: "(0812 ... )"
            made.append(word)
            said = (said + word)[-BEFORE_CHARS:]
            at = last.end
        number += count or 1
    return "".join((*made, text[at:]))


def _within(group: _Group, number: int, said: str) -> bool:
    """Whether the digits are the end of something longer: a word, a decimal fraction."""
    if number:
        return group.before == "."
    if group.before:
        return False
    word = _LETTERS.search(said)
    return (
        said[-1:] == "_"
        or (word is not None and word.group().lower() not in _CALLS)
        or _FRACTION.search(said) is not None
    )


_LETTER = re.compile(r"[A-Za-z]")
_LETTERS = re.compile(r"[^\W\d_]{1,12}$")
_CALLS = frozenset({"wa", "hp", "telp", "tlp", "tel", "no", "call", "sms", "nik", "ktp", "kk"})
"""Words to which a number is often written without a blank."""
_FRACTION = re.compile(r"\d[,.]$")


def _ascii(digits: str) -> str:
    """Digits of any script as 0 to 9."""
    return digits if digits.isascii() else "".join(str(int(digit)) for digit in digits)


def _number(groups: Sequence[_Group], said: str) -> tuple[int, str]:
    """(how many of the groups are one number, the word for it); 0 if the first one begins none. `said`: the text before."""
    for look, word in ((_nik, "[nik]"), (_npwp, "[npwp]"), (_phone, "[phone]"), (_account, "[account]")):
        if count := look(groups, said):
            return (0, "") if _NOT_A_NUMBER_OF_SOMEONE.search(said) else (count, word)
    return 0, ""


def _nik(groups: Sequence[_Group], said: str) -> int:
    """16 digits in one piece, or cut as people cut them. A family card's number (KK) is built alike."""
    if len(groups[0].digits) not in (16, 2, 4, 6):
        return 0
    sizes = tuple(len(group.digits) for group in groups[:5])
    count = next((len(cut) for cut in _NIK_CUTS if sizes[: len(cut)] == cut), 0)
    if not count or any(len(_shown(group.before)) != 1 for group in groups[1:count]):
        return 0
    digits = "".join(group.digits for group in groups[:count])
    return count if is_nik(digits) or _CITIZEN.search(said) else 0


def is_nik(digits: str) -> bool:
    """Whether 16 digits are built as a NIK or KK: province, regency, district, day (of women 40 more), month, year, serial number."""
    day, month = int(digits[6:8]), int(digits[8:10])
    place = digits[:2] in _PROVINCES and 1 <= int(digits[2:4]) <= 79 and digits[4:6] != "00"
    return place and (1 <= day <= 31 or 41 <= day <= 71) and 1 <= month <= 12 and digits[12:] != "0000"


def _npwp(groups: Sequence[_Group], said: str) -> int:
    """`01.234.567.8-901.234`, or 15 digits after the word."""
    if len(groups[0].digits) == 2 and [len(group.digits) for group in groups[:6]] == [2, 3, 3, 1, 3, 3]:
        between = "".join(_shown(group.before) for group in groups[1:6])
        if len(between) == 5 and not between.strip(".-"):
            return 6
    return 1 if len(groups[0].digits) in (15, 16) and _TAXPAYER.search(said) else 0


def _phone(groups: Sequence[_Group], said: str) -> int:
    first, plus = groups[0].digits, "+" in groups[0].before
    if first.startswith("62"):
        # Without its sign only mobile numbers, and not in threes: `62.812.345.678` is a sum.
        national = "".join(group.digits for group in groups[:3])[2:].removeprefix("0")
        if not plus and (_thousands(groups) or not national.startswith("8")):
            return 0
        return _spelt(groups) or _fits(groups, 2)
    if plus:
        return _abroad(groups)
    if first.startswith("0062"):
        return _fits(groups, 4)
    if not first.startswith("0"):
        return 0
    if 9 <= len(first) <= 12 and _CALL.search(said) and _fixed(first[1:], groups, 2):
        return 1
    return _spelt(groups) or (_fits(groups, 1) if len(first) >= 3 else 0)


def _fits(groups: Sequence[_Group], prefix: int) -> int:
    """The most groups, beginning with the first, that are together a mobile or fixed number; 0 if none.

    `prefix`: how many digits the trunk's or the country's code has.
    """
    best, digits, national = 0, "", ""
    for count, group in enumerate(groups, start=1):
        # After the code come groups of three and more; a smaller one is the next thing said.
        if count > 1 and (not _joins(group.before) or (len(group.digits) < 3 and national)):
            break
        digits += group.digits
        national = digits[prefix:].removeprefix("0") if prefix > 1 else digits[prefix:]
        if len(national) > 12:
            break
        if _mobile(national) or _fixed(national, groups[:count], prefix):
            best = count
    return best


def _mobile(national: str) -> bool:
    """8xx and 6 to 9 more (Ministry of Communications, national numbering: at most 13 digits with the 0)."""
    return national[:1] == "8" and national[1:2] not in ("", "0") and 9 <= len(national) <= 12


def _fixed(national: str, groups: Sequence[_Group], prefix: int) -> bool:
    """An area's code, set apart from 5 to 8 digits that are no years."""
    code = next((f"0{national[:n]}" for n in (2, 3) if f"0{national[:n]}" in _AREAS), None)
    if code is None:
        return False
    local = len(national) - len(code) + 1
    if prefix == 1:
        apart = groups[0].digits == code and len(groups) > 1
        if not apart:
            return False
        if all(_year(group.digits) for group in groups[1:]):
            return False
    return 5 <= local <= 8 and (local >= 7 or len(code) == 4)


def _spelt(groups: Sequence[_Group]) -> int:
    """A mobile number written digit by digit or in pairs, with one and the same sign between."""
    size = len(groups[0].digits)
    if size > 2 or len(groups) < 5 or groups[1].before not in (" ", "-", "."):
        return 0
    best, digits = 0, ""
    for count, group in enumerate(groups, start=1):
        if (count > 1 and group.before != groups[1].before) or len(group.digits) > size:
            break
        digits += group.digits
        if digits[:2] not in ("0", "08", "62", "6"):
            break
        if count >= 5 and _mobile(digits.removeprefix("62").removeprefix("0")):
            best = count
        if len(group.digits) < size:
            break
    return best


def _abroad(groups: Sequence[_Group]) -> int:
    """`+` and another country's number: 10 to 15 digits (E.164), in at most five groups."""
    if _thousands(groups):
        return 0
    best, digits = 0, 0
    for count, group in enumerate(groups[:5], start=1):
        if count > 1 and (len(group.digits) < 2 or not _joins(group.before)):
            break
        digits += len(group.digits)
        if digits > 15:
            break
        if digits >= 10:
            best = count
    return best


def _account(groups: Sequence[_Group], said: str) -> int:
    """8 to 18 digits after "rekening" or a bank's name."""
    if _LETTER.search(said) is None or not _ACCOUNT.search(said) or _thousands(groups):
        return 0
    best, digits = 0, 0
    for count, group in enumerate(groups[:6], start=1):
        checks = len(group.digits) == 1 and group.before == "-" and digits >= 8
        if count > 1 and not (_joins(group.before) and (len(group.digits) > 1 or checks)):
            break
        if _year(group.digits) and count == 1:
            break
        digits += len(group.digits)
        if digits > 18:
            break
        if digits >= 8 and (count == 1 or all(len(g.digits) >= 3 for g in groups[1:count]) or digits >= 10):
            best = count
    return best


def _shown(between: str) -> str:
    """What is seen of a separator."""
    return between if between.isascii() else _UNSEEN.sub("", between)


def _joins(between: str) -> bool:
    """Whether what stands between two groups may stand within one number."""
    shown = _shown(between)
    return "/" not in shown and len(shown.strip()) <= 2 and len(shown) <= 3


def _thousands(groups: Sequence[_Group]) -> bool:
    """`62.812.345.678`, `1 250 000`: a sum or a count of votes."""
    rest = groups[1:4]
    return (
        len(groups[0].digits) <= 3
        and bool(rest)
        and not groups[0].digits.startswith("0")
        and all(len(group.digits) == 3 and group.before in (".", " ", "\u00a0") for group in rest)
    )


def _year(digits: str) -> bool:
    return len(digits) == 4 and digits[:2] in ("19", "20")
