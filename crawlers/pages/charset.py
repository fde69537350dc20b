"""From bytes to characters, for bodies whose charset is wrong, missing or hidden under gzip."""

from __future__ import annotations

import codecs
import re
import zlib

MAX_UNPACKED_BYTES = 50_000_000
"""A gzipped body may not unpack to more: the largest sitemap that the protocol allows."""

_DECLARED = re.compile(
    rb"""<meta[^>]{0,200}charset\s*=\s*["']?\s*([\w.:-]+)|<\?xml[^>]{0,200}encoding\s*=\s*["']([\w.:-]+)""", re.I
)
_IN_HEADER = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]+)", re.I)
# Browsers read these labels as their Windows supersets (WHATWG Encoding); so do we.
_SUPERSETS = {
    "iso-8859-1": "cp1252",
    "latin-1": "cp1252",
    "latin1": "cp1252",
    "ascii": "cp1252",
    "us-ascii": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso-8859-9": "cp1254",
}


def unpack(body: bytes) -> bytes:
    """The body without gzip, where a server sent it packed and did not say so. Raises ValueError on a bomb."""
    if body[:2] != b"\x1f\x8b":
        return body
    stream = zlib.decompressobj(wbits=31)
    try:
        unpacked = stream.decompress(body, MAX_UNPACKED_BYTES)
    except zlib.error as error:
        raise ValueError(f"gzip damaged: {error}") from error
    if stream.unconsumed_tail:
        raise ValueError(f"gzip unpacks to more than {MAX_UNPACKED_BYTES} bytes")
    return unpacked


def decode(body: bytes, content_type: str = "") -> tuple[str, str | None]:
    """(text, what was wrong). Valid UTF-8 is believed over every declaration: other charsets hardly ever look like it."""
    try:
        body = unpack(body)
    except ValueError as error:
        return "", str(error)
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace"), None
    declared = _declared(body, content_type)
    try:
        if declared not in ("utf-16", "utf-16-le", "utf-16-be", "iso-2022-jp", "hz"):
            return body.decode("utf-8"), None
    except UnicodeDecodeError as error:
        first_bad = error.start
        if declared == "utf-8":
            text = body.decode("utf-8", "replace")
            # A few bad bytes among good multi-byte characters are damage; many are another charset under a wrong name.
            good = sum(1 for c in text if c > "\x7f" and c != "\ufffd")
            if text.count("\ufffd") <= good:
                return text, f"bytes that are not UTF-8, the first at {first_bad}"
            declared = "cp1252"
    try:
        return body.decode(declared), None
    except (UnicodeDecodeError, LookupError):
        text = body.decode(declared if _known(declared) else "cp1252", "replace")
        return text, f"bytes that are not {declared}"


def _declared(body: bytes, content_type: str) -> str:
    told = _IN_HEADER.search(content_type)
    names = [told.group(1)] if told else []
    for match in _DECLARED.finditer(body[:4096]):
        names.append((match.group(1) or match.group(2)).decode("ascii", "replace"))
    for name in names:
        lowered = _SUPERSETS.get(name.lower(), name.lower())
        if _known(lowered):
            return codecs.lookup(lowered).name
    return "cp1252"


def _known(name: str) -> bool:
    try:
        return codecs.lookup(name)._is_text_encoding
    except (LookupError, ValueError):
        return False
