"""The records of a WARC file as they lie there: one gzip member each. Strict, and with memory bounded whatever the file holds."""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from ..archive import KIND

CHUNK_BYTES = 1 << 18
MAX_RECORD_BYTES = 2_000_000_000
"""Unpacked. A body has at most JAGA_MAX_PAGE_BYTES, 5 MB by default; what unpacks to more than this is a bomb."""
MAX_HEADER_BYTES = 1_000_000
_UUID = re.compile(r"<urn:uuid:([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})>")


class Damaged(Exception):
    """Where a file cannot be read as WARC records any further, and why."""

    def __init__(self, offset: int, why: str, *, cut: bool = False) -> None:
        super().__init__(f"byte {offset}: {why}")
        self.offset, self.why = offset, why
        self.cut = cut
        """Whether the file merely ends in the middle of a record."""


@dataclass(frozen=True)
class Record:
    """One record. `problem` says what in it does not fit its own digests; empty if all does."""

    id: str
    """The UUID of its WARC-Record-ID."""
    offset: int
    length: int
    """Bytes in the file, packed."""
    sha256: str
    """Of these bytes."""
    kind: str
    url: str
    date: str
    payload_sha256: str
    """Of the body that was fetched."""
    problem: str = ""
    source_kind: str = ""
    """Of the source that it was fetched for, where the record tells."""


def uuid_of(record_id: str) -> str | None:
    """`<urn:uuid:...>` -> the UUID; None for anything else."""
    found = _UUID.fullmatch(record_id.strip())
    return found[1] if found else None


def scan(file: BinaryIO) -> Iterator[Record]:
    """Every record from the file's beginning. Raises Damaged behind the last that is whole, OSError."""
    packed, offset = file.read(CHUNK_BYTES), 0
    while packed:
        unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
        reading = _Reading()
        digest = hashlib.sha256()
        length = 0
        while not unpacker.eof:
            try:
                plain = unpacker.decompress(packed, CHUNK_BYTES)
                left = unpacker.unconsumed_tail or unpacker.unused_data
                reading.feed(plain)
            except (zlib.error, ValueError) as error:
                raise Damaged(offset, str(error)) from error
            used = len(packed) - len(left)
            digest.update(packed[:used])
            length += used
            packed = left
            if not unpacker.eof and not packed:
                packed = file.read(CHUNK_BYTES)
                if not packed and not plain:
                    raise Damaged(offset, "the file ends in the middle of a record", cut=True)
        try:
            yield reading.record(offset, length, digest.hexdigest())
        except ValueError as error:
            raise Damaged(offset, str(error)) from error
        offset += length
        packed = packed or file.read(CHUNK_BYTES)


@dataclass
class _Reading:
    """Takes a record's plain bytes as they come. Raises ValueError where they are no WARC record."""

    headers: dict[str, str] = field(default_factory=dict)
    _held: bytes = b""
    _stage: str = "headers"
    _plain: int = 0
    _block: int = 0
    _size: int = 0
    _block_digest: Any = None
    _payload_digest: Any = None
    _tail: bytes = b""
    _in_http: bool = False

    def feed(self, plain: bytes) -> None:
        self._plain += len(plain)
        if self._plain > MAX_RECORD_BYTES:
            raise ValueError(f"a record of more than {MAX_RECORD_BYTES} bytes")
        if self._stage == "headers":
            self._held += plain
            end = self._held.find(b"\r\n\r\n")
            if end < 0:
                if len(self._held) > MAX_HEADER_BYTES:
                    raise ValueError("no WARC record: headers without end")
                return
            self._begin(self._held[:end])
            plain, self._held = self._held[end + 4 :], b""
            self._stage = "block"
        inside = plain[: self._size - self._block]
        self._block += len(inside)
        self._block_digest.update(inside)
        self._take_payload(inside)
        self._tail += plain[len(inside) :]
        if len(self._tail) > 4:
            raise ValueError("no WARC record: longer than its Content-Length")

    def _begin(self, head: bytes) -> None:
        first, *lines = head.split(b"\r\n")
        if not first.startswith(b"WARC/1."):
            raise ValueError("no WARC record")
        for line in lines:
            name, colon, value = line.partition(b":")
            if not colon:
                raise ValueError("no WARC record: a header without a colon")
            self.headers[name.decode("utf-8", "replace").strip().lower()] = value.decode("utf-8", "replace").strip()
        told = self.headers.get("content-length", "")
        if not re.fullmatch(r"[0-9]{1,12}", told):
            raise ValueError("no WARC record: no Content-Length")
        self._size = int(told)
        kind = self.headers.get("warc-block-digest", "").partition(":")[0]
        self._block_digest = hashlib.sha1(usedforsecurity=False) if kind == "sha1" else hashlib.sha256()
        self._payload_digest = hashlib.sha256()
        self._in_http = self.headers.get("warc-type") == "response"

    def _take_payload(self, inside: bytes) -> None:
        if not self._in_http:
            self._payload_digest.update(inside)
            return
        self._held += inside
        end = self._held.find(b"\r\n\r\n")
        if end >= 0:
            self._payload_digest.update(self._held[end + 4 :])
            self._in_http, self._held = False, b""
        elif len(self._held) > MAX_HEADER_BYTES:
            raise ValueError("no WARC record: HTTP headers without end")

    def record(self, offset: int, length: int, sha256: str) -> Record:
        if self._stage == "headers":
            raise ValueError("no WARC record")
        if self._block < self._size or self._tail != b"\r\n\r\n":
            raise ValueError("no WARC record: shorter than its Content-Length")
        name = uuid_of(self.headers.get("warc-record-id", ""))
        if name is None:
            raise ValueError("no WARC record: no WARC-Record-ID that is a UUID")
        told = {digest: self.headers.get(f"warc-{digest}-digest", "") for digest in ("payload", "block")}
        wrong = [
            f"its {what} does not fit its WARC-{what.title()}-Digest"
            for what, made in (("payload", self._payload_digest), ("block", self._block_digest))
            if told[what] and not _same(told[what], made)
        ]
        return Record(
            id=name.lower(),
            offset=offset,
            length=length,
            sha256=sha256,
            kind=self.headers.get("warc-type", ""),
            url=self.headers.get("warc-target-uri", ""),
            date=self.headers.get("warc-date", ""),
            payload_sha256=self._payload_digest.hexdigest(),
            problem="; ".join(wrong),
            source_kind=self.headers.get(KIND.lower(), ""),
        )


def _same(told: str, made: Any) -> bool:
    kind, _, value = told.partition(":")
    if kind != made.name:
        return False
    return bool(value.lower() == made.hexdigest() or value.upper() == base64.b32encode(made.digest()).decode())
