"""Pages that stand in the way of what was asked for: checks for robots, consents, age and login walls, blocks of a network."""

from __future__ import annotations

import html
import re

_SIGNS = re.compile(
    r"just a moment\.\.\.|attention required|access (to this page has been |is )?denied|akses ditolak|are you (a )?(human|robot)|(verify|verifying|confirm) (that )?you are (a )?human|"
    r"verifying your browser|enable javascript and cookies|checking (if the site connection is secure|your browser)|captcha|please wait for verification|pardon our interruption|"
    r"over 18\?|blocked by network security|you('ve| have) been blocked|unusual traffic|before you continue to|sebelum melanjutkan ke|internet ?positif|trustpositif|"
    r"(please |silakan )?(log|sign) in to (continue|view|see|read)|(masuk|login) (dulu )?untuk (melanjutkan|melihat|membaca)|you must (be logged in|log ?in)|request (was |has been )?blocked|blocked due to|whoa there, pardner|"
    r"error 10(06|09|10|12|15|20)\b|ddos protection|bot (verification|detection)|security (check|verification)|please turn javascript on|make sure you're not a bot|"
    r"this website is using a security service|are not a robot|bukan robot|request unsuccessful\.|robot challenge|press (&|and) hold|slide to verify|"
    r"(this site|website ini) requires javascript|(situs|website|halaman) yang anda (tuju|akses|kunjungi|buka) (telah |sudah )?(di ?blokir|dibatasi|mengandung konten|tidak dapat diakses)|"
    r"(anda )?(harus|perlu|wajib|silakan|silahkan) (log ?in|masuk) (terlebih )?dahulu|(you are )?not logged in or (you )?do not have permission|"
    r"requires you to be registered and logged in|only registered (members|users) (are allowed|may|can)|"
    r"you (need|have) to (be logged in|log ?in)|log ?in(to)? (facebook|instagram) (to|untuk)",
    re.I,
)
_GUARDS = re.compile(
    r"captcha-delivery\.com|_incapsula_resource|px-captcha|awswafintegration|aws-waf-token|_cf_chl_opt|sucuri_cloudproxy_js|\bkpsdk\b|slowaes\.|/aes\.js|"
    r"internet-?positif|trustpositif|lamanlabuh|aduankonten|/sgcaptcha/|we value your privacy|kami menghargai privasi anda",
    re.I,
)
"""What guards write into pages that show no words themselves: a frame, a program, a redirection."""
_SILENT_CHARS = 200
_SEPARATOR = re.compile(r"\s+[-|–—»·•]\s+|\s*[|»]\s*")
_MISSING = re.compile(
    r"((error|galat|oops!?)[ :]*)?404([ :!]+(error|(page )?not found|(halaman|laman)? ?tidak .{0,20}))?|(error[ :]*)?not found|"
    r"((maaf|sorry|oops)[,!]* )?(the|that|this)? ?page( you('re| are)? (requested|looking for))? (was |could |can(not|'t) )?(not )?(be )?found|"
    r"(maaf,? )?(halaman|laman|artikel|berita|konten)( yang (anda|kamu) (cari|minta|tuju))? (tidak|tak) (dapat |bisa )?(di)?temukan|halaman tidak tersedia|"
    r"(halaman|artikel|berita|konten)( ini)? (telah|sudah) dihapus",
    re.I,
)
_UNSEEN = re.compile(r"<(script|style|noscript)\b", re.I)
_TAG = re.compile(r"<[^<>]{0,2000}>")
_HEAD_CHARS = 60_000
_SAID_CHARS = 4_000


def is_html(text: str) -> bool:
    return bool(
        re.match(
            r"\s*(<\?xml[^<>]{0,200}>\s*)?(<!--.{0,2000}?-->\s*)?<(!doctype html|html|head|body)\b", text, re.I | re.S
        )
    )


def is_wall(text: str) -> bool:
    """Whether a page's title or first words are those of a wall. `text` is markup or plain."""
    head = text[:_HEAD_CHARS]
    title = re.search(r"<title\b[^<>]{0,200}>([^<]{0,300})", head, re.I)
    said = " ".join(html.unescape(_TAG.sub(" ", _seen(head))).split())[:_SAID_CHARS]
    return bool(
        _SIGNS.search(html.unescape(title.group(1)) if title else "")
        or _SIGNS.search(said)
        or (len(said) < _SILENT_CHARS and _GUARDS.search(head))
    )


def is_missing(title: str) -> bool:
    """Whether a page is called one that is not there, with or without the site's name beside it."""
    return any(_MISSING.fullmatch(part.strip(" .!")) for part in parts_of(title.replace("\u2019", "'")))


def parts_of(title: str) -> list[str]:
    """A page's title without what parts the page's own name from the site's."""
    return [part.strip() for part in _SEPARATOR.split(title)]


def _seen(markup: str) -> str:
    """Without scripts and styles; one that never ends hides the rest, as in a browser."""
    parts, position = [], 0
    while opening := _UNSEEN.search(markup, position):
        parts.append(markup[position : opening.start()])
        end = re.compile(f"</{opening.group(1)}", re.I).search(markup, opening.end())
        if end is None:
            return " ".join(parts)
        position = end.start()
    return " ".join([*parts, markup[position:]])


def instead(text: str, expected: str) -> str:
    """The problem of a page of HTML where something for programs was expected."""
    if is_wall(text):
        return f"blocked: a wall where {expected} was expected"
    return f"shape changed: HTML where {expected} was expected (blocked?)"
