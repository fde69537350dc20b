"""A file as a stream of characters, whatever it is packed in and whatever its encoding; memory stays bounded."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import PurePosixPath
from typing import BinaryIO, cast

from .row import Unusable

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

DAMAGE = (EOFError, OSError, ValueError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, zstd.ZstdError)
"""What unpackers raise when the packed bytes end too early or are broken."""
WORTH_READING = {".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".tab", ".txt", ".js"}
"""Members of a zip that may hold posts; the rest are pictures and pages."""
PEEK_BYTES = 65_536
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def unpacked(file: BinaryIO, name: str) -> Iterator[tuple[str, io.BufferedReader]]:
    """(name, bytes) of each file in it: itself, what gzip, bzip2, xz or zstd hold, or the members of a zip. Raises Unusable."""
    start = file.read(6)
    file.seek(0)
    if start.startswith(b"PK\x03\x04"):
        yield from _members(file, name)
        return
    opened: object = file
    if start.startswith(b"\x1f\x8b"):
        opened = gzip.GzipFile(fileobj=file)
    elif start.startswith(b"BZh"):
        opened = bz2.BZ2File(file)
    elif start.startswith(b"\xfd7zXZ\x00"):
        opened = lzma.LZMAFile(file)  # noqa: SIM115
    elif start.startswith(b"\x28\xb5\x2f\xfd"):
        opened = zstd.ZstdFile(file)
    yield name, io.BufferedReader(cast("io.RawIOBase", opened), PEEK_BYTES)


def _members(file: BinaryIO, name: str) -> Iterator[tuple[str, io.BufferedReader]]:
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise Unusable(f"{name}: zip damaged: {error}") from error
    with closing(archive):
        members = [m for m in archive.infolist() if not m.is_dir()]
        chosen = [m for m in members if PurePosixPath(m.filename).suffix.lower() in WORTH_READING]
        if not chosen and any(m.filename == "xl/workbook.xml" for m in members):
            raise Unusable(f"{name}: a workbook of Excel; save its sheet as CSV UTF-8, with ids as text")
        if not chosen:
            raise Unusable(f"{name}: a zip without {', '.join(sorted(WORTH_READING))} in it")
        for member in chosen:
            inner = f"{name}/{member.filename}"
            try:
                opened = archive.open(member)
            except (RuntimeError, NotImplementedError, zipfile.BadZipFile, OSError) as error:
                raise Unusable(f"{inner}: {error}") from error
            with opened:
                yield inner, io.BufferedReader(cast("io.RawIOBase", opened), PEEK_BYTES)


def start_of(stream: io.BufferedReader, name: str) -> bytes:
    """The first bytes, still to be read. Raises Unusable."""
    try:
        return stream.peek(PEEK_BYTES)[:PEEK_BYTES]
    except DAMAGE as error:
        raise Unusable(f"{name}: damaged: {error}") from error


def encoding_of(start: bytes) -> str:
    """UTF-16 by its mark or by the zeros between Latin letters, else UTF-8."""
    for mark, name in _UTF16.items():
        if start.startswith(mark):
            return name
    sample = start[:400]
    if len(sample) >= 4 and not sample.startswith(codecs.BOM_UTF8):
        even, odd = sample[0::2].count(0), sample[1::2].count(0)
        if odd > len(sample) // 3 and not even:
            return "utf-16-le"
        if even > len(sample) // 3 and not odd:
            return "utf-16-be"
    return "utf-8"


def as_text(stream: io.BufferedReader, encoding: str, newline: str) -> io.TextIOWrapper:
    """Bytes that are not UTF-8 stay visible as lone surrogates, so that a row can be told by the byte that is wrong."""
    errors = "surrogateescape" if encoding == "utf-8" else "replace"
    return io.TextIOWrapper(stream, encoding, errors=errors, newline=newline)
