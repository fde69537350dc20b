"""The bytes as fetched, kept as evidence: WARC records (ISO 28500), one for each response that gave a post or a claim, or for a row that was imported."""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from pipeline.contracts import Evidence

_NOT_OF_THE_BODY = {"content-encoding", "transfer-encoding", "content-length", "set-cookie"}
"""Headers that no longer fit the unpacked body, and cookies, which are nobody's evidence."""

LEVEL = 6
"""Of gzip. At 9, which is warcio's, recorded news pages are 0.3 % smaller and take 1.8 times as long to pack."""
FILE_RECORDS = 10_000
FILE_BYTES = 500_000_000
"""A file that has either is followed by another, so that its list of records and a removal from it stay small."""


@dataclass
class Fetch:
    """One response, and where it lies once it is archived."""

    url: str
    body: bytes
    fetched_at: datetime
    status: int = 200
    headers: Sequence[tuple[str, str]] = ()
    evidence: Evidence | None = None
    kind: str = ""
    """Of the source that it was fetched for: what it is kept by (`evidence.prune`)."""


KIND = "Jaga-Source-Kind"
"""A record's header of ours, as WARC allows them (ISO 28500, 4)."""
IMPORTED = "import"
"""The kind of rows from files."""


class Archive:
    """Appends to `YYYYMMDD-PID.warc.gz`, one file a day and process, several if they grow large. Not thread-safe.

    From the first `keep` to the next `sync` the file is locked; in between it may be sealed (`evidence.seal`), and then another is begun.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lists = folder.parent / "evidence" / "records"
        self._file: BinaryIO | None = None
        self._name = ""
        self._day = ""
        self._records = 0
        self._locked = False
        self._writer: Any = None

    def keep(self, fetch: Fetch) -> Evidence:
        """Write one `response` record; durable after the next `sync`. A fetch is written once. Raises OSError."""
        if fetch.evidence is None:
            kept = [(name, value) for name, value in fetch.headers if name.lower() not in _NOT_OF_THE_BODY]
            http = StatusAndHeaders(
                f"{fetch.status} OK", [*kept, ("Content-Length", str(len(fetch.body)))], protocol="HTTP/1.1"
            )
            fetch.evidence = self._keep(
                "response", fetch.url, fetch.body, fetch.fetched_at, fetch.kind, http_headers=http
            )
        return fetch.evidence

    def keep_row(self, uri: str, body: bytes, content_type: str, at: datetime) -> Evidence:
        """Write one row of an imported file as a `resource` record; durable after the next `sync`. Raises OSError."""
        return self._keep("resource", uri, body, at, IMPORTED, warc_content_type=content_type)

    def _keep(self, kind: str, uri: str, body: bytes, at: datetime, source_kind: str, **told: Any) -> Evidence:
        file = self._open(at)
        began = file.tell()
        sha256 = hashlib.sha256(body).hexdigest()
        headers = {
            "WARC-Date": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "WARC-Payload-Digest": f"sha256:{sha256}",
        }
        if source_kind:
            headers[KIND] = source_kind
        if kind == "resource":
            # The block is the body; without this warcio adds a SHA-1 of the same.
            headers["WARC-Block-Digest"] = headers["WARC-Payload-Digest"]
        try:
            record = self._writer.create_warc_record(
                uri, kind, payload=io.BytesIO(body), length=len(body), warc_headers_dict=headers, **told
            )
            self._writer.write_record(record)
        except OSError:
            # Half a record would spoil all that come after it.
            file.truncate(began)
            file.seek(began)
            raise
        self._records += 1
        return Evidence(warc=self._name, record_id=str(record.rec_headers.get_header("WARC-Record-ID")), sha256=sha256)

    def sync(self) -> None:
        """Everything kept so far is on the disk when this returns. Raises OSError."""
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())
            fcntl.flock(self._file, fcntl.LOCK_UN)
            self._locked = False

    def close(self) -> None:
        if self._file is not None:
            self.sync()
            self._file.close()
            self._file = None

    def _open(self, at: datetime) -> BinaryIO:
        day = at.astimezone(UTC).strftime("%Y%m%d")
        if self._file is not None and not self._locked:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            self._locked = True
        if self._file is None or day != self._day or self._full() or self._sealed():
            self.close()
            return self._begin(day)
        return self._file

    def _full(self) -> bool:
        return self._records >= FILE_RECORDS or (self._file is not None and self._file.tell() >= FILE_BYTES)

    def _sealed(self) -> bool:
        return list_of(self._lists, self._name).exists()

    def _begin(self, day: str) -> BinaryIO:
        self.folder.mkdir(parents=True, exist_ok=True)
        nth = 1
        while True:
            self._name = f"{day}-{os.getpid()}{f'-{nth}' if nth > 1 else ''}.warc.gz"
            nth += 1
            if self._sealed():
                continue  # removed since, but its name is in a manifest
            try:
                # Process numbers come again: never write behind what another process left.
                file = (self.folder / self._name).open("x+b")
                break
            except FileExistsError:
                continue
        fcntl.flock(file, fcntl.LOCK_EX)
        self._file, self._locked = file, True
        self._day, self._records = day, 0
        self._writer = _Writer(file, gzip=False, warc_version="1.1")  # it packs by itself
        return file


class _Writer(WARCWriter):  # type: ignore[misc]
    """Each record is a gzip member of its own, packed at LEVEL."""

    def _write_warc_record(self, out: BinaryIO, record: Any) -> None:
        super()._write_warc_record(_Member(out), record)


class _Member:
    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._packing = zlib.compressobj(LEVEL, zlib.DEFLATED, zlib.MAX_WBITS | 16)

    def write(self, data: bytes) -> None:
        self._out.write(self._packing.compress(data))

    def flush(self) -> None:
        """Ends it."""
        self._out.write(self._packing.flush())
        self._out.flush()


def list_of(folder: Path, warc: str) -> Path:
    """Where the list of a sealed file's records lies."""
    return folder / (warc.removesuffix(".warc.gz") + ".txt")
